//! fer-vision as a whole: from pixels and time to readings.
#![allow(clippy::unwrap_used, clippy::print_stderr)] // A test that unwraps fails at its line; a skipped one says so.

mod align;
#[cfg(feature = "yunet")]
mod bright_yunet;
mod fakes;
mod haar;
mod photos;
mod purity;
mod smoothing;
mod spread;
mod tracking;
#[cfg(feature = "yunet")]
mod yunet;
