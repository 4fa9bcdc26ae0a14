//! What the network sees, as pictures in a folder.
//! In: a classifier and a folder. Out: the same classifier, which also writes every crop.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fer_data::{Face, Labels};

use crate::classify::Classify;
use crate::error::LiveError;

/// Writes every face before it is read: `000001-happy.png`.
pub(super) struct Dump {
    classifier: Arc<dyn Classify>,
    folder: PathBuf,
    n_faces: AtomicU64,
}

impl Dump {
    pub(super) fn new(classifier: Arc<dyn Classify>, folder: PathBuf) -> Result<Self, LiveError> {
        std::fs::create_dir_all(&folder).map_err(|error| LiveError::Write {
            path: folder.display().to_string(),
            reason: error.to_string(),
        })?;
        Ok(Self { classifier, folder, n_faces: AtomicU64::new(0) })
    }

    fn write(&self, face: &Face, row: &[f32]) -> Result<(), LiveError> {
        let number = self.n_faces.fetch_add(1, Ordering::Relaxed) + 1;
        let largest = (0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b]));
        let name = largest.map_or("none", |label| self.labels().name(label));
        let path = self.folder.join(format!("{number:06}-{name}.png"));
        face.to_gray()
            .save(&path)
            .map_err(|error| LiveError::Write { path: path.display().to_string(), reason: error.to_string() })
    }
}

impl Classify for Dump {
    fn labels(&self) -> &Labels {
        self.classifier.labels()
    }

    fn classify(&self, faces: &[Face]) -> Result<Vec<Vec<f32>>, LiveError> {
        let rows = self.classifier.classify(faces)?;
        faces.iter().zip(&rows).try_for_each(|(face, row)| self.write(face, row))?;
        Ok(rows)
    }
}
