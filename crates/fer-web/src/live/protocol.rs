//! What page and server say to each other on `/v1/live`.
//! In: bytes of a frame. Out: its header; what is answered.
//!
//! A frame is 16 bytes, then a JPEG: protocol version (`u8`, 1), three zero bytes, the client's frame
//! number (`u32`), its capture time in ms since any fixed moment (`f64`); all little-endian.

use fer_vision::FaceReading;
use serde::Serialize;

use crate::read::engine::Times;

/// The version of the frame header.
pub(crate) const PROTOCOL: u8 = 1;

/// Bytes before the JPEG.
pub(crate) const HEADER: usize = 16;

/// What the page is told, as one JSON object.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum Reply<'a> {
    Hello {
        protocol: u8,
        frames_in_flight: usize,
        frame_bytes: usize,
    },
    Reading {
        id: u32,
        width: u32,
        height: u32,
        timestamp_ms: f64,
        faces: &'a [FaceReading],
        n_dropped: u64,
        times: Times,
    },
    Dropped {
        id: u32,
        n_dropped: u64,
    },
    Refused {
        id: u32,
        problem: serde_json::Value,
    },
}

/// The frame number and capture time in ms of a frame, or `None` when the header is not one.
pub(crate) fn header(bytes: &[u8]) -> Option<(u32, f64)> {
    let (header, _) = bytes.split_first_chunk::<HEADER>()?;
    let (version, rest) = header.split_first()?;
    let id = u32::from_le_bytes(rest[3..7].try_into().expect("four bytes"));
    let capture_ms = f64::from_le_bytes(rest[7..15].try_into().expect("eight bytes"));
    (*version == PROTOCOL && capture_ms.is_finite()).then_some((id, capture_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_header_is_read_as_the_page_writes_it() {
        let mut bytes = vec![1, 0, 0, 0];
        bytes.extend(7_u32.to_le_bytes());
        bytes.extend(1234.5_f64.to_le_bytes());
        assert_eq!(header(&bytes), Some((7, 1234.5)));
        bytes.extend(b"jpeg");
        assert_eq!(header(&bytes), Some((7, 1234.5)));
        assert_eq!(header(&bytes[..15]), None, "too short");
        bytes[0] = 2;
        assert_eq!(header(&bytes), None, "another version");
        bytes[0] = 1;
        bytes[8..16].copy_from_slice(&f64::NAN.to_le_bytes());
        assert_eq!(header(&bytes), None, "no time");
    }
}
