//! Photos, read upright whatever their camera's orientation.
//! In: image files. Out: RGB pictures, and one [`Frame`] each.
//! Knows nothing of faces.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fer_data::jpeg::is_cut_off;
use image::{DynamicImage, ImageDecoder, ImageReader, Limits, RgbImage};

use crate::error::LiveError;
use crate::frame::{Frame, FrameSource, SourceInfo};

/// Larger pictures are refused before a pixel is decoded; one of this size needs 600 MB.
const MOST_PIXELS: u64 = 200_000_000;

/// Reads a photo, turned upright as its EXIF orientation says.
///
/// # Errors
/// [`LiveError::Open`] when the file is missing, is no picture, is damaged, cut off, or larger than 200 megapixels.
pub fn read_photo(path: &Path) -> Result<RgbImage, LiveError> {
    let failed = |reason: String| LiveError::Open { input: path.display().to_string(), reason };
    let bytes = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
    if is_cut_off(&bytes) {
        return Err(failed("damaged: the JPEG is cut off".to_owned()));
    }
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let mut decoder = reader
        .map_err(|error| failed(error.to_string()))?
        .into_decoder()
        .map_err(|error| failed(explain(&error)))?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(failed(format!("too large: {width}×{height}, expected at most 200 megapixels")));
    }
    let mut limits = Limits::default();
    // Sixteen bits in each of four channels, the most a pixel takes.
    limits.max_alloc = Some(MOST_PIXELS * 8);
    decoder.set_limits(limits).map_err(|error| failed(explain(&error)))?;
    let orientation = decoder.orientation().map_err(|error| failed(explain(&error)))?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| failed(explain(&error)))?;
    picture.apply_orientation(orientation);
    Ok(picture.into_rgb8())
}

fn explain(error: &image::ImageError) -> String {
    match error {
        image::ImageError::IoError(cause) if cause.kind() == std::io::ErrorKind::UnexpectedEof => {
            format!("damaged, or not a picture ({error})")
        }
        image::ImageError::Unsupported(_) => {
            format!(
                "not a picture that can be read ({error}): expected jpg, png, bmp, gif, tiff, webp or pnm"
            )
        }
        image::ImageError::Decoding(_) => format!("damaged, or not a picture ({error})"),
        image::ImageError::Limits(_) => format!("too large ({error}): expected at most 200 megapixels"),
        _ => error.to_string(),
    }
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
            name: crate::source::Input::Photos(self.paths.clone()).to_string(),
            live: false,
            width: 0,
            height: 0,
            frames_per_second: 0.0,
            n_frames: Some(self.paths.len() as u64),
        }
    }

    /// Each photo with its position; all have the time 0.
    fn next_frame(&mut self) -> Result<Option<Frame>, LiveError> {
        let Some(path) = self.paths.get(self.next) else { return Ok(None) };
        let index = self.next as u64;
        self.next += 1;
        let picture = read_photo(path)?;
        Ok(Some(Frame { picture, timestamp: Duration::ZERO, index }))
    }
}
