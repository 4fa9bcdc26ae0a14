//! Tiles of a map and the changes of basis that Winograd's convolutions share.
//! In: maps `[N, H, W, C]`. Out: pointers to squares of pixels; squares of vectors in another basis.
#![allow(unsafe_code)] // Register tiles, as in `direct`.

use crate::lanes::simd::Lanes;

/// Most channels of a map; pixels outside the image are read from that many zeros.
pub(super) const MOST_CHANNELS: usize = 1024;

static ZEROS: [f32; MOST_CHANNELS] = [0.0; MOST_CHANNELS];

/// Floats of transformed input that a block of tiles may take: a part of the second-level cache.
const BLOCK_FLOATS: usize = 100 << 10;

/// The `OUT × OUT` squares of outputs of all images, counted through.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tiles<const OUT: usize> {
    pub(super) height: usize,
    pub(super) width: usize,
    /// Squares per column and per row; the last may reach beyond the image.
    squares: [usize; 2],
    /// Squares of all images.
    pub(super) n: usize,
}

impl<const OUT: usize> Tiles<OUT> {
    pub(super) fn new(n_images: usize, height: usize, width: usize) -> Self {
        let squares = [height.div_ceil(OUT), width.div_ceil(OUT)];
        Self { height, width, squares, n: n_images * squares[0] * squares[1] }
    }

    /// Squares of one image.
    pub(super) fn per_image(&self) -> usize {
        self.squares[0] * self.squares[1]
    }

    /// How many are transformed and multiplied at a time: a multiple of the register tile.
    pub(super) fn at_once(n_channels: usize) -> usize {
        (BLOCK_FLOATS / ((OUT + 2) * (OUT + 2) * n_channels) / 12 * 12).clamp(12, 48)
    }

    /// Image, first row, first column.
    #[inline(always)]
    pub(super) fn position(&self, tile: usize) -> [usize; 3] {
        let in_image = tile % self.per_image();
        [tile / self.per_image(), OUT * (in_image / self.squares[1]), OUT * (in_image % self.squares[1])]
    }

    /// Pointers to a square of pixels that starts at (`y`, `x`), which may lie outside the image: there they point to zeros.
    ///
    /// # Safety
    ///
    /// `maps` is `[images, height, width, n_channels]`, and `image` is one of them.
    #[inline(always)]
    pub(super) unsafe fn square<const SIDE: usize>(
        &self,
        maps: *const f32,
        n_channels: usize,
        [image, y, x]: [usize; 3],
        before: usize,
    ) -> [[*const f32; SIDE]; SIDE] {
        let mut pixels = [[ZEROS.as_ptr(); SIDE]; SIDE];
        for (i, row) in pixels.iter_mut().enumerate() {
            for (j, pixel) in row.iter_mut().enumerate() {
                let (y, x) = ((y + i).wrapping_sub(before), (x + j).wrapping_sub(before));
                if y < self.height && x < self.width {
                    // SAFETY: the pixel is inside the image, which is inside `maps`.
                    *pixel = unsafe { maps.add(((image * self.height + y) * self.width + x) * n_channels) };
                }
            }
        }
        pixels
    }
}

/// 16 channels, from `channel` on, of every pixel of a square.
///
/// Written as loops because the compiler leaves calls in arrays' `map`.
///
/// # Safety
///
/// The instruction set of `L` is there, and 16 floats are readable at `channel` of every pixel.
#[inline(always)]
pub(super) unsafe fn load_square<L: Lanes, const SIDE: usize>(
    pixels: &[[*const f32; SIDE]; SIDE],
    channel: usize,
) -> [[L; SIDE]; SIDE] {
    // SAFETY: the caller's promise.
    unsafe {
        let mut loaded = [[L::splat(0.0); SIDE]; SIDE];
        for (row, pixels) in loaded.iter_mut().zip(pixels) {
            for (lanes, pixel) in row.iter_mut().zip(pixels) {
                *lanes = L::load(pixel.add(channel));
            }
        }
        loaded
    }
}

/// A change of basis along one axis.
pub(super) trait Change<const FROM: usize, const TO: usize> {
    /// The values in the new basis.
    fn change<L: Lanes>(values: [L; FROM]) -> [L; TO];
}

/// Applies a change of basis to the columns, then to the rows.
#[inline(always)]
pub(super) fn both_ways<C: Change<FROM, TO>, L: Lanes, const FROM: usize, const TO: usize>(
    from: [[L; FROM]; FROM],
) -> [[L; TO]; TO] {
    let zero = from[0][0].filled_with(0.0);
    let mut columns = [[zero; TO]; FROM];
    for (j, column) in columns.iter_mut().enumerate() {
        let mut values = [zero; FROM];
        for (value, row) in values.iter_mut().zip(&from) {
            *value = row[j];
        }
        *column = C::change(values);
    }
    let mut changed = [[zero; TO]; TO];
    for (i, row) in changed.iter_mut().enumerate() {
        let mut values = [zero; FROM];
        for (value, column) in values.iter_mut().zip(&columns) {
            *value = column[i];
        }
        *row = C::change(values);
    }
    changed
}

/// Weights: `G`.
pub(super) struct OfWeight;

impl Change<3, 4> for OfWeight {
    #[inline(always)]
    fn change<L: Lanes>([a, b, c]: [L; 3]) -> [L; 4] {
        let (outer, half) = (a.add(c), a.filled_with(0.5));
        [a, outer.add(b).mul(half), outer.sub(b).mul(half), c]
    }
}

impl Change<3, 5> for OfWeight {
    #[inline(always)]
    fn change<L: Lanes>([a, b, c]: [L; 3]) -> [L; 5] {
        let of = |value: f32| a.filled_with(value);
        let (outer, at_two) = (a.add(c), c.mul_add(of(4.0), b.mul_add(of(2.0), a)));
        [
            a.mul(of(0.5)),
            outer.add(b).mul(of(-0.5)),
            outer.sub(b).mul(of(-1.0 / 6.0)),
            at_two.mul(of(1.0 / 6.0)),
            c,
        ]
    }
}

/// Inputs: `Bᵀ`.
pub(super) struct OfInput;

impl Change<4, 4> for OfInput {
    #[inline(always)]
    fn change<L: Lanes>([a, b, c, d]: [L; 4]) -> [L; 4] {
        [a.sub(c), b.add(c), c.sub(b), b.sub(d)]
    }
}

impl Change<5, 5> for OfInput {
    #[inline(always)]
    fn change<L: Lanes>([a, b, c, d, e]: [L; 5]) -> [L; 5] {
        let (two, less_two) = (a.filled_with(2.0), a.filled_with(-2.0));
        let steep = d.sub(b);
        [
            a.sub(c).mul_add(two, steep),
            b.mul_add(less_two, d.sub(c)),
            c.mul_add(a.filled_with(-3.0), b.mul_add(two, d)),
            steep,
            steep.mul_add(less_two, e.sub(c)),
        ]
    }
}

/// Products to outputs: `Aᵀ`.
pub(super) struct ToOutput;

impl Change<4, 2> for ToOutput {
    #[inline(always)]
    fn change<L: Lanes>([a, b, c, d]: [L; 4]) -> [L; 2] {
        [a.add(b).add(c), b.sub(c).sub(d)]
    }
}

impl Change<5, 3> for ToOutput {
    #[inline(always)]
    fn change<L: Lanes>([a, b, c, d, e]: [L; 5]) -> [L; 3] {
        let sum = b.add(c);
        let even = d.mul_add(a.filled_with(4.0), sum);
        [a.add(sum).add(d), d.mul_add(a.filled_with(2.0), b.sub(c)), even.add(e)]
    }
}

/// Output gradients: `A`.
pub(super) struct OfGrad;

impl Change<2, 4> for OfGrad {
    #[inline(always)]
    fn change<L: Lanes>([a, b]: [L; 2]) -> [L; 4] {
        [a, a.add(b), a.sub(b), a.filled_with(0.0).sub(b)]
    }
}

impl Change<3, 5> for OfGrad {
    #[inline(always)]
    fn change<L: Lanes>([a, b, c]: [L; 3]) -> [L; 5] {
        let outer = a.add(c);
        let at_two = c.mul_add(a.filled_with(4.0), b.mul_add(a.filled_with(2.0), a));
        [a, outer.add(b), outer.sub(b), at_two, c]
    }
}

/// Sums to taps: `Gᵀ`.
pub(super) struct ToWeight;

impl Change<4, 3> for ToWeight {
    #[inline(always)]
    fn change<L: Lanes>([a, b, c, d]: [L; 4]) -> [L; 3] {
        let half = a.filled_with(0.5);
        let (sum, difference) = (b.add(c).mul(half), b.sub(c).mul(half));
        [a.add(sum), difference, sum.add(d)]
    }
}

impl Change<5, 3> for ToWeight {
    #[inline(always)]
    fn change<L: Lanes>([a, b, c, d, e]: [L; 5]) -> [L; 3] {
        let of = |value: f32| a.filled_with(value);
        let (b, c, d) = (b.mul(of(-0.5)), c.mul(of(-1.0 / 6.0)), d.mul(of(1.0 / 6.0)));
        let outer = b.add(c);
        [a.mul_add(of(0.5), outer.add(d)), d.mul_add(of(2.0), b.sub(c)), d.mul_add(of(4.0), outer.add(e))]
    }
}
