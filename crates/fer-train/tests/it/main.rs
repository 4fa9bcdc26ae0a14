//! fer-train's tests, one binary.

mod calibration;
mod evaluate;
mod export;
mod fer_eval;
mod fixtures;
mod metrics;
mod report;
mod scoring;
mod split_law;
mod table;
