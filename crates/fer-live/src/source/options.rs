//! What sources are told beside their name.
//! In: the command line. Out: [`SourceOptions`].

use std::time::Instant;

/// What the sources are told beside their name.
#[derive(Clone, Copy, Debug)]
pub struct SourceOptions {
    /// When the program's time began: live sources count from here, also when they are opened again.
    pub started: Instant,
    /// Picture size asked of a camera, or of the drawn scene, in pixels.
    pub size: Option<(u32, u32)>,
    /// Frames per second asked of a camera or a drawn scene, or those of a recorded stream on standard input.
    pub rate: Option<f64>,
    /// Size of raw RGB frames on standard input, in pixels; without it they are JPEGs.
    pub stdin_size: Option<(u32, u32)>,
    /// How many people the drawn scene shows.
    pub n_people: usize,
    /// The drawn scene's seed.
    pub seed: u64,
}

impl SourceOptions {
    /// Nothing asked for: cameras as they are, one drawn person.
    #[must_use]
    pub fn new(started: Instant) -> Self {
        Self { started, size: None, rate: None, stdin_size: None, n_people: 1, seed: 1 }
    }
}
