//! fer-model's tests, one binary.
#![allow(clippy::unwrap_used)] // A test that unwraps fails at its line.

mod card;
mod decide;
mod fixtures;
mod tta;
