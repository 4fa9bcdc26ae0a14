//! Faces → probabilities, whatever network does it.
//! In: faces. Out: one probability per label and face.

use fer_data::{Face, Labels};

use crate::error::VisionError;

/// Something that reads faces.
pub trait Classify: Send + Sync {
    /// The label set, in the order of the probabilities.
    fn labels(&self) -> &Labels;

    /// Probabilities per face, `[n_faces][n_labels]`, each row summing to 1.
    ///
    /// # Errors
    /// [`VisionError::Classify`] when the network itself failed.
    fn classify(&self, faces: &[Face]) -> Result<Vec<Vec<f32>>, VisionError>;
}

#[cfg(feature = "model")]
impl Classify for fer_model::Predictor {
    fn labels(&self) -> &Labels {
        self.labels()
    }

    /// One view a face.
    fn classify(&self, faces: &[Face]) -> Result<Vec<Vec<f32>>, VisionError> {
        let predictions = self.predict(faces, fer_model::Tta::None);
        Ok(predictions.into_iter().map(|prediction| prediction.probabilities).collect())
    }
}
