//! Flex tensors to slices and back.
//! In: `FlexTensor`s of f32. Out: the kernels' results as `FlexTensor`s.

use burn::backend::flex::{FlexTensor, Layout};
use burn::tensor::{Bytes, DType, Shape};

use fer_kernels::conv::{self, ConvShape};
use fer_kernels::depthwise::{self, DepthwiseShape};
use fer_kernels::norm::{self, Affine, InputCoefficients, NormGrad};
use fer_kernels::pool::{self, Pool, PoolGrad};

/// A new tensor over `floats`, without a copy.
pub(crate) fn tensor(floats: Vec<f32>, shape: impl Into<Shape>) -> FlexTensor {
    FlexTensor::new(Bytes::from_elems(floats), Layout::contiguous(shape.into()), DType::F32)
}

/// The elements in order; [`contiguous`] tensors only.
pub(crate) fn floats(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice().expect("the tensor is contiguous f32 because `contiguous` made it so")
}

/// The same elements, in order in memory.
pub(crate) fn contiguous(tensor: FlexTensor) -> FlexTensor {
    let whole = tensor.as_slice::<f32>().is_some();
    if whole { tensor } else { tensor.to_contiguous() }
}

/// `[N, H, W, C]`, or `[O, I, kh, kw]`.
pub(crate) fn dims4(tensor: &FlexTensor) -> [usize; 4] {
    let shape = tensor.layout().shape();
    std::array::from_fn(|axis| shape[axis])
}

/// The sizes of a convolution of `x` `[N, H, W, I]` with `weight` `[O, I, kh, kw]`.
pub(crate) fn conv_shape(x: &FlexTensor, weight: &FlexTensor, stride: usize, padding: usize) -> ConvShape {
    ConvShape::new(dims4(x), dims4(weight), stride, padding)
}

/// Convolution; all operands contiguous.
pub(crate) fn conv2d(
    shape: &ConvShape,
    x: &FlexTensor,
    weight: &FlexTensor,
    bias: Option<&FlexTensor>,
) -> FlexTensor {
    let [height, width] = shape.output();
    let out = conv::forward(shape, floats(x), floats(weight), bias.map(floats));
    tensor(out, [shape.n, height, width, shape.n_outputs])
}

/// Gradient of a convolution's input.
pub(crate) fn conv2d_input_grad(shape: &ConvShape, weight: &FlexTensor, grad: &FlexTensor) -> FlexTensor {
    let [height, width, n_inputs] = shape.input;
    tensor(conv::input_grad(shape, floats(weight), floats(grad)), [shape.n, height, width, n_inputs])
}

/// Gradient of a convolution's weight.
pub(crate) fn conv2d_weight_grad(shape: &ConvShape, x: &FlexTensor, grad: &FlexTensor) -> FlexTensor {
    let [kernel_height, kernel_width] = shape.kernel;
    let out = conv::weight_grad(shape, floats(x), floats(grad));
    tensor(out, [shape.n_outputs, shape.input[2], kernel_height, kernel_width])
}

/// Gradient of a convolution's bias: the sum over all pixels.
pub(crate) fn conv2d_bias_grad(n_channels: usize, grad: &FlexTensor) -> FlexTensor {
    tensor(norm::channel_totals(floats(grad), n_channels), [n_channels])
}

/// The sizes of a depthwise convolution of `x` `[N, H, W, C]` with `weight` `[C, 1, 3, 3]`.
pub(crate) fn depthwise_shape(x: &FlexTensor, weight: &FlexTensor, stride: usize) -> DepthwiseShape {
    DepthwiseShape::new(dims4(x), dims4(weight), stride)
}

/// Depthwise convolution; both operands contiguous.
pub(crate) fn depthwise(shape: DepthwiseShape, x: &FlexTensor, weight: &FlexTensor) -> FlexTensor {
    tensor(depthwise::forward(shape, floats(x), floats(weight)), shape.output())
}

/// Gradient of a depthwise convolution's input, whose shape is `dims`.
pub(crate) fn depthwise_input_grad(
    shape: DepthwiseShape,
    dims: [usize; 4],
    weight: &FlexTensor,
    grad: &FlexTensor,
) -> FlexTensor {
    tensor(depthwise::input_grad(shape, floats(weight), floats(grad)), dims)
}

/// Gradient of a depthwise convolution's weight.
pub(crate) fn depthwise_weight_grad(shape: DepthwiseShape, x: &FlexTensor, grad: &FlexTensor) -> FlexTensor {
    tensor(depthwise::weight_grad(shape, floats(x), floats(grad)), [dims4(x)[3], 1, 3, 3])
}

/// Mean and biased variance per channel of `[N, H, W, C]`.
pub(crate) fn statistics(x: &FlexTensor) -> (Vec<f32>, Vec<f32>) {
    norm::statistics(floats(x), dims4(x)[3])
}

/// `scale · x + shift (+ residual)`, clipped at zero if asked for; overwrites `x` if nobody else holds it.
pub(crate) fn affine(
    mut x: FlexTensor,
    scale: &[f32],
    shift: &[f32],
    residual: Option<&FlexTensor>,
    relu: bool,
) -> FlexTensor {
    let affine = Affine { scale, shift, residual: residual.map(floats), relu };
    if let Some(in_place) = whole_storage(&mut x) {
        affine.over(in_place);
        return x;
    }
    tensor(affine.of(floats(&x)), dims4(&x))
}

/// The memory of a contiguous tensor, if nobody else holds it and the tensor is all of it.
fn whole_storage(tensor: &mut FlexTensor) -> Option<&mut [f32]> {
    let len = floats(tensor).len();
    let starts_there = tensor.layout().start_offset() == 0;
    tensor.try_storage_mut::<f32>().filter(|storage| starts_there && storage.len() == len)
}

/// Gradients of a normalisation `y = relu(scale · (x - center) … + residual)`.
pub(crate) struct NormGrads {
    /// Per channel, `Σ g` and `Σ g · (x - center)`.
    pub(crate) sums: Vec<[f64; 2]>,
    /// Of the residual, if asked for.
    pub(crate) residual: Option<FlexTensor>,
    /// Of the output, to be turned into that of the input.
    grad: FlexTensor,
    /// The ReLU still to be applied to `grad`.
    relu_output: Option<FlexTensor>,
}

impl NormGrads {
    /// First pass: the sums, and the gradient behind the ReLU where the residual needs it.
    pub(crate) fn new(
        x: &FlexTensor,
        center: &[f32],
        relu_output: Option<FlexTensor>,
        grad: FlexTensor,
        with_residual: bool,
    ) -> Self {
        let norm = NormGrad { x: floats(x), relu_output: relu_output.as_ref().map(floats) };
        if relu_output.is_some() && with_residual {
            let (sums, masked) = norm.sums_and_masked(center, floats(&grad));
            let masked = tensor(masked, dims4(x));
            return Self { sums, residual: Some(masked.clone()), grad: masked, relu_output: None };
        }
        let sums = norm.sums(center, floats(&grad));
        let residual = with_residual.then(|| grad.clone());
        Self { sums, residual, grad, relu_output }
    }

    /// Second pass: the gradient of the input; overwrites the output's if nobody else holds it.
    pub(crate) fn input(mut self, x: &FlexTensor, coefficients: &InputCoefficients) -> FlexTensor {
        let norm = NormGrad { x: floats(x), relu_output: self.relu_output.as_ref().map(floats) };
        if let Some(in_place) = whole_storage(&mut self.grad) {
            norm.input_over(coefficients, in_place);
            return self.grad;
        }
        tensor(norm.input(coefficients, floats(&self.grad)), dims4(x))
    }
}

/// 2×2 pooling.
pub(crate) fn pool2(kind: Pool, x: &FlexTensor) -> FlexTensor {
    let [n, height, width, n_channels] = dims4(x);
    tensor(pool::forward(kind, dims4(x), floats(x)), [n, height / 2, width / 2, n_channels])
}

/// Gradient of [`pool2`]'s input, whose shape is `dims`.
pub(crate) fn pool2_grad(pool: PoolGrad, dims: [usize; 4], grad: &FlexTensor) -> FlexTensor {
    tensor(pool::backward(pool, dims, floats(grad)), dims)
}

/// Mean over each image, `[N, C]`.
pub(crate) fn global_mean(x: &FlexTensor) -> FlexTensor {
    let [n, height, width, n_channels] = dims4(x);
    tensor(pool::global_mean(height * width, n_channels, floats(x)), [n, n_channels])
}

/// Gradient of [`global_mean`]'s input, whose shape is `dims`.
pub(crate) fn global_mean_grad(dims: [usize; 4], grad: &FlexTensor) -> FlexTensor {
    tensor(pool::global_mean_backward(dims[1] * dims[2], dims[3], floats(grad)), dims)
}
