//! How faces are found, as the user chooses it.
//! In: nothing. Out: [`DetectorOptions`] and their defaults.

use std::path::PathBuf;

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
#[derive(Clone, Debug, PartialEq)]
pub struct DetectorOptions {
    /// Which detector finds faces.
    pub kind: DetectorKind,
    /// YuNet's ONNX file.
    pub yunet: Option<PathBuf>,
    /// The Haar cascade's file, or `None` for OpenCV's frontal face.
    pub cascade: Option<PathBuf>,
    /// Step from one size to the next while the whole picture is searched, above 1 and up to 2.
    pub scale_factor: f64,
    /// How many windows must agree on a face.
    pub neighbours: u32,
    /// Width of the smallest face to be found, in the picture's pixels; 0 for as small as the search sees.
    pub smallest_face: u32,
    /// The picture is scaled down to this longest side for the search of the whole picture.
    pub search_side: u32,
}

impl Default for DetectorOptions {
    fn default() -> Self {
        Self {
            kind: DetectorKind::default(),
            yunet: None,
            cascade: None,
            scale_factor: 1.1,
            neighbours: 4,
            smallest_face: 0,
            search_side: 320,
        }
    }
}

impl DetectorOptions {
    /// For photos: no hurry, so smaller faces are found too.
    #[must_use]
    pub fn photo(&self) -> Self {
        Self {
            search_side: self.search_side.max(fer_vision::PHOTO_SEARCH_SIDE),
            scale_factor: self.scale_factor.min(1.1),
            ..self.clone()
        }
    }
}
