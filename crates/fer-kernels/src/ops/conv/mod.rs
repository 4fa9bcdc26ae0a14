//! Convolution on `[N, H, W, C]` floats: forward, and both gradients.
//! In: slices and a [`ConvShape`]. Out: new vectors.
//!
//! Each image is copied once into a zero-bordered, channel-blocked buffer that stays in the cache (`blocked`);
//! every output tile is then computed in registers straight from it (`direct`), so no im2col matrix is written.
//! 3×3 convolutions of stride 1 take the shorter way of `winograd`.
//! The input gradient is the same with other taps (`gather`); the weight gradient is `weight_grad`.

mod blocked;
mod direct;
mod epilogue;
mod gather;
mod packed;
mod register_tile;
mod weight_grad;
mod winograd;

use std::sync::OnceLock;

pub use epilogue::Epilogue;
use gather::Gather;
use packed::{PackedWeight, WeightStrides};
use winograd::{Squares, TransformedWeight};

/// Output channels in a full panel of packed weights: two vectors.
const PANEL: usize = 2 * crate::lanes::simd::LANES;

/// Sizes of one convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConvShape {
    /// Images.
    pub n: usize,
    /// Input rows, columns, channels.
    pub input: [usize; 3],
    /// Output channels.
    pub n_outputs: usize,
    /// Kernel rows and columns.
    pub kernel: [usize; 2],
    /// Input pixels per output pixel, 1 or 2.
    pub stride: usize,
    /// Zeros around the image.
    pub padding: usize,
}

impl ConvShape {
    /// Of `x` `[N, H, W, I]` and `weight` `[O, I, kh, kw]`.
    ///
    /// # Panics
    ///
    /// Panics when the channels differ, an axis but the images' is empty, the stride is not 1 or 2, or the padded image is
    /// smaller than the kernel.
    pub fn new(x: [usize; 4], weight: [usize; 4], stride: usize, padding: usize) -> Self {
        let [n, height, width, n_inputs] = x;
        let [n_outputs, weight_inputs, kernel_height, kernel_width] = weight;
        assert_eq!(
            n_inputs, weight_inputs,
            "conv2d: the input has {n_inputs} channels, the weight expects {weight_inputs}"
        );
        let empty = [height, width, n_inputs].contains(&0) || weight.contains(&0);
        assert!(
            !empty,
            "conv2d: an empty axis in images {x:?} [N, H, W, C] or weight {weight:?} [O, I, kh, kw]"
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
    pub fn output(&self) -> [usize; 2] {
        let along = |size: usize, kernel: usize| (size + 2 * self.padding - kernel) / self.stride + 1;
        [along(self.input[0], self.kernel[0]), along(self.input[1], self.kernel[1])]
    }

    /// Floats of the input, the output, and the weight.
    pub fn lens(&self) -> [usize; 3] {
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
        let found = x.len();
        assert_eq!(found, x_len, "conv2d weight gradient: {found} floats for an input of {x_len}");
        let found = output_grad.len();
        assert_eq!(found, grad_len, "conv2d weight gradient: {found} floats for an output of {grad_len}");
    }

    /// The bound of every access to the weight.
    fn check_weight(&self, weight: &[f32]) {
        let (found, expected) = (weight.len(), self.lens()[2]);
        assert_eq!(found, expected, "conv2d: a weight of {found} floats, expected {expected}");
    }
}

/// `[N, H, W, I]` convolved with `[O, I, kh, kw]`, plus a bias `[O]`: `[N, H', W', O]`.
///
/// # Panics
///
/// Panics when a slice does not have the size of `shape`.
pub fn forward(shape: &ConvShape, x: &[f32], weight: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
    let plan = Gather::forward(shape);
    let epilogue = Epilogue { bias, residual: None, relu: false };
    match ReadyWeight::forward(shape, &plan, weight, Squares::of_maps(shape)) {
        ReadyWeight::Direct(weight) => direct::run(&plan, shape.n, x, &weight, epilogue),
        ReadyWeight::Winograd(weight) => winograd::run(shape, x, &weight, epilogue),
    }
}

/// Gradient of the input, `[N, H, W, I]`, from the gradient of the output, `[N, H', W', O]`.
///
/// # Panics
///
/// Panics when a slice does not have the size of `shape`.
pub fn input_grad(shape: &ConvShape, weight: &[f32], output_grad: &[f32]) -> Vec<f32> {
    let plan = Gather::input_grad(shape);
    match ReadyWeight::input_grad(shape, &plan, weight) {
        ReadyWeight::Direct(weight) => direct::run(&plan, shape.n, output_grad, &weight, Epilogue::default()),
        ReadyWeight::Winograd(weight) => winograd::run(shape, output_grad, &weight, Epilogue::default()),
    }
}

/// Gradient of the weight, `[O, I, kh, kw]`.
///
/// # Panics
///
/// Panics when a slice does not have the size of `shape`.
pub fn weight_grad(shape: &ConvShape, x: &[f32], output_grad: &[f32]) -> Vec<f32> {
    if winograd::fits(shape) {
        winograd::weight_grad(shape, x, output_grad)
    } else {
        weight_grad::weight_grad(shape, x, output_grad)
    }
}

/// A weight in the form of the algorithm that will use it.
#[derive(Clone)]
enum ReadyWeight {
    Direct(PackedWeight),
    Winograd(TransformedWeight),
}

impl ReadyWeight {
    /// `plan` is the forward gather of `shape`.
    fn forward(shape: &ConvShape, plan: &Gather, weight: &[f32], squares: Squares) -> Self {
        shape.check_weight(weight);
        let packed = PackedWeight::new(plan, weight, WeightStrides::forward(shape));
        if winograd::fits(shape) {
            Self::Winograd(TransformedWeight::new(plan, &packed, squares, false))
        } else {
            Self::Direct(packed)
        }
    }

    /// `plan` is the input gradient's gather of `shape`.
    fn input_grad(shape: &ConvShape, plan: &Gather, weight: &[f32]) -> Self {
        shape.check_weight(weight);
        let packed = PackedWeight::new(plan, weight, WeightStrides::input_grad(shape));
        if winograd::fits(shape) {
            Self::Winograd(TransformedWeight::new(plan, &packed, Squares::of_maps(shape), true))
        } else {
            Self::Direct(packed)
        }
    }
}

/// A weight made ready once, for many forward passes.
#[derive(Clone)]
pub struct FoldedWeight {
    ready: ReadyWeight,
    /// The plan for maps of the first size that was seen: in a network a layer sees one size.
    first_plan: OnceLock<Gather>,
}

impl FoldedWeight {
    /// Of `weight` `[O, I, kh, kw]`, for maps of any size.
    ///
    /// # Panics
    ///
    /// Panics when `weight` does not have the size of `weight_dims`.
    pub fn new(weight_dims: [usize; 4], weight: &[f32], stride: usize, padding: usize) -> Self {
        // The order depends on the weight alone: any image makes the same plan of panels and taps.
        let [_, n_inputs, kernel_height, kernel_width] = weight_dims;
        let shape = ConvShape::new([1, kernel_height, kernel_width, n_inputs], weight_dims, stride, padding);
        let squares = Squares::of_weight(weight_dims);
        let ready = ReadyWeight::forward(&shape, &Gather::forward(&shape), weight, squares);
        Self { ready, first_plan: OnceLock::new() }
    }

    /// Convolution of `x` `[N, H, W, I]`; `shape` must be of the weight, stride and padding it was made for.
    ///
    /// # Panics
    ///
    /// Panics when a slice does not have the size of `shape`, or the weight was made for other channels.
    pub fn forward(&self, shape: &ConvShape, x: &[f32], epilogue: Epilogue) -> Vec<f32> {
        match &self.ready {
            ReadyWeight::Winograd(weight) => winograd::run(shape, x, weight, epilogue),
            ReadyWeight::Direct(weight) => {
                let first = self.first_plan.get_or_init(|| Gather::forward(shape));
                if first.reads(shape.input) {
                    direct::run(first, shape.n, x, weight, epilogue)
                } else {
                    direct::run(&Gather::forward(shape), shape.n, x, weight, epilogue)
                }
            }
        }
    }
}
