//! The detector of a YuNet file that the user has.
//! In: a path. Out: a [`DetectFaces`], or what is wrong with the file.

use std::io::Read;
use std::path::Path;

use fer_base::{Cause, regular};
use fer_model::card::sha256_hex;
use fer_vision::yunet::{FILE, MOST_BYTES, SHA256};
use fer_vision::{DetectFaces, VisionError};

use super::DetectorOptions;

/// Whether this is the published file, byte for byte.
///
/// # Errors
/// [`VisionError::Detect`] when it cannot be read.
pub fn is_published(path: &Path) -> Result<bool, VisionError> {
    read(path).map(|bytes| sha256_hex(&bytes) == SHA256)
}

fn read(path: &Path) -> Result<Vec<u8>, VisionError> {
    let mut bytes = Vec::new();
    // A byte more than is allowed, so that the detector sees a file that is too long.
    let most = MOST_BYTES as u64 + 1;
    let mut file = regular::open(path).map_err(|error| unusable(path, error.into()))?.take(most);
    file.read_to_end(&mut bytes).map_err(|error| unusable(path, error.into()))?;
    Ok(bytes)
}

fn unusable(path: &Path, cause: Cause) -> VisionError {
    let shown = path.display();
    VisionError::detect_for(
        format!("{shown}: not a YuNet that can be used, expected {FILE} of opencv_zoo (see fer-live doctor)"),
        cause,
    )
}

#[cfg(feature = "yunet")]
pub(super) fn build(options: &DetectorOptions) -> Result<Box<dyn DetectFaces>, VisionError> {
    use fer_vision::yunet::{YuNetDetector, YuNetError, YuNetOptions};

    let path = options.yunet.as_deref().ok_or_else(|| {
        VisionError::Options("--detector yunet needs its file: --detector-model FILE".to_owned())
    })?;
    let found = YuNetOptions { search_side: options.search.search_side, ..YuNetOptions::default() };
    match YuNetDetector::from_onnx(read(path)?, found) {
        Ok(detector) => Ok(Box::new(detector)),
        Err(YuNetError::Options(problem)) => Err(VisionError::Options(problem)),
        Err(error) => Err(unusable(path, error.into())),
    }
}

#[cfg(not(feature = "yunet"))]
pub(super) fn build(_: &DetectorOptions) -> Result<Box<dyn DetectFaces>, VisionError> {
    Err(VisionError::detect("this build has no YuNet: build with the feature yunet, or use --detector haar"))
}
