//! Flex tensors to slices and back.
//! In: `FlexTensor`s of f32. Out: the kernels' results as `FlexTensor`s.
#![allow(unsafe_code)] // Passes that overwrite their input where nobody else holds it.

use burn::backend::flex::{FlexTensor, Layout};
use burn::tensor::{Bytes, DType, Shape};

use crate::lanes::scratch::{SharedOut, filled_by};
use crate::lanes::simd::LANES;
use crate::ops::conv::{self, ConvShape};
use crate::ops::norm;
use crate::ops::norm::{Affine, Floats, NormGrad};
use crate::ops::pool::{self, Pool};

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
    let zeros = vec![0.0; n_channels];
    let mut none = Vec::new();
    let sums = grad_sums(NormGrad { x: floats(grad), relu_output: None, center: &zeros }, grad, &mut none);
    tensor(sums.iter().map(|sums| sums[0] as f32).collect(), [n_channels])
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
    let len = floats(&x).len();
    if x.layout().start_offset() == 0
        && let Some(in_place) = x.try_storage_mut::<f32>()
        && in_place.len() == len
    {
        let at = in_place.as_mut_ptr();
        // SAFETY: the storage is `len` floats and nobody else's; input and output may be the same buffer.
        unsafe { affine.run(at, len, Floats::new(SharedOut::from_ptr(at))) };
        return x;
    }
    // SAFETY: `run` writes all `len` floats, and the new buffer is apart from `x`.
    let out = unsafe { filled_by(len, |out| affine.run(floats(&x).as_ptr(), len, Floats::new(out))) };
    tensor(out, dims4(&x))
}

/// Per-channel sums of the gradient; see [`NormGrad::sums`]. Fills `masked` if it has the gradient's size.
fn grad_sums(norm: NormGrad, grad: &FlexTensor, masked: &mut Vec<f32>) -> Vec<[f64; 2]> {
    let grad = floats(grad);
    assert_eq!(grad.len(), norm.x.len(), "batch norm: the gradient does not have the input's size");
    let to = (masked.capacity() >= grad.len()).then(|| SharedOut::from_ptr(masked.as_mut_ptr()));
    // SAFETY: `grad` is only read, `masked` has room for all of it; both have the size of `x`.
    let sums = unsafe { norm.sums(SharedOut::from_ptr(grad.as_ptr().cast_mut()), to) };
    if to.is_some() {
        // SAFETY: `sums` wrote every element, and the capacity was checked above.
        unsafe { masked.set_len(grad.len()) };
    }
    sums
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
        let masks = relu_output.is_some() && with_residual;
        let mut masked = Vec::with_capacity(if masks { floats(x).len().max(LANES) } else { 0 });
        let norm = NormGrad { x: floats(x), relu_output: relu_output.as_ref().map(floats), center };
        let sums = grad_sums(norm, &grad, &mut masked);
        if masks {
            let masked = tensor(masked, dims4(x));
            return Self { sums, residual: Some(masked.clone()), grad: masked, relu_output: None };
        }
        let residual = with_residual.then(|| grad.clone());
        Self { sums, residual, grad, relu_output }
    }

    /// Second pass: `a · g - b · x + c`, the gradient of the input; overwrites the gradient if nobody else holds it.
    pub(crate) fn input(mut self, x: &FlexTensor, coefficients: &[Vec<f32>; 3]) -> FlexTensor {
        let zeros = &coefficients[0]; // Not looked at: the second pass does not centre.
        let norm =
            NormGrad { x: floats(x), relu_output: self.relu_output.as_ref().map(floats), center: zeros };
        let len = norm.x.len();
        if self.grad.layout().start_offset() == 0
            && let Some(in_place) = self.grad.try_storage_mut::<f32>()
            && in_place.len() == len
        {
            let at = SharedOut::from_ptr(in_place.as_mut_ptr());
            // SAFETY: the storage is `len` floats and nobody else's; gradient and output may be the same buffer.
            unsafe { norm.input(at, coefficients, at) };
            return self.grad;
        }
        let grad = SharedOut::from_ptr(floats(&self.grad).as_ptr().cast_mut());
        // SAFETY: `input` writes all `len` floats of the new buffer and only reads the gradient.
        let out = unsafe { filled_by(len, |out| norm.input(grad, coefficients, out)) };
        tensor(out, dims4(x))
    }
}

/// 2×2 pooling.
pub(crate) fn pool2(kind: Pool, x: &FlexTensor) -> FlexTensor {
    let [n, height, width, n_channels] = dims4(x);
    tensor(pool::forward(kind, dims4(x), floats(x)), [n, height / 2, width / 2, n_channels])
}

/// Gradient of [`pool2`]'s input, whose shape is `dims`; `x` and `y` matter to maxima only.
pub(crate) fn pool2_grad(
    kind: Pool,
    dims: [usize; 4],
    x: &[f32],
    y: &[f32],
    grad: &FlexTensor,
) -> FlexTensor {
    tensor(pool::backward(kind, dims, x, y, floats(grad)), dims)
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
