//! What a program says, to readers that may be gone.
//! In: text. Out: the same text on stdout or stderr, and never a panic.
//!
//! `print!` and `eprintln!` panic when nobody takes what they write: a closed pipe, a full disk.

use std::io::{ErrorKind, Write};
use std::ops::ControlFlow;
use std::path::Path;

use crate::error::TrainError;

/// Writes a result to stdout; a reader that closed the pipe has had enough.
///
/// # Errors
/// [`TrainError::Write`] when it cannot be written for another reason, for instance a full disk.
pub fn say(text: &str) -> Result<(), TrainError> {
    let mut stdout = std::io::stdout();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(cause) if cause.kind() != ErrorKind::BrokenPipe => {
            Err(TrainError::writing(Path::new("stdout"))(cause))
        }
        _ => Ok(()),
    }
}

/// Writes a line of progress or a notice to stderr.
pub fn note(words: &str) {
    // Where not even this can be written, nothing else can be said either.
    drop(writeln!(std::io::stderr(), "{words}"));
}

/// Where a job's progress is shown.
pub struct Watcher<'a> {
    /// How many images of how many are done; may stop.
    pub progress: &'a mut dyn FnMut(usize, usize) -> ControlFlow<()>,
    /// What a person should know.
    pub notice: &'a dyn Fn(&str),
}
