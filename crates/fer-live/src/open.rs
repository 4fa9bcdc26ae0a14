//! Opening what `--input` means.
//! In: the user's words, or an [`Input`]. Out: a [`FrameSource`], and a way to open it again.

use std::sync::Arc;

use fer_stream::{Feed, FrameSource, StreamError};

use crate::source::{DrawnSource, GifSource, Input, JpegStream, PhotoSource, RawStream, SourceOptions};

/// Opens an input, as [`Input::parse`] reads it.
///
/// # Errors
/// [`StreamError`] when there is no such input, or it cannot be read.
pub fn open(input: &str, options: &SourceOptions) -> Result<Box<dyn FrameSource>, StreamError> {
    open_input(&Input::parse(input)?, options)
}

/// Opens an input.
///
/// # Errors
/// [`StreamError`] when the input cannot be opened.
pub fn open_input(input: &Input, options: &SourceOptions) -> Result<Box<dyn FrameSource>, StreamError> {
    match input {
        Input::Photos(paths) => Ok(Box::new(PhotoSource::new(paths.clone()))),
        Input::Drawn => Ok(Box::new(DrawnSource::live(options))),
        Input::Stdin => Ok(open_stdin(options)),
        Input::Video(path) if GifSource::is_animated(path) => Ok(Box::new(GifSource::open(path)?)),
        Input::Camera(_) | Input::Video(_) | Input::Address(_) => open_video(input, options),
    }
}

/// Opens an input; cameras and addresses come back after a while, the other inputs, once ended, have ended.
///
/// # Errors
/// [`StreamError`] when the input cannot be opened.
pub fn open_feed(input: &Input, options: SourceOptions) -> Result<Feed, StreamError> {
    let source = open_input(input, &options)?;
    let input = input.clone();
    Ok(match input {
        Input::Camera(_) | Input::Address(_) => {
            Feed { source, open_again: Some(Arc::new(move || open_input(&input, &options))) }
        }
        Input::Video(_) | Input::Photos(_) | Input::Stdin | Input::Drawn => Feed::once(source),
    })
}

fn open_stdin(options: &SourceOptions) -> Box<dyn FrameSource> {
    let stdin = std::io::BufReader::with_capacity(1 << 16, std::io::stdin());
    match options.stdin_size {
        Some(size) => Box::new(RawStream::new(stdin, size, options)),
        None => Box::new(JpegStream::new(stdin, options)),
    }
}

#[cfg(feature = "opencv")]
fn open_video(input: &Input, options: &SourceOptions) -> Result<Box<dyn FrameSource>, StreamError> {
    Ok(Box::new(crate::opencv::VideoSource::open(input, options)?))
}

#[cfg(not(feature = "opencv"))]
fn open_video(input: &Input, _: &SourceOptions) -> Result<Box<dyn FrameSource>, StreamError> {
    let problem = "this build has no OpenCV, which reads cameras, videos and addresses: \
                   build with the feature opencv, or give photos, JPEGs on standard input (-), or drawn";
    Err(StreamError::open(input, problem))
}
