//! Frames in, readings out, and what shows them.
//! In: cameras, videos, photos, drawn faces, a browser. Out: time-stamped readings in a window, a page, a video, a CSV.

pub mod app;
pub mod classify;
pub mod cli;
pub mod crop;
pub mod detect;
pub mod detectors;
pub mod error;
pub mod frame;
pub mod model;
#[cfg(feature = "opencv")]
pub mod opencv;
pub mod overlay;
pub mod pipeline;
pub mod reading;
pub mod record;
pub mod smooth;
pub mod source;
pub mod track;
#[cfg(feature = "web")]
pub mod web;
