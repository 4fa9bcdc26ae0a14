//! fer-net's tests, one binary.
#![allow(clippy::unwrap_used, clippy::print_stderr)] // A test that unwraps fails at its line; a skipped one says so.

mod beside;
mod checkpoint;
mod fixtures;
#[path = "../../../fer-model/tests/it/fixtures.rs"]
mod model;
#[cfg(feature = "ndarray")]
mod ndarray;
mod predict;
