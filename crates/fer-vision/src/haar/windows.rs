//! The windows of one row of a layer → those that pass every stage.
//! In: a cascade, a [`Layer`]. Out: positions. Several windows side by side are judged at once.

use super::cascade::{Cascade, Stage, THRESHOLD_SLACK};
use super::layer::{Columns, Layer};

/// Windows that are judged at once: one AVX2 register of sums, two of SSE, NEON and WebAssembly.
pub(super) const LANES: usize = 8;

/// A cascade whose corners are offsets into an integral image of one layout.
#[derive(Debug, Default)]
pub(super) struct Compiled {
    columns: Columns,
    stages: Vec<CompiledStage>,
    /// Corners of the rectangle over which a window's deviation is taken.
    norm: [u32; 4],
    norm_area: f64,
    /// Entries from a window's corner to the last one that is read.
    span: usize,
}

#[derive(Debug, Default)]
struct CompiledStage {
    stumps: Vec<CompiledStump>,
    threshold: f32,
    /// A sum in single precision that is closer to the threshold than this is summed again in double, as
    /// OpenCV sums: n values added in single precision are off by at most n · 2⁻²⁴ of their absolute sum.
    doubt: f32,
}

#[derive(Clone, Copy, Debug, Default)]
struct CompiledStump {
    corners: [[u32; 4]; 3],
    weights: [f32; 3],
    threshold: f32,
    below: f32,
    otherwise: f32,
}

impl Compiled {
    /// Whether this is the cascade for that layout already.
    pub(super) fn is_for(&self, columns: Columns) -> bool {
        self.columns == columns
    }

    pub(super) fn new(cascade: &Cascade, columns: Columns) -> Self {
        let (width, height) = (usize::from(cascade.window.0), usize::from(cascade.window.1));
        let corners = |x: usize, y: usize, width: usize, height: usize| {
            [(x, y), (x + width, y), (x, y + height), (x + width, y + height)]
                .map(|(column, row)| columns.offset(column, row) as u32)
        };
        let compile = |stage: &Stage| {
            let stumps: Vec<CompiledStump> = stage
                .stumps
                .iter()
                .map(|stump| CompiledStump {
                    corners: stump.feature.map(|rect| {
                        corners(rect.x.into(), rect.y.into(), rect.width.into(), rect.height.into())
                    }),
                    weights: stump.feature.map(|rect| rect.weight),
                    threshold: stump.threshold,
                    below: stump.below,
                    otherwise: stump.otherwise,
                })
                .collect();
            let largest: f32 = stumps.iter().map(|stump| stump.below.abs().max(stump.otherwise.abs())).sum();
            let doubt = stumps.len() as f32 * largest * f32::EPSILON;
            CompiledStage { stumps, threshold: stage.threshold - THRESHOLD_SLACK, doubt }
        };
        Self {
            columns,
            stages: cascade.stages.iter().map(compile).collect(),
            norm: corners(1, 1, width - 2, height - 2),
            norm_area: ((width - 2) * (height - 2)) as f64,
            span: columns.offset(0, height) + columns.stride,
        }
    }
}

/// Scratch of [`Compiled::passing`], kept from row to row.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// One over the deviation of each window, 0 where a window is too even to be judged.
    norms: Vec<f32>,
    passed: Vec<[bool; LANES]>,
    /// Windows that are still in, by their position in the row.
    pub(super) alive: Vec<u32>,
}

impl Compiled {
    pub(super) fn columns(&self) -> Columns {
        self.columns
    }

    /// How many entries after the last row of a layer are read.
    pub(super) fn padding(&self) -> usize {
        self.columns.stride + 2 * LANES
    }

    /// Puts the windows of the row that pass every stage into `scratch.alive`, counted in steps of the layout.
    ///
    /// After a window that fails the first stage the next one is skipped, as OpenCV does.
    #[inline(always)]
    pub(super) fn passing(&self, layer: &Layer, row: usize, n_windows: usize, scratch: &mut Scratch) {
        let at = row * self.columns.stride;
        let n_groups = n_windows.div_ceil(LANES);
        let sums = &layer.sums[at..][..self.span + (n_groups + 1) * LANES];
        let squares = &layer.squares[at..][..self.span + (n_groups + 1) * LANES];
        let Scratch { norms, passed, alive } = scratch;
        norms.resize((n_groups + 1) * LANES, 0.0);
        passed.resize(n_groups, [false; LANES]);
        let Some((first, later)) = self.stages.split_first() else { return };
        for (group, passed) in passed.iter_mut().enumerate() {
            let at = group * LANES;
            let window = &sums[at..][..self.span];
            let norm = self.norms(window, &squares[at..][..self.span]);
            norms[at..][..LANES].copy_from_slice(&norm);
            *passed = first.pass(window, &norm);
        }
        alive.clear();
        let mut idx = 0;
        while idx < n_windows {
            let is_judged = norms[idx] > 0.0;
            let has_passed = passed[idx / LANES][idx % LANES];
            if is_judged && has_passed {
                alive.push(idx as u32);
            }
            idx += if is_judged && !has_passed { 2 } else { 1 };
        }
        for stage in later {
            self.thin(stage, sums, norms, alive);
            if alive.is_empty() {
                return;
            }
        }
    }

    /// Leaves the windows that pass one stage.
    #[inline(always)]
    fn thin(&self, stage: &CompiledStage, sums: &[i32], norms: &[f32], alive: &mut Vec<u32>) {
        let (mut n_kept, mut idx) = (0, 0);
        while idx < alive.len() {
            let start = alive[idx];
            let at = start as usize;
            let norm = norms[at..].first_chunk().expect("norms reach a group past the last window");
            let passed = stage.pass(&sums[at..][..self.span], norm);
            while let Some(&window) = alive.get(idx).filter(|&&window| window < start + LANES as u32) {
                if passed[(window - start) as usize] {
                    alive[n_kept] = window;
                    n_kept += 1;
                }
                idx += 1;
            }
        }
        alive.truncate(n_kept);
    }

    /// One over the deviations of a group of windows, times the root of their area; 0 for windows too even.
    #[inline(always)]
    fn norms(&self, sums: &[i32], squares: &[i32]) -> [f32; LANES] {
        let (sums, squares) = (rect_sums(sums, &self.norm), rect_sums(squares, &self.norm));
        let mut norms = [0.0_f32; LANES];
        for lane in 0..LANES {
            let sum = f64::from(sums[lane]);
            let spread = self.norm_area * f64::from(squares[lane] as u32) - sum * sum;
            let norm = (1.0 / spread.sqrt()) as f32;
            // Not a number where the spread is below 0, and without bound at 0: no face in either case.
            norms[lane] = if self.norm_area * f64::from(norm) < 0.1 { norm } else { 0.0 };
        }
        norms
    }
}

impl CompiledStage {
    /// Which windows of a group pass.
    #[inline(always)]
    fn pass(&self, sums: &[i32], norms: &[f32; LANES]) -> [bool; LANES] {
        let mut totals = [0.0_f32; LANES];
        for stump in &self.stumps {
            let values = stump.values(sums, norms);
            for lane in 0..LANES {
                totals[lane] += if values[lane] < stump.threshold { stump.below } else { stump.otherwise };
            }
        }
        let mut passed = [false; LANES];
        let mut is_doubtful = false;
        for lane in 0..LANES {
            passed[lane] = totals[lane] >= self.threshold;
            is_doubtful |= (totals[lane] - self.threshold).abs() <= self.doubt;
        }
        if is_doubtful {
            self.settle_doubts(sums, norms, &totals, &mut passed);
        }
        passed
    }

    /// Sums again, in double precision, where single precision cannot tell.
    #[cold]
    #[inline(never)]
    fn settle_doubts(&self, sums: &[i32], norms: &[f32; LANES], totals: &[f32; LANES], passed: &mut [bool; LANES]) {
        for lane in 0..LANES {
            if (totals[lane] - self.threshold).abs() <= self.doubt {
                passed[lane] = self.passes_exactly(sums, norms, lane);
            }
        }
    }

    /// Whether one window passes, in double precision.
    fn passes_exactly(&self, sums: &[i32], norms: &[f32; LANES], lane: usize) -> bool {
        let total: f64 = self
            .stumps
            .iter()
            .map(|stump| {
                let is_below = stump.values(sums, norms)[lane] < stump.threshold;
                f64::from(if is_below { stump.below } else { stump.otherwise })
            })
            .sum();
        total >= f64::from(self.threshold)
    }
}

impl CompiledStump {
    /// The feature in a group of windows, in units of their deviation.
    #[inline(always)]
    fn values(&self, sums: &[i32], norms: &[f32; LANES]) -> [f32; LANES] {
        let (first, second) = (rect_sums(sums, &self.corners[0]), rect_sums(sums, &self.corners[1]));
        let mut values = [0.0_f32; LANES];
        for lane in 0..LANES {
            values[lane] = self.weights[0] * first[lane] as f32 + self.weights[1] * second[lane] as f32;
        }
        if self.weights[2] != 0.0 {
            let third = rect_sums(sums, &self.corners[2]);
            for lane in 0..LANES {
                values[lane] += self.weights[2] * third[lane] as f32;
            }
        }
        for lane in 0..LANES {
            values[lane] *= norms[lane];
        }
        values
    }
}

/// The sum over a rectangle in each window of a group; `sums` begins at the first window's corner.
#[inline(always)]
fn rect_sums(sums: &[i32], corners: &[u32; 4]) -> [i32; LANES] {
    let (a, b) = (lanes(sums, corners[0]), lanes(sums, corners[1]));
    let (c, d) = (lanes(sums, corners[2]), lanes(sums, corners[3]));
    // Written out, because a closure given to a function of the standard library is not compiled for the
    // instruction set of this one.
    let mut rects = [0; LANES];
    for lane in 0..LANES {
        rects[lane] = a[lane].wrapping_sub(b[lane]).wrapping_sub(c[lane]).wrapping_add(d[lane]);
    }
    rects
}

#[inline(always)]
fn lanes(sums: &[i32], at: u32) -> &[i32; LANES] {
    sums[at as usize..].first_chunk().expect("a layer is padded by a group of windows")
}
