//! fer-vision as a whole: from pixels and time to readings.
#![allow(clippy::unwrap_used)] // A test that unwraps fails at its line.

mod fakes;
mod photos;
mod purity;
mod smoothing;
mod tracking;
