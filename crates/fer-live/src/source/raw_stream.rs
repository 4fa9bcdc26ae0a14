//! Raw RGB frames on a stream.
//! In: bytes, three a pixel. Out: [`Frame`]s.

use std::io::Read;
use std::time::Duration;

use fer_base::Cause;
use fer_stream::{FrameSource, SourceInfo, StreamError};
use fer_vision::Frame;
use image::RgbImage;

use super::options::SourceOptions;

/// The time of a stream's frames.
#[derive(Clone, Copy, Debug)]
pub(super) struct StreamClock {
    options: SourceOptions,
}

impl StreamClock {
    pub(super) fn new(options: &SourceOptions) -> Self {
        Self { options: *options }
    }

    /// From its rate when it has one, else when it arrives.
    pub(super) fn time(&self, index: u64) -> Duration {
        match self.options.rate {
            Some(rate) => Duration::from_secs_f64(index as f64 / rate),
            None => self.options.started.elapsed(),
        }
    }

    /// A stream without a rate is live: its old frames are worth nothing.
    pub(super) fn info(&self, width: u32, height: u32) -> SourceInfo {
        SourceInfo {
            name: "-".to_owned(),
            live: self.options.rate.is_none(),
            width,
            height,
            frames_per_second: self.options.rate.unwrap_or(0.0),
            n_frames: None,
        }
    }
}

/// Raw 8-bit RGB frames of one size, one after the other.
pub struct RawStream<R> {
    stream: R,
    size: (u32, u32),
    clock: StreamClock,
    index: u64,
}

impl<R: Read + Send> RawStream<R> {
    /// Frames of `size` from a stream.
    pub fn new(stream: R, size: (u32, u32), options: &SourceOptions) -> Self {
        Self { stream, size, clock: StreamClock::new(options), index: 0 }
    }

    /// Fills the buffer; how many bytes there were before the stream ended.
    fn fill(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let mut n = 0;
        while n < buffer.len() {
            match self.stream.read(&mut buffer[n..]) {
                Ok(0) => break,
                Ok(more) => n += more,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(n)
    }
}

impl<R: Read + Send> FrameSource for RawStream<R> {
    fn info(&self) -> SourceInfo {
        self.clock.info(self.size.0, self.size.1)
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, StreamError> {
        let index = self.index;
        let failed = |problem: &str, cause: Option<Cause>| read_failed(index, problem, cause);
        let mut picture = RgbImage::new(self.size.0, self.size.1);
        let expected = picture.as_raw().len();
        let n = self
            .fill(&mut picture)
            .map_err(|error| failed("standard input cannot be read", Some(error.into())))?;
        if n == 0 && index > 0 {
            return Ok(None);
        }
        if n < expected {
            let problem = format!(
                "the stream ended after {n} bytes of a frame, expected {expected} = {} × {} × 3: is --stdin-size right?",
                self.size.0, self.size.1
            );
            return Err(failed(&problem, None));
        }
        self.index += 1;
        Ok(Some(Frame { picture, timestamp: self.clock.time(index), index }))
    }
}

/// A stream on standard input that cannot be read on.
pub(super) fn read_failed(frame: u64, problem: &str, cause: Option<Cause>) -> StreamError {
    StreamError::Read { input: "-".to_owned(), frame, problem: problem.to_owned(), cause }
}
