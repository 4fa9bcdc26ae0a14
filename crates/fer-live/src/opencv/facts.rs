//! What OpenCV can do here, for `fer-live doctor`.
//! In: nothing. Out: versions, codecs, whether cameras open.

use opencv::prelude::*;
use opencv::videoio::{self, VideoCapture};

use crate::source::Camera;

/// What this OpenCV is and can do.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenCvFacts {
    /// Its version.
    pub version: String,
    /// The lines of its build about FFmpeg, V4L, GStreamer and the window system.
    pub backends: Vec<String>,
}

/// What this OpenCV is and can do.
#[must_use]
pub fn facts() -> OpenCvFacts {
    let version = opencv::core::get_version_string().unwrap_or_else(|_| "unknown".to_owned());
    let build = opencv::core::get_build_information().unwrap_or_default();
    let names = ["FFMPEG:", "avcodec:", "avformat:", "v4l/v4l2:", "GStreamer:", "GTK", "QT:"];
    let is_told = |line: &&str| names.iter().any(|name| line.trim_start().starts_with(name));
    let backends = build.lines().filter(is_told).map(|line| squeeze(line.trim())).collect();
    OpenCvFacts { version, backends }
}

fn squeeze(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// How a camera opened.
#[derive(Clone, Debug, PartialEq)]
pub struct CameraFacts {
    /// Whether it opened and gave a frame.
    pub gives_frames: bool,
    /// Sizes it took of those asked, in pixels, with their nominal rates.
    pub sizes: Vec<(u32, u32, f64)>,
}

/// Opens a camera, reads a frame and asks it for the usual sizes.
#[must_use]
pub fn camera_facts(camera: &Camera) -> CameraFacts {
    let mut found = CameraFacts { gives_frames: false, sizes: Vec::new() };
    let Ok(mut capture) = VideoCapture::new(camera.index, videoio::CAP_V4L2) else { return found };
    let mut frame = opencv::core::Mat::default();
    found.gives_frames = capture.is_opened().unwrap_or(false) && capture.read(&mut frame).unwrap_or(false);
    if !found.gives_frames {
        return found;
    }
    for (width, height) in [(320, 240), (640, 480), (1280, 720), (1920, 1080)] {
        let asked = capture.set(videoio::CAP_PROP_FRAME_WIDTH, f64::from(width)).is_ok()
            && capture.set(videoio::CAP_PROP_FRAME_HEIGHT, f64::from(height)).is_ok();
        let get = |property| capture.get(property).unwrap_or(0.0);
        let taken = (get(videoio::CAP_PROP_FRAME_WIDTH) as u32, get(videoio::CAP_PROP_FRAME_HEIGHT) as u32);
        if asked && taken == (width, height) {
            found.sizes.push((width, height, get(videoio::CAP_PROP_FPS)));
        }
    }
    found
}
