//! The exit codes of every fer program.
//! In: nothing. Out: numbers from 0 to 130; docs/exit-codes.md explains them to users.

/// Done.
pub const SUCCESS: u8 = 0;
/// The command line or the configuration is wrong; nothing was done.
pub const USAGE: u8 = 2;
/// The data cannot be used: missing, damaged, or not what was expected.
pub const DATA: u8 = 3;
/// A model or checkpoint cannot be used: missing, damaged, or of another kind.
pub const MODEL: u8 = 4;
/// A result could not be written, for example because the disk is full.
pub const OUTPUT: u8 = 5;
/// A device is not available: no such GPU, camera or video.
pub const DEVICE: u8 = 6;
/// Stopped by Ctrl-C or a termination signal, after saving what was done.
pub const INTERRUPTED: u8 = 130;

/// The table for a program's `--help`.
pub const HELP: &str = "Exit codes: 0 done; 2 command line or configuration; 3 data; 4 model or checkpoint; \
5 output not written; 6 device or camera not available; 130 interrupted, after saving.";
