//! Convolution on `[N, H, W, C]` floats: forward, and both gradients.
//! In: slices and a [`ConvShape`]. Out: new vectors.
//!
//! Each image is copied once into a zero-bordered, channel-blocked buffer that stays in the cache ([`blocked`]);
//! every output tile is then computed in registers straight from it ([`direct`]), so no im2col matrix is written.
//! 3×3 convolutions of stride 1 take the shorter way of [`winograd`].
//! The input gradient is the same with other taps ([`gather`]); the weight gradient is [`mod@weight_grad`].

mod blocked;
mod direct;
mod epilogue;
mod gather;
mod packed;
mod register_tile;
mod weight_grad;
mod winograd;

pub(crate) use epilogue::Epilogue;
use gather::Gather;
use packed::{PackedWeight, WeightStrides};
use winograd::TransformedWeight;

/// Output channels in a full panel of packed weights: two vectors.
const PANEL: usize = 2 * crate::lanes::simd::LANES;

/// Sizes of one convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ConvShape {
    /// Images.
    pub(crate) n: usize,
    /// Input rows, columns, channels.
    pub(crate) input: [usize; 3],
    /// Output channels.
    pub(crate) n_outputs: usize,
    /// Kernel rows and columns.
    pub(crate) kernel: [usize; 2],
    /// Input pixels per output pixel, 1 or 2.
    pub(crate) stride: usize,
    /// Zeros around the image.
    pub(crate) padding: usize,
}

impl ConvShape {
    /// Of `x` `[N, H, W, I]` and `weight` `[O, I, kh, kw]`.
    ///
    /// # Panics
    ///
    /// Panics when the channels differ, the stride is not 1 or 2, or the padded image is smaller than the kernel.
    pub(crate) fn new(x: [usize; 4], weight: [usize; 4], stride: usize, padding: usize) -> Self {
        let [n, height, width, n_inputs] = x;
        let [n_outputs, weight_inputs, kernel_height, kernel_width] = weight;
        assert_eq!(
            n_inputs, weight_inputs,
            "conv2d: the input has {n_inputs} channels, the weight expects {weight_inputs}"
        );
        assert!((1..=2).contains(&stride), "conv2d: stride {stride}, expected 1 or 2");
        assert!(
            height + 2 * padding >= kernel_height && width + 2 * padding >= kernel_width,
            "conv2d: a {height}×{width} image with padding {padding} is smaller than the {kernel_height}×{kernel_width} kernel"
        );
        let kernel = [kernel_height, kernel_width];
        Self { n, input: [height, width, n_inputs], n_outputs, kernel, stride, padding }
    }

    /// Output rows and columns.
    pub(crate) fn output(&self) -> [usize; 2] {
        let along = |size: usize, kernel: usize| (size + 2 * self.padding - kernel) / self.stride + 1;
        [along(self.input[0], self.kernel[0]), along(self.input[1], self.kernel[1])]
    }

    /// Floats of the input, the output, and the weight.
    pub(crate) fn lens(&self) -> [usize; 3] {
        let [height, width, n_inputs] = self.input;
        let [out_height, out_width] = self.output();
        [
            self.n * height * width * n_inputs,
            self.n * out_height * out_width * self.n_outputs,
            self.n_outputs * n_inputs * self.kernel[0] * self.kernel[1],
        ]
    }

    /// The bound of every unchecked access of the weight gradients.
    fn check_grad_sizes(&self, x: &[f32], output_grad: &[f32]) {
        let [x_len, grad_len, _] = self.lens();
        assert_eq!(x.len(), x_len, "conv2d weight gradient: the input does not have the planned size");
        let found = output_grad.len();
        assert_eq!(found, grad_len, "conv2d weight gradient: the gradient does not have the planned size");
    }
}

/// `[N, H, W, I]` convolved with `[O, I, kh, kw]`, plus a bias `[O]`: `[N, H', W', O]`.
pub(crate) fn forward(shape: &ConvShape, x: &[f32], weight: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
    let epilogue = Epilogue { bias, residual: None, relu: false };
    ReadyWeight::forward(shape, weight).run(&Gather::forward(shape), shape, x, epilogue)
}

/// Gradient of the input, `[N, H, W, I]`, from the gradient of the output, `[N, H', W', O]`.
pub(crate) fn input_grad(shape: &ConvShape, weight: &[f32], output_grad: &[f32]) -> Vec<f32> {
    let plan = Gather::input_grad(shape);
    ReadyWeight::input_grad(shape, &plan, weight).run(&plan, shape, output_grad, Epilogue::default())
}

/// Gradient of the weight, `[O, I, kh, kw]`.
pub(crate) fn weight_grad(shape: &ConvShape, x: &[f32], output_grad: &[f32]) -> Vec<f32> {
    match winograd::fits(shape) {
        true => winograd::weight_grad(shape, x, output_grad),
        false => weight_grad::weight_grad(shape, x, output_grad),
    }
}

/// A weight in the form of the algorithm that will use it.
#[derive(Clone)]
enum ReadyWeight {
    Direct(PackedWeight),
    Winograd(TransformedWeight),
}

impl ReadyWeight {
    fn forward(shape: &ConvShape, weight: &[f32]) -> Self {
        let plan = Gather::forward(shape);
        let packed = PackedWeight::new(&plan, weight, WeightStrides::forward(shape));
        match winograd::fits(shape) {
            true => Self::Winograd(TransformedWeight::new(&plan, &packed, false)),
            false => Self::Direct(packed),
        }
    }

    fn input_grad(shape: &ConvShape, plan: &Gather, weight: &[f32]) -> Self {
        let packed = PackedWeight::new(plan, weight, WeightStrides::input_grad(shape));
        match winograd::fits(shape) {
            true => Self::Winograd(TransformedWeight::new(plan, &packed, true)),
            false => Self::Direct(packed),
        }
    }

    fn run(&self, plan: &Gather, shape: &ConvShape, x: &[f32], epilogue: Epilogue) -> Vec<f32> {
        match self {
            Self::Direct(weight) => direct::run(plan, shape.n, x, weight, epilogue),
            Self::Winograd(weight) => {
                winograd::run([shape.n, shape.input[0], shape.input[1]], x, weight, epilogue)
            }
        }
    }
}

/// A weight made ready once, for many forward passes.
#[derive(Clone)]
pub(crate) struct FoldedWeight(ReadyWeight);

impl FoldedWeight {
    /// Of `weight` `[O, I, kh, kw]`, for maps of any size.
    pub(crate) fn new(weight_dims: [usize; 4], weight: &[f32], stride: usize, padding: usize) -> Self {
        // The order depends on the weight alone: any image makes the same plan of panels and taps.
        let [_, n_inputs, kernel_height, kernel_width] = weight_dims;
        let shape = ConvShape::new([1, kernel_height, kernel_width, n_inputs], weight_dims, stride, padding);
        Self(ReadyWeight::forward(&shape, weight))
    }

    /// Convolution of `x` `[N, H, W, I]`; `shape` must be of the weight, stride and padding it was made for.
    pub(crate) fn forward(&self, shape: &ConvShape, x: &[f32], epilogue: Epilogue) -> Vec<f32> {
        self.0.run(&Gather::forward(shape), shape, x, epilogue)
    }
}
