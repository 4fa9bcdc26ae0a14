//! Which detector, and making it.
//! In: the user's choice. Out: a [`DetectFaces`].

use std::path::PathBuf;

use crate::detect::DetectFaces;
use crate::error::LiveError;

/// A detector's kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum DetectorKind {
    /// OpenCV's Haar cascade, as FER-2013's own faces were found.
    #[default]
    Haar,
    /// YuNet, with `--detector-model`.
    Yunet,
}

/// How faces are found.
#[derive(Clone, Debug, PartialEq, clap::Args)]
pub struct DetectorOptions {
    /// Which detector finds faces
    #[arg(long, value_enum, default_value_t, value_name = "KIND", help_heading = "Detection")]
    pub detector: DetectorKind,
    /// YuNet's ONNX file, from opencv_zoo: face_detection_yunet_2023mar.onnx, before OpenCV 4.8 the one of 2022mar
    #[arg(long, value_name = "FILE", help_heading = "Detection")]
    pub detector_model: Option<PathBuf>,
    /// Haar cascade file [default: OpenCV's frontal face, where the system keeps it]
    #[arg(long, value_name = "FILE", help_heading = "Detection")]
    pub cascade: Option<PathBuf>,
    /// Step from one face size to the next while the whole picture is searched, above 1
    #[arg(long, value_name = "FACTOR", default_value_t = 1.1, help_heading = "Detection")]
    pub scale_factor: f64,
    /// How many windows must agree on a face; more means fewer false and fewer true faces
    #[arg(long, value_name = "N", default_value_t = 4, help_heading = "Detection")]
    pub neighbours: u32,
    /// Width of the smallest face to find, in the picture's pixels [default: what the search side allows]
    #[arg(
        long,
        value_name = "PIXELS",
        default_value_t = 0,
        hide_default_value = true,
        help_heading = "Detection"
    )]
    pub smallest_face: u32,
    /// Longest side the picture is scaled down to for the search; larger finds smaller faces, slower
    #[arg(long, value_name = "PIXELS", default_value_t = 320, help_heading = "Detection",
          value_parser = clap::value_parser!(u32).range(48..=4096))]
    pub search_side: u32,
}

impl Default for DetectorOptions {
    fn default() -> Self {
        Self {
            detector: DetectorKind::Haar,
            detector_model: None,
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
    /// [`LiveError::Config`] for an option out of range, [`LiveError::Detect`] when its file is missing
    /// or this build has no OpenCV.
    #[cfg(feature = "opencv")]
    pub fn build(&self) -> Result<Box<dyn DetectFaces>, LiveError> {
        use crate::opencv::{Haar, HaarOptions, YuNet, YuNetOptions, use_threads};

        use_threads(1)?;
        Ok(match self.detector {
            DetectorKind::Haar => Box::new(Haar::new(HaarOptions {
                cascade: self.cascade.clone(),
                scale_factor: self.scale_factor,
                neighbours: self.neighbours,
                smallest_face: self.smallest_face,
                scan_side: self.search_side,
            })?),
            DetectorKind::Yunet => {
                let model = self.detector_model.clone().ok_or_else(|| {
                    LiveError::Config("--detector yunet needs its file: --detector-model FILE".to_owned())
                })?;
                Box::new(YuNet::new(YuNetOptions {
                    scan_side: self.search_side,
                    ..YuNetOptions::new(model)
                })?)
            }
        })
    }

    /// Makes the detector.
    ///
    /// # Errors
    /// [`LiveError::Detect`]: this build has no OpenCV.
    #[cfg(not(feature = "opencv"))]
    pub fn build(&self) -> Result<Box<dyn DetectFaces>, LiveError> {
        Err(LiveError::Detect("this build has no OpenCV: build with the feature opencv".to_owned()))
    }
}
