//! What the network sees, as pictures in a folder.
//! In: a classifier and a folder. Out: the same classifier, which also writes every crop.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fer_data::{Face, Labels, argmax};
use fer_stream::StreamError;
use fer_vision::{Classified, Classify, VisionError};

/// Writes every face before it is read: `000001-happy.png`.
pub(super) struct Dump {
    classifier: Arc<dyn Classify>,
    folder: PathBuf,
    n_faces: AtomicU64,
}

impl Dump {
    pub(super) fn new(classifier: Arc<dyn Classify>, folder: PathBuf) -> Result<Self, StreamError> {
        std::fs::create_dir_all(&folder)
            .map_err(|error| StreamError::write_for(folder.display(), "the folder cannot be made", error))?;
        Ok(Self { classifier, folder, n_faces: AtomicU64::new(0) })
    }

    fn write(&self, face: &Face, row: &[f32]) -> Result<(), StreamError> {
        let number = self.n_faces.fetch_add(1, Ordering::Relaxed) + 1;
        let name = self.labels().name(argmax(row).unwrap_or(0));
        let path = self.folder.join(format!("{number:06}-{name}.png"));
        face.to_gray()
            .save(&path)
            .map_err(|error| StreamError::write_for(path.display(), "the crop is not written", error))
    }
}

impl Classify for Dump {
    fn labels(&self) -> &Labels {
        self.classifier.labels()
    }

    fn face_threshold(&self) -> f32 {
        self.classifier.face_threshold()
    }

    fn classify(&self, faces: &[Face]) -> Result<Vec<Classified>, VisionError> {
        self.kept(faces, self.classifier.classify(faces)?)
    }

    fn classify_photo(&self, faces: &[Face]) -> Result<Vec<Classified>, VisionError> {
        self.kept(faces, self.classifier.classify_photo(faces)?)
    }
}

impl Dump {
    /// The rows, once their faces are written.
    fn kept(&self, faces: &[Face], rows: Vec<Classified>) -> Result<Vec<Classified>, VisionError> {
        let write = |(face, row): (&Face, &Classified)| self.write(face, &row.probabilities);
        faces.iter().zip(&rows).try_for_each(write).map_err(|error| VisionError::Classify {
            problem: "what it sees cannot be kept".to_owned(),
            cause: Some(error.into()),
        })?;
        Ok(rows)
    }
}
