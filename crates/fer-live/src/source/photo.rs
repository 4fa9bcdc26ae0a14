//! Photos, read upright whatever their camera's orientation.
//! In: image files. Out: RGB pictures, and one [`Frame`] each.

use std::path::{Path, PathBuf};
use std::time::Duration;

use fer_data::picture::{MOST_PIXELS, decode_upright};
use fer_stream::{FrameSource, SourceInfo, StreamError};
use fer_vision::Frame;
use image::RgbImage;

use super::input::Input;

/// Reads a photo, turned upright as its EXIF orientation says.
///
/// # Errors
/// [`StreamError::Open`] when the file is missing, is no picture, is damaged, cut off, or larger than 200 megapixels.
pub fn read_photo(path: &Path) -> Result<RgbImage, StreamError> {
    let bytes = fer_base::regular::read(path)
        .map_err(|error| StreamError::open_for(path.display(), "cannot be read", error))?;
    let picture = decode_upright(&bytes, Some(MOST_PIXELS))
        .map_err(|error| StreamError::open_for(path.display(), error.advice(), error))?;
    Ok(picture.into_rgb8())
}

/// Photos one after the other.
pub struct PhotoSource {
    paths: Vec<PathBuf>,
    next: usize,
}

impl PhotoSource {
    /// A source of the photos at these paths.
    #[must_use]
    pub fn new(paths: Vec<PathBuf>) -> Self {
        Self { paths, next: 0 }
    }
}

impl FrameSource for PhotoSource {
    fn info(&self) -> SourceInfo {
        SourceInfo {
            name: Input::Photos(self.paths.clone()).to_string(),
            live: false,
            width: 0,
            height: 0,
            frames_per_second: 0.0,
            n_frames: Some(self.paths.len() as u64),
        }
    }

    /// Each photo with its position; all have the time 0.
    fn next_frame(&mut self) -> Result<Option<Frame>, StreamError> {
        let Some(path) = self.paths.get(self.next) else { return Ok(None) };
        let index = self.next as u64;
        self.next += 1;
        let picture = read_photo(path)?;
        Ok(Some(Frame { picture, timestamp: Duration::ZERO, index }))
    }
}
