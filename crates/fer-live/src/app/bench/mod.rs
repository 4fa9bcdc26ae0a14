//! Measurements on drawn scenes, whose truth is known.
//! In: what to measure. Out: tables for docs/reports/live.md.

mod crop;
mod detection;
mod memory;
mod speed;
mod steadiness;

use fer_drawn::TruthFace;

use super::Streams;
use crate::cli::{BenchArgs, Measure};
use crate::detect::FaceBox;
use crate::error::LiveError;

/// Measures and writes a table.
pub(super) fn run(args: &BenchArgs, streams: &mut Streams<'_>) -> Result<(), LiveError> {
    match args.what {
        Measure::Speed => speed::run(args, streams),
        Measure::Steadiness => steadiness::run(args, streams),
        Measure::Detection => detection::run(args, streams),
        Measure::Crop => crop::run(args, streams),
        Measure::Memory => memory::run(args, streams),
    }
}

/// The box where a drawn face truly is.
fn true_box(truth: &TruthFace) -> FaceBox {
    FaceBox { x: truth.x, y: truth.y, width: truth.width, height: truth.height, score: 1.0 }
}

/// Median and 95th percentile.
fn percentiles(values: &mut [f32]) -> (f32, f32) {
    values.sort_by(f32::total_cmp);
    let at =
        |part: f64| values.get(((values.len() as f64 - 1.0) * part).round() as usize).copied().unwrap_or(0.0);
    (at(0.5), at(0.95))
}
