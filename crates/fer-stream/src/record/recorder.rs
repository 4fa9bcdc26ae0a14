//! What a format of readings is.
//! In: a writer and a frame after the other. Out: whatever the format makes of them.

use std::io::{self, Write};

use fer_data::Labels;
use fer_vision::Reading;

/// What is recorded of one frame.
#[derive(Clone, Copy, Debug)]
pub struct Recorded<'a> {
    /// The input's name.
    pub input: &'a str,
    /// Width and height of the frame in pixels.
    pub size: (u32, u32),
    /// What it said.
    pub reading: &'a Reading,
}

/// Writes readings in one format.
pub trait Recorder {
    /// Adds a frame. Formats of rows have it on disk when this returns, so that a killed program leaves whole rows.
    ///
    /// # Errors
    /// The writer's.
    fn record(&mut self, entry: &Recorded<'_>) -> io::Result<()>;

    /// Writes what only the end allows to write.
    ///
    /// # Errors
    /// The writer's.
    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A format of readings.
#[derive(Clone, Copy)]
pub struct Format {
    /// The ending of its files: `csv`. The program's option and the server's address are called so too.
    pub ending: &'static str,
    /// What a browser is told it is.
    pub media_type: &'static str,
    /// What the help says of it.
    pub help: &'static str,
    /// What it is made for.
    pub suits: Suits,
    /// Begins a file: writes what stands before the first frame.
    pub begin: Begin,
}

impl std::fmt::Debug for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Format({})", self.ending)
    }
}

/// Begins a file of a format.
pub type Begin = for<'a> fn(Box<dyn Write + 'a>, &Labels) -> io::Result<Box<dyn Recorder + 'a>>;

/// What a format is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suits {
    /// Frames without end, and photos.
    Everything,
    /// Photos: it is written when the last one is read.
    Photos,
}
