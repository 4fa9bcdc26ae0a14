//! Readings → files: tables for people who count, a video for people who look.
//! In: an [`Recorded`] a frame. Out: CSV, JSON Lines, JSON; MP4.
//!
//! A new format is a file here that implements [`Recorder`], and its line in [`FORMATS`]: the program's option,
//! its help and the server's address follow.

mod csv_rows;
mod json_document;
mod json_lines;
mod mp4;
mod recorder;
mod video;

pub use recorder::{Begin, Format, Recorded, Recorder, Suits};
pub use video::VideoRecorder;

/// All formats of readings.
pub const FORMATS: [Format; 3] = [csv_rows::FORMAT, json_lines::FORMAT, json_document::FORMAT];
