//! Depthwise 3×3 convolution on `[N, H, W, C]` floats: each channel by its own kernel; forward, and both gradients.
//! In: slices and a [`DepthwiseShape`]. Out: new vectors.
//!
//! All three walk along rows: each of the nine taps pairs a run of input pixels with a run of output pixels, whose
//! channels lie side by side in memory.
#![allow(unsafe_code)] // Kernels are run for the processor's instruction set.

use std::ops::Range;

use crate::lanes::dispatch;
use crate::lanes::parallel::{TASK_FLOATS, each_chunk, map_ranges};
use crate::lanes::simd::{Kernel, Lanes};

/// Taps of a kernel.
const TAPS: usize = 9;

/// Sizes of one depthwise convolution: 3×3, with a border of one zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DepthwiseShape {
    n: usize,
    /// Rows, columns, channels.
    input: [usize; 3],
    stride: usize,
}

/// The input pixels that one tap pairs with pixels of one output row; the input steps by the stride.
struct Run {
    tap: usize,
    input_row: usize,
    first_input: usize,
    first_output: usize,
    n: usize,
}

impl DepthwiseShape {
    /// Of `x` `[N, H, W, C]` and `weight` `[C, 1, 3, 3]`.
    ///
    /// # Panics
    ///
    /// Panics when the weight is not of that shape, an axis but the images' is empty, or the stride is not 1 or 2.
    pub fn new(x: [usize; 4], weight: [usize; 4], stride: usize) -> Self {
        let [n, height, width, n_channels] = x;
        assert_eq!(
            weight,
            [n_channels, 1, 3, 3],
            "depthwise convolution: a weight of {weight:?} for {n_channels} channels, expected one 3×3 kernel each"
        );
        assert!(!x[1..].contains(&0), "depthwise convolution: an empty axis in images {x:?} [N, H, W, C]");
        assert!((1..=2).contains(&stride), "depthwise convolution: stride {stride}, expected 1 or 2");
        Self { n, input: [height, width, n_channels], stride }
    }

    /// `[N, H', W', C]` of the output.
    #[must_use]
    pub fn output(&self) -> [usize; 4] {
        let [height, width, n_channels] = self.input;
        [self.n, height.div_ceil(self.stride), width.div_ceil(self.stride), n_channels]
    }

    fn check(&self, what: &str, found: usize, expected: usize) {
        assert_eq!(found, expected, "depthwise convolution, {what}: {found} floats, expected {expected}");
    }

    fn check_input(&self, x: &[f32]) {
        self.check("input", x.len(), self.n * self.input.iter().product::<usize>());
    }

    fn check_output_grad(&self, grad: &[f32]) {
        self.check("gradient of the output", grad.len(), self.output().iter().product());
    }

    /// Output rows that make a task.
    fn rows_per_task(&self) -> usize {
        (TASK_FLOATS / (self.output()[2] * self.input[2])).max(1)
    }

    /// What the taps pair with output row `y`, counted within its image.
    #[inline(always)]
    fn runs(self, y: usize) -> impl Iterator<Item = Run> {
        let ([height, width, _], stride) = (self.input, self.stride);
        let n_columns = width.div_ceil(stride);
        (0..TAPS).filter_map(move |tap| {
            let (ky, kx) = (tap / 3, tap % 3);
            let input_row = (y * stride + ky).checked_sub(1).filter(|row| *row < height)?;
            let first_output = usize::from(kx == 0);
            let end = width.checked_sub(kx).map_or(0, |rest| rest / stride + 1).min(n_columns);
            let n = end.checked_sub(first_output).filter(|n| *n > 0)?;
            Some(Run { tap, input_row, first_input: first_output * stride + kx - 1, first_output, n })
        })
    }
}

/// Each channel of `[N, H, W, C]` convolved with its kernel of `[C, 1, 3, 3]`: `[N, H', W', C]`.
///
/// # Panics
///
/// Panics when a slice does not have the size of `shape`.
pub fn forward(shape: DepthwiseShape, x: &[f32], weight: &[f32]) -> Vec<f32> {
    forward_by_taps(shape, x, &by_taps(shape, weight))
}

/// As [`forward`], of a weight `[3, 3, C]`.
pub(crate) fn forward_by_taps(shape: DepthwiseShape, x: &[f32], weight: &[f32]) -> Vec<f32> {
    shape.check_input(x);
    shape.check("weight", weight.len(), TAPS * shape.input[2]);
    let [n, height, width, n_channels] = shape.output();
    let mut out = vec![0.0; n * height * width * n_channels];
    let rows_per_task = shape.rows_per_task();
    each_chunk(&mut out, rows_per_task * width * n_channels, |task, out| {
        // SAFETY: the kernel asks nothing of its fields.
        unsafe { dispatch::run(Forward { shape, x, weight, first_row: task * rows_per_task, out }) }
    });
    out
}

/// Gradient of the input, `[N, H, W, C]`, from the gradient of the output, `[N, H', W', C]`.
///
/// # Panics
///
/// Panics when a slice does not have the size of `shape`.
pub fn input_grad(shape: DepthwiseShape, weight: &[f32], output_grad: &[f32]) -> Vec<f32> {
    shape.check_output_grad(output_grad);
    let weight = &by_taps(shape, weight);
    let image: usize = shape.input.iter().product();
    let mut out = vec![0.0; shape.n * image];
    each_chunk(&mut out, image, |idx, out| {
        // SAFETY: the kernel asks nothing of its fields.
        unsafe { dispatch::run(InputGrad { shape, weight, output_grad, image: idx, out }) }
    });
    out
}

/// Gradient of the weight, `[C, 1, 3, 3]`.
///
/// # Panics
///
/// Panics when a slice does not have the size of `shape`.
pub fn weight_grad(shape: DepthwiseShape, x: &[f32], output_grad: &[f32]) -> Vec<f32> {
    shape.check_input(x);
    shape.check_output_grad(output_grad);
    let [n, height, _, n_channels] = shape.output();
    let parts = map_ranges(n * height, shape.rows_per_task(), |rows| {
        // SAFETY: the kernel asks nothing of its fields.
        unsafe { dispatch::run(WeightGrad { shape, x, output_grad, rows }) }
    });
    let total = |channel: usize, tap: usize| {
        parts.iter().map(|part| f64::from(part[tap * n_channels + channel])).sum::<f64>() as f32
    };
    (0..n_channels)
        .flat_map(|channel| (0..TAPS).map(move |tap| (channel, tap)))
        .map(|(c, t)| total(c, t))
        .collect()
}

/// `[C, 1, 3, 3]` → `[3, 3, C]`.
fn by_taps(shape: DepthwiseShape, weight: &[f32]) -> Vec<f32> {
    let n_channels = shape.input[2];
    shape.check("weight", weight.len(), TAPS * n_channels);
    transposed(weight, n_channels)
}

/// A weight of `n_channels` kernels, tap by tap.
pub(crate) fn transposed(weight: &[f32], n_channels: usize) -> Vec<f32> {
    (0..TAPS).flat_map(|tap| (0..n_channels).map(move |channel| weight[channel * TAPS + tap])).collect()
}

/// `to += a · b`, channel by channel.
#[inline(always)]
fn add_products(to: &mut [f32], a: &[f32], b: &[f32]) {
    for ((to, a), b) in to.iter_mut().zip(a).zip(b) {
        *to += a * b;
    }
}

/// Some output rows, counted through all images. Running it needs nothing of its fields: all accesses are checked.
struct Forward<'a> {
    shape: DepthwiseShape,
    x: &'a [f32],
    /// `[3, 3, C]`.
    weight: &'a [f32],
    first_row: usize,
    out: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let Self { shape, x, weight, first_row, out } = self;
        let ([in_height, in_width, n_channels], [_, height, width, _]) = (shape.input, shape.output());
        for (idx, out) in out.chunks_exact_mut(width * n_channels).enumerate() {
            let (image, y) = ((first_row + idx) / height, (first_row + idx) % height);
            for run in shape.runs(y) {
                let weight = &weight[run.tap * n_channels..][..n_channels];
                let first = (image * in_height + run.input_row) * in_width + run.first_input;
                let pixels = x[first * n_channels..].chunks_exact(n_channels).step_by(shape.stride);
                let out = &mut out[run.first_output * n_channels..][..run.n * n_channels];
                for (out, pixel) in out.chunks_exact_mut(n_channels).zip(pixels) {
                    add_products(out, pixel, weight);
                }
            }
        }
    }
}

/// One image. Running it needs nothing of its fields: all accesses are checked.
struct InputGrad<'a> {
    shape: DepthwiseShape,
    /// `[3, 3, C]`.
    weight: &'a [f32],
    output_grad: &'a [f32],
    image: usize,
    out: &'a mut [f32],
}

impl Kernel for InputGrad<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let Self { shape, weight, output_grad, image, out } = self;
        let ([_, in_width, n_channels], [_, height, width, _]) = (shape.input, shape.output());
        for y in 0..height {
            for run in shape.runs(y) {
                let weight = &weight[run.tap * n_channels..][..n_channels];
                let first = (image * height + y) * width + run.first_output;
                let grads = output_grad[first * n_channels..].chunks_exact(n_channels).take(run.n);
                let out = &mut out[(run.input_row * in_width + run.first_input) * n_channels..];
                for (out, grad) in out.chunks_exact_mut(n_channels).step_by(shape.stride).zip(grads) {
                    add_products(out, grad, weight);
                }
            }
        }
    }
}

/// Sums over some output rows, counted through all images: `[3, 3, C]`. Running it needs nothing of its fields: all
/// accesses are checked.
struct WeightGrad<'a> {
    shape: DepthwiseShape,
    x: &'a [f32],
    output_grad: &'a [f32],
    rows: Range<usize>,
}

impl Kernel for WeightGrad<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) -> Vec<f32> {
        let Self { shape, x, output_grad, rows } = self;
        let ([in_height, in_width, n_channels], [_, height, width, _]) = (shape.input, shape.output());
        let mut sums = vec![0.0; TAPS * n_channels];
        for row in rows {
            let (image, y) = (row / height, row % height);
            for run in shape.runs(y) {
                let sums = &mut sums[run.tap * n_channels..][..n_channels];
                let first = (image * in_height + run.input_row) * in_width + run.first_input;
                let pixels = x[first * n_channels..].chunks_exact(n_channels).step_by(shape.stride);
                let first = row * width + run.first_output;
                let grads = output_grad[first * n_channels..].chunks_exact(n_channels).take(run.n);
                for (pixel, grad) in pixels.zip(grads) {
                    add_products(sums, pixel, grad);
                }
            }
        }
        sums
    }
}
