//! The commands of `fer-live`, written to streams that the binary chooses.
//! In: a parsed command line. Out: windows, files, tables; an [`Outcome`].

mod bench;
mod doctor;
mod dump;
mod meter;
mod outputs;
mod photos;
mod prepare;
mod screen;
#[cfg(feature = "web")]
mod serve;
mod watch;

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::cli::{Cli, Command};
use crate::error::LiveError;

/// How a command ended, if not by an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All is done.
    Done,
    /// The user stopped it; files are finished.
    Interrupted,
}

/// Where a command's words go.
pub struct Streams<'a> {
    /// Results: tables, JSON.
    pub out: &'a mut dyn Write,
    /// Progress and notices.
    pub err: &'a mut dyn Write,
}

impl Streams<'_> {
    /// Writes a result; a closed pipe is the reader's decision and no error.
    fn say(&mut self, text: &str) {
        let _closed = writeln!(self.out, "{text}");
    }

    /// Writes a notice.
    fn notice(&mut self, text: &str) {
        let _closed = writeln!(self.err, "fer-live: {text}");
    }
}

/// Runs a command until it is done or `stop` is set.
///
/// # Errors
/// The first [`LiveError`] that ends it.
pub fn run(cli: &Cli, stop: &Arc<AtomicBool>, streams: &mut Streams<'_>) -> Result<Outcome, LiveError> {
    #[cfg(feature = "opencv")]
    crate::opencv::be_silent();
    match &cli.command {
        None => watch::run(&cli.watch, stop, streams),
        Some(Command::Doctor(args)) => {
            doctor::run(args, streams);
            Ok(Outcome::Done)
        }
        #[cfg(feature = "web")]
        Some(Command::Serve(args)) => serve::run(args, stop, streams),
        Some(Command::Bench(args)) => bench::run(args, streams).map(|()| Outcome::Done),
    }
}
