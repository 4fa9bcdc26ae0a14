//! fer-live as a whole: from a command line to readings, and what shows them.
#![allow(clippy::unwrap_used, clippy::print_stderr)] // A test that unwraps fails at its line; a skipped one says so.

mod alone;
#[cfg(all(feature = "opencv", feature = "yunet"))]
#[path = "../../../fer-vision/tests/it/bright_yunet.rs"]
mod bright_yunet;
#[cfg(feature = "opencv")]
mod foreign;
#[cfg(feature = "opencv")]
mod haar;
#[cfg(feature = "opencv")]
mod program;
#[cfg(feature = "opencv")]
mod read_back;
#[cfg(feature = "opencv")]
mod refusals;
#[cfg(all(feature = "opencv", feature = "web"))]
mod server_memory;
#[cfg(feature = "opencv")]
mod shards;
mod sources;
#[cfg(all(feature = "opencv", feature = "yunet"))]
mod yunet;
