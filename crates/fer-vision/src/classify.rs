//! Faces → probabilities, whatever network does it.
//! In: faces. Out: one probability per label and face, and whether it is a face at all.

use fer_data::{Face, Labels};

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
}

#[cfg(feature = "model")]
impl Classify for fer_model::Predictor {
    fn labels(&self) -> &Labels {
        self.labels()
    }

    fn face_threshold(&self) -> f32 {
        self.face_threshold()
    }

    /// One view a face.
    fn classify(&self, faces: &[Face]) -> Result<Vec<Classified>, VisionError> {
        let predictions = self.predict(faces, fer_model::Tta::None);
        // Below every threshold, NaN would look like a picture without a face.
        if predictions.iter().any(|said| !said.is_finite() || said.face_score.is_some_and(f32::is_nan)) {
            let problem = "its answer is no number: the weights are damaged, or were never trained";
            return Err(VisionError::classify(problem));
        }
        let classified = |prediction: fer_model::Prediction| Classified {
            probabilities: prediction.probabilities,
            face_score: prediction.face_score,
        };
        Ok(predictions.into_iter().map(classified).collect())
    }
}
