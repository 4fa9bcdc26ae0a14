//! What every program of fer does the same way.
//! In: paths, bytes, errors. Out: files that are whole or absent, exit codes, lines for a terminal.

#[cfg(feature = "files")]
pub mod atomic;
pub mod chain;
pub mod exit;
pub mod hex;
pub mod regular;
pub mod same_file;
pub mod terminal;

#[cfg(feature = "files")]
pub use atomic::OutputError;
pub use chain::{Cause, chain};
pub use exit::ExitCode;
pub use same_file::{Overlap, refuse_overlaps};
