//! The program: cameras, videos, photos and drawn faces in; windows, files and the web app out.
//! In: a command line. Out: time-stamped readings, shown and recorded.

pub mod app;
pub mod cli;
pub mod error;
pub mod face_detector;
pub mod model;
pub mod open;
#[cfg(feature = "opencv")]
pub mod opencv;
pub mod shard;
pub mod source;
