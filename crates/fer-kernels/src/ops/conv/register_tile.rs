//! One tile of a convolution's output, held in registers.
//! In: a blocked image, the offsets of the kernel's taps, packed weights. Out: the sums of `ROWS × COLS` pixels.
#![allow(unsafe_code)] // The innermost loop: bounds checks would cost as much as the arithmetic.

use crate::lanes::simd::{LANES, Lanes};

/// Sums over all taps and input channels, for `ROWS × COLS` output pixels and `V` vectors of output channels.
///
/// `STEP` is the distance of neighbouring output pixels in input pixels, `BLOCK` the channels of a block,
/// `PANEL_V` the vectors of the weight panel, of which the first `V` at `weights` are used.
///
/// # Safety
///
/// The processor has the instruction set of `L`.
/// For every offset, and every pixel of the tile, `BLOCK` floats are readable at `x`;
/// `offsets.len() · BLOCK · PANEL_V · 16` floats are readable at `weights`, less what `V` leaves out at the end.
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
                    *tap = L::load(weights.add(v * LANES));
                }
                for (r, row_sums) in sums.iter_mut().enumerate() {
                    for (c, pixel_sums) in row_sums.iter_mut().enumerate() {
                        let pixel = L::splat(*x.add(r * row + c * STEP * BLOCK + channel));
                        for (sum, tap) in pixel_sums.iter_mut().zip(taps) {
                            *sum = pixel.mul_add(tap, *sum);
                        }
                    }
                }
                // With V below PANEL_V, the last step leads behind the buffer, where nothing is read.
                weights = weights.wrapping_add(PANEL_V * LANES);
            }
        }
        sums
    }
}
