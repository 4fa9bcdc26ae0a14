//! Pooling on `[N, H, W, C]` floats and its gradients.
//! In: feature maps. Out: 2×2 maxima or means with stride 2, or means over the whole image.
#![allow(unsafe_code)] // Single vectorised passes that fill their output.

use std::ops::Range;

use crate::lanes::dispatch;
use crate::lanes::output::{SharedOut, filled_by};
use crate::lanes::parallel::{TASK_FLOATS, map_ranges};
use crate::lanes::simd::{Kernel, LANES, Lanes};

/// Which value stands for a 2×2 block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pool {
    /// The largest.
    Max,
    /// The mean.
    Mean,
}

/// `[N, H, W, C]` → `[N, H/2, W/2, C]`; an odd last row or column is dropped.
///
/// A NaN in a block makes its maximum NaN.
///
/// # Panics
///
/// Panics when `x` does not have the size of `dims`.
pub fn forward(pool: Pool, dims: [usize; 4], x: &[f32]) -> Vec<f32> {
    let len: usize = dims.iter().product();
    assert_eq!(x.len(), len, "pooling: {} floats for a map of {dims:?}", x.len());
    let rows = OutputRows::new(dims);
    // SAFETY: every output row is in one range, and each is written completely; the input has the size of `dims`.
    unsafe {
        filled_by(rows.n * rows.out_row(), |out| {
            map_ranges(rows.n, rows.per_task(), |range| {
                dispatch::run(PoolForward { pool, rows, x, out, range })
            });
        })
    }
}

/// What the gradient of pooling needs to know.
#[derive(Debug, Clone, Copy)]
pub enum PoolGrad<'a> {
    /// The input: a maximum passes its gradient to the first position that holds it, in reading order, or to the last NaN,
    /// as Burn's Flex and PyTorch do.
    Max(&'a [f32]),
    /// Nothing.
    Mean,
}

/// Gradient of the input, of shape `dims`, from the gradient of the output.
///
/// # Panics
///
/// Panics when `grad` or the input do not have the sizes that follow from `dims`.
pub fn backward(pool: PoolGrad, dims: [usize; 4], grad: &[f32]) -> Vec<f32> {
    let rows = OutputRows::new(dims);
    let len: usize = dims.iter().product();
    let out_len = rows.n * rows.out_row();
    assert_eq!(grad.len(), out_len, "pooling: a gradient of {} floats for a map of {dims:?}", grad.len());
    if let PoolGrad::Max(x) = pool {
        assert_eq!(x.len(), len, "pooling: {} floats for a map of {dims:?}", x.len());
    }
    let spread = |out: SharedOut| {
        map_ranges(rows.n, rows.per_task(), |range| {
            // SAFETY: the input, the gradient and `out` have the sizes of `dims`; every row is in one range.
            unsafe { dispatch::run(PoolBackward { pool, rows, grad, out, range }) }
        });
    };
    if dims[1] % 2 == 1 || dims[2] % 2 == 1 {
        let mut dropped_too = vec![0.0; len];
        spread(SharedOut::over(&mut dropped_too));
        return dropped_too;
    }
    // SAFETY: with even sizes the blocks cover the input, so that `spread` writes every element.
    unsafe { filled_by(len, spread) }
}

/// Output rows of all images, counted through.
#[derive(Debug, Clone, Copy)]
struct OutputRows {
    dims: [usize; 4],
    n: usize,
}

impl OutputRows {
    fn new(dims: [usize; 4]) -> Self {
        Self { dims, n: dims[0] * (dims[1] / 2) }
    }

    /// Floats of an output row.
    fn out_row(&self) -> usize {
        self.dims[2] / 2 * self.dims[3]
    }

    /// Rows that make a task.
    fn per_task(&self) -> usize {
        TASK_FLOATS / (4 * self.out_row()).max(1)
    }

    /// Runs a pass over every vector of some output rows.
    ///
    /// # Safety
    ///
    /// The instruction set of `L` is there, and the rows are inside the pass's buffers.
    #[inline(always)]
    unsafe fn each<L: Lanes, P: BlockPass>(self, range: Range<usize>, pass: &P) {
        let [_, height, width, n_channels] = self.dims;
        for row in range {
            let (image, y) = (row / (height / 2), row % (height / 2));
            for x in 0..width / 2 {
                let from = ((image * height + 2 * y) * width + 2 * x) * n_channels;
                let to = row * self.out_row() + x * n_channels;
                let mut channel = 0;
                while channel < n_channels {
                    // SAFETY: the caller's promise.
                    unsafe {
                        pass.vector::<L>(from + channel, to + channel, LANES.min(n_channels - channel))
                    };
                    channel += LANES;
                }
            }
        }
    }

    /// The four inputs of the block at `from`, in reading order.
    ///
    /// # Safety
    ///
    /// The instruction set of `L` is there, and the block is inside `x`.
    #[inline(always)]
    unsafe fn load_block<L: Lanes>(&self, x: &[f32], from: usize, lanes: usize) -> [L; 4] {
        let [first, right, below, diagonal] = self.block();
        // SAFETY: the caller's promise.
        unsafe {
            let x = x.as_ptr().add(from);
            [
                L::load_first(x.add(first), lanes),
                L::load_first(x.add(right), lanes),
                L::load_first(x.add(below), lanes),
                L::load_first(x.add(diagonal), lanes),
            ]
        }
    }

    /// Distances of a block's four inputs from its first.
    fn block(&self) -> [usize; 4] {
        let [_, _, width, n_channels] = self.dims;
        [0, n_channels, width * n_channels, (width + 1) * n_channels]
    }
}

/// One direction of pooling.
trait BlockPass {
    /// Computes `lanes` channels of one block, whose first input is at `from` and whose output is at `to`.
    ///
    /// # Safety
    ///
    /// The instruction set of `L` is there, and the positions are inside the pass's buffers.
    unsafe fn vector<L: Lanes>(&self, from: usize, to: usize, lanes: usize);
}

/// Running it needs an input and an output of the sizes of `rows`, `range` inside them, and nobody else who uses those
/// rows of `out`.
struct PoolForward<'a> {
    pool: Pool,
    rows: OutputRows,
    x: &'a [f32],
    out: SharedOut<'a>,
    range: Range<usize>,
}

impl Kernel for PoolForward<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        // SAFETY: the caller's promise.
        unsafe { self.rows.each::<L, _>(self.range.clone(), &self) }
    }
}

impl BlockPass for PoolForward<'_> {
    #[inline(always)]
    unsafe fn vector<L: Lanes>(&self, from: usize, to: usize, lanes: usize) {
        // SAFETY: `each` stays inside the input and this part's rows.
        unsafe {
            let [a, b, c, d] = self.rows.load_block::<L>(self.x, from, lanes);
            let value = match self.pool {
                Pool::Max => a.larger(b).larger(c).larger(d),
                Pool::Mean => a.add(b).add(c.add(d)).mul(L::splat(0.25)),
            };
            value.store_first(self.out.at(to), lanes);
        }
    }
}

/// Running it needs an input, a gradient and an output of the sizes of `rows`, `range` inside them, and nobody else who
/// uses those rows of `out`.
struct PoolBackward<'a> {
    pool: PoolGrad<'a>,
    rows: OutputRows,
    grad: &'a [f32],
    out: SharedOut<'a>,
    range: Range<usize>,
}

impl Kernel for PoolBackward<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        // SAFETY: the caller's promise.
        unsafe { self.rows.each::<L, _>(self.range.clone(), &self) }
    }
}

impl BlockPass for PoolBackward<'_> {
    #[inline(always)]
    unsafe fn vector<L: Lanes>(&self, from: usize, to: usize, lanes: usize) {
        // SAFETY: `each` stays inside the input, whose size the output has, and this part's rows.
        unsafe {
            let grad = L::load_first(self.grad.as_ptr().add(to), lanes);
            let shares = match self.pool {
                PoolGrad::Mean => [grad.mul(L::splat(0.25)); 4],
                // The last position that took over from those before it holds the maximum.
                PoolGrad::Max(x) => {
                    let [a, b, c, d] = self.rows.load_block::<L>(x, from, lanes);
                    let of_two = a.larger(b);
                    let (of_d, rest) = grad.split_at_larger(of_two.larger(c), d);
                    let (of_c, rest) = rest.split_at_larger(of_two, c);
                    let (of_b, of_a) = rest.split_at_larger(a, b);
                    [of_a, of_b, of_c, of_d]
                }
            };
            for (share, distance) in shares.into_iter().zip(self.rows.block()) {
                share.store_first(self.out.at(from + distance), lanes);
            }
        }
    }
}

/// Mean over the pixels of each image: `[N, pixels, C]` → `[N, C]`.
///
/// # Panics
///
/// Panics when an image has no pixel or no channel, or the last image is incomplete.
pub fn global_mean(n_pixels: usize, n_channels: usize, x: &[f32]) -> Vec<f32> {
    let image_len = n_pixels * n_channels;
    assert!(
        image_len > 0 && x.len().is_multiple_of(image_len),
        "global mean: {} floats are not whole images of {n_pixels} pixels and {n_channels} channels",
        x.len()
    );
    let mut means = Vec::with_capacity(x.len() / n_pixels);
    for image in x.chunks_exact(image_len) {
        let mut sums = vec![0.0f32; n_channels];
        for pixel in image.chunks_exact(n_channels) {
            sums.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += value);
        }
        means.extend(sums.iter().map(|sum| sum / n_pixels as f32));
    }
    means
}

/// Sum of all pixels of each image and channel, each times its weight: weights `[pixels, C]`, `[N, pixels, C]` → `[N, C]`.
///
/// # Panics
///
/// Panics when there is no pixel or channel, not a weight for each, or the last image is incomplete.
pub fn weighted_sum(n_pixels: usize, n_channels: usize, x: &[f32], weights: &[f32]) -> Vec<f32> {
    let image_len = n_pixels * n_channels;
    assert!(
        image_len > 0 && weights.len() == image_len && x.len().is_multiple_of(image_len),
        "weighted sum: {} floats and {} weights for images of {n_pixels} pixels and {n_channels} channels",
        x.len(),
        weights.len()
    );
    let mut sums = vec![0.0f32; x.len() / n_pixels];
    for (sums, image) in sums.chunks_exact_mut(n_channels).zip(x.chunks_exact(image_len)) {
        for (pixel, weights) in image.chunks_exact(n_channels).zip(weights.chunks_exact(n_channels)) {
            sums.iter_mut().zip(pixel).zip(weights).for_each(|((sum, value), weight)| *sum += value * weight);
        }
    }
    sums
}

/// Gradient of [`global_mean`]: every pixel gets its share, `[N, C]` → `[N, pixels, C]`.
///
/// # Panics
///
/// Panics when there is no channel, or the last image is incomplete.
pub fn global_mean_backward(n_pixels: usize, n_channels: usize, grad: &[f32]) -> Vec<f32> {
    assert!(
        n_channels > 0 && grad.len().is_multiple_of(n_channels),
        "global mean: a gradient of {} floats for {n_channels} channels",
        grad.len()
    );
    let mut spread = Vec::with_capacity(grad.len() * n_pixels);
    for image in grad.chunks_exact(n_channels) {
        let share: Vec<f32> = image.iter().map(|value| value / n_pixels as f32).collect();
        (0..n_pixels).for_each(|_| spread.extend_from_slice(&share));
    }
    spread
}
