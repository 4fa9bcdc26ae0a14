//! A photograph → the largest face in it, cut as the network was trained on it.
//! In: a picture of any size. Out: a [`Face`] and its box; none where the detector sees no face.

use std::sync::{Mutex, PoisonError};

use fer_base::chain;
use fer_data::{Face, Reason};
use fer_vision::haar::{HaarDetector, HaarOptions};
use fer_vision::{DetectFaces, FaceBox, VisionError, crop, has_contrast};
use image::{DynamicImage, RgbImage};

/// What is done to pictures before they are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cutting {
    /// They are faces: each is scaled as it is.
    AsItIs,
    /// They are photographs: the largest face is found and cut out.
    LargestFace,
}

/// Finds faces from many threads: each borrows a detector, since a search needs its own memory.
#[derive(Debug)]
pub struct FaceFinder {
    idle: Mutex<Vec<HaarDetector>>,
    crop_factor: f32,
}

impl FaceFinder {
    /// A finder that cuts faces to `crop_factor` times the side of the detector's box.
    #[must_use]
    pub fn new(crop_factor: f32) -> Self {
        Self { idle: Mutex::default(), crop_factor }
    }

    /// The largest face of a picture, with its box in the picture's pixels.
    ///
    /// # Errors
    /// [`VisionError`] when the detector itself failed.
    pub fn largest(&self, picture: &RgbImage) -> Result<Option<(FaceBox, Face)>, VisionError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut detector = idle.map_or_else(|| HaarDetector::new(HaarOptions::default()), Ok)?;
        let found = detector.detect(picture);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(detector);
        let mut boxes = found?;
        boxes.sort_by(|a, b| (b.width * b.height).total_cmp(&(a.width * a.height)));
        let mut faces =
            boxes.into_iter().map(|face_box| (face_box, crop(picture, &face_box, self.crop_factor)));
        Ok(faces.find(|(_, face)| has_contrast(face)))
    }

    /// The largest face of a picture, for a loader.
    ///
    /// # Errors
    /// [`Reason::NoFace`] where there is none, [`Reason::Image`] when the detector itself failed.
    pub fn cut(&self, picture: &DynamicImage) -> Result<Face, Reason> {
        match self.largest(&picture.to_rgb8()) {
            Ok(Some((_, face))) => Ok(face),
            Ok(None) => Err(Reason::NoFace),
            Err(error) => Err(Reason::Image { cause: chain(&error) }),
        }
    }
}
