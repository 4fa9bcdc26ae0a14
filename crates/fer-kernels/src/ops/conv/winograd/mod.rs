//! 3×3 convolutions of stride 1 with 16 multiplications for four outputs instead of 36: Winograd's F(2×2, 3×3).
//! In: images `[N, H, W, C]`, packed weights. Out: images `[N, H, W, C']`, bias, residual and ReLU applied.
//!
//! Lavin & Gray 2015, arXiv 1509.09308. Every 2×2 block of outputs depends on 4×4 inputs; both are changed to a basis
//! where the convolution is a product per element, so that it becomes 16 small matrix products over channels.
//! The changes of basis only add and halve: the error stays close to the direct sum's.
#![allow(unsafe_code)] // Register tiles and buffers that are not filled beforehand, as in `gather`.

mod basis;
mod grad;

use std::ops::Range;

use rayon::prelude::*;

use super::epilogue::Epilogue;
use super::gather::Gather;
use super::packed::PackedWeight;
use super::{ConvShape, PANEL, register_tile};
use crate::lanes::dispatch;
use crate::lanes::output::{SharedOut, filled_by};
use crate::lanes::parallel::several_threads;
use crate::lanes::scratch::{AlignedBuffer, with_scratch};
use crate::lanes::simd::{Kernel, LANES, Lanes};
use basis::{Change, MOST_CHANNELS, OfInput, OfWeight, Tiles, ToOutput, both_ways, load_square};
pub(super) use grad::weight_grad;

/// Pairs of channels up to which a weight of 25 floats each is read about as fast as one of 16 (docs/LOG.md, "Squares of nine").
const CACHED_PAIRS: usize = 1 << 14;

/// The squares of outputs that are computed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Squares {
    /// F(2×2, 3×3): fewest weights, and changes of basis that only add and halve.
    Two,
    /// F(3×3, 3×3): fewer multiplications; our maps of 48, 24, 12 and 6 pixels are covered without a rest.
    Three,
}

impl Squares {
    /// For many images: what multiplies least for their maps.
    pub(super) fn of_maps(shape: &ConvShape) -> Self {
        let [height, width, _] = shape.input;
        let products = |out: usize| height.div_ceil(out) * width.div_ceil(out) * (out + 2) * (out + 2);
        if products(3) < products(2) { Self::Three } else { Self::Two }
    }

    /// For a few images `[O, I, 3, 3]` meets: fewest multiplications, unless reading the weight takes longer than those.
    pub(super) fn of_weight([n_outputs, n_inputs, ..]: [usize; 4]) -> Self {
        if n_outputs * n_inputs > CACHED_PAIRS { Self::Two } else { Self::Three }
    }
}

/// Whether a convolution can be computed this way.
pub(super) fn fits(shape: &ConvShape) -> bool {
    let whole =
        |channels: usize| channels.is_multiple_of(LANES) && (LANES..=MOST_CHANNELS).contains(&channels);
    let same_size = shape.kernel == [3, 3] && shape.stride == 1 && shape.padding == 1;
    same_size && whole(shape.input[2]) && whole(shape.n_outputs)
}

/// Weights in the transformed basis: panel, element, vector of the panel, input channel, output channel.
///
/// Where registers hold one vector of a panel at a time, its weights are one stream.
#[derive(Clone)]
pub(crate) struct TransformedWeight {
    floats: std::sync::Arc<AlignedBuffer>,
    squares: Squares,
    n_inputs: usize,
    n_outputs: usize,
}

impl TransformedWeight {
    /// From weights packed for the same gather; `flipped` for the input gradient, whose taps run backwards.
    pub(super) fn new(plan: &Gather, packed: &PackedWeight, squares: Squares, flipped: bool) -> Self {
        match squares {
            Squares::Two => Self::of_side::<4>(plan, packed, squares, flipped),
            Squares::Three => Self::of_side::<5>(plan, packed, squares, flipped),
        }
    }

    fn of_side<const SIDE: usize>(
        plan: &Gather,
        packed: &PackedWeight,
        squares: Squares,
        flipped: bool,
    ) -> Self
    where
        OfWeight: Change<3, SIDE>,
    {
        let [n_inputs, n_outputs] = plan.channels();
        let mut floats = AlignedBuffer::zeroed(SIDE * SIDE * n_inputs * n_outputs);
        let panels =
            floats.floats(SIDE * SIDE * n_inputs * n_outputs).par_chunks_mut(SIDE * SIDE * n_inputs * PANEL);
        panels.zip(packed.panels(9 * n_inputs * PANEL)).for_each(|(to, from)| {
            // SAFETY: it checks its sizes itself.
            unsafe { dispatch::run(TransformPanel::<SIDE> { n_inputs, flipped, from, to }) };
        });
        Self { floats: std::sync::Arc::new(floats), squares, n_inputs, n_outputs }
    }
}

/// One panel, `[blocks, 9, 16, outputs]` → `[SIDE², outputs / 16, inputs, 16]`. Running it needs nothing of its fields.
struct TransformPanel<'a, const SIDE: usize> {
    n_inputs: usize,
    flipped: bool,
    from: &'a [f32],
    to: &'a mut [f32],
}

impl<const SIDE: usize> Kernel for TransformPanel<'_, SIDE>
where
    OfWeight: Change<3, SIDE>,
{
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let width = self.to.len() / (SIDE * SIDE * self.n_inputs);
        assert!(
            self.n_inputs.is_multiple_of(LANES) && width.is_multiple_of(LANES),
            "winograd: {} inputs and {width} outputs are not whole vectors",
            self.n_inputs
        );
        let (found, expected) = (self.from.len(), 9 * self.n_inputs * width);
        assert_eq!(found, expected, "winograd: a panel of {found} floats, expected {expected}");
        // SAFETY: the instruction set is the caller's promise; positions stay inside the two slices, sized above.
        unsafe {
            for input in 0..self.n_inputs {
                for lane in (0..width).step_by(LANES) {
                    let mut taps = [[L::splat(0.0); 3]; 3];
                    for (tap, lanes) in taps.as_flattened_mut().iter_mut().enumerate() {
                        let tap = if self.flipped { 8 - tap } else { tap };
                        let at = ((input / LANES * 9 + tap) * LANES + input % LANES) * width + lane;
                        *lanes = L::load(self.from.as_ptr().add(at));
                    }
                    let transformed = both_ways::<OfWeight, L, 3, SIDE>(taps);
                    for (element, value) in transformed.as_flattened().iter().enumerate() {
                        let at = (element * width + lane) * self.n_inputs + input * LANES;
                        value.store(self.to.as_mut_ptr().add(at));
                    }
                }
            }
        }
    }
}

/// The convolution of a shape that [`fits`], or its input gradient: either reads and writes maps of the same size.
///
/// # Panics
///
/// Panics when a slice does not have the size of the maps.
pub(super) fn run(shape: &ConvShape, x: &[f32], weight: &TransformedWeight, epilogue: Epilogue) -> Vec<f32> {
    match weight.squares {
        Squares::Two => by_squares::<2, 4>(shape, x, weight, epilogue),
        Squares::Three => by_squares::<3, 5>(shape, x, weight, epilogue),
    }
}

/// The same, square by square of `OUT × OUT` outputs, for which the weight was transformed.
fn by_squares<const OUT: usize, const SIDE: usize>(
    shape: &ConvShape,
    x: &[f32],
    weight: &TransformedWeight,
    epilogue: Epilogue,
) -> Vec<f32>
where
    OfInput: Change<SIDE, SIDE>,
    ToOutput: Change<SIDE, OUT>,
{
    let ConvShape { n, input: [height, width, _], .. } = *shape;
    let (n_inputs, n_outputs) = (weight.n_inputs, weight.n_outputs);
    let out_len = n * height * width * n_outputs;
    let len = n * height * width * n_inputs;
    assert_eq!(x.len(), len, "conv2d: {} floats for an input of {len}", x.len());
    epilogue.check(out_len, n_outputs);
    let tiles = Tiles::<OUT>::new(n, height, width);
    let block = Tiles::<OUT>::at_once(n_inputs);
    let n_panels = n_outputs.div_ceil(PANEL);
    let (n_blocks, wanted) = (tiles.n.div_ceil(block), 2 * rayon::current_num_threads());
    let alone =
        !several_threads() || tiles.n * SIDE * SIDE * n_inputs * n_outputs < super::direct::SPLIT_WORK;
    // Few blocks: share out the panels too, although each share then transforms the input again.
    let shares = if alone || n_blocks >= wanted { 1 } else { wanted.div_ceil(n_blocks.max(1)).min(n_panels) };
    let per_share = n_panels.div_ceil(shares);
    let shares = n_panels.div_ceil(per_share);
    let compute = |task: usize, out: SharedOut| {
        let (tile, share) = (task / shares * block, task % shares);
        let part = TileRange::<OUT, SIDE> {
            tiles,
            range: tile..(tile + block).min(tiles.n),
            x,
            weight,
            panels: share * per_share..((share + 1) * per_share).min(n_panels),
            epilogue,
            out,
        };
        // SAFETY: `x`, `out` and the epilogue have the sizes of tiles and weight; no other task has these tiles and panels.
        unsafe { part.compute() };
    };
    let tasks = 0..n_blocks * shares;
    // SAFETY: every square of every panel of outputs is in exactly one task, which writes it completely.
    unsafe {
        filled_by(out_len, |out| {
            if alone {
                tasks.for_each(|task| compute(task, out));
            } else {
                tasks.into_par_iter().with_max_len(1).for_each(|task| compute(task, out));
            }
        })
    }
}

/// Some tiles, some panels.
#[derive(Clone)]
struct TileRange<'a, const OUT: usize, const SIDE: usize> {
    tiles: Tiles<OUT>,
    range: Range<usize>,
    x: &'a [f32],
    weight: &'a TransformedWeight,
    panels: Range<usize>,
    epilogue: Epilogue<'a>,
    out: SharedOut<'a>,
}

impl<const OUT: usize, const SIDE: usize> TileRange<'_, OUT, SIDE>
where
    OfInput: Change<SIDE, SIDE>,
    ToOutput: Change<SIDE, OUT>,
{
    /// # Safety
    ///
    /// `x`, `out` and the epilogue have the sizes of `tiles` and `weight`, range and panels are inside them, and nobody
    /// else writes those.
    unsafe fn compute(self) {
        let n = self.range.len();
        let lens = [SIDE * SIDE * n * self.weight.n_inputs, SIDE * SIDE * n * PANEL];
        with_scratch(lens, |transformed, products| {
            let (range, n_channels) = (self.range.clone(), self.weight.n_inputs);
            let transform =
                TransformInput::<OUT, SIDE> { tiles: self.tiles, range, x: self.x, n_channels, transformed };
            // SAFETY: the caller's promise, and two buffers of the sizes of the range.
            unsafe {
                dispatch::run(transform);
                dispatch::run(Multiply { part: &self, transformed, products });
            }
        });
    }
}

/// `SIDE × SIDE` inputs of every tile → `[SIDE², channel blocks, tiles, 16]`.
///
/// Running it needs an `x` of the size of `tiles` and `n_channels`, whole vectors of channels, a range inside the tiles,
/// and room for it in `transformed`.
struct TransformInput<'a, const OUT: usize, const SIDE: usize> {
    tiles: Tiles<OUT>,
    range: Range<usize>,
    x: &'a [f32],
    n_channels: usize,
    transformed: &'a mut [f32],
}

impl<const OUT: usize, const SIDE: usize> Kernel for TransformInput<'_, OUT, SIDE>
where
    OfInput: Change<SIDE, SIDE>,
{
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let n = self.range.len();
        let to = self.transformed.as_mut_ptr();
        // SAFETY: the instruction set is the caller's promise; `square` gives readable pixels, and the positions written
        // are below SIDE² · n · n_channels, the length of `transformed`.
        unsafe {
            for (idx, tile) in self.range.enumerate() {
                let position = self.tiles.position(tile);
                let pixels: [[*const f32; SIDE]; SIDE] =
                    self.tiles.square(self.x.as_ptr(), self.n_channels, position, 1);
                for block in 0..self.n_channels / LANES {
                    let loaded = load_square::<L, SIDE>(&pixels, block * LANES);
                    let values = both_ways::<OfInput, L, SIDE, SIDE>(loaded);
                    for (element, value) in values.as_flattened().iter().enumerate() {
                        let at = (element * (self.n_channels / LANES) + block) * n + idx;
                        value.store(to.add(at * LANES));
                    }
                }
            }
        }
    }
}

/// The `SIDE²` matrix products of each panel, and the way back to pixels.
///
/// Running it needs what [`TileRange::compute`] needs, `transformed` of the range's size, and room for `SIDE²` matrices of
/// the range's tiles and 32 channels in `products`.
struct Multiply<'a, const OUT: usize, const SIDE: usize> {
    part: &'a TileRange<'a, OUT, SIDE>,
    transformed: &'a [f32],
    products: &'a mut [f32],
}

impl<const OUT: usize, const SIDE: usize> Kernel for Multiply<'_, OUT, SIDE>
where
    ToOutput: Change<SIDE, OUT>,
{
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let (weight, n) = (self.part.weight, self.part.range.len());
        let weights = weight.floats.as_slice(SIDE * SIDE * weight.n_inputs * weight.n_outputs);
        let n_blocks = weight.n_inputs / LANES;
        let mut offsets = [0; MOST_CHANNELS / LANES];
        for (block, offset) in offsets.iter_mut().enumerate().take(n_blocks) {
            *offset = block * n * LANES;
        }
        let offsets = &offsets[..n_blocks];
        let products = self.products.as_mut_ptr();
        for panel in self.part.panels.clone() {
            let panel_weights = weights[panel * SIDE * SIDE * weight.n_inputs * PANEL..].as_ptr();
            let vectors = (weight.n_outputs / LANES - 2 * panel).min(2);
            // SAFETY: the instruction set is the caller's promise; `transformed` holds SIDE² matrices of n
            // tiles, `panel_weights` as many of the panel's width, and `products` has room for them of n tiles and 32 channels.
            unsafe {
                for element in 0..SIDE * SIDE {
                    let from = self.transformed.as_ptr().add(element * n_blocks * n * LANES);
                    let weights = panel_weights.add(element * weight.n_inputs * vectors * LANES);
                    let to = products.add(element * n * PANEL);
                    match vectors {
                        2 => product::<L, 2>(from, offsets, weights, n, to),
                        _ => product::<L, 1>(from, offsets, weights, n, to),
                    }
                }
                for vector in 0..vectors {
                    self.part.write::<L>(panel, vector, products);
                }
            }
        }
    }
}

/// `to[tile][channel] = Σ over inputs of from[tile] · weights`, for `n` tiles.
///
/// # Safety
///
/// As for [`register_tile::sums`], with `n` consecutive pixels; `to` has `n` rows of a panel.
#[inline(always)]
unsafe fn product<L: Lanes, const PANEL_V: usize>(
    from: *const f32,
    offsets: &[usize],
    weights: *const f32,
    n: usize,
    to: *mut f32,
) {
    // SAFETY: passed on; the vectors cover the panel.
    unsafe {
        if L::WIDE {
            return vectors::<L, PANEL_V>(from, offsets, weights, n, to);
        }
        for v in 0..PANEL_V {
            let weights = weights.add(v * offsets.len() * LANES * LANES);
            vectors::<L, 1>(from, offsets, weights, n, to.add(v * LANES));
        }
    }
}

/// `V` vectors of a product, which stay in the nearest cache while all tiles are multiplied by them.
#[inline(always)]
unsafe fn vectors<L: Lanes, const V: usize>(
    from: *const f32,
    offsets: &[usize],
    weights: *const f32,
    n: usize,
    to: *mut f32,
) {
    let mut tile = 0;
    // SAFETY: passed on; the register tiles cover `0..n`.
    unsafe {
        while tile < n {
            let (from, to) = (from.add(tile * LANES), to.add(tile * PANEL));
            tile += match n - tile {
                12.. if L::WIDE => rows::<L, 12, V>(from, offsets, weights, to),
                6.. => rows::<L, 6, V>(from, offsets, weights, to),
                3.. => rows::<L, 3, V>(from, offsets, weights, to),
                _ => rows::<L, 1, V>(from, offsets, weights, to),
            };
        }
    }
}

/// `R` rows of a product; returns `R`.
#[inline(always)]
unsafe fn rows<L: Lanes, const R: usize, const V: usize>(
    from: *const f32,
    offsets: &[usize],
    weights: *const f32,
    to: *mut f32,
) -> usize {
    let apart = offsets.len() * LANES * LANES;
    // SAFETY: passed on from `product`.
    unsafe {
        let [sums] = register_tile::sums::<L, 1, R, V, 1, 1, LANES>(from, 0, offsets, weights, apart);
        for (row, sums) in sums.iter().enumerate() {
            for (v, sum) in sums.iter().enumerate() {
                sum.store(to.add(row * PANEL + v * LANES));
            }
        }
    }
    R
}

impl<const OUT: usize, const SIDE: usize> TileRange<'_, OUT, SIDE>
where
    ToOutput: Change<SIDE, OUT>,
{
    /// Changes one vector of products back to `OUT × OUT` pixels each, and writes them.
    #[inline(always)]
    unsafe fn write<L: Lanes>(&self, panel: usize, vector: usize, products: *const f32) {
        let n = self.range.len();
        let channel = panel * PANEL + vector * LANES;
        let Tiles::<OUT> { height, width, .. } = self.tiles;
        // SAFETY: `products` holds SIDE² matrices of n rows; pixels are written if they are inside the image.
        unsafe {
            for (idx, tile) in self.range.clone().enumerate() {
                let mut elements = [[L::splat(0.0); SIDE]; SIDE];
                for (element, lanes) in elements.as_flattened_mut().iter_mut().enumerate() {
                    *lanes = L::load(products.add((element * n + idx) * PANEL + vector * LANES));
                }
                let pixels = both_ways::<ToOutput, L, SIDE, OUT>(elements);
                let [image, y, x] = self.tiles.position(tile);
                for (i, row) in pixels.into_iter().enumerate() {
                    for (j, value) in row.into_iter().enumerate() {
                        if y + i < height && x + j < width {
                            let pixel = (image * height + y + i) * width + x + j;
                            let at = pixel * self.weight.n_outputs + channel;
                            self.epilogue.finish(value, channel, at, LANES).store(self.out.at(at));
                        }
                    }
                }
            }
        }
    }
}
