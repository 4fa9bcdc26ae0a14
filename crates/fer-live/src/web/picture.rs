//! Bytes → picture.
//! In: an encoded picture from a client. Out: RGB pixels, upright, or a problem.
//! Looks at the size before it decodes; knows nothing of faces.

use std::io::Cursor;

use fer_data::jpeg::is_cut_off;
use image::{DynamicImage, ImageDecoder, ImageReader, RgbImage};

use super::problem::{Kind, Problem};

/// Decodes a picture of at most `max_pixels`, turned upright by its EXIF orientation as browsers show it.
///
/// # Errors
/// [`Kind::NotAPicture`] for bytes of no known format, damaged pictures and empty ones;
/// [`Kind::PictureTooLarge`] from the header alone, before any pixel is decoded.
pub(super) fn decode(bytes: &[u8], max_pixels: u64) -> Result<RgbImage, Problem> {
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .expect("reading from memory does not fail");
    if reader.format().is_none() {
        return Err(unreadable("none of JPEG, PNG, WebP, GIF, BMP, TIFF, PNM"));
    }
    if is_cut_off(bytes) {
        return Err(unreadable("a JPEG that is cut off"));
    }
    // The strictest decoder setting is not enough by itself: some formats allocate before they check.
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(max_pixels.saturating_mul(8));
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(unreadable)?;
    let (width, height) = decoder.dimensions();
    check_size(width, height, max_pixels)?;
    let orientation = decoder.orientation().map_err(unreadable)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(unreadable)?;
    picture.apply_orientation(orientation);
    Ok(picture.into_rgb8())
}

fn check_size(width: u32, height: u32, max_pixels: u64) -> Result<(), Problem> {
    let n_pixels = u64::from(width) * u64::from(height);
    if n_pixels == 0 {
        return Err(unreadable(format!("{width}×{height} pixels")));
    }
    if n_pixels > max_pixels {
        return Err(Problem::new(
            Kind::PictureTooLarge,
            format!(
                "the picture is {width}×{height}, {:.0} megapixels; at most {:.0} are read: scale it down first",
                n_pixels as f64 / 1e6,
                max_pixels as f64 / 1e6
            ),
        ));
    }
    Ok(())
}

fn unreadable(found: impl std::fmt::Display) -> Problem {
    Problem::new(
        Kind::NotAPicture,
        format!("expected a JPEG, PNG, WebP, GIF, BMP, TIFF or PNM picture, found: {found}"),
    )
}
