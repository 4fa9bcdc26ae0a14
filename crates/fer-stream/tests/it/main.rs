//! fer-stream as a whole: from frames to readings, and to what shows and records them.
#![allow(clippy::unwrap_used)] // A test that unwraps fails at its line.

mod fakes;
mod overlay;
mod pipeline;
mod records;
