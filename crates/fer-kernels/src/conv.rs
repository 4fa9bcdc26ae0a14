//! Convolution on `[N, H, W, C]` floats: forward, and both gradients.
//! In: slices and a [`ConvShape`]. Out: new vectors.
//! Knows nothing of Burn tensors or gradients' bookkeeping.
//!
//! Each image is copied once into a zero-bordered, channel-blocked buffer that stays in the cache ([`blocked`]);
//! every output tile is then computed in registers straight from it ([`gather`]), so no im2col matrix is written.
//! The input gradient is such a gather over the output gradient; the weight gradient is [`weight_grad`].

pub(crate) mod blocked;
pub(crate) mod gather;
mod tile;
pub(crate) mod weight_grad;

pub(crate) use gather::Epilogue;
use gather::{Gather, PackedWeight};

/// Output channels in a full panel of packed weights: two vectors.
const PANEL: usize = 2 * crate::simd::LANES;

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
}

/// `[N, H, W, I]` convolved with `[O, I, kh, kw]`, plus a bias `[O]`: `[N, H', W', O]`.
pub(crate) fn forward(shape: &ConvShape, x: &[f32], weight: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
    let plan = Gather::forward(shape);
    let packed = PackedWeight::new(&plan, weight, gather::WeightStrides::forward(shape));
    gather::run(&plan, shape.n, x, &packed, Epilogue { bias, residual: None, relu: false })
}

/// Gradient of the input, `[N, H, W, I]`, from the gradient of the output, `[N, H', W', O]`.
pub(crate) fn input_grad(shape: &ConvShape, weight: &[f32], output_grad: &[f32]) -> Vec<f32> {
    let plan = Gather::input_grad(shape);
    let packed = PackedWeight::new(&plan, weight, gather::WeightStrides::input_grad(shape));
    gather::run(&plan, shape.n, output_grad, &packed, Epilogue::default())
}

/// A weight packed once, for many forward passes.
#[derive(Clone)]
pub(crate) struct FoldedWeight(PackedWeight);

impl FoldedWeight {
    /// Packs `weight` `[O, I, kh, kw]`.
    pub(crate) fn new(weight_dims: [usize; 4], weight: &[f32]) -> Self {
        // The packed order depends on the weight alone: any image size makes the same plan of panels and taps.
        let [_, n_inputs, kernel_height, kernel_width] = weight_dims;
        let shape = ConvShape::new([1, kernel_height, kernel_width, n_inputs], weight_dims, 1, 0);
        Self(PackedWeight::new(&Gather::forward(&shape), weight, gather::WeightStrides::forward(&shape)))
    }

    /// Convolution of `x` `[N, H, W, I]`; `shape` must be of the weight that was packed.
    pub(crate) fn forward(&self, shape: &ConvShape, x: &[f32], epilogue: Epilogue) -> Vec<f32> {
        gather::run(&Gather::forward(shape), shape.n, x, &self.0, epilogue)
    }
}
