//! Faces → probabilities, whatever network does it.
//! In: faces. Out: one probability per label and face, and whether it is a face at all.

use fer_data::{Face, Labels};
#[cfg(feature = "model")]
use fer_model::{Prediction, Predictor, Tta};

use crate::error::VisionError;

/// What a network said of one crop.
#[derive(Clone, Debug, PartialEq)]
pub struct Classified {
    /// Probabilities in label order, summing to 1.
    pub probabilities: Vec<f32>,
    /// How much the crop is a face at all, `0..=1`; `None` when the network does not say.
    pub face_score: Option<f32>,
}

impl From<Vec<f32>> for Classified {
    /// Probabilities of a network that does not say what is a face.
    fn from(probabilities: Vec<f32>) -> Self {
        Self { probabilities, face_score: None }
    }
}

/// Something that reads faces.
pub trait Classify: Send + Sync {
    /// The label set, in the order of the probabilities.
    fn labels(&self) -> &Labels;

    /// Below this face score a crop is no face, `0..=1`.
    fn face_threshold(&self) -> f32 {
        0.0
    }

    /// What is said of each face, in their order.
    ///
    /// # Errors
    /// [`VisionError::Classify`] when the network itself failed.
    fn classify(&self, faces: &[Face]) -> Result<Vec<Classified>, VisionError>;

    /// What is said of each face of a photo, where no next frame waits: a network that reads better what it
    /// sees more than once takes its time.
    ///
    /// # Errors
    /// [`VisionError::Classify`] when the network itself failed.
    fn classify_photo(&self, faces: &[Face]) -> Result<Vec<Classified>, VisionError> {
        self.classify(faces)
    }
}

#[cfg(feature = "model")]
impl Classify for Predictor {
    fn labels(&self) -> &Labels {
        self.labels()
    }

    fn face_threshold(&self) -> f32 {
        self.face_threshold()
    }

    /// One view a face.
    fn classify(&self, faces: &[Face]) -> Result<Vec<Classified>, VisionError> {
        classified(self.predict(faces, Tta::None))
    }

    /// Two views a face, as it is and mirrored.
    fn classify_photo(&self, faces: &[Face]) -> Result<Vec<Classified>, VisionError> {
        classified(self.predict(faces, Tta::Flip))
    }
}

#[cfg(feature = "model")]
fn classified(predictions: Vec<Prediction>) -> Result<Vec<Classified>, VisionError> {
    // Below every threshold, NaN would look like a picture without a face.
    if predictions.iter().any(|said| !said.is_finite() || said.face_score.is_some_and(f32::is_nan)) {
        let problem = "its answer is no number: the weights are damaged, or were never trained";
        return Err(VisionError::classify(problem));
    }
    let classified = |prediction: Prediction| Classified {
        probabilities: prediction.probabilities,
        face_score: prediction.face_score,
    };
    Ok(predictions.into_iter().map(classified).collect())
}
