//! Where a JPEG ends, segment by segment.
//! In: its bytes, all at once or as a stream brings them. Out: how many belong to it.
//!
//! Only walking the segments tells: a segment's content (an embedded preview) and what stands behind the end
//! (the film of a motion photo) may hold any marker. Source: ITU-T T.81, annex B.

use std::io::{self, BufRead};

const MARKER: u8 = 0xff;
const START: u8 = 0xd8;
const SCAN: u8 = 0xda;
const END: u8 = 0xd9;

/// How many bytes from the first on are the JPEG; `None` when its end is missing, or it is no JPEG.
#[must_use]
pub fn length(bytes: &[u8]) -> Option<usize> {
    if !bytes.starts_with(&[MARKER, START]) {
        return None;
    }
    Walker::behind_start().advance(&bytes[2..]).map(|n| n + 2)
}

/// Whether these are the bytes of a JPEG whose picture comes in several scans, each finer than the last.
#[must_use]
pub fn is_progressive(bytes: &[u8]) -> bool {
    // Frames of second and further kinds, up to the arithmetic ones; within a scan no such marker stands.
    let is_progressive = |pair: &[u8]| pair[0] == MARKER && matches!(pair[1], 0xc2 | 0xc6 | 0xca | 0xce);
    bytes.starts_with(&[MARKER, START]) && bytes.windows(2).any(is_progressive)
}

/// The next JPEG on a stream, of at most `most` bytes; `None` at the stream's end. What stands before its
/// start is passed over.
///
/// # Errors
/// The stream's own; a JPEG that the stream's end cuts off, or that is larger.
pub fn read(stream: &mut impl BufRead, most: usize) -> io::Result<Option<Vec<u8>>> {
    if !pass_start(stream)? {
        return Ok(None);
    }
    let mut jpeg = vec![MARKER, START];
    let mut walker = Walker::behind_start();
    loop {
        let bytes = stream.fill_buf()?;
        if bytes.is_empty() {
            return Err(io::Error::other("the stream ends within a JPEG"));
        }
        let end = walker.advance(bytes);
        let n = end.unwrap_or(bytes.len());
        if jpeg.len() + n > most {
            return Err(io::Error::other(format!("a JPEG does not end within {} MiB", most >> 20)));
        }
        jpeg.extend(&bytes[..n]);
        stream.consume(n);
        if end.is_some() {
            return Ok(Some(jpeg));
        }
    }
}

/// Reads on until behind the start of a JPEG; false when the stream ends before one.
fn pass_start(stream: &mut impl BufRead) -> io::Result<bool> {
    let mut previous = 0;
    loop {
        let Some(&byte) = stream.fill_buf()?.first() else { return Ok(false) };
        stream.consume(1);
        if (previous, byte) == (MARKER, START) {
            return Ok(true);
        }
        previous = byte;
    }
}

/// What the next byte is.
#[derive(Clone, Copy)]
enum JpegPosition {
    /// Of a scan, or between segments: a marker may come.
    Any,
    /// Behind a byte `ff`.
    Kind,
    /// The first of a segment's two bytes of length.
    High,
    /// The second; the first is known.
    Low(u8),
    /// Content of a segment, of which so many bytes are left.
    Content(usize),
}

/// A walk through a JPEG.
struct Walker {
    position: JpegPosition,
    /// An end before any scan is that of a preview and not the picture's.
    has_scan: bool,
}

impl Walker {
    fn behind_start() -> Self {
        Self { position: JpegPosition::Any, has_scan: false }
    }

    /// Walks on; how many of the bytes belong to the JPEG once its end is among them.
    fn advance(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut i = 0;
        while i < bytes.len() {
            let byte = bytes[i];
            i += 1;
            self.position = match self.position {
                JpegPosition::Any if byte == MARKER => JpegPosition::Kind,
                JpegPosition::Any => {
                    i += bytes[i..].iter().position(|&b| b == MARKER).unwrap_or(bytes.len() - i);
                    JpegPosition::Any
                }
                JpegPosition::Kind => match byte {
                    END if self.has_scan => return Some(i),
                    // Markers may be led by any number of fill bytes.
                    MARKER => JpegPosition::Kind,
                    // Stuffed bytes, restarts, a start and a preview's end stand alone.
                    0x00 | 0x01 | 0xd0..=0xd7 | START | END => JpegPosition::Any,
                    kind => {
                        self.has_scan |= kind == SCAN;
                        JpegPosition::High
                    }
                },
                JpegPosition::High => JpegPosition::Low(byte),
                // The length counts its own two bytes.
                JpegPosition::Low(high) => {
                    match usize::from(u16::from_be_bytes([high, byte])).saturating_sub(2) {
                        0 => JpegPosition::Any,
                        n => JpegPosition::Content(n),
                    }
                }
                JpegPosition::Content(left) => {
                    let n = (left - 1).min(bytes.len() - i);
                    i += n;
                    if left - 1 == n { JpegPosition::Any } else { JpegPosition::Content(left - 1 - n) }
                }
            };
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::{GrayImage, ImageFormat, Luma};
    use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

    use super::*;

    fn jpeg() -> Vec<u8> {
        let picture = GrayImage::from_fn(40, 40, |x, y| Luma([(x * y) as u8]));
        let mut jpeg = Cursor::new(Vec::new());
        picture.write_to(&mut jpeg, ImageFormat::Jpeg).expect("memory takes it");
        jpeg.into_inner()
    }

    #[test]
    fn a_jpeg_is_whole_only_to_its_last_byte() {
        let jpeg = jpeg();
        assert_eq!(length(&jpeg), Some(jpeg.len()));
        assert!((0..jpeg.len()).all(|n| length(&jpeg[..n]).is_none()));
        let preview = [&jpeg[..2], &[MARKER, END], &jpeg[2..jpeg.len() - 2]].concat();
        assert_eq!(length(&preview), None, "the end of a preview is not the picture's");
        assert_eq!(length(b"\x89PNG"), None);
    }

    #[test]
    fn any_bytes_behind_the_end_do_no_harm() {
        let jpeg = jpeg();
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for _ in 0..20 {
            // As much holds about a dozen ends and scans by chance.
            let film: Vec<u8> = (0..800_000).map(|_| rng.random()).collect();
            assert_eq!(length(&[&jpeg[..], &film].concat()), Some(jpeg.len()));
        }
        assert_eq!(
            length(&[&jpeg[..], &[MARKER, SCAN, MARKER, END, MARKER, SCAN]].concat()),
            Some(jpeg.len())
        );
    }

    #[test]
    fn markers_within_a_segment_are_its_content() {
        let jpeg = jpeg();
        let comment = [MARKER, 0xfe, 0, 8, MARKER, SCAN, 0, 2, MARKER, END];
        let whole = [&jpeg[..2], &comment, &jpeg[2..]].concat();
        assert_eq!(length(&whole), Some(whole.len()));
    }

    #[test]
    fn a_stream_gives_its_jpegs_whatever_pieces_it_comes_in() {
        let jpeg = jpeg();
        let stream = [b"--boundary\r\n".as_slice(), &jpeg, b"\r\n--boundary\r\n", &jpeg].concat();
        for piece in [1, 2, 7, 10_000] {
            let mut reader = io::BufReader::with_capacity(piece, stream.as_slice());
            assert_eq!(read(&mut reader, 1 << 20).expect("sound"), Some(jpeg.clone()));
            assert_eq!(read(&mut reader, 1 << 20).expect("sound"), Some(jpeg.clone()));
            assert_eq!(read(&mut reader, 1 << 20).expect("at its end"), None);
        }
        let cut = read(&mut &jpeg[..jpeg.len() - 1], 1 << 20).expect_err("cut off");
        assert_eq!(cut.to_string(), "the stream ends within a JPEG");
        assert!(read(&mut &jpeg[..], 100).is_err());
    }
}
