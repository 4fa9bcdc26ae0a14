//! Frames in, readings out, and what shows them.
//! In: cameras, videos, photos, drawn faces, a browser. Out: time-stamped readings in a window, a page, a video, a CSV.
//! Knows nothing of training.

pub mod classify;
pub mod detect;
pub mod error;
pub mod frame;
pub mod reading;
