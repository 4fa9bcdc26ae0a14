//! fer-live as a whole: from frames to readings, and what shows them.

mod fakes;
mod overlay;
mod pipeline;
#[cfg(feature = "opencv")]
mod program;
mod records;
mod smoothing;
mod sources;
mod tracking;
#[cfg(feature = "web")]
mod web;
