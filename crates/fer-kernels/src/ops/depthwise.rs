//! Depthwise 3×3 convolution on `[N, H, W, C]` floats: each channel by its own kernel; forward, and both gradients.
//! In: slices and a [`DepthwiseShape`]. Out: new vectors.
//!
//! Each image is copied into a zero-bordered buffer that stays in the cache, channels filled up to whole vectors, and
//! tiles of pixels are computed in registers from it. The input's gradient is the same with the kernels turned
//! around, at stride 2 from a buffer with zeros between the pixels.
#![allow(unsafe_code)] // Tiles are computed in registers, from pointers.

use crate::lanes::dispatch;
use crate::lanes::output::SharedOut;
use crate::lanes::parallel::{TASK_FLOATS, each_chunk, map_ranges};
use crate::lanes::scratch::with_scratch;
use crate::lanes::simd::{Kernel, LANES, Lanes};

/// Taps of a kernel.
const TAPS: usize = 9;

/// Pixels of a tile.
const TILE: usize = 4;

/// Sizes of one depthwise convolution: 3×3, with a border of one zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DepthwiseShape {
    n: usize,
    /// Rows, columns, channels.
    input: [usize; 3],
    stride: usize,
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

    /// Floats of an image of the input, and of the output.
    fn image_lens(&self) -> [usize; 2] {
        [self.input.iter().product(), self.output()[1..].iter().product()]
    }

    fn check(&self, x: &[f32], output_grad: &[f32]) {
        let [input, output] = self.image_lens();
        check("input", x.len(), self.n * input);
        check("gradient of the output", output_grad.len(), self.n * output);
    }

    fn padded(&self) -> Padded {
        let [height, width, n_channels] = self.input;
        Padded { rows: height + 2, columns: width + 2, channels: n_channels.next_multiple_of(LANES) }
    }
}

fn check(what: &str, found: usize, expected: usize) {
    assert_eq!(found, expected, "depthwise convolution, {what}: {found} floats, expected {expected}");
}

/// An image with a border of one zero and channels filled up to whole vectors.
#[derive(Clone, Copy)]
struct Padded {
    rows: usize,
    columns: usize,
    channels: usize,
}

impl Padded {
    fn len(self) -> usize {
        self.rows * self.columns * self.channels
    }

    /// Copies an image of `n_channels` and `width` columns in, its pixels `step` apart.
    fn fill(self, padded: &mut [f32], image: &[f32], [width, n_channels]: [usize; 2], step: usize) {
        padded.fill(0.0);
        for (y, row) in image.chunks_exact(width * n_channels).enumerate() {
            let first = ((1 + y * step) * self.columns + 1) * self.channels;
            if step == 1 && n_channels == self.channels {
                padded[first..first + row.len()].copy_from_slice(row);
                continue;
            }
            let to = padded[first..].chunks_mut(step * self.channels);
            for (pixel, to) in row.chunks_exact(n_channels).zip(to) {
                to[..n_channels].copy_from_slice(pixel);
            }
        }
    }
}

/// Kernels tap by tap, filled up to whole vectors: `[3, 3, C']`.
#[derive(Clone, Debug)]
pub(crate) struct TapWeight(Vec<f32>);

impl TapWeight {
    /// Of `[C, 1, 3, 3]`.
    pub(crate) fn new(weight: &[f32], n_channels: usize) -> Self {
        Self::read(weight, n_channels, |tap| tap)
    }

    /// The same, turned around.
    fn turned(weight: &[f32], n_channels: usize) -> Self {
        Self::read(weight, n_channels, |tap| TAPS - 1 - tap)
    }

    fn read(weight: &[f32], n_channels: usize, from: impl Fn(usize) -> usize) -> Self {
        check("weight", weight.len(), TAPS * n_channels);
        let channels = n_channels.next_multiple_of(LANES);
        let mut taps = vec![0.0; TAPS * channels];
        for (tap, taps) in taps.chunks_exact_mut(channels).enumerate() {
            let kernels = weight.chunks_exact(TAPS);
            taps.iter_mut().zip(kernels).for_each(|(to, kernel)| *to = kernel[from(tap)]);
        }
        Self(taps)
    }
}

/// Each channel of `[N, H, W, C]` convolved with its kernel of `[C, 1, 3, 3]`: `[N, H', W', C]`.
///
/// # Panics
///
/// Panics when a slice does not have the size of `shape`.
pub fn forward(shape: DepthwiseShape, x: &[f32], weight: &[f32]) -> Vec<f32> {
    forward_by_taps(shape, x, &TapWeight::new(weight, shape.input[2]))
}

/// As [`forward`], of a weight made ready.
pub(crate) fn forward_by_taps(shape: DepthwiseShape, x: &[f32], weight: &TapWeight) -> Vec<f32> {
    let [image, out_image] = shape.image_lens();
    check("input", x.len(), shape.n * image);
    let mut out = vec![0.0; shape.n * out_image];
    each_image(&mut out, [out_image, image], |idx, out| {
        let image = &x[idx * image..][..image];
        convolve(shape.padded(), (image, 1), weight, (shape.output(), shape.stride), out);
    });
    out
}

/// Gradient of the input, `[N, H, W, C]`, from the gradient of the output, `[N, H', W', C]`.
///
/// # Panics
///
/// Panics when a slice does not have the size of `shape`.
pub fn input_grad(shape: DepthwiseShape, weight: &[f32], output_grad: &[f32]) -> Vec<f32> {
    let [image, out_image] = shape.image_lens();
    check("gradient of the output", output_grad.len(), shape.n * out_image);
    let weight = TapWeight::turned(weight, shape.input[2]);
    let mut out = vec![0.0; shape.n * image];
    let [height, width, n_channels] = shape.input;
    each_image(&mut out, [image, out_image], |idx, out| {
        let grads = &output_grad[idx * out_image..][..out_image];
        let dims = [shape.n, height, width, n_channels];
        convolve(shape.padded(), (grads, shape.stride), &weight, (dims, 1), out);
    });
    out
}

/// Calls `work` with every image of the output and its number.
fn each_image(out: &mut [f32], [len, other]: [usize; 2], work: impl Fn(usize, &mut [f32]) + Sync) {
    let per_task = (TASK_FLOATS / len.max(other)).max(1);
    each_chunk(out, per_task * len, |task, images| {
        images.chunks_exact_mut(len).enumerate().for_each(|(idx, out)| work(task * per_task + idx, out));
    });
}

/// One image whose pixels lie `step` apart, convolved into an output of `dims` at a stride.
fn convolve(
    layout: Padded,
    (image, step): (&[f32], usize),
    weight: &TapWeight,
    (dims, stride): ([usize; 4], usize),
    out: &mut [f32],
) {
    let [_, height, width, n_channels] = dims;
    // Of the image itself: the padded one has `step` columns for each.
    let columns = (layout.columns - 2).div_ceil(step);
    assert_eq!(weight.0.len(), TAPS * layout.channels, "depthwise convolution: a weight of other channels");
    assert_eq!(out.len(), height * width * n_channels, "depthwise convolution: an output of another size");
    assert!((height - 1) * stride + 3 <= layout.rows && (width - 1) * stride + 3 <= layout.columns);
    with_scratch([layout.len(), 0], |padded, _| {
        layout.fill(padded, image, [columns, n_channels], step);
        let kernel = Convolve {
            layout,
            padded,
            weight: &weight.0,
            dims: [height, width, n_channels],
            stride,
            out: SharedOut::over(out),
        };
        // SAFETY: the sizes were checked above.
        unsafe { dispatch::run(kernel) }
    });
}

/// One padded image → one output image.
///
/// Every window of three by three at the stride lies in the padded image, `weight` is `[3, 3, C']`, and `out` has the
/// size of `dims`.
struct Convolve<'a> {
    layout: Padded,
    padded: &'a [f32],
    weight: &'a [f32],
    /// Rows, columns and channels of the output.
    dims: [usize; 3],
    stride: usize,
    out: SharedOut<'a>,
}

impl Kernel for Convolve<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let [height, width, n_channels] = self.dims;
        for y in 0..height {
            for first in (0..n_channels).step_by(LANES) {
                let n_tiled = width - width % TILE;
                // SAFETY: the tiles' pixels are inside the output, the rest is the caller's promise.
                unsafe {
                    for x in (0..n_tiled).step_by(TILE) {
                        self.tile::<L, TILE>([y, x, first]);
                    }
                    for x in n_tiled..width {
                        self.tile::<L, 1>([y, x, first]);
                    }
                }
            }
        }
    }
}

impl Convolve<'_> {
    /// `N` pixels of one row, sixteen channels or what is left of them.
    #[inline(always)]
    unsafe fn tile<L: Lanes, const N: usize>(&self, [y, x, first]: [usize; 3]) {
        let (stride, channels) = (self.stride, self.layout.channels);
        let [_, width, n_channels] = self.dims;
        let row = self.layout.columns * channels;
        // SAFETY: the promise of `Convolve`: the windows are inside the padded image, the pixels inside the output.
        unsafe {
            let from = self.padded.as_ptr().add(y * stride * row + x * stride * channels + first);
            let mut sums = [L::splat(0.0); N];
            for tap in 0..TAPS {
                let weight = L::load(self.weight.as_ptr().add(tap * channels + first));
                let from = from.add(tap / 3 * row + tap % 3 * channels);
                for (idx, sum) in sums.iter_mut().enumerate() {
                    *sum = L::load(from.add(idx * stride * channels)).mul_add(weight, *sum);
                }
            }
            for (idx, sum) in sums.into_iter().enumerate() {
                let to = self.out.at((y * width + x + idx) * n_channels + first);
                sum.store_first(to, LANES.min(n_channels - first));
            }
        }
    }
}

/// Gradient of the weight, `[C, 1, 3, 3]`.
///
/// # Panics
///
/// Panics when a slice does not have the size of `shape`.
pub fn weight_grad(shape: DepthwiseShape, x: &[f32], output_grad: &[f32]) -> Vec<f32> {
    shape.check(x, output_grad);
    let ([image, out_image], layout) = (shape.image_lens(), shape.padded());
    let [_, width, n_channels] = shape.input;
    let parts = map_ranges(shape.n, TASK_FLOATS / image, |images| {
        let mut sums = vec![0.0; TAPS * layout.channels];
        with_scratch([layout.len(), 0], |padded, _| {
            for idx in images {
                layout.fill(padded, &x[idx * image..][..image], [width, n_channels], 1);
                let grads = &output_grad[idx * out_image..][..out_image];
                // SAFETY: the sizes are those of `shape`, which were checked.
                unsafe { dispatch::run(WeightGrad { shape, layout, padded, grads, sums: &mut sums }) }
            }
        });
        sums
    });
    let total = |channel: usize, tap: usize| {
        parts.iter().map(|part| f64::from(part[tap * layout.channels + channel])).sum::<f64>() as f32
    };
    let each = (0..n_channels).flat_map(|channel| (0..TAPS).map(move |tap| (channel, tap)));
    each.map(|(channel, tap)| total(channel, tap)).collect()
}

/// Adds one image's products to `[3, 3, C']`.
///
/// `padded` is an image of `shape` in `layout`, `grads` one of its output.
struct WeightGrad<'a> {
    shape: DepthwiseShape,
    layout: Padded,
    padded: &'a [f32],
    grads: &'a [f32],
    sums: &'a mut [f32],
}

impl Kernel for WeightGrad<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let Self { shape, layout, padded, grads, sums } = self;
        let ([_, height, width, n_channels], channels) = (shape.output(), layout.channels);
        for first in (0..n_channels).step_by(LANES) {
            let lanes = LANES.min(n_channels - first);
            for ky in 0..3 {
                // SAFETY: the promise of `WeightGrad`: every window is inside the padded image, every pixel inside `grads`.
                unsafe {
                    let to = sums.as_mut_ptr().add(3 * ky * channels + first);
                    let mut totals = [L::splat(0.0); 3];
                    for y in 0..height {
                        let row = (y * shape.stride + ky) * layout.columns * channels + first;
                        for x in 0..width {
                            let grad = L::load_first(
                                grads.as_ptr().add((y * width + x) * n_channels + first),
                                lanes,
                            );
                            let pixel = padded.as_ptr().add(row + x * shape.stride * channels);
                            for (kx, total) in totals.iter_mut().enumerate() {
                                *total = L::load(pixel.add(kx * channels)).mul_add(grad, *total);
                            }
                        }
                    }
                    for (kx, total) in totals.into_iter().enumerate() {
                        let to = to.add(kx * channels);
                        total.add(L::load(to)).store(to);
                    }
                }
            }
        }
    }
}
