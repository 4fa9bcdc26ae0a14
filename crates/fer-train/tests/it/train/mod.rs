//! Training.

mod gpu;
mod history;
mod program;
mod progress;
mod runs;
mod sanity;
