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
    /// Haar: the picture is continued by this share of its longest side beyond every edge, `0..=0.5`.
    pub border: f64,
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
            border: 0.05,
        }
    }
}

impl DetectorOptions {
    /// For photos: no hurry, so smaller faces are found too, and those at the edge; where the network tells
    /// faces from what is none, also those that fewer windows agree on.
    #[must_use]
    pub fn photo(&self, has_verifier: bool) -> Self {
        Self {
            neighbours: if has_verifier { self.neighbours.min(2) } else { self.neighbours },
            search_side: self.search_side.max(1024),
            scale_factor: self.scale_factor.min(1.1),
            border: self.border.max(0.15),
            ..self.clone()
        }
    }
}
