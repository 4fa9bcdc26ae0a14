//! One tile of a convolution's output, held in registers.
//! In: a blocked image, the offsets of the kernel's taps, packed weights. Out: the sums of `ROWS × COLS` pixels.
#![allow(unsafe_code)] // The innermost loop: bounds checks would cost as much as the arithmetic.

use crate::lanes::simd::{LANES, Lanes};

/// How far ahead weights are asked for, in floats.
const AHEAD: usize = 16 * LANES;

/// Sums over all taps and input channels, for `ROWS × COLS` output pixels and `V` vectors of output channels.
///
/// `STEP` is the distance of neighbouring output pixels in input pixels, `BLOCK` the channels of a block.
/// An input channel's vectors of weights lie `apart` floats from one another, and `PANEL_V` vectors lie between it and the
/// next channel's.
///
/// # Safety
///
/// The processor has the instruction set of `L`.
/// For every offset, and every pixel of the tile, `BLOCK` floats are readable at `x`;
/// 16 floats are readable at `weights + channel · PANEL_V · 16 + vector · apart` for `offsets.len() · BLOCK` channels and `V`
/// vectors.
#[inline(always)]
pub(crate) unsafe fn sums<
    L: Lanes,
    const ROWS: usize,
    const COLS: usize,
    const V: usize,
    const PANEL_V: usize,
    const STEP: usize,
    const BLOCK: usize,
>(
    x: *const f32,
    row: usize,
    offsets: &[usize],
    weights: *const f32,
    apart: usize,
) -> [[[L; V]; COLS]; ROWS] {
    // SAFETY: the caller vouches for everything that is read.
    unsafe {
        let mut sums = [[[L::splat(0.0); V]; COLS]; ROWS];
        let mut weights = weights;
        for &offset in offsets {
            let x = x.add(offset);
            for channel in 0..BLOCK {
                let mut taps = [L::splat(0.0); V];
                for (v, tap) in taps.iter_mut().enumerate() {
                    let from = weights.add(v * apart);
                    // A few faces read each weight once or twice: what is waited for is memory.
                    L::prefetch(from.wrapping_add(AHEAD));
                    *tap = L::load(from);
                }
                for (r, row_sums) in sums.iter_mut().enumerate() {
                    for (c, pixel_sums) in row_sums.iter_mut().enumerate() {
                        let pixel = L::splat(*x.add(r * row + c * STEP * BLOCK + channel));
                        for (sum, tap) in pixel_sums.iter_mut().zip(taps) {
                            *sum = pixel.mul_add(tap, *sum);
                        }
                    }
                }
                // The last step leads behind the weights, where nothing is read.
                weights = weights.wrapping_add(PANEL_V * LANES);
            }
        }
        sums
    }
}
