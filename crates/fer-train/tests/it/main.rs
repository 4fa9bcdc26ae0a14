//! fer-train's tests, one binary.

mod calibration;
mod config;
mod evaluate;
mod export;
mod fer_eval;
mod fer_train;
mod fixtures;
mod gpu;
mod metrics;
mod report;
mod runs;
mod scoring;
mod split_law;
mod table;
mod training;
