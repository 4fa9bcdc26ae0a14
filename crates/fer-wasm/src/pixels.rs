//! A canvas's pixels → a picture.
//! In: RGBA bytes. Out: RGB, the alpha left out, as the server decodes pictures.

use image::RgbImage;

use crate::error::PageError;

/// The picture in RGBA bytes, row by row from the top, `[height][width][4]`.
///
/// # Errors
/// [`PageError::Pixels`] when there are not 4 bytes for each pixel.
pub fn rgb(rgba: &[u8], width: u32, height: u32) -> Result<RgbImage, PageError> {
    let wrong = || PageError::Pixels { width, height, found: rgba.len() };
    if rgba.len() as u64 != 4 * u64::from(width) * u64::from(height) {
        return Err(wrong());
    }
    let (pixels, _) = rgba.as_chunks::<4>();
    let bytes = pixels.iter().flat_map(|[r, g, b, _]| [*r, *g, *b]).collect();
    RgbImage::from_raw(width, height, bytes).ok_or_else(wrong)
}
