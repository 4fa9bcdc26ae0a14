//! Where the faces of a picture are.
//! In: a picture. Out: [`FaceBox`]es in the picture's own pixels.

use image::RgbImage;
use serde::{Deserialize, Serialize};

use crate::error::VisionError;

/// A face's rectangle in the pixels of the full picture; may reach over the border.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FaceBox {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Width, above 0.
    pub width: f32,
    /// Height, above 0.
    pub height: f32,
    /// The detector's own score; larger is surer, the unit is the detector's.
    pub score: f32,
}

impl FaceBox {
    /// Centre of the box.
    #[must_use]
    pub fn center(&self) -> (f32, f32) {
        (self.x + self.width / 2.0, self.y + self.height / 2.0)
    }

    /// Intersection over union with another box, `0..=1`.
    #[must_use]
    pub fn iou(&self, other: &Self) -> f32 {
        let shared = self.shared_area(other);
        let all = self.width * self.height + other.width * other.height - shared;
        if all > 0.0 { shared / all } else { 0.0 }
    }

    /// The area two boxes share, relative to the smaller one, `0..=1`; 1 when one lies in the other.
    #[must_use]
    pub fn containment(&self, other: &Self) -> f32 {
        let smaller = (self.width * self.height).min(other.width * other.height);
        if smaller > 0.0 { self.shared_area(other) / smaller } else { 0.0 }
    }

    /// Whether none of the other boxes covers it, or it one of them, by more than half of the smaller one.
    #[must_use]
    pub fn is_apart(&self, others: &[Self]) -> bool {
        others.iter().all(|other| other.containment(self) <= 0.5)
    }

    fn shared_area(&self, other: &Self) -> f32 {
        let width = (self.x + self.width).min(other.x + other.width) - self.x.max(other.x);
        let height = (self.y + self.height).min(other.y + other.height) - self.y.max(other.y);
        width.max(0.0) * height.max(0.0)
    }
}

/// Where the parts of a face are, `(x, y)` in the pixels of the full picture; right and left are the person's own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Landmarks {
    /// Centre of the right eye, which an upright face shows on the picture's left.
    pub right_eye: (f32, f32),
    /// Centre of the left eye.
    pub left_eye: (f32, f32),
    /// Tip of the nose.
    pub nose: (f32, f32),
    /// Right corner of the mouth.
    pub right_mouth: (f32, f32),
    /// Left corner of the mouth.
    pub left_mouth: (f32, f32),
}

impl Landmarks {
    /// How far the line through the eyes is turned clockwise from level, in radians, `-π..=π`.
    #[must_use]
    pub fn tilt(&self) -> f32 {
        (self.left_eye.1 - self.right_eye.1).atan2(self.left_eye.0 - self.right_eye.0)
    }
}

/// What a part of a spread search came to.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchPart {
    /// Faces that this part found, surest first.
    pub boxes: Vec<FaceBox>,
    /// Whether the search is at its end: the next part begins another one.
    pub is_last: bool,
}

/// A face detector.
pub trait DetectFaces: Send {
    /// The faces of a picture, surest first.
    ///
    /// # Errors
    /// [`VisionError::Detect`] when the detector itself failed; a picture without a face is an empty list.
    fn detect(&mut self, picture: &RgbImage) -> Result<Vec<FaceBox>, VisionError>;

    /// The faces near where they are expected, surest first, or `None` when the detector can only
    /// look everywhere. Looking near a known face costs a fraction of looking everywhere.
    ///
    /// # Errors
    /// [`VisionError::Detect`] when the detector itself failed.
    fn detect_near(
        &mut self,
        picture: &RgbImage,
        expected: &[FaceBox],
    ) -> Result<Option<Vec<FaceBox>>, VisionError> {
        let _ = (picture, expected);
        Ok(None)
    }

    /// The next part of a search of the whole picture that is spread over frames, so that none of them waits
    /// for all of it; faces where one is `known` already may be left out. A detector that cannot spread its
    /// search does all of it at once. [`DetectFaces::detect`] gives a search that was begun up.
    ///
    /// # Errors
    /// [`VisionError::Detect`] when the detector itself failed.
    fn detect_part(&mut self, picture: &RgbImage, known: &[FaceBox]) -> Result<SearchPart, VisionError> {
        let _ = known;
        Ok(SearchPart { boxes: self.detect(picture)?, is_last: true })
    }

    /// The landmarks of a face of the last picture, or `None` when the detector finds none or no such face.
    fn landmarks(&self, face: &FaceBox) -> Option<Landmarks> {
        let _ = face;
        None
    }

    /// The score from which one detection is trusted at once; below it, a face has to be seen repeatedly.
    fn sure_score(&self) -> f32;
}

/// The boxes without the doubles: of boxes that cover each other by more than half of the smaller
/// one, the surest stays. Surest first.
#[must_use]
pub fn keep_best(mut boxes: Vec<FaceBox>) -> Vec<FaceBox> {
    boxes.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<FaceBox> = Vec::with_capacity(boxes.len());
    for candidate in boxes {
        if candidate.is_apart(&kept) {
            kept.push(candidate);
        }
    }
    kept
}
