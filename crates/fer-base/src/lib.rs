//! What every program of fer does the same way.
//! In: paths, bytes, errors. Out: files that are whole or absent, exit codes, lines for a terminal.

pub mod atomic;
pub mod exit;
pub mod output;

pub use output::{OutputError, write_atomically};
