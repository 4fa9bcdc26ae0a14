//! Which face detector, and making it.
//! In: the user's choice. Out: a [`DetectFaces`].

pub(crate) mod options;

use fer_vision::{DetectFaces, VisionError};

pub use self::options::{DetectorKind, DetectorOptions};

impl DetectorOptions {
    /// Makes the detector.
    ///
    /// # Errors
    /// [`VisionError::Options`] for an option out of range, [`VisionError::Detect`] when its file is missing
    /// or this build has no OpenCV.
    #[cfg(feature = "opencv")]
    pub fn build(&self) -> Result<Box<dyn DetectFaces>, VisionError> {
        use crate::opencv::{Haar, YuNet, YuNetOptions};

        Ok(match self.kind {
            DetectorKind::Haar => Box::new(Haar::new(self.clone())?),
            DetectorKind::Yunet => {
                let model = self.yunet.clone().ok_or_else(|| {
                    VisionError::Options("--detector yunet needs its file: --detector-model FILE".to_owned())
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
    /// [`VisionError::Detect`]: this build has no OpenCV.
    #[cfg(not(feature = "opencv"))]
    pub fn build(&self) -> Result<Box<dyn DetectFaces>, VisionError> {
        Err(VisionError::detect("this build has no OpenCV: build with the feature opencv"))
    }
}
