//! The exit codes of every fer program, and which error ends with which.
//! In: an error. Out: a number from 0 to 130; docs/exit-codes.md explains them to users.

use std::error::Error;

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

/// An error that knows with which code a program ends because of it.
pub trait ExitCode {
    /// One of this module's codes.
    fn exit_code(&self) -> u8;
}

/// The code of the first error of type `E` in a chain of causes; `None` without one.
///
/// A program asks for each kind of error it knows: `find::<DataError>(error).or_else(|| find::<…>(error))`.
#[must_use]
pub fn find<E: ExitCode + Error + 'static>(error: &(dyn Error + 'static)) -> Option<u8> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(known) = error.downcast_ref::<E>() {
            return Some(known.exit_code());
        }
        cause = error.source();
    }
    None
}
