//! Tiles of a map and the changes of basis that Winograd's convolutions share.
//! In: maps `[N, H, W, C]`. Out: pointers to squares of pixels; squares of vectors in another basis.
#![allow(unsafe_code)] // Register tiles, as in `direct`.

use crate::lanes::simd::Lanes;

/// Elements of a transformed tile.
pub(super) const ELEMENTS: usize = 16;

/// Most channels of a map; pixels outside the image are read from that many zeros.
pub(super) const MOST_CHANNELS: usize = 1024;

static ZEROS: [f32; MOST_CHANNELS] = [0.0; MOST_CHANNELS];

/// Floats of transformed input that a block of tiles may take: a part of the second-level cache.
const BLOCK_FLOATS: usize = 100 << 10;

/// The 2×2 output blocks of all images, counted through.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tiles {
    pub(super) height: usize,
    pub(super) width: usize,
    /// Blocks per column and per row; the last may reach beyond the image.
    blocks: [usize; 2],
    /// Blocks of all images.
    pub(super) n: usize,
}

impl Tiles {
    pub(super) fn new(n_images: usize, height: usize, width: usize) -> Self {
        let blocks = [height.div_ceil(2), width.div_ceil(2)];
        Self { height, width, blocks, n: n_images * blocks[0] * blocks[1] }
    }

    /// Blocks of one image.
    pub(super) fn per_image(&self) -> usize {
        self.blocks[0] * self.blocks[1]
    }

    /// How many are transformed and multiplied at a time: a multiple of the register tile.
    pub(super) fn at_once(n_channels: usize) -> usize {
        (BLOCK_FLOATS / (ELEMENTS * n_channels) / 12 * 12).clamp(12, 48)
    }

    /// Image, first row, first column.
    #[inline(always)]
    pub(super) fn position(&self, tile: usize) -> [usize; 3] {
        let in_image = tile % self.per_image();
        [tile / self.per_image(), 2 * (in_image / self.blocks[1]), 2 * (in_image % self.blocks[1])]
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
