//! Batch norm, residual and ReLU in single passes over `[pixels, C]`, and their gradients.
//! In: floats with the channels innermost. Out: normalised floats, statistics, gradients.
#![allow(unsafe_code)] // Single vectorised passes over memory, some of them in place.

use crate::lanes::parallel::{TASK_FLOATS, map_ranges};
use crate::lanes::scratch::SharedOut;
use crate::lanes::simd::{self, Kernel, LANES, Lanes};

/// Vectors of channels whose sums are kept in registers at once.
const GROUP: usize = 4;

/// Mean and biased variance per channel of `[pixels, C]`.
///
/// Sums are shifted by a value of the data, so that a large mean does not cancel a small variance,
/// and the parts are joined in order in double precision: the result does not depend on the threads.
pub(crate) fn statistics(x: &[f32], n_channels: usize) -> (Vec<f32>, Vec<f32>) {
    let n_pixels = x.len() / n_channels;
    let shift = &x[..n_channels];
    let parts = map_ranges(n_pixels, TASK_FLOATS / n_channels, |pixels| {
        let x = &x[pixels.start * n_channels..pixels.end * n_channels];
        simd::run(ShiftedSums { x, shift, n_channels })
    });
    let n = n_pixels as f64;
    let moments = add_in_order(&parts, n_channels).into_iter().zip(shift).map(|([sum, squares], shift)| {
        let shifted_mean = sum / n;
        let variance = (squares / n - shifted_mean * shifted_mean).max(0.0);
        ((shifted_mean + f64::from(*shift)) as f32, variance as f32)
    });
    moments.unzip()
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
///
/// A trait and not a closure: closures are not always inlined into functions with other target features,
/// and every vector operation in them is then a call.
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

/// Where a pass writes: a buffer of the same size as its input, perhaps the input itself.
#[derive(Clone, Copy)]
pub(crate) struct Floats(SharedOut);

impl Floats {
    /// A buffer to be written (or rewritten) completely.
    pub(crate) fn new(out: SharedOut) -> Self {
        Self(out)
    }
}

/// `scale · x + shift`, plus a residual, clipped at zero: all per element, scale and shift per channel.
#[derive(Clone, Copy)]
pub(crate) struct Affine<'a> {
    /// `[C]`.
    pub(crate) scale: &'a [f32],
    /// `[C]`.
    pub(crate) shift: &'a [f32],
    /// Same size as the input.
    pub(crate) residual: Option<&'a [f32]>,
    /// Clip at zero.
    pub(crate) relu: bool,
}

impl Affine<'_> {
    /// Writes the result for the `len` floats at `x` to `out`.
    ///
    /// # Safety
    ///
    /// `x` holds `len` floats, a multiple of the channels, and is either apart from `out` or the same buffer.
    /// `out` holds `len` floats too, and nobody else uses them meanwhile.
    pub(crate) unsafe fn run(self, x: *const f32, len: usize, out: Floats) {
        let n_channels = self.scale.len();
        assert_eq!(self.shift.len(), n_channels, "batch norm: scale and shift differ in length");
        assert!(
            self.residual.is_none_or(|r| r.len() == len),
            "batch norm: the residual does not have the input's size"
        );
        let x = SharedOut::from_ptr(x.cast_mut());
        map_ranges(len / n_channels, TASK_FLOATS / n_channels, |pixels| {
            simd::run(AffinePart {
                affine: self,
                x,
                first: pixels.start,
                n_pixels: pixels.len(),
                out: out.0,
            });
        });
    }
}

struct AffinePart<'a> {
    affine: Affine<'a>,
    x: SharedOut,
    first: usize,
    n_pixels: usize,
    out: SharedOut,
}

impl Kernel for AffinePart<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        // SAFETY: the instruction set is the caller's promise; `Affine::run` took the pixels from the buffers' length.
        unsafe { each_vector::<L, _>(self.first, self.n_pixels, self.affine.scale.len(), &self) }
    }
}

impl VectorPass for AffinePart<'_> {
    #[inline(always)]
    unsafe fn vector<L: Lanes>(&self, at: usize, channel: usize, lanes: usize) {
        let Affine { scale, shift, residual, relu } = self.affine;
        // SAFETY: `each_vector` stays inside the pixels of this part.
        unsafe {
            let scale = L::load_first(scale.as_ptr().add(channel), lanes);
            let shift = L::load_first(shift.as_ptr().add(channel), lanes);
            let mut value = L::load_first(self.x.at(at), lanes).mul_add(scale, shift);
            if let Some(residual) = residual {
                value = value.add(L::load_first(residual.as_ptr().add(at), lanes));
            }
            if relu {
                value = value.max(L::splat(0.0));
            }
            value.store_first(self.out.at(at), lanes);
        }
    }
}

/// An element-wise pass. A trait and not a closure for the reason given at [`Term`].
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
unsafe fn each_vector<L: Lanes, P: VectorPass>(
    first_pixel: usize,
    n_pixels: usize,
    n_channels: usize,
    pass: &P,
) {
    for pixel in first_pixel..first_pixel + n_pixels {
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
pub(crate) struct NormGrad<'a> {
    /// The input of batch norm, `[pixels, C]`.
    pub(crate) x: &'a [f32],
    /// The final output, when ReLU was applied: its positive elements let the gradient through.
    pub(crate) relu_output: Option<&'a [f32]>,
    /// Subtracted from `x` before the products are summed, `[C]`.
    pub(crate) center: &'a [f32],
}

impl NormGrad<'_> {
    /// `Σ g` and `Σ g · (x - center)` per channel, where `g` is the gradient after ReLU; writes `g` to `masked`, if given.
    ///
    /// # Safety
    ///
    /// `grad` holds as many floats as `x`; `masked` is the same buffer or apart from it, and nobody else uses it meanwhile.
    pub(crate) unsafe fn sums(self, grad: SharedOut, masked: Option<SharedOut>) -> Vec<[f64; 2]> {
        let n_channels = self.center.len();
        let parts = map_ranges(self.x.len() / n_channels, TASK_FLOATS / n_channels, |pixels| {
            simd::run(GradSums { norm: self, grad, masked, first: pixels.start, n_pixels: pixels.len() })
        });
        add_in_order(&parts, n_channels)
    }

    /// `a · g - b · x + c`, with `[a, b, c]` per channel.
    ///
    /// # Safety
    ///
    /// As for [`NormGrad::sums`]; `out` is `grad` or apart from it.
    pub(crate) unsafe fn input(self, grad: SharedOut, coefficients: &[Vec<f32>; 3], out: SharedOut) {
        let n_channels = self.center.len();
        map_ranges(self.x.len() / n_channels, TASK_FLOATS / n_channels, |pixels| {
            simd::run(GradInput {
                norm: self,
                grad,
                coefficients,
                first: pixels.start,
                n_pixels: pixels.len(),
                out,
            });
        });
    }
}

struct GradSums<'a> {
    norm: NormGrad<'a>,
    grad: SharedOut,
    masked: Option<SharedOut>,
    first: usize,
    n_pixels: usize,
}

impl Kernel for GradSums<'_> {
    type Output = Vec<[f32; 2]>;

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) -> Vec<[f32; 2]> {
        // SAFETY: the instruction set is the caller's promise; `NormGrad::sums` took the pixels from the buffers' length.
        unsafe { channel_sums::<L, _>(self.n_pixels, self.norm.center.len(), &self) }
    }
}

impl Term for GradSums<'_> {
    #[inline(always)]
    unsafe fn factors<L: Lanes>(&self, at: usize, channel: usize, lanes: usize) -> (L, L) {
        let NormGrad { x, relu_output, center } = self.norm;
        let at = self.first * center.len() + at;
        // SAFETY: `channel_sums` asks for positions inside this part's pixels.
        unsafe {
            let mut grad = L::load_first(self.grad.at(at), lanes);
            if let Some(output) = relu_output {
                grad = grad.keep_where_positive(L::load_first(output.as_ptr().add(at), lanes));
            }
            if let Some(masked) = self.masked {
                grad.store_first(masked.at(at), lanes);
            }
            let center = L::load_first(center.as_ptr().add(channel), lanes);
            (grad, L::load_first(x.as_ptr().add(at), lanes).sub(center))
        }
    }
}

struct GradInput<'a> {
    norm: NormGrad<'a>,
    grad: SharedOut,
    coefficients: &'a [Vec<f32>; 3],
    first: usize,
    n_pixels: usize,
    out: SharedOut,
}

impl Kernel for GradInput<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        // SAFETY: the instruction set is the caller's promise; `NormGrad::input` took the pixels from the buffers' length.
        unsafe { each_vector::<L, _>(self.first, self.n_pixels, self.norm.center.len(), &self) }
    }
}

impl VectorPass for GradInput<'_> {
    #[inline(always)]
    unsafe fn vector<L: Lanes>(&self, at: usize, channel: usize, lanes: usize) {
        let NormGrad { x, relu_output, .. } = self.norm;
        let [of_grad, of_x, constant] = self.coefficients;
        // SAFETY: `each_vector` stays inside this part's pixels.
        unsafe {
            let mut grad = L::load_first(self.grad.at(at), lanes);
            if let Some(output) = relu_output {
                grad = grad.keep_where_positive(L::load_first(output.as_ptr().add(at), lanes));
            }
            let x = L::load_first(x.as_ptr().add(at), lanes);
            let constant = L::load_first(constant.as_ptr().add(channel), lanes);
            let rest = constant.sub(x.mul(L::load_first(of_x.as_ptr().add(channel), lanes)));
            let of_grad = L::load_first(of_grad.as_ptr().add(channel), lanes);
            grad.mul_add(of_grad, rest).store_first(self.out.at(at), lanes);
        }
    }
}
