//! Faces by a Haar cascade, as OpenCV finds them, without OpenCV.
//! In: pictures. Out: boxes, in their pixels.

mod cascade;
mod group;
mod layer;
mod packed;
mod search;
mod windows;
mod xml;

pub use cascade::{Cascade, CascadeError};
pub use search::{CascadeSearch, Hit, Search};
