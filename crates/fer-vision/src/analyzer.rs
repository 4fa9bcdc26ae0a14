//! One source's frames → readings: find, classify, settle.
//! In: a frame or a photo. Out: a [`Reading`], its timings left to those who have a clock.

use std::sync::Arc;

use image::RgbImage;

use crate::classify::Classify;
use crate::error::VisionError;
use crate::finder::{Finder, Frame};
use crate::reading::{Found, Reading};
use crate::smooth::{SmoothOptions, Smoother};

/// Finds, reads and smooths the faces of one source.
pub struct Analyzer {
    /// The first half: pixels to faces.
    pub finder: Finder,
    /// The second half: faces to readings. The halves may work side by side, on two frames.
    pub reader: Reader,
}

impl Analyzer {
    /// An analyzer that has seen nothing.
    #[must_use]
    pub fn new(finder: Finder, classifier: Arc<dyn Classify>, smoothing: SmoothOptions) -> Self {
        Self { finder, reader: Reader::new(classifier, smoothing) }
    }

    /// Reads the source's next frame.
    ///
    /// # Errors
    /// [`VisionError`] when the detector or the network failed.
    pub fn analyze(&mut self, frame: &Frame) -> Result<Reading, VisionError> {
        let found = self.finder.find(frame)?;
        self.reader.read(found)
    }

    /// Reads one picture alone: nothing is remembered, no face waits for its label, and faces are numbered from
    /// 1 without a gap, left to right.
    ///
    /// # Errors
    /// [`VisionError`] when the detector or the network failed.
    pub fn analyze_photo(&mut self, picture: &RgbImage) -> Result<Reading, VisionError> {
        let found = self.finder.find_photo(picture)?;
        let mut reading = self.reader.read_photo(found)?;
        // What turned out to be no face had a number, too.
        reading.faces.iter_mut().zip(1..).for_each(|(face, number)| face.track = number);
        Ok(reading)
    }
}

/// Reads found faces and smooths what was read.
pub struct Reader {
    classifier: Arc<dyn Classify>,
    smoothing: SmoothOptions,
    smoother: Smoother,
}

impl Reader {
    /// A reader that has seen nothing.
    #[must_use]
    pub fn new(classifier: Arc<dyn Classify>, smoothing: SmoothOptions) -> Self {
        Self { classifier, smoothing, smoother: Smoother::new(smoothing) }
    }

    /// Reads the faces of a frame in one batch and smooths them; a frame without a face asks the network nothing.
    ///
    /// # Errors
    /// [`VisionError::Classify`] when the network failed.
    pub fn read(&mut self, found: Found) -> Result<Reading, VisionError> {
        let crops = found.crops();
        let classified = if crops.is_empty() { Vec::new() } else { self.classifier.classify(&crops)? };
        Ok(self.smoother.settle(found, classified, self.classifier.face_threshold()))
    }

    /// Reads the faces of one picture alone, in one batch; nothing is remembered.
    fn read_photo(&self, found: Found) -> Result<Reading, VisionError> {
        let crops = found.crops();
        let classified =
            if crops.is_empty() { Vec::new() } else { self.classifier.classify_photo(&crops)? };
        let mut smoother = Smoother::new(self.smoothing.photo());
        Ok(smoother.settle(found, classified, self.classifier.face_threshold()))
    }
}
