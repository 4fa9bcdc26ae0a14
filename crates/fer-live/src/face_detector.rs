//! Which face detector, and making it.
//! In: the user's choice. Out: a [`DetectFaces`].

use std::path::{Path, PathBuf};

use fer_vision::haar::{Cascade, CascadeSearch, HaarDetector, HaarOptions};
use fer_vision::{DetectFaces, VisionError};

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
            search_side: self.search_side.max(1024),
            scale_factor: self.scale_factor.min(1.1),
            ..self.clone()
        }
    }

    /// Makes the detector.
    ///
    /// # Errors
    /// [`VisionError::Options`] for an option out of range, [`VisionError::Detect`] when its file is missing
    /// or no such file, and for all but [`DetectorKind::Haar`] when this build has no OpenCV.
    pub fn build(&self) -> Result<Box<dyn DetectFaces>, VisionError> {
        match self.kind {
            DetectorKind::Haar => {
                let cascade =
                    self.cascade.as_deref().map_or_else(|| Ok(Cascade::frontal_face()), read_cascade)?;
                Ok(Box::new(HaarDetector::with(CascadeSearch::new(cascade), self.haar())?))
            }
            DetectorKind::OpenCv | DetectorKind::Yunet => self.build_with_opencv(),
        }
    }

    #[cfg(feature = "opencv")]
    fn build_with_opencv(&self) -> Result<Box<dyn DetectFaces>, VisionError> {
        use crate::opencv::{OpenCvCascade, YuNet, YuNetOptions};

        if self.kind == DetectorKind::OpenCv {
            let evaluator = OpenCvCascade::new(self.cascade.as_deref())?;
            return Ok(Box::new(HaarDetector::with(evaluator, self.haar())?));
        }
        let model = self.yunet.clone().ok_or_else(|| {
            VisionError::Options("--detector yunet needs its file: --detector-model FILE".to_owned())
        })?;
        let options = YuNetOptions { scan_side: self.search_side, ..YuNetOptions::new(model) };
        Ok(Box::new(YuNet::new(options)?))
    }

    #[cfg(not(feature = "opencv"))]
    fn build_with_opencv(&self) -> Result<Box<dyn DetectFaces>, VisionError> {
        Err(VisionError::detect(
            "this build has no OpenCV: build with the feature opencv, or use --detector haar",
        ))
    }

    fn haar(&self) -> HaarOptions {
        HaarOptions {
            scale_factor: self.scale_factor,
            neighbours: self.neighbours,
            smallest_face: self.smallest_face,
            search_side: self.search_side,
        }
    }
}

fn read_cascade(path: &Path) -> Result<Cascade, VisionError> {
    let unread = |cause: fer_vision::Cause| {
        VisionError::detect_for(format!("{}: not a cascade that can be used", path.display()), cause)
    };
    let text = std::fs::read_to_string(path).map_err(|error| unread(error.into()))?;
    Cascade::from_xml(&text).map_err(|error| unread(error.into()))
}
