//! One source's frames → readings, one after the other, in the calling thread.
//! In: a frame or a photo. Out: a [`Reading`].

use std::sync::Arc;
use std::time::Instant;

use image::RgbImage;

use super::finder::{Finder, FinderOptions};
use crate::classify::Classify;
use crate::detect::DetectFaces;
use crate::error::LiveError;
use crate::frame::Frame;
use crate::reading::Reading;
use crate::smooth::{SmoothOptions, Smoother};

/// Finds, reads and smooths the faces of one source.
pub struct Analyzer {
    finder: Finder,
    classifier: Arc<dyn Classify>,
    smoother: Smoother,
    smoothing: SmoothOptions,
}

impl Analyzer {
    /// An analyzer that has seen nothing.
    #[must_use]
    pub fn new(
        detector: Box<dyn DetectFaces>,
        classifier: Arc<dyn Classify>,
        finding: FinderOptions,
        smoothing: SmoothOptions,
    ) -> Self {
        let finder = Finder::new(detector, finding);
        Self { finder, classifier, smoother: Smoother::new(smoothing), smoothing }
    }

    /// Reads the source's next frame.
    ///
    /// # Errors
    /// [`LiveError`] when the detector or the network failed.
    pub fn analyze(&mut self, frame: &Frame) -> Result<Reading, LiveError> {
        let found = self.finder.find(frame)?;
        read(found, self.classifier.as_ref(), &mut self.smoother)
    }

    /// Reads one picture alone: nothing is remembered, and no face waits for its label.
    ///
    /// # Errors
    /// [`LiveError`] when the detector or the network failed.
    pub fn analyze_photo(&mut self, picture: &RgbImage) -> Result<Reading, LiveError> {
        let found = self.finder.find_photo(picture)?;
        read(found, self.classifier.as_ref(), &mut Smoother::new(self.smoothing.photo()))
    }
}

/// Reads the faces of a frame in one batch and smooths them.
///
/// # Errors
/// [`LiveError::Model`] when the network failed.
pub(super) fn read(
    found: super::Found,
    classifier: &dyn Classify,
    smoother: &mut Smoother,
) -> Result<Reading, LiveError> {
    let start = Instant::now();
    let crops = found.crops();
    let probabilities = if crops.is_empty() { Vec::new() } else { classifier.classify(&crops)? };
    let classify_ms = start.elapsed().as_secs_f32() * 1000.0;
    let mut reading = smoother.settle(found, probabilities);
    reading.timings.classify_ms = classify_ms;
    Ok(reading)
}
