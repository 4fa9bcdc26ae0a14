//! JPEGs one after the other on a stream.
//! In: bytes. Out: [`Frame`]s.

use std::io::BufRead;

use fer_stream::{FrameSource, SourceInfo, StreamError};
use fer_vision::Frame;
use image::ImageFormat;

use super::options::SourceOptions;
use super::raw_stream::{StreamClock, read_failed};

/// A JPEG larger than this is none.
const MOST_BYTES: usize = 64 << 20;

/// The first byte of every marker.
const MARKER: u8 = 0xff;
const START: u8 = 0xd8;
const END: u8 = 0xd9;

/// JPEGs one after the other.
pub struct JpegStream<R> {
    stream: R,
    clock: StreamClock,
    index: u64,
}

impl<R: BufRead + Send> JpegStream<R> {
    /// JPEGs from a stream.
    pub fn new(stream: R, options: &SourceOptions) -> Self {
        Self { stream, clock: StreamClock::new(options), index: 0 }
    }

    fn byte(&mut self) -> std::io::Result<Option<u8>> {
        let byte = self.stream.fill_buf()?.first().copied();
        self.stream.consume(usize::from(byte.is_some()));
        Ok(byte)
    }

    /// The next JPEG's bytes, or `None` at the stream's end; one that the end cuts off is an error.
    fn next_jpeg(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let mut previous = 0;
        loop {
            match self.byte()? {
                None => return Ok(None),
                Some(START) if previous == MARKER => break,
                Some(byte) => previous = byte,
            }
        }
        let mut jpeg = vec![MARKER, START];
        let mut marker = self.next_marker(&mut jpeg)?;
        while let Some(kind) = marker {
            match kind {
                END => return Ok(Some(jpeg)),
                // Restart markers and stuffed bytes stand alone.
                0x00 | 0x01 | 0xd0..=0xd7 => {}
                // An embedded preview is inside a segment, whose length says how far to read on.
                _ => {
                    if !self.segment(&mut jpeg)? {
                        return Err(cut_off());
                    }
                }
            }
            if jpeg.len() > MOST_BYTES {
                return Err(std::io::Error::other("a JPEG does not end within 64 MiB"));
            }
            marker = self.next_marker(&mut jpeg)?;
        }
        Err(cut_off())
    }

    /// Copies up to the next marker and gives its kind, or `None` at the stream's end.
    fn next_marker(&mut self, jpeg: &mut Vec<u8>) -> std::io::Result<Option<u8>> {
        let mut is_marker = false;
        loop {
            let Some(byte) = self.byte()? else { return Ok(None) };
            jpeg.push(byte);
            if is_marker && byte != MARKER {
                return Ok(Some(byte));
            }
            is_marker = byte == MARKER;
            if jpeg.len() > MOST_BYTES {
                return Err(std::io::Error::other("a JPEG does not end within 64 MiB"));
            }
        }
    }

    /// Copies a segment: two bytes of length, which count themselves, and its content.
    fn segment(&mut self, jpeg: &mut Vec<u8>) -> std::io::Result<bool> {
        let (Some(high), Some(low)) = (self.byte()?, self.byte()?) else { return Ok(false) };
        jpeg.extend([high, low]);
        let length = usize::from(u16::from_be_bytes([high, low])).saturating_sub(2);
        for _ in 0..length {
            let Some(byte) = self.byte()? else { return Ok(false) };
            jpeg.push(byte);
        }
        Ok(true)
    }
}

fn cut_off() -> std::io::Error {
    std::io::Error::other("the stream ends within a JPEG")
}

impl<R: BufRead + Send> FrameSource for JpegStream<R> {
    fn info(&self) -> SourceInfo {
        self.clock.info(0, 0)
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, StreamError> {
        let index = self.index;
        let cut = |error: std::io::Error| read_failed(index, "no whole JPEG", Some(error.into()));
        let jpeg = self.next_jpeg().map_err(cut)?;
        let Some(jpeg) = jpeg else {
            let hint = "no JPEG on standard input: for raw RGB frames give --stdin-size WxH";
            return if index == 0 { Err(read_failed(index, hint, None)) } else { Ok(None) };
        };
        let picture = image::load_from_memory_with_format(&jpeg, ImageFormat::Jpeg)
            .map_err(|error| read_failed(index, "damaged JPEG", Some(error.into())))?;
        self.index += 1;
        Ok(Some(Frame { picture: picture.into_rgb8(), timestamp: self.clock.time(index), index }))
    }
}
