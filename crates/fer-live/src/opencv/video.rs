//! Cameras, video files and addresses, through OpenCV.
//! In: an [`Input`]. Out: [`Frame`]s: a file's with the container's own times, a live source's with the clock's.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use fer_stream::{FrameSource, SourceInfo, StreamError};
use fer_vision::Frame;
use image::RgbImage;
use opencv::core::{Mat, MatTraitConst, Vector};
use opencv::prelude::*;
use opencv::videoio::{self, VideoCapture, VideoWriter};

use super::cause::cause;
use super::picture::to_rgb;
use crate::source::{Input, SourceOptions};

/// H.264 holds back at most this many pictures; so many without a time come from a container without times.
const MOST_HELD: usize = 17;

/// A camera, video file or address.
pub struct VideoSource {
    capture: VideoCapture,
    info: SourceInfo,
    started: Instant,
    buffer: Mat,
    index: u64,
    last: Option<Duration>,
    /// Pictures already read, with their times.
    held: VecDeque<(RgbImage, Duration)>,
}

impl VideoSource {
    /// Opens a camera, a video file or an address.
    ///
    /// # Errors
    /// [`StreamError::Device`] when a camera cannot be opened or an address does
    /// not answer, [`StreamError::Open`] when a file is
    /// missing or no video.
    pub fn open(input: &Input, options: &SourceOptions) -> Result<Self, StreamError> {
        let name = input.to_string();
        let capture = match input {
            Input::Camera(index) => open_camera(*index, options)?,
            Input::Video(path) => open_file(&path.to_string_lossy(), &name)?,
            Input::Address(address) => open_address(address, &name)?,
            Input::Photos(_) | Input::Stdin | Input::Drawn => {
                return Err(StreamError::open(name, "not a camera, video or address"));
            }
        };
        let get = |property| capture.get(property).ok().filter(|value| value.is_finite() && *value > 0.0);
        let n_frames = get(videoio::CAP_PROP_FRAME_COUNT).map(|n| n as u64);
        let live = match input {
            Input::Camera(_) => true,
            // A recording that is served over the net knows how long it is.
            Input::Address(_) => n_frames.is_none(),
            _ => false,
        };
        let info = SourceInfo {
            name,
            live,
            width: get(videoio::CAP_PROP_FRAME_WIDTH).unwrap_or(0.0) as u32,
            height: get(videoio::CAP_PROP_FRAME_HEIGHT).unwrap_or(0.0) as u32,
            frames_per_second: get(videoio::CAP_PROP_FPS).unwrap_or(0.0),
            n_frames: n_frames.filter(|_| !live),
        };
        let (started, buffer, held) = (options.started, Mat::default(), VecDeque::new());
        Ok(Self { capture, info, started, buffer, index: 0, last: None, held })
    }

    /// The next picture, and its time as the container or the clock has it.
    fn read(&mut self) -> Result<Option<(RgbImage, Duration)>, StreamError> {
        let failed = |name: &str, frame, error: opencv::Error| StreamError::Read {
            input: name.to_owned(),
            frame,
            problem: "OpenCV cannot read it".to_owned(),
            cause: Some(cause(&error)),
        };
        let read = self.capture.read(&mut self.buffer);
        if !read.map_err(|error| failed(&self.info.name, self.index, error))? || self.buffer.empty() {
            return Ok(None);
        }
        let picture = to_rgb(&self.buffer).map_err(|error| failed(&self.info.name, self.index, error))?;
        let position = || self.capture.get(videoio::CAP_PROP_POS_MSEC).unwrap_or(0.0).max(0.0) / 1000.0;
        let time = if self.info.live { self.started.elapsed() } else { Duration::from_secs_f64(position()) };
        Ok(Some((picture, time)))
    }

    /// Keeps a picture whose time is not after `last`, and those behind it, with times between their neighbours'.
    ///
    /// OpenCV 4.6 gives the time 0 to the pictures that the decoder holds back until the end of the file, as it
    /// does when they are stored out of order.
    fn spread(&mut self, picture: RgbImage, last: Duration) -> Result<(), StreamError> {
        let mut pictures = vec![picture];
        let mut next = None;
        let mut has_ended = false;
        while pictures.len() < MOST_HELD && next.is_none() && !has_ended {
            match self.read()? {
                Some((picture, time)) if time > last => next = Some((picture, time)),
                Some((picture, _)) => pictures.push(picture),
                None => has_ended = true,
            }
        }
        // A container without times: pictures follow each other at the nominal rate.
        let n = pictures.len() as f64;
        let mut step = 1.0 / self.rate();
        let end = next.as_ref().map(|(_, time)| *time).or(has_ended.then(|| self.end()).flatten());
        if let Some(span) = end.and_then(|end| end.checked_sub(last)).filter(|span| !span.is_zero()) {
            step = span.as_secs_f64() / (n + 1.0);
        }
        let time = |idx: usize| last + Duration::from_secs_f64(step * (idx + 1) as f64);
        self.held.extend(pictures.into_iter().enumerate().map(|(idx, picture)| (picture, time(idx))));
        self.held.extend(next);
        Ok(())
    }

    /// Frames per second, as the container says.
    fn rate(&self) -> f64 {
        if self.info.frames_per_second > 0.0 { self.info.frames_per_second } else { 30.0 }
    }

    /// When a recording ends. Where its container counts no frames, OpenCV multiplies duration and rate,
    /// so that of an uneven rate only this is right.
    fn end(&self) -> Option<Duration> {
        self.info.n_frames.map(|n_frames| Duration::from_secs_f64(n_frames as f64 / self.rate()))
    }

    /// What the end of the frames means.
    fn ended(&self) -> Result<Option<Frame>, StreamError> {
        let failed = |problem: String| {
            let input = self.info.name.clone();
            Err(StreamError::Read { input, frame: self.index, problem, cause: None })
        };
        if self.info.live {
            return failed(
                "no frame came: unplugged, taken by another program, or the sender stopped".to_owned(),
            );
        }
        if self.index == 0 {
            return failed("no frame can be decoded: the video is damaged or empty".to_owned());
        }
        let (Some(n_frames), Some(end), Some(last)) = (self.info.n_frames, self.end(), self.last) else {
            return Ok(None);
        };
        // A tenth missing is no rounding.
        if (self.index as f64) < n_frames as f64 * 0.9 && last < end.mul_f64(0.9) {
            let (last, end) = (last.as_secs_f64(), end.as_secs_f64());
            return failed(format!(
                "the video ends here after {last:.1} s, expected about {end:.1} s: it is damaged or cut off"
            ));
        }
        Ok(None)
    }
}

impl FrameSource for VideoSource {
    fn info(&self) -> SourceInfo {
        self.info.clone()
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, StreamError> {
        if self.held.is_empty() {
            match (self.read()?, self.last) {
                (None, _) => return self.ended(),
                (Some((picture, time)), Some(last)) if time <= last => self.spread(picture, last)?,
                (Some(read), _) => self.held.push_back(read),
            }
        }
        let Some((picture, timestamp)) = self.held.pop_front() else { return self.ended() };
        let index = self.index;
        self.index += 1;
        self.last = Some(timestamp);
        Ok(Some(Frame { picture, timestamp, index }))
    }
}

fn open_camera(index: i32, options: &SourceOptions) -> Result<VideoCapture, StreamError> {
    let device = format!("camera {index}");
    if !std::path::Path::new(&format!("/dev/video{index}")).exists() {
        let problem = format!("/dev/video{index} is not there: plug a camera in, or see fer-live doctor");
        return Err(StreamError::device(device, problem));
    }
    let closed = "does not open: taken by another program, or not ours to read; see fer-live doctor";
    let mut capture = VideoCapture::new(index, videoio::CAP_V4L2)
        .map_err(|error| StreamError::device_for(&device, closed, cause(&error)))?;
    if !capture.is_opened().unwrap_or(false) {
        return Err(StreamError::device(device, closed));
    }
    ask(&mut capture, options).map_err(|error| {
        StreamError::device_for(&device, "takes no size or rate: leave --size and --rate away", cause(&error))
    })?;
    Ok(capture)
}

/// Asks a camera for a size and a rate; it takes the nearest it has.
fn ask(capture: &mut VideoCapture, options: &SourceOptions) -> opencv::Result<()> {
    if let Some((width, height)) = options.size {
        // Most cameras reach their larger sizes at full rate only as Motion-JPEG.
        capture.set(videoio::CAP_PROP_FOURCC, f64::from(VideoWriter::fourcc('M', 'J', 'P', 'G')?))?;
        capture.set(videoio::CAP_PROP_FRAME_WIDTH, f64::from(width))?;
        capture.set(videoio::CAP_PROP_FRAME_HEIGHT, f64::from(height))?;
    }
    // A driver's queue only adds age.
    capture.set(videoio::CAP_PROP_BUFFERSIZE, 1.0)?;
    if let Some(rate) = options.rate {
        capture.set(videoio::CAP_PROP_FPS, rate)?;
    }
    Ok(())
}

fn open_file(path: &str, name: &str) -> Result<VideoCapture, StreamError> {
    // FFmpeg knows every format that the others know; asking them after it only adds their complaints.
    let has_ffmpeg = videoio::has_backend(videoio::VideoCaptureAPIs::CAP_FFMPEG).unwrap_or(false);
    let backend = if has_ffmpeg { videoio::CAP_FFMPEG } else { videoio::CAP_ANY };
    if let Ok(capture) = VideoCapture::from_file(path, backend)
        && capture.is_opened().unwrap_or(false)
    {
        return Ok(capture);
    }
    let problem =
        "not a video that OpenCV reads: expected mp4, mkv, webm, avi or mov, whole and not protected";
    Err(StreamError::open(name, problem))
}

fn open_address(address: &str, name: &str) -> Result<VideoCapture, StreamError> {
    let patience = Vector::from_slice(&[
        videoio::CAP_PROP_OPEN_TIMEOUT_MSEC,
        10_000,
        videoio::CAP_PROP_READ_TIMEOUT_MSEC,
        5_000,
    ]);
    let capture = VideoCapture::from_file_with_params(address, videoio::CAP_FFMPEG, &patience);
    match capture {
        Ok(capture) if capture.is_opened().unwrap_or(false) => Ok(capture),
        _ => {
            let problem = "no stream there (waited up to 10 s): check address, user and password, and that a player opens it";
            Err(StreamError::device(name, problem))
        }
    }
}
