//! Streams on standard input, and animated GIFs.
//! In: bytes. Out: how many frames, and how the stream ended.

use std::{io::BufReader, time::Instant};

use fer_live::source::{GifSource, JpegStream, RawStream, SourceOptions};
use fer_stream::FrameSource;
use image::{DynamicImage, ImageFormat};

use super::{Door, Target};
use crate::{plan::memory_folder, seeds};

pub(super) const GIF: Target = Target {
    name: "gif",
    door: "an animated GIF",
    seeds: || vec![seeds::animated()],
    words: &[b"GIF89a", b"NETSCAPE2.0", b"\x21\xf9\x04", b"\x2c", b"\x3b", b"\xff\xff"],
    open: gif,
    on_request: false,
};

pub(super) const MJPEG: Target = Target {
    name: "mjpeg",
    door: "JPEGs one after the other",
    seeds: || {
        let frame = seeds::encoded(&DynamicImage::ImageRgb8(seeds::picture()), ImageFormat::Jpeg);
        vec![[b"--frame\r\n\r\n", &frame[..], b"\r\n--frame\r\n\r\n", &frame].concat(), frame.repeat(3)]
    },
    words: super::pictures::WORDS,
    open: || Box::new(|bytes| frames(JpegStream::new(BufReader::with_capacity(257, bytes), &options()))),
    on_request: false,
};

pub(super) const RAW: Target = Target {
    name: "raw",
    door: "raw frames, their size in the first bytes",
    seeds: || vec![[&[8, 0, 4, 0][..], &[7; 200]].concat()],
    words: &[],
    open: raw,
    on_request: false,
};

fn options() -> SourceOptions {
    SourceOptions::new(Instant::now())
}

fn gif() -> Door {
    let folder = tempfile::tempdir_in(memory_folder()).expect("there is room for a folder");
    Box::new(move |bytes| {
        let path = folder.path().join("clip.gif");
        std::fs::write(&path, bytes).map_err(|error| error.to_string())?;
        if !GifSource::is_animated(&path) {
            return Ok("a photo".to_owned());
        }
        match GifSource::open(&path) {
            // How long a clip is, is no promise.
            Ok(source) => {
                let end = begin(source, 19)?.unwrap_or_else(|| "the end".to_owned());
                Ok(end.replace(&path.display().to_string(), ""))
            }
            Err(error) => Ok(fer_base::chain(&error)),
        }
    })
}

fn raw() -> Door {
    Box::new(|bytes| {
        let Some((size, stream)) = bytes.split_first_chunk::<4>() else { return Ok("short".to_owned()) };
        // The command line refuses sides of 0 and above 16384.
        let side = |low: u8, high: u8| u32::from(u16::from_le_bytes([low, high])) % 200 + 1;
        let size = (side(size[0], size[1]), side(size[2], size[3]));
        // The door keeps no stream from one input to the next.
        let stream = std::io::Cursor::new(stream.to_vec());
        frames(RawStream::new(stream, size, &options()))
    })
}

fn frames(source: impl FrameSource) -> Result<String, String> {
    // More than any input has bytes.
    begin(source, 10_000_000)?.ok_or_else(|| "frames without an end".to_owned())
}

/// How a stream ends within its first frames; `None` when it does not.
fn begin(mut source: impl FrameSource, most: u64) -> Result<Option<String>, String> {
    for n in 0..most {
        match source.next_frame() {
            Ok(Some(frame)) if frame.index == n => {}
            Ok(Some(frame)) => return Err(format!("frame {n} has the number {}", frame.index)),
            Ok(None) => return Ok(Some("the end".to_owned())),
            Err(error) => return Ok(Some(fer_base::chain(&error))),
        }
    }
    Ok(None)
}
