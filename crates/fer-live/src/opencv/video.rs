//! Cameras, video files and addresses, through OpenCV.
//! In: an [`Input`]. Out: [`Frame`]s: a file's with the container's own times, a live source's with the clock's.
//! Knows nothing of opening a failed source again: the pipeline does that.

use std::time::{Duration, Instant};

use opencv::core::{Mat, MatTraitConst, Vector};
use opencv::prelude::*;
use opencv::videoio::{self, VideoCapture, VideoWriter};

use super::picture::to_rgb;
use crate::error::LiveError;
use crate::frame::{Frame, FrameSource, SourceInfo};
use crate::source::{Input, SourceOptions};

/// A camera, video file or address.
pub struct VideoSource {
    capture: VideoCapture,
    info: SourceInfo,
    started: Instant,
    buffer: Mat,
    index: u64,
    last: Option<Duration>,
}

impl VideoSource {
    /// Opens a camera, a video file or an address.
    ///
    /// # Errors
    /// [`LiveError::Device`] when a camera cannot be opened or an address does
    /// not answer, [`LiveError::Open`] when a file is
    /// missing or no video.
    pub fn open(input: &Input, options: &SourceOptions) -> Result<Self, LiveError> {
        let name = input.to_string();
        let capture = match input {
            Input::Camera(index) => open_camera(*index, options)?,
            Input::Video(path) => open_file(&path.to_string_lossy(), &name)?,
            Input::Address(address) => open_address(address, &name)?,
            Input::Photos(_) | Input::Stdin | Input::Drawn => {
                return Err(LiveError::Open {
                    input: name,
                    reason: "not a camera, video or address".to_owned(),
                });
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
        let buffer = Mat::default();
        Ok(Self { capture, info, started: options.started, buffer, index: 0, last: None })
    }

    /// The container's time of the frame just read; never before the last one.
    fn container_time(&self) -> Duration {
        let position = self.capture.get(videoio::CAP_PROP_POS_MSEC).unwrap_or(0.0);
        let read = Duration::from_secs_f64(position.max(0.0) / 1000.0);
        let Some(last) = self.last else { return read };
        if read > last {
            return read;
        }
        // A container without times: frames follow each other at the nominal rate.
        let rate = if self.info.frames_per_second > 0.0 { self.info.frames_per_second } else { 30.0 };
        last + Duration::from_secs_f64(1.0 / rate)
    }

    /// What the end of the frames means.
    fn ended(&self) -> Result<Option<Frame>, LiveError> {
        let failed = |reason: String| {
            Err(LiveError::Read { input: self.info.name.clone(), frame: self.index, reason })
        };
        if self.info.live {
            return failed(
                "no frame came: unplugged, taken by another program, or the sender stopped".to_owned(),
            );
        }
        if self.index == 0 {
            return failed("no frame can be decoded: the video is damaged or empty".to_owned());
        }
        // Containers count roughly; a tenth missing is no rounding.
        match self.info.n_frames {
            Some(n_frames) if (self.index as f64) < n_frames as f64 * 0.9 => failed(format!(
                "the video ends here, expected about {n_frames} frames: it is damaged or cut off"
            )),
            _ => Ok(None),
        }
    }
}

impl FrameSource for VideoSource {
    fn info(&self) -> SourceInfo {
        self.info.clone()
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, LiveError> {
        let failed = |index, name: &str, error: opencv::Error| LiveError::Read {
            input: name.to_owned(),
            frame: index,
            reason: error.message,
        };
        let is_read = self
            .capture
            .read(&mut self.buffer)
            .map_err(|error| failed(self.index, &self.info.name, error))?;
        if !is_read || self.buffer.empty() {
            return self.ended();
        }
        let timestamp = if self.info.live { self.started.elapsed() } else { self.container_time() };
        let picture = to_rgb(&self.buffer).map_err(|error| failed(self.index, &self.info.name, error))?;
        let index = self.index;
        self.index += 1;
        self.last = Some(timestamp);
        Ok(Some(Frame { picture, timestamp, index }))
    }
}

fn open_camera(index: i32, options: &SourceOptions) -> Result<VideoCapture, LiveError> {
    let device = format!("camera {index}");
    let unavailable = |reason: String| LiveError::Device { device: device.clone(), reason };
    let backend = if cfg!(target_os = "linux") { videoio::CAP_V4L2 } else { videoio::CAP_ANY };
    if cfg!(target_os = "linux") && !std::path::Path::new(&format!("/dev/video{index}")).exists() {
        return Err(unavailable(format!(
            "/dev/video{index} is not there: plug a camera in, or see fer-live doctor"
        )));
    }
    let mut capture = VideoCapture::new(index, backend).map_err(|error| unavailable(error.message))?;
    if !capture.is_opened().unwrap_or(false) {
        return Err(unavailable(
            "does not open: taken by another program, or not ours to read; see fer-live doctor".to_owned(),
        ));
    }
    ask(&mut capture, options).map_err(|error| unavailable(error.message))?;
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

fn open_file(path: &str, name: &str) -> Result<VideoCapture, LiveError> {
    for backend in [videoio::CAP_FFMPEG, videoio::CAP_ANY] {
        if let Ok(capture) = VideoCapture::from_file(path, backend)
            && capture.is_opened().unwrap_or(false)
        {
            return Ok(capture);
        }
    }
    let reason =
        "not a video that OpenCV reads: expected mp4, mkv, webm, avi or mov, whole and not protected";
    Err(LiveError::Open { input: name.to_owned(), reason: reason.to_owned() })
}

fn open_address(address: &str, name: &str) -> Result<VideoCapture, LiveError> {
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
            let reason =
                "no stream there within 10 s: check address, user and password, and that a player opens it";
            Err(LiveError::Device { device: name.to_owned(), reason: reason.to_owned() })
        }
    }
}
