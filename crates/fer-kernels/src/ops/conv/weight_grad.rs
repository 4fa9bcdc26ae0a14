//! Gradient of a convolution's weight: for every tap, input times output gradient, summed over all pixels.
//! In: inputs `[N, H, W, I]`, output gradients `[N, H', W', O]`. Out: `[O, I, kh, kw]`.
//!
//! Images are dealt to a number of groups that depends on the sizes alone; each group sums in image order, and the groups
//! are added in order. The result is the same for every number of threads.
#![allow(unsafe_code)] // The innermost loop: bounds checks would cost as much as the arithmetic.

use rayon::prelude::*;

use super::blocked::{Blocked, PackImages};
use super::{ConvShape, PANEL};
use crate::lanes::dispatch;
use crate::lanes::scratch::{AlignedBuffer, with_scratch};
use crate::lanes::simd::{Kernel, LANES, Lanes};

/// Output pixels whose operands stay in the first-level cache together.
const BAND_PIXELS: usize = 128;

/// Groups of images that are summed apart: enough tasks for several cores, few enough to add up cheaply.
const GROUPS: usize = 16;

/// Gradient of the weight `[O, I, kh, kw]`.
pub(super) fn weight_grad(shape: &ConvShape, x: &[f32], output_grad: &[f32]) -> Vec<f32> {
    let plan = SumPlan::new(shape);
    shape.check_grad_sizes(x, output_grad);
    let per_group = shape.n.div_ceil(GROUPS).max(1);
    let images = x.par_chunks(per_group * plan.layout.image_len());
    let grads = output_grad.par_chunks(per_group * plan.n_pixels() * shape.n_outputs);
    let sum_group = |(images, grads): (&[f32], &[f32])| {
        let mut sums = AlignedBuffer::zeroed(plan.sums_len());
        plan.add_images(images, grads, sums.floats(plan.sums_len()));
        sums
    };
    let groups: Vec<AlignedBuffer> = images.zip(grads).with_max_len(1).map(sum_group).collect();
    plan.add_groups(&groups)
}

/// Sizes that all groups share.
#[derive(Debug, Clone, Copy)]
struct SumPlan {
    shape: ConvShape,
    layout: Blocked,
    output: [usize; 2],
}

impl SumPlan {
    fn new(shape: &ConvShape) -> Self {
        let output = shape.output();
        let padded = |axis: usize| (output[axis] - 1) * shape.stride + shape.kernel[axis];
        let layout =
            Blocked { image: shape.input, before: [shape.padding; 2], padded: [padded(0), padded(1)] };
        Self { shape: *shape, layout, output }
    }

    fn n_pixels(&self) -> usize {
        self.output[0] * self.output[1]
    }

    fn n_panels(&self) -> usize {
        self.shape.n_outputs.div_ceil(PANEL)
    }

    /// Floats of one group's sums: panel, block, tap, input channel, 32 output channels.
    fn sums_len(&self) -> usize {
        self.n_panels() * self.panel_len()
    }

    fn panel_len(&self) -> usize {
        self.layout.n_blocks() * self.shape.kernel[0] * self.shape.kernel[1] * self.layout.block() * PANEL
    }

    /// Adds the products of some images to `sums`, a few images at a time.
    fn add_images(&self, images: &[f32], grads: &[f32], sums: &mut [f32]) {
        let at_once = BAND_PIXELS.div_ceil(self.n_pixels());
        let image_chunks = images.chunks(at_once * self.layout.image_len());
        let grad_chunks = grads.chunks(at_once * self.n_pixels() * self.shape.n_outputs);
        let grad_len = self.n_pixels() * self.n_panels() * PANEL;
        for (images, grads) in image_chunks.zip(grad_chunks) {
            let n = images.len() / self.layout.image_len();
            with_scratch([n * self.layout.len(), n * grad_len], |packed, packed_grads| {
                let pack_grads = PackGrads { n_channels: self.shape.n_outputs, grads, packed: packed_grads };
                // SAFETY: packing asks for nothing; the three buffers have the sizes of the plan and of `n` images.
                unsafe {
                    dispatch::run(PackImages { layout: self.layout, images, packed });
                    dispatch::run(pack_grads);
                    dispatch::run(Outer { plan: self, n, packed, packed_grads, sums });
                }
            });
        }
    }

    /// Adds the groups in order, and sorts the sums into `[O, I, kh, kw]`.
    fn add_groups(&self, groups: &[AlignedBuffer]) -> Vec<f32> {
        let n_taps = self.shape.kernel[0] * self.shape.kernel[1];
        let n_inputs = self.shape.input[2];
        let block = self.layout.block();
        let mut weight = vec![0.0; self.shape.lens()[2]];
        let sort_panel = |(panel, weight): (usize, &mut [f32])| {
            let at = panel * self.panel_len();
            let mut total = vec![0.0f32; self.panel_len()];
            for group in groups {
                let sums = &group.as_slice(self.sums_len())[at..][..self.panel_len()];
                total.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum);
            }
            for (lane, of_output) in weight.chunks_exact_mut(n_inputs * n_taps).enumerate() {
                for (input, taps) in of_output.chunks_exact_mut(n_taps).enumerate() {
                    let from = (input / block * n_taps * block + input % block) * PANEL + lane;
                    for (tap_idx, tap) in taps.iter_mut().enumerate() {
                        *tap = total[from + tap_idx * block * PANEL];
                    }
                }
            }
        };
        weight.par_chunks_mut(PANEL * n_inputs * n_taps).enumerate().for_each(sort_panel);
        weight
    }
}

/// `[pixels, O]` → panels of `[pixels, 32]`, zeros in missing channels.
///
/// Running it needs nothing of its fields: all accesses are checked.
struct PackGrads<'a> {
    n_channels: usize,
    grads: &'a [f32],
    packed: &'a mut [f32],
}

impl Kernel for PackGrads<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let n_pixels = self.grads.len() / self.n_channels;
        for (panel, packed) in self.packed.chunks_exact_mut(n_pixels * PANEL).enumerate() {
            let first = panel * PANEL;
            let used = [0, LANES].map(|v| self.n_channels.saturating_sub(first + v).min(LANES));
            for (to, pixel) in packed.chunks_exact_mut(PANEL).zip(self.grads.chunks_exact(self.n_channels)) {
                for (v, used) in used.into_iter().enumerate() {
                    let from = &pixel[(first + v * LANES).min(self.n_channels)..];
                    // SAFETY: the caller vouches for the instruction set; `used` floats follow `from`, 16 fit `to`.
                    unsafe { L::load_first(from.as_ptr(), used).store(to[v * LANES..].as_mut_ptr()) }
                }
            }
        }
    }
}

/// Adds the products of `n` packed images.
///
/// Running it needs `packed` and `packed_grads` of `n` images as the plan lays them out, and sums of its size.
struct Outer<'a> {
    plan: &'a SumPlan,
    n: usize,
    packed: &'a [f32],
    packed_grads: &'a [f32],
    /// [`SumPlan::sums_len`] floats.
    sums: &'a mut [f32],
}

impl Kernel for Outer<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        // SAFETY: passed on to the caller.
        unsafe {
            match (self.plan.shape.stride, self.plan.layout.block()) {
                (1, LANES) => self.bands::<L, 1, LANES>(),
                (2, LANES) => self.bands::<L, 2, LANES>(),
                (1, _) => self.bands::<L, 1, 1>(),
                _ => self.bands::<L, 2, 1>(),
            }
        }
    }
}

impl Outer<'_> {
    #[inline(always)]
    unsafe fn bands<L: Lanes, const STEP: usize, const BLOCK: usize>(self) {
        let plan = self.plan;
        let [height, width] = plan.output;
        let [kernel_height, kernel_width] = plan.shape.kernel;
        let band = (BAND_PIXELS / (self.n * width)).clamp(1, height);
        let all_sums = self.sums.as_mut_ptr();
        let one_vector = plan.shape.n_outputs.div_ceil(LANES) % 2 == 1;
        // SAFETY: rows, taps, blocks and panels stay inside what `SumPlan` sized; see `product`.
        unsafe {
            for first in (0..height).step_by(band) {
                let rows = [first, (first + band).min(height)];
                for panel in 0..plan.n_panels() {
                    let single = one_vector && panel + 1 == plan.n_panels();
                    for block in 0..plan.layout.n_blocks() {
                        for ky in 0..kernel_height {
                            let sums_at = ((panel * plan.layout.n_blocks() + block) * kernel_height + ky)
                                * kernel_width;
                            let sums = all_sums.add(sums_at * BLOCK * PANEL);
                            let from = block * plan.layout.plane() + ky * plan.layout.row();
                            let operands = Operands {
                                plan,
                                n: self.n,
                                packed: self.packed,
                                packed_grads: self.packed_grads,
                                rows,
                                panel,
                                from,
                            };
                            match single {
                                true => operands.taps::<L, 1, STEP, BLOCK>(sums),
                                false => operands.taps::<L, 2, STEP, BLOCK>(sums),
                            }
                        }
                    }
                }
            }
        }
    }
}

/// One kernel row of one block against one panel.
struct Operands<'a> {
    plan: &'a SumPlan,
    n: usize,
    packed: &'a [f32],
    packed_grads: &'a [f32],
    rows: [usize; 2],
    panel: usize,
    from: usize,
}

impl Operands<'_> {
    /// Covers the taps of the kernel row, and the channels of the block, with register tiles.
    #[inline(always)]
    unsafe fn taps<L: Lanes, const V: usize, const STEP: usize, const BLOCK: usize>(&self, sums: *mut f32) {
        let kernel_width = self.plan.shape.kernel[1];
        // Within a kernel row, (tap, channel) pairs lie `BLOCK` apart per tap, one apart per channel: one run of scalars.
        let n_scalars = kernel_width * BLOCK;
        let mut scalar = 0;
        // SAFETY: passed on; the tiles cover `n_scalars` exactly.
        unsafe {
            while scalar < n_scalars {
                let left = n_scalars - scalar;
                let to = sums.add(scalar * PANEL);
                scalar += match left {
                    8.. if L::WIDE => self.tile::<L, 8, V, STEP, BLOCK>(scalar, to),
                    4.. => self.tile::<L, 4, V, STEP, BLOCK>(scalar, to),
                    3.. => self.tile::<L, 3, V, STEP, BLOCK>(scalar, to),
                    _ => self.tile::<L, 1, V, STEP, BLOCK>(scalar, to),
                };
            }
        }
    }

    #[inline(always)]
    unsafe fn tile<L: Lanes, const R: usize, const V: usize, const STEP: usize, const BLOCK: usize>(
        &self,
        scalar: usize,
        to: *mut f32,
    ) -> usize {
        // SAFETY: passed on.
        unsafe {
            if L::WIDE {
                self.product::<L, R, V, STEP, BLOCK>(scalar, 0, to);
            } else {
                for v in 0..V {
                    self.product::<L, R, 1, STEP, BLOCK>(scalar, v, to.add(v * LANES));
                }
            }
        }
        R
    }

    /// `to[r][v] += Σ over pixels of x[pixel][scalar + r] · grad[pixel][v]`, in registers.
    #[inline(always)]
    unsafe fn product<L: Lanes, const R: usize, const V: usize, const STEP: usize, const BLOCK: usize>(
        &self,
        scalar: usize,
        first_v: usize,
        to: *mut f32,
    ) {
        let Self { plan, n, packed, packed_grads, .. } = *self;
        let width = plan.output[1];
        let n_pixels = plan.n_pixels();
        // SAFETY: the packed image covers every tap of every output pixel (`SumPlan::new`), the packed gradients every
        // pixel of every panel, and `to` has `R` rows of a panel.
        unsafe {
            let mut sums = [[L::splat(0.0); V]; R];
            for (r, row) in sums.iter_mut().enumerate() {
                for (v, sum) in row.iter_mut().enumerate() {
                    *sum = L::load(to.add(r * PANEL + v * LANES));
                }
            }
            for image in 0..n {
                let images_grads =
                    packed_grads.as_ptr().add((self.panel * n + image) * n_pixels * PANEL + first_v * LANES);
                for y in self.rows[0]..self.rows[1] {
                    let row = image * plan.layout.len() + self.from + y * STEP * plan.layout.row() + scalar;
                    let mut x = packed.as_ptr().add(row);
                    let mut grad = images_grads.add(y * width * PANEL);
                    for _ in 0..width {
                        let mut grads = [L::splat(0.0); V];
                        for (v, lanes) in grads.iter_mut().enumerate() {
                            *lanes = L::load(grad.add(v * LANES));
                        }
                        for (r, row) in sums.iter_mut().enumerate() {
                            let scalar = L::splat(*x.add(r));
                            for v in 0..V {
                                row[v] = scalar.mul_add(grads[v], row[v]);
                            }
                        }
                        x = x.wrapping_add(STEP * BLOCK);
                        grad = grad.wrapping_add(PANEL);
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
}
