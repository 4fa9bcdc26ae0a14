//! Pixels and time → readings.
//! In: frames with time stamps. Out: faces with boxes, tracks and smoothed probabilities.
//! No clock, thread, file or OpenCV: a test holds the crate to that.
//!
//! ```text
//! frame ─ DetectFaces ─▶ boxes ─ Tracker ─▶ tracks ─ crop ─▶ Found     Finder
//!                                           Found ─ Classify ─ Smoother ─▶ Reading     Reader
//! ```

mod analyzer;
mod classify;
mod crop;
mod detect;
mod error;
mod finder;
pub mod haar;
mod reading;
mod smooth;
mod track;
pub mod yunet;

pub use analyzer::{Analyzer, Reader};
pub use classify::{Classified, Classify};
pub use crop::{crop, crop_turned, has_contrast};
pub use detect::{DetectFaces, FaceBox, Landmarks, SearchPart, keep_best};
pub use error::VisionError;
pub use finder::{Finder, FinderOptions, Frame};
pub use reading::{FaceReading, Found, FoundFace, Reading, Timings, columns, ms, recorded_name};
pub use smooth::{SmoothOptions, Smoother};
pub use track::{TrackOptions, Tracked, Tracker};
