//! Training.

mod gpu;
mod heads;
mod history;
mod program;
mod progress;
mod runs;
mod sanity;
