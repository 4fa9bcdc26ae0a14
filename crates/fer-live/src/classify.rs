//! Faces → probabilities, as the pipeline sees it.
//! In: faces. Out: one probability per label and face.

use fer_data::{Face, Labels};

use crate::error::LiveError;

/// Something that reads faces.
pub trait Classify: Send + Sync {
    /// The label set, in the order of the probabilities.
    fn labels(&self) -> &Labels;

    /// Probabilities per face, `[n_faces][n_labels]`, each row summing to 1.
    ///
    /// # Errors
    /// [`LiveError`] when the network itself failed.
    fn classify(&self, faces: &[Face]) -> Result<Vec<Vec<f32>>, LiveError>;
}
