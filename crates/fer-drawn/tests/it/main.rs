//! All tests of fer-drawn.
#![allow(clippy::unwrap_used)] // A test that unwraps fails at its line.

mod drawing;
mod program;
