//! Everything that needs OpenCV: a detector, cameras and videos, the window.
//! In: pictures, files, devices. Out: the crate's own types; OpenCV's never leave this folder.

mod cause;
mod facts;
mod haar;
mod picture;
mod video;
mod window;

use fer_vision::VisionError;

pub use facts::{CameraFacts, OpenCvFacts, camera_facts, facts};
pub use haar::{OpenCvCascade, cascade_places, find_cascade};
pub use video::VideoSource;
pub use window::{Window, display};

/// Keeps OpenCV from writing to the terminal what the errors of this crate say better.
pub fn be_silent() {
    // A build without its log says nothing anyway.
    drop(opencv::core::set_log_level(opencv::core::LogLevel::LOG_LEVEL_SILENT));
}

/// Lets OpenCV's own functions use at most this many threads, for the whole program.
/// One is best for a pipeline that keeps two cores busy by itself.
///
/// # Errors
/// [`VisionError::Detect`] when OpenCV refuses.
pub fn use_threads(n_threads: i32) -> Result<(), VisionError> {
    opencv::core::set_num_threads(n_threads)
        .map_err(|error| VisionError::detect_for("OpenCV's threads", cause::cause(&error)))
}
