//! fer-train's tests, one binary.
#![allow(clippy::unwrap_used, clippy::print_stderr)] // A test that unwraps fails at its line; a skipped one says so.

mod config;
mod errors;
mod fixtures;
mod judge;
mod onnx;
mod split_law;
mod train;
