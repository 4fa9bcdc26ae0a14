//! Weight gradient of the convolutions that [`super`] computes, in the same transformed basis.
//! In: inputs `[N, H, W, I]`, output gradients `[N, H, W, O]`. Out: `[O, I, 3, 3]`.
//!
//! The output is a sum of products of transformed inputs and transformed weights; its derivative by the latter is the sum
//! over tiles of transformed inputs times output gradients, changed by the transposed bases: again as few multiplications.
//! As in [`mod@crate::ops::conv::weight_grad`], images form groups that depend on the sizes alone, and the groups are added in order.
#![allow(unsafe_code)] // The innermost loop: bounds checks would cost as much as the arithmetic.

use std::ops::Range;

use rayon::prelude::*;

use super::basis::{Change, OfGrad, OfInput, Tiles, ToWeight, both_ways, load_square};
use super::{Squares, TransformInput};
use crate::lanes::dispatch;
use crate::lanes::scratch::{AlignedBuffer, with_scratch};
use crate::lanes::simd::{Kernel, LANES, Lanes};
use crate::ops::conv::{ConvShape, PANEL};

/// Tiles that are transformed and multiplied at a time: enough to pay for loading and storing the sums.
const TILES_AT_ONCE: usize = 48;

/// Floats of one group's sums above which fewer groups are made, because adding them up takes time too.
const LARGE_SUMS: usize = 1 << 19;

/// Tasks to make, of groups and shares of panels, so that several threads find work.
const TASKS: usize = 16;

/// Gradient of the weight `[O, I, 3, 3]`.
pub(in crate::ops::conv) fn weight_grad(shape: &ConvShape, x: &[f32], output_grad: &[f32]) -> Vec<f32> {
    match Squares::of_maps(shape) {
        Squares::Two => by_squares::<2, 4>(shape, x, output_grad),
        Squares::Three => by_squares::<3, 5>(shape, x, output_grad),
    }
}

fn by_squares<const OUT: usize, const SIDE: usize>(
    shape: &ConvShape,
    x: &[f32],
    output_grad: &[f32],
) -> Vec<f32>
where
    OfInput: Change<SIDE, SIDE>,
    OfGrad: Change<OUT, SIDE>,
    ToWeight: Change<SIDE, 3>,
{
    let plan = GradPlan::<OUT, SIDE>::new(shape);
    shape.check_grad_sizes(x, output_grad);
    let sums: Vec<AlignedBuffer> = (0..plan.n_groups * plan.n_shares)
        .into_par_iter()
        .with_max_len(1)
        // SAFETY: the sizes were checked above.
        .map(|task| unsafe { plan.sum(task / plan.n_shares, task % plan.n_shares, x, output_grad) })
        .collect();
    plan.add_groups(&sums)
}

/// Sizes that all tasks share.
#[derive(Debug, Clone, Copy)]
struct GradPlan<const OUT: usize, const SIDE: usize> {
    n_inputs: usize,
    n_outputs: usize,
    tiles: Tiles<OUT>,
    tiles_per_group: usize,
    n_groups: usize,
    panels_per_share: usize,
    n_shares: usize,
}

impl<const OUT: usize, const SIDE: usize> GradPlan<OUT, SIDE>
where
    OfInput: Change<SIDE, SIDE>,
    OfGrad: Change<OUT, SIDE>,
    ToWeight: Change<SIDE, 3>,
{
    fn new(shape: &ConvShape) -> Self {
        let (n_inputs, n_outputs) = (shape.input[2], shape.n_outputs);
        let tiles = Tiles::new(shape.n, shape.input[0], shape.input[1]);
        let wanted_groups = if SIDE * SIDE * n_inputs * n_outputs > LARGE_SUMS { TASKS / 4 } else { TASKS };
        let images_per_group = shape.n.div_ceil(wanted_groups).max(1);
        let n_groups = shape.n.div_ceil(images_per_group);
        let n_panels = n_outputs.div_ceil(PANEL);
        let panels_per_share = n_panels.div_ceil(TASKS.div_ceil(n_groups.max(1)));
        Self {
            n_inputs,
            n_outputs,
            tiles,
            tiles_per_group: images_per_group * tiles.per_image(),
            n_groups,
            panels_per_share,
            n_shares: n_panels.div_ceil(panels_per_share),
        }
    }

    /// Floats of a panel's sums: element, input channel, 32 output channels.
    fn panel_len(&self) -> usize {
        SIDE * SIDE * self.n_inputs * PANEL
    }

    fn panels(&self, share: usize) -> Range<usize> {
        let first = share * self.panels_per_share;
        first..(first + self.panels_per_share).min(self.n_outputs.div_ceil(PANEL))
    }

    /// The sums of one group's tiles for one share of the panels.
    ///
    /// # Safety
    ///
    /// `x` and `grad` have the sizes of the shape this was planned for.
    unsafe fn sum(&self, group: usize, share: usize, x: &[f32], grad: &[f32]) -> AlignedBuffer {
        let panels = self.panels(share);
        let len = panels.len() * self.panel_len();
        let mut sums = AlignedBuffer::zeroed(len);
        let end = ((group + 1) * self.tiles_per_group).min(self.tiles.n);
        for first in (group * self.tiles_per_group..end).step_by(TILES_AT_ONCE) {
            let range = first..(first + TILES_AT_ONCE).min(end);
            let n = range.len();
            let lens = [SIDE * SIDE * n * self.n_inputs, SIDE * SIDE * n * panels.len() * PANEL];
            with_scratch(lens, |transformed, grads| {
                let (tiles, n_channels) = (self.tiles, self.n_inputs);
                let input =
                    TransformInput::<OUT, SIDE> { tiles, range: range.clone(), x, n_channels, transformed };
                let panels = panels.clone();
                let output =
                    TransformGrad { plan: self, panels: panels.clone(), range, grad, transformed: grads };
                // SAFETY: the caller's promise; the buffers were made for the range.
                unsafe {
                    dispatch::run(input);
                    dispatch::run(output);
                    dispatch::run(Accumulate {
                        plan: self,
                        panels,
                        n,
                        transformed,
                        grads,
                        sums: sums.floats(len),
                    });
                }
            });
        }
        sums
    }

    /// Adds the groups in order, changes the sums back to 3×3 taps, and sorts them into `[O, I, 3, 3]`.
    fn add_groups(&self, sums: &[AlignedBuffer]) -> Vec<f32> {
        let mut weight = vec![0.0; self.n_outputs * self.n_inputs * 9];
        let sort_panel = |(panel, weight): (usize, &mut [f32])| {
            let share = panel / self.panels_per_share;
            let at = (panel - self.panels(share).start) * self.panel_len();
            let mut total = vec![0.0f32; self.panel_len()];
            for group in 0..self.n_groups {
                let sums =
                    sums[group * self.n_shares + share].as_slice(self.panels(share).len() * self.panel_len());
                total.iter_mut().zip(&sums[at..]).for_each(|(total, sum)| *total += sum);
            }
            // SAFETY: it asks for nothing.
            unsafe { dispatch::run(TransformBack::<SIDE> { n_inputs: self.n_inputs, sums: &total, weight }) };
        };
        weight.par_chunks_mut(PANEL * self.n_inputs * 9).enumerate().for_each(sort_panel);
        weight
    }
}

/// `OUT × OUT` output gradients of every tile → `[panels, SIDE², tiles, 32]`.
///
/// Running it needs a `grad` of the plan's size, a range inside its tiles, and room for range and panels in `transformed`.
struct TransformGrad<'a, const OUT: usize, const SIDE: usize> {
    plan: &'a GradPlan<OUT, SIDE>,
    panels: Range<usize>,
    range: Range<usize>,
    grad: &'a [f32],
    transformed: &'a mut [f32],
}

impl<const OUT: usize, const SIDE: usize> Kernel for TransformGrad<'_, OUT, SIDE>
where
    OfGrad: Change<OUT, SIDE>,
{
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let n = self.range.len();
        let n_vectors = self.plan.n_outputs / LANES;
        let vectors = 2 * self.panels.start..(2 * self.panels.end).min(n_vectors);
        let to = self.transformed.as_mut_ptr();
        // SAFETY: the instruction set is the caller's promise; `square` gives readable pixels, and the positions written
        // are inside the panels of `transformed`.
        unsafe {
            for (idx, tile) in self.range.enumerate() {
                let position = self.plan.tiles.position(tile);
                let pixels: [[*const f32; OUT]; OUT] =
                    self.plan.tiles.square(self.grad.as_ptr(), self.plan.n_outputs, position, 0);
                for vector in vectors.clone() {
                    let loaded = load_square::<L, OUT>(&pixels, vector * LANES);
                    let values = both_ways::<OfGrad, L, OUT, SIDE>(loaded);
                    let panel = vector / 2 - self.panels.start;
                    for (element, value) in values.as_flattened().iter().enumerate() {
                        let at = ((panel * SIDE * SIDE + element) * n + idx) * PANEL + vector % 2 * LANES;
                        value.store(to.add(at));
                    }
                }
            }
        }
    }
}

/// Adds the products of `n` tiles to the sums.
///
/// Running it needs inputs and gradients of `n` tiles as the two transforms leave them, and sums of the panels.
struct Accumulate<'a, const OUT: usize, const SIDE: usize> {
    plan: &'a GradPlan<OUT, SIDE>,
    panels: Range<usize>,
    n: usize,
    transformed: &'a [f32],
    grads: &'a [f32],
    sums: &'a mut [f32],
}

impl<const OUT: usize, const SIDE: usize> Kernel for Accumulate<'_, OUT, SIDE> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let Self { plan, n, .. } = self;
        let n_blocks = plan.n_inputs / LANES;
        let sums = self.sums.as_mut_ptr();
        // SAFETY: the instruction set is the caller's promise; `GradPlan::sum` gave the three buffers the sizes that the
        // indices of panels, elements and blocks span.
        unsafe {
            for (panel_idx, panel) in self.panels.clone().enumerate() {
                let single = plan.n_outputs / LANES - 2 * panel == 1;
                for element in 0..SIDE * SIDE {
                    let grads = self.grads.as_ptr().add((panel_idx * SIDE * SIDE + element) * n * PANEL);
                    for block in 0..n_blocks {
                        let x = self.transformed.as_ptr().add((element * n_blocks + block) * n * LANES);
                        let row = (panel_idx * SIDE * SIDE + element) * plan.n_inputs + block * LANES;
                        let to = sums.add(row * PANEL);
                        match single {
                            true => block_products::<L, 1>(x, grads, n, to),
                            false => block_products::<L, 2>(x, grads, n, to),
                        }
                    }
                }
            }
        }
    }
}

/// 16 input channels against a panel of `V` vectors.
#[inline(always)]
unsafe fn block_products<L: Lanes, const V: usize>(x: *const f32, grads: *const f32, n: usize, to: *mut f32) {
    // SAFETY: passed on from `Accumulate`; the register tiles cover the 16 channels.
    unsafe {
        if L::WIDE {
            for channel in (0..LANES).step_by(8) {
                products::<L, 8, V>(x.add(channel), grads, n, to.add(channel * PANEL));
            }
        } else {
            for channel in (0..LANES).step_by(4) {
                for v in 0..V {
                    products::<L, 4, 1>(
                        x.add(channel),
                        grads.add(v * LANES),
                        n,
                        to.add(channel * PANEL + v * LANES),
                    );
                }
            }
        }
    }
}

/// `to[r][v] += Σ over tiles of x[tile][r] · grads[tile][v]`, in registers.
///
/// # Safety
///
/// `x` has `n` rows of 16 floats of which `R` are read, `grads` `n` rows and `to` `R` rows of a panel.
#[inline(always)]
unsafe fn products<L: Lanes, const R: usize, const V: usize>(
    x: *const f32,
    grads: *const f32,
    n: usize,
    to: *mut f32,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut sums = [[L::splat(0.0); V]; R];
        for (r, row) in sums.iter_mut().enumerate() {
            for (v, sum) in row.iter_mut().enumerate() {
                *sum = L::load(to.add(r * PANEL + v * LANES));
            }
        }
        for tile in 0..n {
            let mut lanes = [L::splat(0.0); V];
            for (v, lanes) in lanes.iter_mut().enumerate() {
                *lanes = L::load(grads.add(tile * PANEL + v * LANES));
            }
            for (r, row) in sums.iter_mut().enumerate() {
                let scalar = L::splat(*x.add(tile * LANES + r));
                for (sum, lanes) in row.iter_mut().zip(lanes) {
                    *sum = scalar.mul_add(lanes, *sum);
                }
            }
        }
        for (r, row) in sums.iter().enumerate() {
            for (v, sum) in row.iter().enumerate() {
                sum.store(to.add(r * PANEL + v * LANES));
            }
        }
    }
}

/// One panel's sums, `[SIDE², I, 32]` → `[outputs, I, 3, 3]`.
///
/// Running it needs nothing of its fields: all accesses are checked.
struct TransformBack<'a, const SIDE: usize> {
    n_inputs: usize,
    sums: &'a [f32],
    weight: &'a mut [f32],
}

impl<const SIDE: usize> Kernel for TransformBack<'_, SIDE>
where
    ToWeight: Change<SIDE, 3>,
{
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let n_outputs = self.weight.len() / (self.n_inputs * 9);
        // SAFETY: the instruction set is the caller's promise; the loads are checked.
        unsafe {
            for input in 0..self.n_inputs {
                for lane in (0..n_outputs).step_by(LANES) {
                    let mut elements = [[L::splat(0.0); SIDE]; SIDE];
                    for (element, lanes) in elements.as_flattened_mut().iter_mut().enumerate() {
                        let at = (element * self.n_inputs + input) * PANEL + lane;
                        *lanes = L::load(self.sums[at..][..LANES].as_ptr());
                    }
                    let taps = both_ways::<ToWeight, L, SIDE, 3>(elements);
                    for (tap, value) in taps.as_flattened().iter().enumerate() {
                        let mut stored = [0.0f32; LANES];
                        value.store(stored.as_mut_ptr());
                        for (output, value) in stored.into_iter().enumerate() {
                            self.weight[((lane + output) * self.n_inputs + input) * 9 + tap] = value;
                        }
                    }
                }
            }
        }
    }
}
