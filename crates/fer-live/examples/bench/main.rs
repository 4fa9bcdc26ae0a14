//! Measurements on drawn scenes, whose truth is known.
//! In: what to measure, and the program's own options. Out: tables for docs/reports/live.md.
//!
//! `cargo run --release -p fer-live --example bench -- speed --frames 300`

#![allow(clippy::print_stdout)] // A table is what it is for.

mod crop;
mod detection;
mod memory;
mod speed;
mod steadiness;
mod tones;

use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use fer_drawn::TruthFace;
use fer_live::cli::CommonArgs;
use fer_live::model::ReadyModel;
use fer_vision::{Analyzer, FaceBox, Finder};

// The program's own allocator, so that memory and times are the program's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures on drawn scenes.
#[derive(Debug, Parser)]
struct BenchArgs {
    /// What is measured
    #[arg(value_enum)]
    what: Measure,
    /// CPU threads of the network; 0 means one a core
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    /// What is read and how.
    #[command(flatten)]
    common: CommonArgs,
    /// Frames per measurement
    #[arg(long, value_name = "N", default_value_t = 300)]
    frames: u64,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Measure {
    /// Stage times and frames per second, 640×480 and 1280×720, one and five faces
    Speed,
    /// Label changes per minute on a held-still noisy face, and the added latency
    Steadiness,
    /// Faces found and ids per person, against the drawn truth
    Detection,
    /// Crop factor against the drawn truth's expressions
    Crop,
    /// Memory over many frames
    Memory,
    /// Faces shown by skin tone and light
    Tones,
}

fn main() -> anyhow::Result<()> {
    let args = BenchArgs::parse();
    fer_kernels::set_threads(args.threads)?;
    fer_live::opencv::be_silent();
    fer_live::opencv::use_threads(1)?;
    match args.what {
        Measure::Speed => speed::run(&args),
        Measure::Steadiness => steadiness::run(&args),
        Measure::Detection => detection::run(&args),
        Measure::Crop => crop::run(&args),
        Measure::Memory => memory::run(&args),
        Measure::Tones => tones::run(&args),
    }
}

impl BenchArgs {
    fn model(&self) -> anyhow::Result<ReadyModel> {
        Ok(fer_live::model::load(self.common.model.as_deref(), self.common.device)?)
    }

    fn finder(&self, trained_on: f32) -> anyhow::Result<Finder> {
        Ok(Finder::new(self.common.detector.options().build()?, self.common.finder_options(trained_on)))
    }

    fn analyzer(&self, model: &ReadyModel) -> anyhow::Result<Analyzer> {
        let finder = self.finder(model.crop_factor())?;
        Ok(Analyzer::new(finder, Arc::clone(&model.classifier), self.common.smooth_options()))
    }
}

/// Frames per second of the drawn scenes.
const RATE: f64 = 30.0;

/// When a frame is shown.
fn time_of(index: u64) -> Duration {
    Duration::from_secs_f64(index as f64 / RATE)
}

/// Whether a box is where a drawn face truly is.
fn is_at(truth: &TruthFace, found: &FaceBox) -> bool {
    true_box(truth).iou(found) >= 0.35
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
