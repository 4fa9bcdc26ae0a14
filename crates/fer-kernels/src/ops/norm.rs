//! Batch norm, residual and ReLU in single passes over `[pixels, C]`, and their gradients.
//! In: floats with the channels innermost. Out: normalised floats, statistics, gradients.
#![allow(unsafe_code)] // Single vectorised passes over memory, some of them in place.

use std::ops::Range;

use crate::lanes::dispatch;
use crate::lanes::output::{InOut, SharedOut, filled_by};
use crate::lanes::parallel::{TASK_FLOATS, map_ranges};
use crate::lanes::simd::{Kernel, LANES, Lanes};

/// Vectors of channels whose sums are kept in registers at once.
const GROUP: usize = 4;

/// Pixels of `[pixels, C]`.
///
/// # Panics
///
/// Panics when there are no channels, or the last pixel is incomplete.
fn n_pixels(len: usize, n_channels: usize) -> usize {
    assert!(
        n_channels > 0 && len.is_multiple_of(n_channels),
        "{len} floats are not whole pixels of {n_channels} channels"
    );
    len / n_channels
}

/// Panics unless there is one value per channel.
fn check_channels(what: &str, values: &[f32], n_channels: usize) {
    let found = values.len();
    assert_eq!(found, n_channels, "batch norm: {found} values of {what} for {n_channels} channels");
}

/// Mean and biased variance per channel of `[pixels, C]`; NaN and infinities show in both.
///
/// Sums are shifted by a value of the data, so that a large mean does not cancel a small variance,
/// and the parts are joined in order in double precision: the result does not depend on the threads.
///
/// # Panics
///
/// Panics when there is no pixel, or the last one is incomplete.
pub fn statistics(x: &[f32], n_channels: usize) -> (Vec<f32>, Vec<f32>) {
    let n_pixels = n_pixels(x.len(), n_channels);
    assert!(n_pixels > 0, "batch norm: expected at least one pixel to take statistics of, found none");
    // An infinity minus itself would be NaN: such a channel is not shifted.
    let shift: Vec<f32> = x[..n_channels].iter().map(|x| if x.is_finite() { *x } else { 0.0 }).collect();
    let parts = map_ranges(n_pixels, TASK_FLOATS / n_channels, |pixels| {
        let x = &x[pixels.start * n_channels..pixels.end * n_channels];
        // SAFETY: whole pixels, and one shift per channel.
        unsafe { dispatch::run(ShiftedSums { x, shift: &shift, n_channels }) }
    });
    let n = n_pixels as f64;
    let moments = add_in_order(&parts, n_channels).into_iter().zip(&shift).map(|([sum, squares], shift)| {
        let shifted_mean = sum / n;
        let variance = squares / n - shifted_mean * shifted_mean;
        // Rounding may leave a little less than nothing. `max` would turn NaN into zero.
        let variance = if variance < 0.0 { 0.0 } else { variance };
        ((shifted_mean + f64::from(*shift)) as f32, variance as f32)
    });
    moments.unzip()
}

/// Sum per channel of `[pixels, C]`.
///
/// # Panics
///
/// Panics when the last pixel is incomplete.
pub fn channel_totals(x: &[f32], n_channels: usize) -> Vec<f32> {
    let parts = map_ranges(n_pixels(x.len(), n_channels), TASK_FLOATS / n_channels, |pixels| {
        let mut sums = vec![0.0f32; n_channels];
        for pixel in x[pixels.start * n_channels..pixels.end * n_channels].chunks_exact(n_channels) {
            sums.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += value);
        }
        sums
    });
    let mut total = vec![0.0f64; n_channels];
    for part in &parts {
        total.iter_mut().zip(part).for_each(|(total, part)| *total += f64::from(*part));
    }
    total.into_iter().map(|total| total as f32).collect()
}

/// Adds `[sum, other sum]` per channel over the parts, in their order.
fn add_in_order(parts: &[Vec<[f32; 2]>], n_channels: usize) -> Vec<[f64; 2]> {
    let mut total = vec![[0.0f64; 2]; n_channels];
    for part in parts {
        for (total, part) in total.iter_mut().zip(part) {
            total[0] += f64::from(part[0]);
            total[1] += f64::from(part[1]);
        }
    }
    total
}

/// `Σ (x - shift)` and `Σ (x - shift)²` per channel.
///
/// Running it needs whole pixels in `x`, and `n_channels` floats in `shift`.
struct ShiftedSums<'a> {
    x: &'a [f32],
    shift: &'a [f32],
    n_channels: usize,
}

impl Kernel for ShiftedSums<'_> {
    type Output = Vec<[f32; 2]>;

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) -> Vec<[f32; 2]> {
        // SAFETY: the instruction set is the caller's promise; the pixels are those of `x`.
        unsafe { channel_sums::<L, _>(self.x.len() / self.n_channels, self.n_channels, &self) }
    }
}

impl Term for ShiftedSums<'_> {
    #[inline(always)]
    unsafe fn factors<L: Lanes>(&self, at: usize, channel: usize, lanes: usize) -> (L, L) {
        // SAFETY: `channel_sums` asks for positions inside `x` and channels inside `shift`.
        unsafe {
            let x = L::load_first(self.x.as_ptr().add(at), lanes);
            let from_shift = x.sub(L::load_first(self.shift.as_ptr().add(channel), lanes));
            (from_shift, from_shift)
        }
    }
}

/// What is summed per channel.
trait Term {
    /// `(a, b)` of `lanes` channels from `channel` on, at position `at` of the pass.
    ///
    /// # Safety
    ///
    /// The instruction set of `L` is there, and the position is inside the pass.
    unsafe fn factors<L: Lanes>(&self, at: usize, channel: usize, lanes: usize) -> (L, L);
}

/// `Σ a` and `Σ a · b` per channel.
///
/// # Safety
///
/// The instruction set of `L` is there, and the term has `n_pixels` pixels of `n_channels`.
#[inline(always)]
unsafe fn channel_sums<L: Lanes, T: Term>(n_pixels: usize, n_channels: usize, term: &T) -> Vec<[f32; 2]> {
    let mut sums = vec![[0.0f32; 2]; n_channels];
    let mut channel = 0;
    // SAFETY: the caller's promise; groups end at the last channel.
    unsafe {
        while channel < n_channels {
            let left = n_channels - channel;
            channel += match left {
                64.. => group_sums::<L, T, GROUP>([n_pixels, n_channels], channel, LANES, term, &mut sums),
                32.. => group_sums::<L, T, 2>([n_pixels, n_channels], channel, LANES, term, &mut sums),
                16.. => group_sums::<L, T, 1>([n_pixels, n_channels], channel, LANES, term, &mut sums),
                _ => group_sums::<L, T, 1>([n_pixels, n_channels], channel, left, term, &mut sums),
            };
        }
    }
    sums
}

/// [`channel_sums`] of `V` vectors of `lanes` channels; returns how many channels that were.
#[inline(always)]
unsafe fn group_sums<L: Lanes, T: Term, const V: usize>(
    [n_pixels, n_channels]: [usize; 2],
    channel: usize,
    lanes: usize,
    term: &T,
    sums: &mut [[f32; 2]],
) -> usize {
    // SAFETY: passed on from `channel_sums`.
    unsafe {
        let mut plain = [L::splat(0.0); V];
        let mut products = [L::splat(0.0); V];
        for pixel in 0..n_pixels {
            for v in 0..V {
                let first = channel + v * LANES;
                let (a, b) = term.factors::<L>(pixel * n_channels + first, first, lanes);
                plain[v] = plain[v].add(a);
                products[v] = a.mul_add(b, products[v]);
            }
        }
        for v in 0..V {
            let mut stored = [[0.0f32; LANES]; 2];
            plain[v].store(stored[0].as_mut_ptr());
            products[v].store(stored[1].as_mut_ptr());
            for lane in 0..lanes {
                sums[channel + v * LANES + lane] = [stored[0][lane], stored[1][lane]];
            }
        }
    }
    (V - 1) * LANES + lanes
}

/// `scale · x + shift`, plus a residual, clipped at zero: all per element, scale and shift per channel.
#[derive(Clone, Copy)]
pub struct Affine<'a> {
    /// `[C]`.
    pub scale: &'a [f32],
    /// `[C]`.
    pub shift: &'a [f32],
    /// Same size as the input.
    pub residual: Option<&'a [f32]>,
    /// Clip at zero; NaN stays NaN.
    pub relu: bool,
}

impl Affine<'_> {
    /// A new vector of `x`'s values, `[pixels, C]`.
    ///
    /// # Panics
    ///
    /// Panics when scale and shift differ in length, the residual is not as long as the data, or the last pixel is incomplete.
    #[must_use]
    pub fn of(self, x: &[f32]) -> Vec<f32> {
        // SAFETY: `run` writes every element.
        unsafe { filled_by(x.len(), |out| self.run(InOut::apart(x, out))) }
    }

    /// The same in place.
    ///
    /// # Panics
    ///
    /// As [`Affine::of`].
    pub fn over(self, x: &mut [f32]) {
        self.run(InOut::in_place(x));
    }

    fn run(self, data: InOut<'_>) {
        let n_channels = self.scale.len();
        let n_pixels = n_pixels(data.len(), n_channels);
        check_channels("shift", self.shift, n_channels);
        if let Some(residual) = self.residual {
            let (found, expected) = (residual.len(), data.len());
            assert_eq!(found, expected, "batch norm: a residual of {found} floats for {expected}");
        }
        map_ranges(n_pixels, TASK_FLOATS / n_channels, |pixels| {
            // SAFETY: the lengths were checked; every pixel is in one range.
            unsafe { dispatch::run(AffinePixels { affine: self, data, pixels }) }
        });
    }
}

/// Some pixels of an [`Affine`].
///
/// Running it needs `scale` and `shift` of one length, `residual` as long as `data`, `pixels` inside `data`,
/// and nobody else who uses those pixels of `data`.
struct AffinePixels<'a> {
    affine: Affine<'a>,
    data: InOut<'a>,
    pixels: Range<usize>,
}

impl Kernel for AffinePixels<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        // SAFETY: the caller's promise.
        unsafe { each_vector::<L, _>(self.pixels.clone(), self.affine.scale.len(), &self) }
    }
}

impl VectorPass for AffinePixels<'_> {
    #[inline(always)]
    unsafe fn vector<L: Lanes>(&self, at: usize, channel: usize, lanes: usize) {
        let Affine { scale, shift, residual, relu } = self.affine;
        // SAFETY: `each_vector` stays inside the pixels.
        unsafe {
            let scale = L::load_first(scale.as_ptr().add(channel), lanes);
            let shift = L::load_first(shift.as_ptr().add(channel), lanes);
            let mut value = L::load_first(self.data.input(at), lanes).mul_add(scale, shift);
            if let Some(residual) = residual {
                value = value.add(L::load_first(residual.as_ptr().add(at), lanes));
            }
            if relu {
                value = value.relu();
            }
            value.store_first(self.data.out(at), lanes);
        }
    }
}

/// An element-wise pass.
trait VectorPass {
    /// Computes `lanes` channels from `channel` on, at position `at`.
    ///
    /// # Safety
    ///
    /// The instruction set of `L` is there, and the position is inside the pass.
    unsafe fn vector<L: Lanes>(&self, at: usize, channel: usize, lanes: usize);
}

/// Runs a pass over some pixels, in memory order.
///
/// # Safety
///
/// The instruction set of `L` is there, and the pixels are inside the pass's buffers.
#[inline(always)]
unsafe fn each_vector<L: Lanes, P: VectorPass>(pixels: Range<usize>, n_channels: usize, pass: &P) {
    for pixel in pixels {
        let mut channel = 0;
        // SAFETY: the caller's promise.
        unsafe {
            while channel + LANES <= n_channels {
                pass.vector::<L>(pixel * n_channels + channel, channel, LANES);
                channel += LANES;
            }
            if channel < n_channels {
                pass.vector::<L>(pixel * n_channels + channel, channel, n_channels - channel);
            }
        }
    }
}

/// What the gradients of batch norm need from the forward pass.
#[derive(Clone, Copy)]
pub struct NormGrad<'a> {
    /// The input of batch norm, `[pixels, C]`.
    pub x: &'a [f32],
    /// The final output, when ReLU was applied: its positive elements, and NaN, let the gradient through.
    pub relu_output: Option<&'a [f32]>,
}

impl NormGrad<'_> {
    /// `Σ g` and `Σ g · (x - center)` per channel, where `g` is the gradient after ReLU; `center` is `[C]`.
    ///
    /// # Panics
    ///
    /// Panics when a length is not that of `x`, or the last pixel is incomplete.
    #[must_use]
    pub fn sums(self, center: &[f32], grad: &[f32]) -> Vec<[f64; 2]> {
        self.sums_into(center, grad, None)
    }

    /// The same, and `g` itself.
    ///
    /// # Panics
    ///
    /// As [`NormGrad::sums`].
    #[must_use]
    pub fn sums_and_masked(self, center: &[f32], grad: &[f32]) -> (Vec<[f64; 2]>, Vec<f32>) {
        let mut sums = Vec::new();
        let fill = |masked: SharedOut<'_>| sums = self.sums_into(center, grad, Some(masked));
        // SAFETY: the pass writes every element.
        let masked = unsafe { filled_by(grad.len(), fill) };
        (sums, masked)
    }

    fn sums_into(self, center: &[f32], grad: &[f32], masked: Option<SharedOut>) -> Vec<[f64; 2]> {
        let n_channels = center.len();
        let n_pixels = self.check(n_channels, grad.len());
        if let Some(masked) = masked {
            assert_eq!(masked.len(), grad.len(), "batch norm: the masked gradient has another length");
        }
        let parts = map_ranges(n_pixels, TASK_FLOATS / n_channels, |pixels| {
            // SAFETY: the lengths were checked; every pixel is in one range.
            unsafe { dispatch::run(GradSums { norm: self, center, grad, masked, pixels }) }
        });
        add_in_order(&parts, n_channels)
    }

    /// The input's gradient from the output's, `grad`.
    ///
    /// # Panics
    ///
    /// Panics when a length is not that of `x`, the coefficients differ in length, or the last pixel is incomplete.
    #[must_use]
    pub fn input(self, coefficients: &InputCoefficients, grad: &[f32]) -> Vec<f32> {
        // SAFETY: `run` writes every element.
        unsafe { filled_by(grad.len(), |out| self.run(coefficients, InOut::apart(grad, out))) }
    }

    /// The same in place.
    ///
    /// # Panics
    ///
    /// As [`NormGrad::input`].
    pub fn input_over(self, coefficients: &InputCoefficients, grad: &mut [f32]) {
        self.run(coefficients, InOut::in_place(grad));
    }

    fn run(self, coefficients: &InputCoefficients, grad: InOut<'_>) {
        let n_channels = coefficients.of_grad.len();
        let n_pixels = self.check(n_channels, grad.len());
        for of in coefficients.of_x_and_one.iter().flatten() {
            check_channels("a coefficient", of, n_channels);
        }
        map_ranges(n_pixels, TASK_FLOATS / n_channels, |pixels| {
            // SAFETY: the lengths were checked; every pixel is in one range.
            unsafe { dispatch::run(GradInput { norm: self, coefficients, grad, pixels }) }
        });
    }

    /// The number of pixels; panics unless all lengths agree.
    fn check(self, n_channels: usize, grad_len: usize) -> usize {
        let len = self.x.len();
        assert_eq!(grad_len, len, "batch norm: a gradient of {grad_len} floats for an input of {len}");
        if let Some(output) = self.relu_output {
            let found = output.len();
            assert_eq!(found, len, "batch norm: an output of {found} floats for an input of {len}");
        }
        n_pixels(len, n_channels)
    }
}

/// The gradient of a normalisation's input is `a · g - b · x + c`, per channel.
#[derive(Debug, Clone)]
pub struct InputCoefficients {
    /// `a`.
    pub of_grad: Vec<f32>,
    /// `[b, c]`; absent where the statistics do not depend on the input, so that an infinite `x` leaves the gradient finite.
    pub of_x_and_one: Option<[Vec<f32>; 2]>,
}

/// Sums of some pixels.
///
/// Running it needs `grad`, `masked` and the output as long as `x`, `pixels` inside it, and nobody else who uses
/// those pixels of `masked`.
struct GradSums<'a> {
    norm: NormGrad<'a>,
    center: &'a [f32],
    grad: &'a [f32],
    masked: Option<SharedOut<'a>>,
    pixels: Range<usize>,
}

impl Kernel for GradSums<'_> {
    type Output = Vec<[f32; 2]>;

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) -> Vec<[f32; 2]> {
        // SAFETY: the caller's promise.
        unsafe { channel_sums::<L, _>(self.pixels.len(), self.center.len(), &self) }
    }
}

impl Term for GradSums<'_> {
    #[inline(always)]
    unsafe fn factors<L: Lanes>(&self, at: usize, channel: usize, lanes: usize) -> (L, L) {
        let NormGrad { x, relu_output } = self.norm;
        let at = self.pixels.start * self.center.len() + at;
        // SAFETY: `channel_sums` asks for positions inside the pixels.
        unsafe {
            let mut grad = L::load_first(self.grad.as_ptr().add(at), lanes);
            if let Some(output) = relu_output {
                grad = grad.where_open(L::load_first(output.as_ptr().add(at), lanes));
            }
            if let Some(masked) = self.masked {
                grad.store_first(masked.at(at), lanes);
            }
            let center = L::load_first(self.center.as_ptr().add(channel), lanes);
            (grad, L::load_first(x.as_ptr().add(at), lanes).sub(center))
        }
    }
}

/// The input's gradient for some pixels.
///
/// Running it needs `grad` and the output as long as `x`, coefficients of one length, `pixels` inside `x`, and nobody
/// else who uses those pixels of `grad`.
struct GradInput<'a> {
    norm: NormGrad<'a>,
    coefficients: &'a InputCoefficients,
    grad: InOut<'a>,
    pixels: Range<usize>,
}

impl Kernel for GradInput<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        // SAFETY: the caller's promise.
        unsafe { each_vector::<L, _>(self.pixels.clone(), self.coefficients.of_grad.len(), &self) }
    }
}

impl VectorPass for GradInput<'_> {
    #[inline(always)]
    unsafe fn vector<L: Lanes>(&self, at: usize, channel: usize, lanes: usize) {
        let NormGrad { x, relu_output } = self.norm;
        // SAFETY: `each_vector` stays inside the pixels.
        unsafe {
            let mut grad = L::load_first(self.grad.input(at), lanes);
            if let Some(output) = relu_output {
                grad = grad.where_open(L::load_first(output.as_ptr().add(at), lanes));
            }
            let of_grad = L::load_first(self.coefficients.of_grad.as_ptr().add(channel), lanes);
            let grad = match &self.coefficients.of_x_and_one {
                None => grad.mul(of_grad),
                Some([of_x, of_one]) => {
                    let x = L::load_first(x.as_ptr().add(at), lanes);
                    let of_x = L::load_first(of_x.as_ptr().add(channel), lanes);
                    let of_one = L::load_first(of_one.as_ptr().add(channel), lanes);
                    grad.mul_add(of_grad, of_one.sub(x.mul(of_x)))
                }
            };
            grad.store_first(self.grad.out(at), lanes);
        }
    }
}
