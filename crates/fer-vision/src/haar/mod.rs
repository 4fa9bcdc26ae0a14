//! Faces by a Haar cascade, as OpenCV finds them, without OpenCV.
//! In: pictures. Out: boxes, in their pixels.
//!
//! ```text
//! XML or packed ─▶ Cascade
//! picture ─ HaarDetector ─▶ grey, scaled ─ CascadeSearch ─▶ layers ─ windows ─ groups ─▶ Hit ─▶ FaceBox
//!                └─ Spread: the same in parts, one a frame
//! ```

mod cascade;
mod compiled;
mod detector;
mod group;
mod layer;
mod map_back;
mod packed;
mod picture;
mod search;
mod spread;
mod xml;

pub use cascade::{Cascade, CascadeError};
pub use detector::{HaarDetector, HaarOptions, SearchCascade};
pub use group::Hit;
pub use search::{CascadeSearch, Search};
