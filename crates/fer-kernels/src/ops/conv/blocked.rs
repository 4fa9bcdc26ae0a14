//! An image with a zero border, its channels in blocks of one cache line.
//! In: one image `[H, W, C]`. Out: `[C / block, H', W', block]`.
#![allow(unsafe_code)] // Whole cache lines are moved by vector instructions.

use crate::lanes::simd::{Kernel, LANES, Lanes};

/// How an image is laid out for the convolution kernels.
///
/// With blocks of 16 channels the distance from pixel to pixel is a constant of the kernel, whatever the number of channels.
/// Fewer than 16 channels are blocks of one: the grey image of the first layer is one plain plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Blocked {
    /// Rows, columns, channels of the image.
    pub(crate) image: [usize; 3],
    /// Zero rows above and zero columns left of the image.
    pub(crate) before: [usize; 2],
    /// Rows and columns with the border; the image is cut where it does not fit.
    pub(crate) padded: [usize; 2],
}

impl Blocked {
    /// Channels in a block: 16 or 1.
    pub(crate) fn block(&self) -> usize {
        if self.image[2] < LANES { 1 } else { LANES }
    }

    /// Blocks of channels; the last may be filled up with zeros.
    pub(crate) fn n_blocks(&self) -> usize {
        self.image[2].div_ceil(self.block())
    }

    /// Floats from row to row.
    pub(crate) fn row(&self) -> usize {
        self.padded[1] * self.block()
    }

    /// Floats from block to block.
    pub(crate) fn plane(&self) -> usize {
        self.padded[0] * self.row()
    }

    /// Floats of the whole.
    pub(crate) fn len(&self) -> usize {
        self.n_blocks() * self.plane()
    }

    /// Floats of the image it is made from.
    pub(crate) fn image_len(&self) -> usize {
        self.image.iter().product()
    }
}

/// Lays out consecutive images. Running it needs nothing of its fields: all accesses are checked.
pub(crate) struct PackImages<'a> {
    pub(crate) layout: Blocked,
    /// `[n, H, W, C]`.
    pub(crate) images: &'a [f32],
    /// `n` times [`Blocked::len`].
    pub(crate) packed: &'a mut [f32],
}

impl Kernel for PackImages<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let layout = self.layout;
        let images = self.images.chunks_exact(layout.image_len());
        for (image, packed) in images.zip(self.packed.chunks_exact_mut(layout.len())) {
            for block_idx in 0..layout.n_blocks() {
                let plane = &mut packed[block_idx * layout.plane()..][..layout.plane()];
                for (row_idx, row) in plane.chunks_exact_mut(layout.row()).enumerate() {
                    // SAFETY: the caller of `run` vouches for the instruction set.
                    unsafe { pack_row::<L>(&layout, image, block_idx, row_idx, row) }
                }
            }
        }
    }
}

/// Fills one padded row of one block.
#[inline(always)]
unsafe fn pack_row<L: Lanes>(
    layout: &Blocked,
    image: &[f32],
    block_idx: usize,
    row_idx: usize,
    row: &mut [f32],
) {
    let [height, width, n_channels] = layout.image;
    let [above, left] = layout.before;
    let block = layout.block();
    if row_idx < above || row_idx >= above + height {
        return row.fill(0.0);
    }
    let n_columns = width.min(layout.padded[1].saturating_sub(left));
    let (border, rest) = row.split_at_mut((left * block).min(layout.row()));
    let (inside, after) = rest.split_at_mut(n_columns * block);
    border.fill(0.0);
    after.fill(0.0);
    let first = block_idx * block;
    let used = block.min(n_channels - first);
    let from = &image[(row_idx - above) * width * n_channels..][..width * n_channels];
    if block == 1 {
        for (to, pixel) in inside.iter_mut().zip(from.chunks_exact(n_channels)) {
            *to = pixel[first];
        }
        return;
    }
    for (to, pixel) in inside.chunks_exact_mut(LANES).zip(from.chunks_exact(n_channels)) {
        // SAFETY: `to` is 16 floats; `used` floats follow `pixel[first]`.
        unsafe { L::load_first(pixel[first..].as_ptr(), used).store(to.as_mut_ptr()) }
    }
}
