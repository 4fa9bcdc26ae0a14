//! Training and evaluation.
//! In: a config, or a model and a split. Out: a run folder, or a report.

pub mod average;
pub mod calibration;
pub mod checkpointer;
pub mod config;
pub mod curves;
pub mod environment;
pub mod epoch_log;
pub mod error;
pub mod evaluate;
pub mod export;
pub mod heads;
pub mod history;
pub mod keeper;
pub mod left_out;
pub mod loader;
pub mod metrics;
pub mod optimizer;
pub mod predictions_csv;
pub mod progress;
pub mod report;
pub mod resume;
pub mod run_card;
pub mod run_folder;
pub mod schedule;
pub mod scoring;
pub mod summary;
pub mod table;
pub mod teacher;
pub mod ticks;
pub mod train;
pub mod trainee;

pub use error::TrainError;
