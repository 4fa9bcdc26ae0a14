//! The windows of one row of a layer → those that pass every stage.
//! In: a cascade, a [`Layer`]. Out: positions. Several windows side by side are judged at once.

use pulp::Simd;

use super::cascade::{Cascade, Stage, Stump, THRESHOLD_SLACK, WeightedRect};
use super::layer::{ColumnLayout, Layer};

/// The most windows that are judged at once: one AVX-512 register of sums.
const MOST_LANES: usize = 16;

/// A cascade whose corners are offsets into an integral image of one layout.
#[derive(Debug, Default)]
pub(super) struct Compiled {
    columns: ColumnLayout,
    stages: Vec<CompiledStage>,
    /// Corners of the rectangle over which a window's deviation is taken.
    norm: [u32; 4],
    norm_area: f64,
    /// Entries from a window's corner to the last one that is read for a group of windows.
    span: usize,
}

#[derive(Debug, Default)]
struct CompiledStage {
    /// Apart by their number of rectangles, because a branch between the two would end the vectors.
    pairs: Vec<CompiledStump<2>>,
    triples: Vec<CompiledStump<3>>,
    threshold: f32,
    /// What all stumps give that are not below their thresholds.
    base: f32,
    /// A sum in single precision that is closer to the threshold than this is summed again in double, as
    /// OpenCV sums: n values added in single precision are off by at most n · 2⁻²⁴ of their absolute sum,
    /// which is three times the sum of the largest leaves here (base and gains).
    doubt: f32,
}

/// A stump over so many rectangles.
#[derive(Clone, Copy, Debug)]
struct CompiledStump<const RECTS: usize> {
    corners: [[u32; 4]; RECTS],
    weights: [f32; RECTS],
    threshold: f32,
    /// What is added to the stage's base where the feature is below the threshold.
    gain: f32,
    below: f32,
    otherwise: f32,
}

impl Compiled {
    /// Whether this is the cascade for that layout already.
    pub(super) fn is_for(&self, columns: ColumnLayout) -> bool {
        self.columns == columns
    }

    pub(super) fn new(cascade: &Cascade, columns: ColumnLayout) -> Self {
        let (width, height) = (usize::from(cascade.window.0), usize::from(cascade.window.1));
        let corners = |x: usize, y: usize, width: usize, height: usize| {
            [(x, y), (x + width, y), (x, y + height), (x + width, y + height)]
                .map(|(column, row)| columns.offset(column, row) as u32)
        };
        let corners_of = |rect: &WeightedRect| {
            corners(rect.x.into(), rect.y.into(), rect.width.into(), rect.height.into())
        };
        let compile = |stage: &Stage| {
            let is_pair = |stump: &&Stump| stump.feature[2].weight == 0.0;
            let stumps = || stage.stumps.iter();
            let largest: f32 = stumps().map(|stump| stump.below.abs().max(stump.otherwise.abs())).sum();
            CompiledStage {
                pairs: stumps().filter(is_pair).map(|stump| CompiledStump::new(stump, corners_of)).collect(),
                triples: stumps()
                    .filter(|stump| !is_pair(stump))
                    .map(|stump| CompiledStump::new(stump, corners_of))
                    .collect(),
                threshold: stage.threshold - THRESHOLD_SLACK,
                base: stumps().map(|stump| f64::from(stump.otherwise)).sum::<f64>() as f32,
                doubt: (stage.stumps.len() + 2) as f32 * 3.0 * largest * (f32::EPSILON / 2.0),
            }
        };
        Self {
            columns,
            stages: cascade.stages.iter().map(compile).collect(),
            norm: corners(1, 1, width - 2, height - 2),
            norm_area: ((width - 2) * (height - 2)) as f64,
            span: columns.offset(width, height).max(columns.offset(width - 1, height)) + MOST_LANES,
        }
    }
}

/// Scratch of [`Compiled::passing`], kept from row to row.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// Windows whose inverse deviation is not below this are too even to be judged.
    pub(super) most_norm: f64,
    /// One over the deviation of each window, 0 where a window is too even to be judged.
    norms: Vec<f32>,
    /// The first stage's sum in each window.
    totals: Vec<f32>,
    /// Windows that are still in, by their position in the row.
    pub(super) alive: Vec<u32>,
}

impl Compiled {
    pub(super) fn columns(&self) -> ColumnLayout {
        self.columns
    }

    /// How many entries after the last row of a layer are read.
    pub(super) fn padding(&self) -> usize {
        self.columns.stride + 4 * MOST_LANES
    }

    /// Puts the windows of the row that pass every stage into `scratch.alive`, counted in steps of the layout.
    ///
    /// After a window that fails the first stage the next one is skipped, as OpenCV does.
    #[inline(always)]
    pub(super) fn passing<S: Simd>(
        &self,
        simd: S,
        layer: &Layer,
        row: usize,
        n_windows: usize,
        scratch: &mut Scratch,
    ) {
        let at = row * self.columns.stride;
        // Groups reach past the last window, to entries that mean nothing.
        let n_padded = n_windows + 2 * MOST_LANES;
        let sums = &layer.sums[at..][..self.span + n_padded];
        let Scratch { most_norm, norms, totals, alive } = scratch;
        norms.resize(n_padded, 0.0);
        totals.resize(n_padded, 0.0);
        alive.clear();
        let Some((first, later)) = self.stages.split_first() else { return };
        let squares = &layer.squares[at..][..self.span + n_padded];
        self.fill_norms(sums, squares, *most_norm, &mut norms[..n_padded]);
        let groups = totals[..n_padded].chunks_exact_mut(S::F32_LANES).take(n_windows.div_ceil(S::F32_LANES));
        for (group, totals) in groups.enumerate() {
            let at = group * S::F32_LANES;
            first.totals(simd, &sums[at..][..self.span], &norms[at..], totals);
        }
        let mut idx = 0;
        while idx < n_windows {
            if norms[idx] == 0.0 {
                idx += 1;
            } else if first.is_passed(totals[idx], &sums[idx..], norms[idx]) {
                alive.push(idx as u32);
                idx += 1;
            } else {
                idx += 2;
            }
        }
        for stage in later {
            if alive.is_empty() {
                return;
            }
            self.thin(simd, stage, sums, norms, alive);
        }
    }

    /// Leaves the windows that pass one stage.
    #[inline(always)]
    fn thin<S: Simd>(
        &self,
        simd: S,
        stage: &CompiledStage,
        sums: &[i32],
        norms: &[f32],
        alive: &mut Vec<u32>,
    ) {
        let mut totals = [0.0; MOST_LANES];
        let (mut n_kept, mut idx) = (0, 0);
        while idx < alive.len() {
            let start = alive[idx] as usize;
            stage.totals(simd, &sums[start..][..self.span], &norms[start..], &mut totals);
            while let Some(&window) =
                alive.get(idx).filter(|&&window| (window as usize) < start + S::F32_LANES)
            {
                let at = window as usize;
                if stage.is_passed(totals[at - start], &sums[at..], norms[at]) {
                    alive[n_kept] = window;
                    n_kept += 1;
                }
                idx += 1;
            }
        }
        alive.truncate(n_kept);
    }

    /// One over the deviation of each window, over the root of their area; 0 for windows too even.
    #[inline(always)]
    fn fill_norms(&self, sums: &[i32], squares: &[i32], most_norm: f64, norms: &mut [f32]) {
        let n = norms.len();
        let [a, b, c, d] = self.norm.map(|corner| &sums[corner as usize..][..n]);
        let [e, f, g, h] = self.norm.map(|corner| &squares[corner as usize..][..n]);
        for idx in 0..n {
            let sum = f64::from(a[idx].wrapping_sub(b[idx]).wrapping_sub(c[idx]).wrapping_add(d[idx]));
            let square = e[idx].wrapping_sub(f[idx]).wrapping_sub(g[idx]).wrapping_add(h[idx]) as u32;
            let spread = self.norm_area * f64::from(square) - sum * sum;
            let norm = (1.0 / spread.sqrt()) as f32;
            // Not a number where the spread is below 0, and without bound at 0: no face in either case.
            norms[idx] = if self.norm_area * f64::from(norm) < most_norm { norm } else { 0.0 };
        }
    }
}

impl CompiledStage {
    /// The stage's sums in a group of windows, in single precision. `sums` and `norms` begin at the first one.
    #[inline(always)]
    fn totals<S: Simd>(&self, simd: S, sums: &[i32], norms: &[f32], totals: &mut [f32]) {
        let norms = S::as_simd_f32s(&norms[..S::F32_LANES]).0[0];
        let mut total = simd.splat_f32s(self.base);
        for stump in &self.pairs {
            total = simd.add_f32s(total, stump.gains(simd, sums, norms));
        }
        for stump in &self.triples {
            total = simd.add_f32s(total, stump.gains(simd, sums, norms));
        }
        S::as_mut_simd_f32s(&mut totals[..S::F32_LANES]).0[0] = total;
    }

    /// Whether the window at the beginning of `sums` passes, given its sum in single precision.
    #[inline(always)]
    fn is_passed(&self, total: f32, sums: &[i32], norm: f32) -> bool {
        let margin = total - self.threshold;
        if margin.abs() > self.doubt { margin > 0.0 } else { self.is_passed_exactly(sums, norm) }
    }

    /// The same in double precision.
    #[cold]
    #[inline(never)]
    fn is_passed_exactly(&self, sums: &[i32], norm: f32) -> bool {
        let pairs: f64 = self.pairs.iter().map(|stump| stump.exactly(sums, norm)).sum();
        let triples: f64 = self.triples.iter().map(|stump| stump.exactly(sums, norm)).sum();
        pairs + triples >= f64::from(self.threshold)
    }
}

impl<const RECTS: usize> CompiledStump<RECTS> {
    fn new(stump: &Stump, corners: impl Fn(&WeightedRect) -> [u32; 4]) -> Self {
        Self {
            corners: std::array::from_fn(|rect| corners(&stump.feature[rect])),
            weights: std::array::from_fn(|rect| stump.feature[rect].weight),
            threshold: stump.threshold,
            gain: stump.below - stump.otherwise,
            below: stump.below,
            otherwise: stump.otherwise,
        }
    }

    /// What the stump gives beyond the stage's base, in each window of a group.
    #[inline(always)]
    fn gains<S: Simd>(&self, simd: S, sums: &[i32], norms: S::f32s) -> S::f32s {
        let mut value = self.weighted(simd, sums, 0);
        for rect in 1..RECTS {
            value = simd.add_f32s(value, self.weighted(simd, sums, rect));
        }
        let is_below = simd.less_than_f32s(simd.mul_f32s(value, norms), simd.splat_f32s(self.threshold));
        simd.select_f32s(is_below, simd.splat_f32s(self.gain), simd.splat_f32s(0.0))
    }

    /// The weighted sum over one rectangle, in each window of a group.
    #[inline(always)]
    fn weighted<S: Simd>(&self, simd: S, sums: &[i32], rect: usize) -> S::f32s {
        let entry = |corner: usize| {
            S::as_simd_i32s(&sums[self.corners[rect][corner] as usize..][..S::I32_LANES]).0[0]
        };
        let sum = simd.add_i32s(simd.sub_i32s(entry(0), entry(1)), simd.sub_i32s(entry(3), entry(2)));
        // A sum is below 2²² in absolute value: added to the bits of 1.5 · 2²³ it is that number plus the sum.
        let float = simd.transmute_f32s_i32s(simd.add_i32s(sum, simd.splat_i32s(ROUND.to_bits() as i32)));
        simd.mul_f32s(simd.splat_f32s(self.weights[rect]), simd.sub_f32s(float, simd.splat_f32s(ROUND)))
    }

    /// What the stump gives in the window at the beginning of `sums`.
    fn exactly(&self, sums: &[i32], norm: f32) -> f64 {
        let mut value = 0.0;
        for (&[a, b, c, d], &weight) in self.corners.iter().zip(&self.weights) {
            let [a, b, c, d] = [a, b, c, d].map(|corner| sums[corner as usize]);
            value += weight * a.wrapping_sub(b).wrapping_sub(c).wrapping_add(d) as f32;
        }
        f64::from(if value * norm < self.threshold { self.below } else { self.otherwise })
    }
}

/// 1.5 · 2²³: the numbers around it are one apart.
const ROUND: f32 = 12_582_912.0;
