//! fer-live as a whole: from frames to readings, and what shows them.
#![allow(clippy::unwrap_used, clippy::print_stderr)] // A test that unwraps fails at its line; a skipped one says so.

mod fakes;
#[cfg(feature = "opencv")]
mod foreign;
mod overlay;
mod pipeline;
#[cfg(feature = "opencv")]
mod program;
mod records;
#[cfg(feature = "opencv")]
mod refusals;
mod smoothing;
mod sources;
mod tracking;
#[cfg(feature = "web")]
mod web;
#[cfg(feature = "opencv")]
mod yunet;
