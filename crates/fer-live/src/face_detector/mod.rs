//! Which face detector, and making it.
//! In: the user's choice. Out: a [`DetectFaces`].

pub(crate) mod options;
pub mod yunet;

use std::path::Path;

use fer_vision::haar::{Cascade, CascadeSearch, HaarDetector};
use fer_vision::{DetectFaces, VisionError};

pub use self::options::{DetectorKind, DetectorOptions};

impl DetectorOptions {
    /// Makes the detector.
    ///
    /// # Errors
    /// [`VisionError::Options`] for an option out of range, [`VisionError::Detect`] when its file is missing
    /// or no such file, and when this build lacks what the detector needs.
    pub fn build(&self) -> Result<Box<dyn DetectFaces>, VisionError> {
        match self.kind {
            DetectorKind::Haar => {
                let cascade =
                    self.cascade.as_deref().map_or_else(|| Ok(Cascade::frontal_face()), read_cascade)?;
                Ok(Box::new(HaarDetector::with(CascadeSearch::in_any_light(cascade), self.search)?))
            }
            DetectorKind::OpenCv => self.build_with_opencv(),
            DetectorKind::Yunet => yunet::build(self),
        }
    }

    #[cfg(feature = "opencv")]
    fn build_with_opencv(&self) -> Result<Box<dyn DetectFaces>, VisionError> {
        let evaluator = crate::opencv::OpenCvCascade::new(self.cascade.as_deref())?;
        Ok(Box::new(HaarDetector::with(evaluator, self.search)?))
    }

    #[cfg(not(feature = "opencv"))]
    fn build_with_opencv(&self) -> Result<Box<dyn DetectFaces>, VisionError> {
        Err(VisionError::detect(
            "this build has no OpenCV: build with the feature opencv, or use --detector haar",
        ))
    }
}

fn read_cascade(path: &Path) -> Result<Cascade, VisionError> {
    let unread = |cause: fer_base::Cause| {
        VisionError::detect_for(format!("{}: not a cascade that can be used", path.display()), cause)
    };
    let text = fer_base::regular::read_to_string(path).map_err(|error| unread(error.into()))?;
    Cascade::from_xml(&text).map_err(|error| unread(error.into()))
}
