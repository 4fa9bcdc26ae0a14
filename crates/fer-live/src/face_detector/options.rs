//! How faces are found, as the user chooses it.
//! In: nothing. Out: [`DetectorOptions`] and their defaults.

use std::path::PathBuf;

use fer_vision::haar::HaarOptions;

/// A detector's kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DetectorKind {
    /// The Haar cascade that found FER-2013's own faces, evaluated by [`fer_vision::haar`].
    #[default]
    Haar,
    /// The same cascade, evaluated by OpenCV.
    OpenCv,
    /// YuNet, with a file of its own.
    Yunet,
}

/// How faces are found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DetectorOptions {
    /// Which detector finds faces.
    pub kind: DetectorKind,
    /// YuNet's ONNX file.
    pub yunet: Option<PathBuf>,
    /// The Haar cascade's file, or `None` for OpenCV's frontal face.
    pub cascade: Option<PathBuf>,
    /// How it is searched; of this YuNet knows the search's side alone.
    pub search: HaarOptions,
}

impl DetectorOptions {
    /// For photos, see [`HaarOptions::photo`].
    #[must_use]
    pub fn photo(&self, has_verifier: bool) -> Self {
        Self { search: self.search.photo(has_verifier), ..self.clone() }
    }
}
