//! Whether a JPEG is whole.
//! In: a file's bytes. Out: yes or no.
//! Knows nothing of pixels: decoders paint what is missing grey and say nothing.

/// Start of a JPEG, of a scan's pixels, and the end of the picture (ITU-T T.81, table B.1).
const START: [u8; 2] = [0xff, 0xd8];
const SCAN: [u8; 2] = [0xff, 0xda];
const END: [u8; 2] = [0xff, 0xd9];

/// Whether these bytes begin as a JPEG whose last scan has no end.
///
/// An embedded preview ends before the last scan begins, and within a scan no marker can be mistaken:
/// its bytes `ff` are followed by `00`.
#[must_use]
pub fn is_cut_off(bytes: &[u8]) -> bool {
    let last = |marker: [u8; 2]| bytes.windows(2).rposition(|two| two == marker);
    bytes.starts_with(&START) && last(END).is_none_or(|end| last(SCAN).is_none_or(|scan| end < scan))
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
