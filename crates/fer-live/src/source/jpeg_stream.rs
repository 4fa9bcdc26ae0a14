//! JPEGs one after the other on a stream.
//! In: bytes. Out: [`Frame`]s.

use std::io::BufRead;

use fer_data::jpeg;
use fer_data::picture::decode_upright;
use fer_stream::{FrameSource, SourceInfo, StreamError};
use fer_vision::Frame;

use super::options::SourceOptions;
use super::raw_stream::{StreamClock, read_failed};

/// A JPEG larger than this is none.
const MOST_BYTES: usize = 64 << 20;

/// Larger frames are refused before a pixel is decoded: a few bytes may claim four gigapixels.
const MOST_PIXELS: u64 = 50_000_000;

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
}

impl<R: BufRead + Send> FrameSource for JpegStream<R> {
    fn info(&self) -> SourceInfo {
        self.clock.info(0, 0)
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, StreamError> {
        let index = self.index;
        let cut = |error: std::io::Error| read_failed(index, "no whole JPEG", Some(error.into()));
        let jpeg = jpeg::read(&mut self.stream, MOST_BYTES).map_err(cut)?;
        let Some(jpeg) = jpeg else {
            let hint = "no JPEG on standard input: for raw RGB frames give --stdin-size WxH";
            return if index == 0 { Err(read_failed(index, hint, None)) } else { Ok(None) };
        };
        let picture = decode_upright(&jpeg, Some(MOST_PIXELS))
            .map_err(|error| read_failed(index, "damaged JPEG", Some(error.into())))?;
        self.index += 1;
        Ok(Some(Frame { picture: picture.into_rgb8(), timestamp: self.clock.time(index), index }))
    }
}
