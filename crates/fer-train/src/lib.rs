//! Training and evaluation.
//! In: a config, or a model and a split. Out: a run folder, or a report.

mod chart;
pub mod config;
pub mod console;
pub mod error;
pub mod judge;
pub mod onnx;
pub mod report;
pub mod result_files;
pub mod run;
pub mod signals;
pub mod skipped;
pub mod train;

pub use error::TrainError;
