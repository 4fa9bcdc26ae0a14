//! Readings → files: a table for people who count, a video for people who look.
//! In: a [`Reading`](crate::reading::Reading), an annotated picture. Out: CSV, JSON Lines, MP4.

mod mp4;
mod table;
mod video;

pub use table::{CsvRecorder, JsonlRecorder, csv_header, csv_rows, json_rows};
pub use video::VideoRecorder;
