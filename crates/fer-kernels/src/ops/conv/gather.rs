//! A convolution as a gather: which taps of the input around it every output pixel sums.
//! In: a [`ConvShape`]. Out: offsets into a blocked image, for the convolution or for its input gradient.

use super::blocked::Blocked;
use super::{ConvShape, PANEL};
use crate::lanes::simd::LANES;

/// Output pixels that share their taps: all of them, or one parity class of a strided convolution's input gradient.
#[derive(Debug, Clone)]
pub(super) struct Class {
    /// First output row and column.
    pub(super) first: [usize; 2],
    /// Output rows and columns in the class.
    pub(super) size: [usize; 2],
    /// Kernel positions `[ky, kx]` that reach the class.
    pub(super) taps: Vec<[usize; 2]>,
    /// Where each (block, tap) starts in the blocked image, seen from the first pixel.
    pub(super) offsets: Vec<usize>,
    /// Where the class starts in the packed weights.
    pub(super) weights_at: usize,
}

/// What is read, what is written, and which taps lie between.
#[derive(Debug, Clone)]
pub(crate) struct Gather {
    pub(super) layout: Blocked,
    /// Output rows, columns, channels.
    pub(super) output: [usize; 3],
    /// Input pixels from one pixel of a class to the next.
    pub(super) step: usize,
    /// Output pixels from one pixel of a class to the next.
    pub(super) out_step: usize,
    pub(super) classes: Vec<Class>,
    /// Floats of the packed weights.
    pub(super) weights_len: usize,
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
    pub(super) fn n_panels(&self) -> usize {
        self.output[2].div_ceil(PANEL)
    }

    /// Vectors in a panel, 2 or 1.
    pub(super) fn panel_vectors(&self, panel: usize) -> usize {
        (self.output[2].div_ceil(LANES) - 2 * panel).min(2)
    }

    /// Channels it reads and writes.
    pub(super) fn channels(&self) -> [usize; 2] {
        [self.layout.image[2], self.output[2]]
    }

    /// Whether it reads images of these rows, columns and channels.
    pub(super) fn reads(&self, image: [usize; 3]) -> bool {
        self.layout.image == image
    }

    /// Floats of one output image.
    pub(super) fn out_len(&self) -> usize {
        self.output.iter().product()
    }

    /// Where a panel of a class starts in the packed weights.
    pub(super) fn panel_at(&self, class: &Class, panel: usize) -> usize {
        class.weights_at + panel * class.offsets.len() * self.layout.block() * PANEL
    }

    /// Multiplications of one image.
    pub(super) fn work(&self) -> usize {
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
