//! Convolution by its definition, register tile by register tile.
//! In: a [`Gather`], images `[N, H, W, C]`, packed weights. Out: images `[N, H', W', C']`.
#![allow(unsafe_code)] // Threads write disjoint parts of one output, which is not filled beforehand.

use rayon::prelude::*;

use super::blocked::PackImages;
use super::epilogue::Epilogue;
use super::gather::Gather;
use super::packed::PackedWeight;
use super::{PANEL, register_tile};
use crate::lanes::dispatch;
use crate::lanes::output::{SharedOut, filled_by};
use crate::lanes::parallel::several_threads;
use crate::lanes::scratch::with_scratch;
use crate::lanes::simd::{Kernel, LANES, Lanes};

/// Multiplications below which one image is not worth waking another thread for.
pub(super) const SPLIT_WORK: usize = 1 << 19;

/// Runs the gather over `n` images.
pub(super) fn run(plan: &Gather, n: usize, x: &[f32], weight: &PackedWeight, epilogue: Epilogue) -> Vec<f32> {
    let len = n * plan.layout.image_len();
    assert_eq!(x.len(), len, "conv2d: {} floats for an input of {len}", x.len());
    epilogue.check(n * plan.out_len(), plan.output[2]);
    let weight = weight.floats(plan.weights_len);
    // SAFETY: every output pixel is in exactly one class, row range and panel, and each of those is written once.
    unsafe {
        filled_by(n * plan.out_len(), |out| {
            let job = Job { plan, weight, epilogue, out };
            if n < rayon::current_num_threads() && plan.work() > SPLIT_WORK {
                job.split_images(n, x);
            } else {
                job.whole_images(n, x);
            }
        })
    }
}

/// What every thread needs.
#[derive(Clone, Copy)]
struct Job<'a> {
    plan: &'a Gather,
    weight: &'a [f32],
    epilogue: Epilogue<'a>,
    out: SharedOut<'a>,
}

impl Job<'_> {
    /// Many images: each task packs and computes a few, so that small maps share the weights while they are in the cache.
    fn whole_images(self, n: usize, x: &[f32]) {
        let plan = self.plan;
        let pixels = plan.output[0] * plan.output[1];
        let fair = n.div_ceil(4 * rayon::current_num_threads());
        let per_task = 144usize.div_ceil(pixels).min(fair).max(1);
        let compute = |(task, images): (usize, &[f32])| {
            let n = images.len() / plan.layout.image_len();
            with_scratch([n * plan.layout.len(), 0], |packed, _| {
                // SAFETY: it asks for nothing.
                unsafe { dispatch::run(PackImages { layout: plan.layout, images, packed }) };
                for class in 0..plan.classes.len() {
                    for panel in 0..plan.n_panels() {
                        let rows = [0, plan.classes[class].size[0]];
                        let first_image = task * per_task;
                        let part = PanelRows { job: self, packed, n, first_image, class, panel, rows };
                        // SAFETY: the images were packed for this plan; no other task has these images.
                        unsafe { dispatch::run(part) };
                    }
                }
            });
        };
        let len = per_task * plan.layout.image_len();
        if several_threads() && n * plan.work() > SPLIT_WORK {
            x.par_chunks(len).enumerate().with_max_len(1).for_each(compute);
        } else {
            x.chunks(len).enumerate().for_each(compute);
        }
    }

    /// Few images: pack all, then share out panels and bands of rows.
    fn split_images(self, n: usize, x: &[f32]) {
        let plan = self.plan;
        with_scratch([n * plan.layout.len(), 0], |packed, _| {
            // SAFETY: it asks for nothing.
            unsafe { dispatch::run(PackImages { layout: plan.layout, images: x, packed }) };
            let packed = &*packed;
            let mut parts = Vec::new();
            for (class_idx, class) in plan.classes.iter().enumerate() {
                let n_bands = (4 * rayon::current_num_threads())
                    .div_ceil(plan.n_panels())
                    .min(class.size[0].div_ceil(2));
                let band = class.size[0].div_ceil(n_bands).next_multiple_of(2);
                for panel in 0..plan.n_panels() {
                    for first in (0..class.size[0]).step_by(band) {
                        let rows = [first, (first + band).min(class.size[0])];
                        parts.push(PanelRows {
                            job: self,
                            packed,
                            n,
                            first_image: 0,
                            class: class_idx,
                            panel,
                            rows,
                        });
                    }
                }
            }
            // SAFETY: the images were packed for this plan; every part has rows or a panel of its own.
            parts.into_par_iter().for_each(|part| unsafe { dispatch::run(part) });
        });
    }
}

/// One panel of output channels, some rows of one class, a few images.
///
/// Running it needs `n` images packed for the job's plan, weights packed for it too, an output and an epilogue of its
/// size, class, panel and rows inside it, and nobody else who writes those pixels.
#[derive(Clone, Copy)]
struct PanelRows<'a> {
    job: Job<'a>,
    packed: &'a [f32],
    n: usize,
    first_image: usize,
    class: usize,
    panel: usize,
    rows: [usize; 2],
}

impl Kernel for PanelRows<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let plan = self.job.plan;
        // SAFETY: the caller's promise; the sizes agree because `Gather::new` made them.
        unsafe {
            match (plan.panel_vectors(self.panel), plan.step, plan.layout.block()) {
                (2, 1, LANES) => self.images::<L, 2, 1, LANES>(),
                (2, 2, LANES) => self.images::<L, 2, 2, LANES>(),
                (1, 1, LANES) => self.images::<L, 1, 1, LANES>(),
                (1, 2, LANES) => self.images::<L, 1, 2, LANES>(),
                (2, 1, _) => self.images::<L, 2, 1, 1>(),
                (2, 2, _) => self.images::<L, 2, 2, 1>(),
                (1, 1, _) => self.images::<L, 1, 1, 1>(),
                _ => self.images::<L, 1, 2, 1>(),
            }
        }
    }
}

impl PanelRows<'_> {
    #[inline(always)]
    unsafe fn images<L: Lanes, const PANEL_V: usize, const STEP: usize, const BLOCK: usize>(self) {
        for image in 0..self.n {
            let mut y = self.rows[0];
            while y < self.rows[1] {
                // SAFETY: passed on from `run`.
                y += unsafe { self.row_of_tiles::<L, PANEL_V, STEP, BLOCK>(image, y) };
            }
        }
    }

    /// Computes one row, or two where that fills the registers better; returns how many.
    #[inline(always)]
    unsafe fn row_of_tiles<L: Lanes, const PANEL_V: usize, const STEP: usize, const BLOCK: usize>(
        self,
        image: usize,
        y: usize,
    ) -> usize {
        let width = self.job.plan.classes[self.class].size[1];
        let two = L::WIDE && width % 12 >= 6 && y + 1 < self.rows[1];
        let n_rows = if two { 2 } else { 1 };
        let mut x = 0;
        // SAFETY: passed on from `run`; every tile lies inside the class.
        unsafe {
            while x < width {
                let left = width - x;
                if L::WIDE && left >= 12 {
                    for row in 0..n_rows {
                        self.tile::<L, 1, 12, PANEL_V, PANEL_V, STEP, BLOCK>(image, y + row, x, 0);
                    }
                    x += 12;
                } else if L::WIDE && left >= 6 && two {
                    self.tile::<L, 2, 6, PANEL_V, PANEL_V, STEP, BLOCK>(image, y, x, 0);
                    x += 6;
                } else if left >= 6 {
                    self.narrow::<L, 6, PANEL_V, STEP, BLOCK>(image, [y, n_rows], x);
                    x += 6;
                } else if left >= 3 {
                    self.narrow::<L, 3, PANEL_V, STEP, BLOCK>(image, [y, n_rows], x);
                    x += 3;
                } else {
                    self.narrow::<L, 1, PANEL_V, STEP, BLOCK>(image, [y, n_rows], x);
                    x += 1;
                }
            }
        }
        n_rows
    }

    /// A tile of few columns: all vectors of the panel at once where there are 32 registers, one by one elsewhere.
    #[inline(always)]
    unsafe fn narrow<
        L: Lanes,
        const COLS: usize,
        const PANEL_V: usize,
        const STEP: usize,
        const BLOCK: usize,
    >(
        self,
        image: usize,
        [y, n_rows]: [usize; 2],
        x: usize,
    ) {
        // SAFETY: passed on from `run`.
        unsafe {
            for row in 0..n_rows {
                if L::WIDE {
                    self.tile::<L, 1, COLS, PANEL_V, PANEL_V, STEP, BLOCK>(image, y + row, x, 0);
                } else {
                    for v in 0..PANEL_V {
                        self.tile::<L, 1, COLS, 1, PANEL_V, STEP, BLOCK>(image, y + row, x, v);
                    }
                }
            }
        }
    }

    /// Computes and writes one tile, from vector `first_v` of the panel on.
    #[inline(always)]
    unsafe fn tile<
        L: Lanes,
        const ROWS: usize,
        const COLS: usize,
        const V: usize,
        const PANEL_V: usize,
        const STEP: usize,
        const BLOCK: usize,
    >(
        self,
        image: usize,
        y: usize,
        x: usize,
        first_v: usize,
    ) {
        let Gather { layout, output, out_step, ref classes, .. } = *self.job.plan;
        let class = &classes[self.class];
        let epilogue = self.job.epilogue;
        let [_, out_width, n_channels] = output;
        let channel = self.panel * PANEL + first_v * LANES;
        // SAFETY: the packed image covers every tap of every pixel of the class (`Gather::new`), the weights were packed
        // for this plan (checked in `run`), and the tile's pixels and channels are inside the output and written once.
        unsafe {
            let from =
                self.packed.as_ptr().add(image * layout.len() + y * STEP * layout.row() + x * STEP * BLOCK);
            let weights =
                self.job.weight.as_ptr().add(self.job.plan.panel_at(class, self.panel) + first_v * LANES);
            let sums = register_tile::sums::<L, ROWS, COLS, V, PANEL_V, STEP, BLOCK>(
                from,
                STEP * layout.row(),
                &class.offsets,
                weights,
                LANES,
            );
            for (r, row) in sums.iter().enumerate() {
                let out_y = class.first[0] + (y + r) * out_step;
                let out_image = (self.first_image + image) * self.job.plan.out_len();
                let row_at =
                    out_image + (out_y * out_width + class.first[1] + x * out_step) * n_channels + channel;
                for (c, pixel) in row.iter().enumerate() {
                    let at = row_at + c * out_step * n_channels;
                    for (v, sum) in pixel.iter().enumerate() {
                        let lanes = LANES.min(n_channels - channel - v * LANES);
                        let value = epilogue.finish(*sum, channel + v * LANES, at + v * LANES, lanes);
                        value.store_first(self.job.out.at(at + v * LANES), lanes);
                    }
                }
            }
        }
    }
}
