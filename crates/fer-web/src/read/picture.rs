//! Bytes → picture.
//! In: an encoded picture from a client. Out: RGB pixels, upright, or a problem.
//! Looks at the size before it decodes.

use std::panic::catch_unwind;

use fer_data::picture::{MOST_SIDE, PictureError, decode_upright, is_heif, memory_needed};
use image::RgbImage;

use crate::problem::{Problem, ProblemKind};

/// Decodes a picture of at most `max_pixels`, turned upright by its EXIF orientation as browsers show it.
///
/// # Errors
/// [`ProblemKind::NotAPicture`] for bytes of no known format, damaged pictures and empty ones;
/// [`ProblemKind::PictureTooLarge`] from the header alone, before any pixel is decoded.
pub(crate) fn decode(bytes: &[u8], max_pixels: u64) -> Result<RgbImage, Problem> {
    if image::guess_format(bytes).is_err() && !is_heif(bytes) {
        return Err(unreadable("none of JPEG, PNG, WebP, GIF, BMP, TIFF, PNM"));
    }
    let picture = decode_upright(bytes, Some(max_pixels)).map_err(|error| match error {
        PictureError::CutOff => unreadable("a JPEG that is cut off"),
        PictureError::Size { width, height, .. } if width > 0 && height > 0 => {
            too_large(width, height, max_pixels)
        }
        other => unreadable(other),
    })?;
    Ok(picture.into_rgb8())
}

/// Bytes of memory that decoding a picture needs, told from its header; 0 for what [`decode`] refuses.
pub(crate) fn need(bytes: &[u8], max_pixels: u64) -> u64 {
    // A header that makes a library panic is answered for where the picture is decoded.
    catch_unwind(|| memory_needed(bytes, Some(max_pixels)).unwrap_or(0)).unwrap_or(0)
}

fn too_large(width: u32, height: u32, max_pixels: u64) -> Problem {
    if width.max(height) > MOST_SIDE {
        let detail = format!(
            "the picture is {width}×{height}; its sides may have {MOST_SIDE} pixels: scale it down first"
        );
        return Problem::new(ProblemKind::PictureTooLarge, detail);
    }
    let n_pixels = u64::from(width) * u64::from(height);
    Problem::new(
        ProblemKind::PictureTooLarge,
        format!(
            "the picture is {width}×{height}, {:.0} megapixels; at most {:.0} are read: scale it down first",
            n_pixels as f64 / 1e6,
            max_pixels as f64 / 1e6
        ),
    )
}

fn unreadable(found: impl std::fmt::Display) -> Problem {
    Problem::new(
        ProblemKind::NotAPicture,
        format!("expected a JPEG, PNG, WebP, GIF, BMP, TIFF or PNM picture, found: {found}"),
    )
}
