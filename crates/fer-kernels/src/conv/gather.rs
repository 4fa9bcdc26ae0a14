//! A convolution as a gather: every output pixel sums taps of the input around it.
//! In: images `[N, H, W, C]`, weights. Out: images `[N, H', W', C']`, bias, residual and ReLU applied on the way out.
//! Knows nothing of gradients: the input gradient is only another list of taps.
#![allow(unsafe_code)] // Threads write disjoint parts of one output, which is not filled beforehand.

use rayon::prelude::*;

use super::blocked::{Blocked, PackImages};
use super::{ConvShape, PANEL, tile};
use crate::scratch::{AlignedBuffer, SharedOut, filled_by, with_scratch};
use crate::simd::{self, Kernel, LANES, Lanes};

/// Output pixels that share their taps: all of them, or one parity class of a strided convolution's input gradient.
#[derive(Debug, Clone)]
struct Class {
    /// First output row and column.
    first: [usize; 2],
    /// Output rows and columns in the class.
    size: [usize; 2],
    /// Kernel positions `[ky, kx]` that reach the class.
    taps: Vec<[usize; 2]>,
    /// Where each (block, tap) starts in the blocked image, seen from the first pixel.
    offsets: Vec<usize>,
    /// Where the class starts in the packed weights.
    weights_at: usize,
}

/// What is read, what is written, and which taps lie between.
#[derive(Debug, Clone)]
pub(crate) struct Gather {
    layout: Blocked,
    /// Output rows, columns, channels.
    output: [usize; 3],
    /// Input pixels from one pixel of a class to the next.
    step: usize,
    /// Output pixels from one pixel of a class to the next.
    out_step: usize,
    classes: Vec<Class>,
    /// Floats of the packed weights.
    weights_len: usize,
}

/// Along one axis: the outputs of one class and the input position of each of its taps.
struct Axis {
    first: usize,
    n: usize,
    /// `(kernel position, input position of the class's first output)`; may lie before the image.
    taps: Vec<(usize, isize)>,
}

impl Gather {
    /// The convolution itself.
    pub(crate) fn forward(shape: &ConvShape) -> Self {
        let output = shape.output();
        let axis = |axis: usize| {
            let taps = (0..shape.kernel[axis]).map(|k| (k, k as isize - shape.padding as isize)).collect();
            vec![Axis { first: 0, n: output[axis], taps }]
        };
        Self::new(shape.input, [output[0], output[1], shape.n_outputs], shape.stride, 1, [axis(0), axis(1)])
    }

    /// The gradient of the convolution's input: a gather over the gradient of its output.
    ///
    /// Input pixel `y` took part in output `(y + padding - k) / stride` for every `k` where that is whole:
    /// with stride 2 those are other taps for even and for odd pixels.
    pub(crate) fn input_grad(shape: &ConvShape) -> Self {
        let [height, width, n_inputs] = shape.input;
        let [out_height, out_width] = shape.output();
        let stride = shape.stride;
        let axes = |size: usize, kernel: usize| -> Vec<Axis> {
            let class = |first: usize| {
                let reach = |k: usize| (first + shape.padding) as isize - k as isize;
                let whole = |k: &usize| reach(*k).rem_euclid(stride as isize) == 0;
                let taps =
                    (0..kernel).filter(whole).map(|k| (k, reach(k).div_euclid(stride as isize))).collect();
                Axis { first, n: (size - first).div_ceil(stride), taps }
            };
            (0..stride.min(size)).map(class).collect()
        };
        let axes = [axes(height, shape.kernel[0]), axes(width, shape.kernel[1])];
        Self::new([out_height, out_width, shape.n_outputs], [height, width, n_inputs], 1, stride, axes)
    }

    fn new(
        image: [usize; 3],
        output: [usize; 3],
        step: usize,
        out_step: usize,
        axes: [Vec<Axis>; 2],
    ) -> Self {
        let before = |axes: &[Axis]| -> usize {
            let lowest = axes.iter().flat_map(|axis| &axis.taps).map(|tap| tap.1).min().unwrap_or(0);
            lowest.min(0).unsigned_abs()
        };
        let before = [before(&axes[0]), before(&axes[1])];
        let padded = |axes: &[Axis], before: usize| -> usize {
            let last = |axis: &Axis| {
                axis.taps.iter().map(|tap| tap.1).max().unwrap_or(0) + ((axis.n - 1) * step) as isize
            };
            let last = axes.iter().map(last).max().unwrap_or(0);
            (last + before as isize + 1).max(1) as usize
        };
        let layout =
            Blocked { image, before, padded: [padded(&axes[0], before[0]), padded(&axes[1], before[1])] };
        let mut weights_len = 0;
        let mut classes = Vec::new();
        for rows in &axes[0] {
            for columns in &axes[1] {
                let class = Class::new(&layout, rows, columns, weights_len);
                weights_len += class.offsets.len() * layout.block() * output[2].div_ceil(LANES) * LANES;
                classes.push(class);
            }
        }
        Self { layout, output, step, out_step, classes, weights_len }
    }

    /// Output channels in panels of two vectors; the last panel has one if their number is odd.
    fn n_panels(&self) -> usize {
        self.output[2].div_ceil(PANEL)
    }

    /// Vectors in a panel, 2 or 1.
    fn panel_vectors(&self, panel: usize) -> usize {
        (self.output[2].div_ceil(LANES) - 2 * panel).min(2)
    }

    fn out_len(&self) -> usize {
        self.output.iter().product()
    }

    /// Where a panel of a class starts in the packed weights.
    fn panel_at(&self, class: &Class, panel: usize) -> usize {
        class.weights_at + panel * class.offsets.len() * self.layout.block() * PANEL
    }

    /// Multiplications of one image.
    fn work(&self) -> usize {
        let per_class = |class: &Class| class.size[0] * class.size[1] * class.offsets.len();
        self.classes.iter().map(per_class).sum::<usize>() * self.layout.block() * self.output[2]
    }
}

impl Class {
    fn new(layout: &Blocked, rows: &Axis, columns: &Axis, weights_at: usize) -> Self {
        let pairs = || rows.taps.iter().flat_map(|row| columns.taps.iter().map(move |column| (row, column)));
        let inside = |tap: isize, before: usize| (tap + before as isize) as usize;
        let offset = |(row, column): (&(usize, isize), &(usize, isize))| {
            inside(row.1, layout.before[0]) * layout.row()
                + inside(column.1, layout.before[1]) * layout.block()
        };
        let blocks = 0..layout.n_blocks();
        Self {
            first: [rows.first, columns.first],
            size: [rows.n, columns.n],
            taps: pairs().map(|(row, column)| [row.0, column.0]).collect(),
            offsets: blocks
                .flat_map(|block| pairs().map(move |pair| block * layout.plane() + offset(pair)))
                .collect(),
            weights_at,
        }
    }
}

/// Where a weight lies in `[O, I, kh, kw]`, seen from a gather's own outputs and inputs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WeightStrides {
    output: usize,
    input: usize,
    kernel_width: usize,
}

impl WeightStrides {
    /// A forward gather writes O channels and reads I.
    pub(crate) fn forward(shape: &ConvShape) -> Self {
        let taps = shape.kernel[0] * shape.kernel[1];
        Self { output: shape.input[2] * taps, input: taps, kernel_width: shape.kernel[1] }
    }

    /// The input gradient writes I channels and reads O.
    pub(crate) fn input_grad(shape: &ConvShape) -> Self {
        let forward = Self::forward(shape);
        Self { output: forward.input, input: forward.output, ..forward }
    }
}

/// Weights in the order the kernel reads them: class, panel, block, tap, input channel, output channel.
#[derive(Clone)]
pub(crate) struct PackedWeight {
    floats: std::sync::Arc<AlignedBuffer>,
    len: usize,
}

impl PackedWeight {
    /// Packs `[O, I, kh, kw]`; missing channels of the last block and panel are zero.
    pub(crate) fn new(plan: &Gather, weight: &[f32], strides: WeightStrides) -> Self {
        let mut floats = AlignedBuffer::zeroed(plan.weights_len);
        let mut rest = floats.floats(plan.weights_len);
        let mut panels = Vec::new();
        for class in &plan.classes {
            for panel in 0..plan.n_panels() {
                let len = class.offsets.len() * plan.layout.block() * plan.panel_vectors(panel) * LANES;
                let (packed, after) = rest.split_at_mut(len);
                panels.push((class, panel, packed));
                rest = after;
            }
        }
        let pack = |(class, panel, packed): (&Class, usize, &mut [f32])| {
            pack_panel(plan, class, panel, weight, strides, packed)
        };
        match plan.weights_len > 1 << 14 {
            true => panels.into_par_iter().for_each(pack),
            false => panels.into_iter().for_each(pack),
        }
        Self { floats: std::sync::Arc::new(floats), len: plan.weights_len }
    }
}

/// Reads the weight in its own order as far as possible, and scatters into the panel, which fits the cache.
fn pack_panel(
    plan: &Gather,
    class: &Class,
    panel: usize,
    weight: &[f32],
    strides: WeightStrides,
    packed: &mut [f32],
) {
    let (block, width) = (plan.layout.block(), plan.panel_vectors(panel) * LANES);
    let n_taps = class.taps.len();
    let outputs = panel * PANEL..(panel * PANEL + width).min(plan.output[2]);
    for (lane, output) in outputs.enumerate() {
        for input in 0..plan.layout.image[2] {
            let from = &weight[output * strides.output + input * strides.input..];
            let to = (input / block * n_taps * block + input % block) * width + lane;
            for (tap_idx, [ky, kx]) in class.taps.iter().enumerate() {
                packed[to + tap_idx * block * width] = from[ky * strides.kernel_width + kx];
            }
        }
    }
}

/// What happens to a sum before it is written.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Epilogue<'a> {
    /// Added per output channel.
    pub(crate) bias: Option<&'a [f32]>,
    /// Added per element: the shape of the output.
    pub(crate) residual: Option<&'a [f32]>,
    /// Clip at zero.
    pub(crate) relu: bool,
}

/// Multiplications below which one image is not worth waking another thread for.
const SPLIT_WORK: usize = 1 << 21;

/// Runs the gather over `n` images.
pub(crate) fn run(plan: &Gather, n: usize, x: &[f32], weight: &PackedWeight, epilogue: Epilogue) -> Vec<f32> {
    assert_eq!(x.len(), n * plan.layout.image_len(), "conv2d: the input does not have the planned size");
    assert_eq!(weight.len, plan.weights_len, "conv2d: the weight was packed for another convolution");
    if let Some(residual) = epilogue.residual {
        assert_eq!(
            residual.len(),
            n * plan.out_len(),
            "conv2d: the residual does not have the output's size"
        );
    }
    if let Some(bias) = epilogue.bias {
        assert_eq!(bias.len(), plan.output[2], "conv2d: the bias does not have one value per output channel");
    }
    // SAFETY: every output pixel is in exactly one class, row range and panel, and each of those is written once.
    unsafe {
        filled_by(n * plan.out_len(), |out| {
            let job = Job { plan, weight: weight.floats.as_slice(weight.len), epilogue, out };
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
    out: SharedOut,
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
                simd::run(PackImages { layout: plan.layout, images, packed });
                for class in 0..plan.classes.len() {
                    for panel in 0..plan.n_panels() {
                        let rows = [0, plan.classes[class].size[0]];
                        simd::run(Part {
                            job: self,
                            packed,
                            n,
                            first_image: task * per_task,
                            class,
                            panel,
                            rows,
                        });
                    }
                }
            });
        };
        let len = per_task * plan.layout.image_len();
        match n * plan.work() > SPLIT_WORK {
            true => x.par_chunks(len).enumerate().with_max_len(1).for_each(compute),
            false => x.chunks(len).enumerate().for_each(compute),
        }
    }

    /// Few images: pack all, then share out panels and bands of rows.
    fn split_images(self, n: usize, x: &[f32]) {
        let plan = self.plan;
        with_scratch([n * plan.layout.len(), 0], |packed, _| {
            simd::run(PackImages { layout: plan.layout, images: x, packed });
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
                        parts.push(Part {
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
            parts.into_par_iter().for_each(simd::run);
        });
    }
}

/// One panel of output channels, some rows of one class, a few images.
#[derive(Clone, Copy)]
struct Part<'a> {
    job: Job<'a>,
    packed: &'a [f32],
    n: usize,
    first_image: usize,
    class: usize,
    panel: usize,
    rows: [usize; 2],
}

impl Kernel for Part<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let plan = self.job.plan;
        // SAFETY: the caller of `run` vouches for the instruction set; the sizes agree because `Gather::new` made them.
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

impl Part<'_> {
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
        let Epilogue { bias, residual, relu } = self.job.epilogue;
        let [_, out_width, n_channels] = output;
        let channel = self.panel * PANEL + first_v * LANES;
        // SAFETY: the packed image covers every tap of every pixel of the class (`Gather::new`), the weights were packed
        // for this plan (checked in `run`), and the tile's pixels and channels are inside the output and written once.
        unsafe {
            let from =
                self.packed.as_ptr().add(image * layout.len() + y * STEP * layout.row() + x * STEP * BLOCK);
            let weights =
                self.job.weight.as_ptr().add(self.job.plan.panel_at(class, self.panel) + first_v * LANES);
            let sums = tile::sums::<L, ROWS, COLS, V, PANEL_V, STEP, BLOCK>(
                from,
                STEP * layout.row(),
                &class.offsets,
                weights,
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
                        let mut value = *sum;
                        if let Some(bias) = bias {
                            value = value.add(L::load_first(bias.as_ptr().add(channel + v * LANES), lanes));
                        }
                        if let Some(residual) = residual {
                            value = value.add(L::load_first(residual.as_ptr().add(at + v * LANES), lanes));
                        }
                        if relu {
                            value = value.max(L::splat(0.0));
                        }
                        value.store_first(self.job.out.at(at + v * LANES), lanes);
                    }
                }
            }
        }
    }
}
