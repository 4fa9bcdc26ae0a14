//! All tests of fer-base.
#![allow(clippy::unwrap_used)] // A test that unwraps fails at its line.

mod atomic;
mod lines;
mod same_file;
