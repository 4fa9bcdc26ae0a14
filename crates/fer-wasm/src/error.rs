//! What can go wrong inside the page.
//! In: causes. Out: one sentence, shown to the user as it is.

use fer_model::ModelError;
use fer_vision::VisionError;

/// Errors of reading inside a page.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The model's files are damaged, or of another version.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The file is no YuNet that can be used.
    #[cfg(feature = "yunet")]
    #[error("not a YuNet that can be used, expected {} of opencv_zoo", fer_vision::yunet::FILE)]
    YuNet(#[from] fer_vision::yunet::YuNetError),
    /// The detector or the network failed.
    #[error(transparent)]
    Vision(#[from] VisionError),
    /// The pixels are not as many as the picture's size says.
    #[error("a picture of {width}×{height}: {found} bytes, expected 4 for each pixel")]
    Pixels {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Bytes that came.
        found: usize,
    },
}
