//! Pooling on `[N, H, W, C]` floats and its gradients.
//! In: feature maps. Out: 2×2 maxima or means with stride 2, or means over the whole image.
#![allow(unsafe_code)] // Single vectorised passes that fill their output.

use crate::lanes::parallel::{TASK_FLOATS, map_ranges};
use crate::lanes::scratch::{SharedOut, filled_by};
use crate::lanes::simd::{self, Kernel, LANES, Lanes};

/// Which value stands for a 2×2 block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pool {
    /// The largest.
    Max,
    /// The mean.
    Mean,
}

/// `[N, H, W, C]` → `[N, H/2, W/2, C]`; an odd last row or column is dropped.
pub(crate) fn forward(pool: Pool, dims: [usize; 4], x: &[f32]) -> Vec<f32> {
    let [n, height, width, n_channels] = dims;
    assert_eq!(x.len(), n * height * width * n_channels, "pooling: the input does not have its shape's size");
    let rows = Rows::new(dims);
    // SAFETY: every output row is in one range, and each is written completely.
    unsafe {
        filled_by(rows.n * rows.out_row(), |out| {
            map_ranges(rows.n, TASK_FLOATS / (4 * rows.out_row()).max(1), |range| {
                simd::run(PoolForward { pool, rows, x, out, first: range.start, end: range.end });
            });
        })
    }
}

/// Gradient of the input, from the gradient of the output.
///
/// A maximum passes its gradient to the first position that holds it, in reading order, as elsewhere.
/// `x` and `y` are the input and the output of the forward pass; a mean looks at neither.
pub(crate) fn backward(pool: Pool, dims: [usize; 4], x: &[f32], y: &[f32], grad: &[f32]) -> Vec<f32> {
    let [n, height, width, n_channels] = dims;
    let rows = Rows::new(dims);
    assert_eq!(grad.len(), rows.n * rows.out_row(), "pooling: the gradient does not have the output's size");
    if pool == Pool::Max {
        assert_eq!(
            (x.len(), y.len()),
            (n * height * width * n_channels, grad.len()),
            "pooling: sizes changed since forward"
        );
    }
    let len = n * height * width * n_channels;
    if height % 2 == 1 || width % 2 == 1 {
        let mut dropped_too = vec![0.0; len];
        spread(pool, rows, x, y, grad, SharedOut::from_ptr(dropped_too.as_mut_ptr()));
        return dropped_too;
    }
    // SAFETY: with even sizes the blocks cover the input, so that `spread` writes every element.
    unsafe { filled_by(len, |out| spread(pool, rows, x, y, grad, out)) }
}

fn spread(pool: Pool, rows: Rows, x: &[f32], y: &[f32], grad: &[f32], out: SharedOut) {
    map_ranges(rows.n, TASK_FLOATS / (4 * rows.out_row()).max(1), |range| {
        simd::run(PoolBackward { pool, rows, x, y, grad, out, first: range.start, end: range.end });
    });
}

/// Output rows of all images, counted through.
#[derive(Debug, Clone, Copy)]
struct Rows {
    dims: [usize; 4],
    n: usize,
}

impl Rows {
    fn new(dims: [usize; 4]) -> Self {
        Self { dims, n: dims[0] * (dims[1] / 2) }
    }

    /// Floats of an output row.
    fn out_row(&self) -> usize {
        self.dims[2] / 2 * self.dims[3]
    }

    /// Runs a pass over every vector of some output rows.
    ///
    /// # Safety
    ///
    /// The instruction set of `L` is there, and the rows are inside the pass's buffers.
    #[inline(always)]
    unsafe fn each<L: Lanes, P: BlockPass>(self, first: usize, end: usize, pass: &P) {
        let [_, height, width, n_channels] = self.dims;
        for row in first..end {
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

    /// Distances of a block's four inputs from its first.
    fn block(&self) -> [usize; 4] {
        let [_, _, width, n_channels] = self.dims;
        [0, n_channels, width * n_channels, (width + 1) * n_channels]
    }
}

/// One direction of pooling.
///
/// A trait and not a closure: closures are not always inlined into functions with other target features,
/// and every vector operation in them is then a call.
trait BlockPass {
    /// Computes `lanes` channels of one block, whose first input is at `from` and whose output is at `to`.
    ///
    /// # Safety
    ///
    /// The instruction set of `L` is there, and the positions are inside the pass's buffers.
    unsafe fn vector<L: Lanes>(&self, from: usize, to: usize, lanes: usize);
}

struct PoolForward<'a> {
    pool: Pool,
    rows: Rows,
    x: &'a [f32],
    out: SharedOut,
    first: usize,
    end: usize,
}

impl Kernel for PoolForward<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        // SAFETY: the instruction set is the caller's promise; the rows are this part's.
        unsafe { self.rows.each::<L, _>(self.first, self.end, &self) }
    }
}

impl BlockPass for PoolForward<'_> {
    #[inline(always)]
    unsafe fn vector<L: Lanes>(&self, from: usize, to: usize, lanes: usize) {
        let [first, right, below, diagonal] = self.rows.block();
        // SAFETY: `each` stays inside the input and this part's rows.
        unsafe {
            let x = self.x.as_ptr().add(from);
            let (a, b) = (L::load_first(x.add(first), lanes), L::load_first(x.add(right), lanes));
            let (c, d) = (L::load_first(x.add(below), lanes), L::load_first(x.add(diagonal), lanes));
            let value = match self.pool {
                Pool::Max => a.max(b).max(c.max(d)),
                Pool::Mean => a.add(b).add(c.add(d)).mul(L::splat(0.25)),
            };
            value.store_first(self.out.at(to), lanes);
        }
    }
}

struct PoolBackward<'a> {
    pool: Pool,
    rows: Rows,
    x: &'a [f32],
    y: &'a [f32],
    grad: &'a [f32],
    out: SharedOut,
    first: usize,
    end: usize,
}

impl Kernel for PoolBackward<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        // SAFETY: the instruction set is the caller's promise; the rows are this part's.
        unsafe { self.rows.each::<L, _>(self.first, self.end, &self) }
    }
}

impl BlockPass for PoolBackward<'_> {
    #[inline(always)]
    unsafe fn vector<L: Lanes>(&self, from: usize, to: usize, lanes: usize) {
        // SAFETY: `each` stays inside the input, whose size the output has, and this part's rows.
        unsafe {
            let mut rest = L::load_first(self.grad.as_ptr().add(to), lanes);
            if self.pool == Pool::Mean {
                rest = rest.mul(L::splat(0.25));
            }
            for distance in self.rows.block() {
                let mut share = rest;
                if self.pool == Pool::Max {
                    let x = L::load_first(self.x.as_ptr().add(from + distance), lanes);
                    let y = L::load_first(self.y.as_ptr().add(to), lanes);
                    (share, rest) = rest.take_where_equal(x, y);
                }
                share.store_first(self.out.at(from + distance), lanes);
            }
        }
    }
}

/// Mean over the pixels of each image: `[N, pixels, C]` → `[N, C]`.
pub(crate) fn global_mean(n_pixels: usize, n_channels: usize, x: &[f32]) -> Vec<f32> {
    let mut means = Vec::with_capacity(x.len() / n_pixels.max(1));
    for image in x.chunks_exact(n_pixels * n_channels) {
        let mut sums = vec![0.0f32; n_channels];
        for pixel in image.chunks_exact(n_channels) {
            sums.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += value);
        }
        means.extend(sums.iter().map(|sum| sum / n_pixels as f32));
    }
    means
}

/// Gradient of [`global_mean`]: every pixel gets its share, `[N, C]` → `[N, pixels, C]`.
pub(crate) fn global_mean_backward(n_pixels: usize, n_channels: usize, grad: &[f32]) -> Vec<f32> {
    let mut spread = Vec::with_capacity(grad.len() * n_pixels);
    for image in grad.chunks_exact(n_channels) {
        let share: Vec<f32> = image.iter().map(|value| value / n_pixels as f32).collect();
        (0..n_pixels).for_each(|_| spread.extend_from_slice(&share));
    }
    spread
}
