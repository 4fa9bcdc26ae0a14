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
        let HaarOptions { scale_factor, neighbours, smallest_face, search_side, border } =
            HaarOptions::default();
        Self {
            kind: DetectorKind::default(),
            yunet: None,
            cascade: None,
            scale_factor,
            neighbours,
            smallest_face,
            search_side,
            border,
        }
    }
}

impl DetectorOptions {
    /// For photos, see [`HaarOptions::photo`].
    #[must_use]
    pub fn photo(&self, has_verifier: bool) -> Self {
        let HaarOptions { scale_factor, neighbours, search_side, border, .. } =
            self.haar().photo(has_verifier);
        Self { scale_factor, neighbours, search_side, border, ..self.clone() }
    }

    /// The part of them that searching with a Haar cascade takes.
    pub(super) fn haar(&self) -> HaarOptions {
        HaarOptions {
            scale_factor: self.scale_factor,
            neighbours: self.neighbours,
            smallest_face: self.smallest_face,
            search_side: self.search_side,
            border: self.border,
        }
    }
}
