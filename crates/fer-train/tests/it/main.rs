//! fer-train's tests, one binary.
#![allow(clippy::unwrap_used, clippy::print_stderr)] // A test that unwraps fails at its line; a skipped one says so.

mod calibration;
mod config;
mod errors;
mod evaluate;
mod export;
mod fer_eval;
mod fer_train;
mod fixtures;
mod gpu;
mod history;
mod metrics;
mod progress;
mod report;
mod runs;
mod scoring;
mod split_law;
mod table;
mod training;
