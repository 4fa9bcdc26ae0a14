//! Encoded pictures → pixels, turned upright as their EXIF orientation says.
//! In: a file's bytes. Out: a picture, or why it is none.

use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageError, ImageReader, Limits};

/// Why bytes are no picture.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// A JPEG whose end is missing; decoders paint what is missing grey and say nothing.
    #[error("the JPEG is cut off")]
    CutOff,
    /// No pixels, or more than asked for; told from the header, before a pixel is decoded.
    #[error("{width}×{height} pixels")]
    Size {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// Of no known format, or damaged.
    #[error(transparent)]
    Image(#[from] ImageError),
}

/// Decodes a picture, its format told by its content; with `max_pixels`, of 1 to so many pixels.
///
/// # Errors
/// [`PictureError`]
pub fn decode_upright(bytes: &[u8], max_pixels: Option<u64>) -> Result<DynamicImage, PictureError> {
    if is_cut_off(bytes) {
        return Err(PictureError::CutOff);
    }
    let mut reader =
        ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(ImageError::IoError)?;
    if let Some(most) = max_pixels {
        // The size alone is not enough: some formats allocate before it is known. Sixteen bits in each of
        // four channels are the most a pixel takes.
        let mut limits = Limits::default();
        limits.max_alloc = Some(most.saturating_mul(8));
        reader.limits(limits);
    }
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    if max_pixels.is_some_and(|most| !(1..=most).contains(&(u64::from(width) * u64::from(height)))) {
        return Err(PictureError::Size { width, height });
    }
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// Start of a JPEG, of a scan's pixels, and the end of the picture (ITU-T T.81, table B.1).
const START: [u8; 2] = [0xff, 0xd8];
const SCAN: [u8; 2] = [0xff, 0xda];
const END: [u8; 2] = [0xff, 0xd9];

/// Whether these bytes begin as a JPEG whose last scan has no end.
///
/// An embedded preview ends before the last scan begins, and within a scan no marker can be mistaken:
/// its bytes `ff` are followed by `00`. Of a whole JPEG only the end and the header are looked at.
fn is_cut_off(bytes: &[u8]) -> bool {
    let has_scan = |part: &[u8]| part.windows(2).any(|two| two == SCAN);
    let end = bytes.windows(2).rposition(|two| two == END);
    bytes.starts_with(&START) && end.is_none_or(|end| has_scan(&bytes[end..]) || !has_scan(&bytes[..end]))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::{GrayImage, ImageFormat, Luma};

    use super::*;

    #[test]
    fn a_jpeg_is_whole_only_to_its_last_byte() {
        let picture = GrayImage::from_fn(40, 40, |x, y| Luma([(x * y) as u8]));
        let mut jpeg = Cursor::new(Vec::new());
        picture.write_to(&mut jpeg, ImageFormat::Jpeg).expect("memory takes it");
        let jpeg = jpeg.into_inner();
        assert!(!is_cut_off(&jpeg));
        assert!(!is_cut_off(&[jpeg.clone(), vec![0; 9]].concat()), "bytes behind the end are no harm");
        assert!((3..jpeg.len()).all(|len| is_cut_off(&jpeg[..len])));
        let preview = [&START[..], &END, &jpeg[2..jpeg.len() - 2]].concat();
        assert!(is_cut_off(&preview), "the end of a preview is not the picture's");
        assert!(!is_cut_off(b"\x89PNG"));
    }
}
