//! What `--input` means, and opening it.
//! In: the user's words. Out: an [`Input`], a [`FrameSource`].

mod camera_names;
mod drawn;
mod input;
mod jpeg_stream;
mod photo;
mod raw_stream;

use std::time::Instant;

pub use camera_names::{Camera, cameras};
pub use drawn::DrawnSource;
pub use input::Input;
pub use jpeg_stream::JpegStream;
pub use photo::{PhotoSource, read_photo};
pub use raw_stream::RawStream;

use crate::error::LiveError;
use crate::frame::FrameSource;

/// What the sources are told beside their name.
#[derive(Clone, Copy, Debug)]
pub struct SourceOptions {
    /// When the program's time began: live sources count from here, also when they are opened again.
    pub started: Instant,
    /// Picture size asked of a camera, or of the drawn scene, in pixels.
    pub size: Option<(u32, u32)>,
    /// Frames per second asked of a camera or a drawn scene, or those of a recorded stream on standard input.
    pub rate: Option<f64>,
    /// Size of raw RGB frames on standard input, in pixels; without it they are JPEGs.
    pub stdin_size: Option<(u32, u32)>,
    /// How many people the drawn scene shows.
    pub n_people: usize,
    /// The drawn scene's seed.
    pub seed: u64,
}

impl SourceOptions {
    /// Nothing asked for: cameras as they are, one drawn person.
    #[must_use]
    pub fn new(started: Instant) -> Self {
        Self { started, size: None, rate: None, stdin_size: None, n_people: 1, seed: 1 }
    }
}

/// Opens an input, as [`Input::parse`] reads it.
///
/// # Errors
/// [`LiveError`] when there is no such input, or it cannot be read.
pub fn open(input: &str, options: &SourceOptions) -> Result<Box<dyn FrameSource>, LiveError> {
    open_input(&Input::parse(input)?, options)
}

/// Opens an input.
///
/// # Errors
/// [`LiveError`] when the input cannot be opened.
pub fn open_input(input: &Input, options: &SourceOptions) -> Result<Box<dyn FrameSource>, LiveError> {
    match input {
        Input::Photos(paths) => Ok(Box::new(PhotoSource::new(paths.clone()))),
        Input::Drawn => Ok(Box::new(DrawnSource::live(options))),
        Input::Stdin => Ok(open_stdin(options)),
        Input::Camera(_) | Input::Video(_) | Input::Address(_) => open_video(input, options),
    }
}

fn open_stdin(options: &SourceOptions) -> Box<dyn FrameSource> {
    let stdin = std::io::BufReader::with_capacity(1 << 16, std::io::stdin());
    match options.stdin_size {
        Some(size) => Box::new(RawStream::new(stdin, size, options)),
        None => Box::new(JpegStream::new(stdin, options)),
    }
}

#[cfg(feature = "opencv")]
fn open_video(input: &Input, options: &SourceOptions) -> Result<Box<dyn FrameSource>, LiveError> {
    Ok(Box::new(crate::opencv::VideoSource::open(input, options)?))
}

#[cfg(not(feature = "opencv"))]
fn open_video(input: &Input, _: &SourceOptions) -> Result<Box<dyn FrameSource>, LiveError> {
    let reason = "this build has no OpenCV, which reads cameras, videos and addresses: \
                  build with the feature opencv, or give photos, JPEGs on standard input (-), or drawn";
    Err(LiveError::Open { input: input.to_string(), reason: reason.to_owned() })
}
