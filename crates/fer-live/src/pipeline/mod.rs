//! Frames in, readings out: finding, reading and smoothing, one after the other or side by side.
//! In: a source, a detector, a classifier. Out: a [`Reading`](crate::reading::Reading) per frame.

mod analyzer;
mod capture;
mod finder;
mod live_capture;
mod threads;

pub use analyzer::Analyzer;
pub use capture::{Captured, LiveOptions, Opener};
pub use finder::{Finder, FinderOptions, Found, FoundFace};
pub use threads::{Shot, Sink, Stages, run};
