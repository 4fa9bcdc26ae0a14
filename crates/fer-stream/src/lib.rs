//! Frames of any source → readings, and what shows and records them.
//! In: a [`FrameSource`], an [`Analyzer`](fer_vision::Analyzer). Out: readings in order; drawn pictures, tables, videos.
//!
//! The program and the server both stand on it; where frames come from, and OpenCV, is the program's.

mod error;
mod overlay;
pub mod pipeline;
pub mod record;
mod source;

pub use error::StreamError;
pub use overlay::{OverlayOptions, draw};
pub use source::{Feed, FrameSource, Opener, SourceInfo};
