//! Annotated pictures → an H.264 MP4 with the source's own size and times.
//! In: pictures and their times. Out: a file that plays in browsers and players, whole up to its last second
//! even when the program is killed.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::time::Duration;

use fer_base::Cause;
use image::RgbImage;
use openh264::OpenH264API;
use openh264::encoder::{Encoder, EncoderConfig, FrameRate, RateControlMode, VuiConfig};
use openh264::formats::{RgbSliceU8, YUVBuffer};

use super::mp4::{Muxer, PictureFormat};
use crate::error::StreamError;

/// A key picture, and with it a fragment on disk, this often.
const KEY_EVERY: Duration = Duration::from_secs(1);

/// Largest picture the encoder takes: longer and shorter side.
const LARGEST: (u32, u32) = (3840, 2160);

/// Writes an annotated video.
pub struct VideoRecorder {
    path: String,
    file: Option<File>,
    encoding: Option<Encoding>,
}

/// What the first picture decides.
struct Encoding {
    encoder: Encoder,
    muxer: Muxer<BufWriter<File>>,
    planes: YUVBuffer,
    size: (u32, u32),
    key: Duration,
    last: Duration,
    step: Duration,
}

impl VideoRecorder {
    /// Creates the file.
    ///
    /// # Errors
    /// [`StreamError::Write`] when the file cannot be created.
    pub fn create(path: &Path) -> Result<Self, StreamError> {
        let name = path.display().to_string();
        let file = File::create(path).map_err(|error| {
            StreamError::write_for(&name, "not created; is the folder there and writable?", error)
        })?;
        Ok(Self { path: name, file: Some(file), encoding: None })
    }

    /// Adds a picture. A time that is not after the last one is moved behind it.
    /// A picture with odd sides gains a pixel: H.264 halves its colour planes.
    ///
    /// # Errors
    /// [`StreamError::Write`] when the picture has another size than the first, is larger than
    /// 3840×2160, or cannot be encoded or written.
    pub fn record(&mut self, picture: &RgbImage, time: Duration) -> Result<(), StreamError> {
        match &mut self.encoding {
            Some(encoding) => encoding.add(picture, time),
            None => self.start(picture, time),
        }
        .map_err(|failure| failure.of(&self.path))
    }

    /// Writes the last second, the index and the duration.
    ///
    /// # Errors
    /// [`StreamError::Write`] when they cannot be written.
    pub fn finish(&mut self) -> Result<(), StreamError> {
        let Some(encoding) = &mut self.encoding else { return Ok(()) };
        let finished = encoding.muxer.finish(encoding.step);
        finished.map_err(|error| RecordingFailure::from(error).of(&self.path))
    }

    fn start(&mut self, picture: &RgbImage, time: Duration) -> Result<(), RecordingFailure> {
        let size = picture.dimensions();
        let (longer, shorter) = (size.0.max(size.1), size.0.min(size.1));
        if longer > LARGEST.0 || shorter > LARGEST.1 || shorter < 16 {
            return Err(RecordingFailure::new(format!(
                "pictures of {}×{} cannot be encoded, expected 16×16 to {}×{}",
                size.0, size.1, LARGEST.0, LARGEST.1
            )));
        }
        let Some(file) = self.file.take() else {
            return Err(RecordingFailure::new("the first picture could not be encoded"));
        };
        let (width, height) = even(size);
        let config = EncoderConfig::new()
            .rate_control_mode(RateControlMode::Off)
            .max_frame_rate(FrameRate::from_hz(30.0))
            .skip_frames(false)
            .scene_change_detect(false)
            .vui(VuiConfig::bt601());
        let mut encoder = Encoder::with_api_config(OpenH264API::from_source(), config)?;
        let mut planes = YUVBuffer::new(width as usize, height as usize);
        let units = encode(&mut encoder, &mut planes, picture)?;
        let find = |kind| units.iter().find(|unit| unit_kind(unit) == kind).cloned();
        let (Some(sps), Some(pps)) = (find(7), find(8)) else {
            return Err(RecordingFailure::new("the encoder gave no parameter sets"));
        };
        let format = PictureFormat { width: width as u16, height: height as u16, sps, pps };
        let mut muxer = Muxer::new(BufWriter::new(file), &format)?;
        muxer.push(time, with_lengths(&units), true)?;
        let step = Duration::from_millis(33);
        self.encoding = Some(Encoding { encoder, muxer, planes, size, key: time, last: time, step });
        Ok(())
    }
}

impl Drop for VideoRecorder {
    /// An early end still leaves the last second; whoever wants the error calls `finish`.
    fn drop(&mut self) {
        if let Some(encoding) = &mut self.encoding {
            drop(encoding.muxer.finish(encoding.step));
        }
    }
}

impl Encoding {
    fn add(&mut self, picture: &RgbImage, time: Duration) -> Result<(), RecordingFailure> {
        if picture.dimensions() != self.size {
            let ((width, height), (w, h)) = (self.size, picture.dimensions());
            return Err(RecordingFailure::new(format!(
                "a picture is {w}×{h}, expected {width}×{height} as the first one was"
            )));
        }
        let time = time.max(self.last + Duration::from_micros(100));
        self.step = time - self.last;
        self.last = time;
        if time.saturating_sub(self.key) >= KEY_EVERY {
            self.encoder.force_intra_frame();
            self.key = time;
        }
        let units = encode(&mut self.encoder, &mut self.planes, picture)?;
        let is_key = units.iter().any(|unit| unit_kind(unit) == 5);
        Ok(self.muxer.push(time, with_lengths(&units), is_key)?)
    }
}

/// Why a picture is not recorded.
struct RecordingFailure {
    problem: String,
    cause: Option<Cause>,
}

impl RecordingFailure {
    fn new(problem: impl Into<String>) -> Self {
        Self { problem: problem.into(), cause: None }
    }

    fn of(self, path: &str) -> StreamError {
        StreamError::Write { path: path.to_owned(), problem: self.problem, cause: self.cause }
    }
}

impl From<std::io::Error> for RecordingFailure {
    fn from(error: std::io::Error) -> Self {
        Self { problem: "not written".to_owned(), cause: Some(error.into()) }
    }
}

impl From<openh264::Error> for RecordingFailure {
    fn from(error: openh264::Error) -> Self {
        Self { problem: "the picture is not encoded".to_owned(), cause: Some(error.into()) }
    }
}

fn even((width, height): (u32, u32)) -> (u32, u32) {
    (width.next_multiple_of(2), height.next_multiple_of(2))
}

/// The NAL units of a picture, without start codes.
fn encode(
    encoder: &mut Encoder,
    planes: &mut YUVBuffer,
    picture: &RgbImage,
) -> Result<Vec<Vec<u8>>, RecordingFailure> {
    let (width, height) = even(picture.dimensions());
    let padded = (picture.dimensions() != (width, height)).then(|| pad(picture, width, height));
    let pixels = padded.as_ref().unwrap_or(picture).as_raw();
    planes.read_rgb8(RgbSliceU8::new(pixels, (width as usize, height as usize)));
    let stream = encoder.encode(&*planes)?;
    Ok(split_units(&stream.to_vec()))
}

/// The picture with its last column and row repeated.
fn pad(picture: &RgbImage, width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        *picture.get_pixel(x.min(picture.width() - 1), y.min(picture.height() - 1))
    })
}

/// Splits a byte stream (ISO 14496-10, annex B) at its start codes, `00 00 01`.
fn split_units(stream: &[u8]) -> Vec<Vec<u8>> {
    let starts: Vec<usize> =
        (0..stream.len().saturating_sub(2)).filter(|&i| stream[i..i + 3] == [0, 0, 1]).collect();
    let unit = |(idx, &start): (usize, &usize)| {
        let end = starts.get(idx + 1).copied().unwrap_or(stream.len());
        let mut unit = stream[start + 3..end].to_vec();
        // A unit never ends in zero: those belong to the next start code.
        while unit.last() == Some(&0) {
            unit.pop();
        }
        unit
    };
    starts.iter().enumerate().map(unit).collect()
}

/// 5 key picture, 7 and 8 parameter sets.
fn unit_kind(unit: &[u8]) -> u8 {
    unit.first().map_or(0, |byte| byte & 0x1f)
}

/// The units of a picture with their lengths before them; parameter sets are in the file's header.
fn with_lengths(units: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for unit in units.iter().filter(|unit| !matches!(unit_kind(unit), 7 | 8)) {
        bytes.extend((unit.len() as u32).to_be_bytes());
        bytes.extend(unit);
    }
    bytes
}
