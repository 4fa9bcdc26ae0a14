//! Which parts of a face a prediction hangs on: cover a part, and see what its probability loses.
//! In: a predictor, a face, a label. Out: [`OcclusionMap`].
//!
//! Zeiler and Fergus 2014, arXiv 1311.2901, section 4.2. What the map shows is this network's dependence
//! on pixels, not a cause in the face: a network with random weights has a map too, another one.

use fer_data::Face;
use fer_data::face::{PIXELS, SIDE};
use fer_model::{Predictor, Tta};
use serde::Serialize;

use crate::judge::robustness::perturbation::cover;

/// Side of the patch in pixels: about an eye, or half a mouth.
pub const PATCH: usize = 10;

/// Pixels from one place of the patch to the next.
pub const STRIDE: usize = 2;

/// Places of the patch along a side.
pub const PLACES: usize = (SIDE - PATCH) / STRIDE + 1;

/// What a label's probability loses where the face is covered.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OcclusionMap {
    /// The label index.
    pub label: usize,
    /// Its probability for the bare face, `0..=1`.
    pub probability: f32,
    /// Drop of the probability for each place of the patch, `[PLACES][PLACES]`, top left first, `-1..=1`;
    /// below 0 where the label gains.
    pub drops: Vec<Vec<f32>>,
}

impl OcclusionMap {
    /// Covers a face everywhere, one patch at a time; `label` is below the predictor's number of labels.
    #[must_use]
    pub fn new(predictor: &Predictor, face: &Face, label: usize) -> Self {
        let share = |pixels: usize| pixels as f32 / SIDE as f32;
        let covered = (0..PLACES * PLACES).map(|place| {
            let [left, top] = [place % PLACES, place / PLACES].map(|at| at * STRIDE);
            cover(face, [share(left), share(top), share(left + PATCH), share(top + PATCH)])
        });
        let faces: Vec<Face> = std::iter::once(face.clone()).chain(covered).collect();
        let predictions = predictor.predict(&faces, Tta::None);
        let probability = predictions[0].probabilities[label];
        let drops: Vec<f32> = predictions[1..].iter().map(|p| probability - p.probabilities[label]).collect();
        Self { label, probability, drops: drops.chunks(PLACES).map(<[f32]>::to_vec).collect() }
    }

    /// The mean drop of the patches that cover each pixel, `[48 * 48]` in row order.
    #[must_use]
    pub fn pixels(&self) -> Vec<f32> {
        let (mut sums, mut counts) = (vec![0.0; PIXELS], vec![0.0; PIXELS]);
        for (top, row) in self.drops.iter().enumerate() {
            for (left, drop) in row.iter().enumerate() {
                for y in (top * STRIDE..).take(PATCH) {
                    for x in (left * STRIDE..).take(PATCH) {
                        sums[y * SIDE + x] += drop;
                        counts[y * SIDE + x] += 1.0;
                    }
                }
            }
        }
        sums.iter().zip(counts).map(|(sum, count)| sum / count).collect()
    }

    /// The largest drop, and the middle of its patch in pixels of the face: x, y.
    #[must_use]
    pub fn peak(&self) -> (f32, [usize; 2]) {
        let mut peak = (f32::NEG_INFINITY, [0, 0]);
        for (top, row) in self.drops.iter().enumerate() {
            for (left, &drop) in row.iter().enumerate() {
                if drop > peak.0 {
                    peak = (drop, [left, top].map(|at| at * STRIDE + PATCH / 2));
                }
            }
        }
        peak
    }
}
