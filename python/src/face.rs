//! A reading → what Python gets of it.
//! In: [`FaceReading`]s. Out: [`FaceRow`]s, of which `fer_rs.faces` makes its objects.

use fer_vision::{FaceBox, FaceReading, Reading};
use pyo3::prelude::*;

/// One face: box, score, label, confidence, probabilities, smoothed probabilities, track, held.
#[derive(IntoPyObject)]
pub(crate) struct FaceRow(
    (f32, f32, f32, f32),
    Option<f32>,
    Option<usize>,
    f32,
    Vec<f32>,
    Vec<f32>,
    u64,
    bool,
);

impl From<FaceReading> for FaceRow {
    fn from(face: FaceReading) -> Self {
        let FaceBox { x, y, width, height, score } = face.face_box;
        // A box of the caller's own has no score: see `reader::own`.
        let score = (!score.is_nan()).then_some(score);
        Self(
            (x, y, width, height),
            score,
            face.label,
            face.confidence,
            face.probabilities,
            face.smooth,
            face.track,
            face.held,
        )
    }
}

/// The faces of a reading.
pub(crate) fn rows(reading: Reading) -> Vec<FaceRow> {
    reading.faces.into_iter().map(FaceRow::from).collect()
}
