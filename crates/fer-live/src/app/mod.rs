//! The commands of `fer-live`, written to streams that the binary chooses.
//! In: a parsed command line. Out: windows, files, tables; an [`Ended`].

mod doctor;
mod dump;
mod many;
mod meter;
mod output_files;
mod photo_readings;
mod prepare;
mod screen;
mod shard_file;
mod watch;
#[cfg(feature = "web")]
mod web_app;

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::cli::{Cli, Command};
use crate::error::LiveError;

/// How a command ended, if not by an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
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
        drop(writeln!(self.out, "{text}"));
    }

    /// Writes a notice.
    fn notice(&mut self, text: &str) {
        drop(writeln!(self.err, "fer-live: {text}"));
    }
}

/// Runs a command until it is done or `stop` is set.
///
/// # Errors
/// The first [`LiveError`] that ends it.
pub fn run(cli: &Cli, stop: &Arc<AtomicBool>, streams: &mut Streams<'_>) -> Result<Ended, LiveError> {
    #[cfg(feature = "opencv")]
    {
        crate::opencv::be_silent();
        // The pipeline keeps two cores busy by itself, the server all of them.
        crate::opencv::use_threads(1)?;
    }
    match &cli.command {
        None => watch::run(&cli.watch, stop, streams),
        Some(Command::Doctor(args)) => {
            doctor::run(args, streams);
            Ok(Ended::Done)
        }
        #[cfg(feature = "web")]
        Some(Command::Serve(args)) => web_app::run(args, stop, streams),
    }
}
