//! One picture with its time, and where pictures come from.
//! In: a camera, a file, a stream or a drawing. Out: [`Frame`]s, one after the other.

use std::time::Duration;

use image::RgbImage;

use crate::error::LiveError;

/// One picture of a source, with its place in time.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The picture, 8-bit RGB, never drawn on: overlays work on a copy.
    pub picture: RgbImage,
    /// Time since the start of the source: the container's own for files, the clock's for live sources.
    pub timestamp: Duration,
    /// Position in the source, from 0; a live source counts dropped frames too.
    pub index: u64,
}

/// What is known of a source before its first frame.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceInfo {
    /// The name as the user wrote it, for CSV rows and messages.
    pub name: String,
    /// Whether frames arrive in real time: a live source drops old frames, a file loses none.
    pub live: bool,
    /// Frame width in pixels, 0 when unknown.
    pub width: u32,
    /// Frame height in pixels, 0 when unknown.
    pub height: u32,
    /// Nominal frames per second, 0 when unknown.
    pub frames_per_second: f64,
    /// How many frames there are, when known.
    pub n_frames: Option<u64>,
}

/// Where frames come from.
pub trait FrameSource: Send {
    /// What is known of the source.
    fn info(&self) -> SourceInfo;

    /// The next frame, or `None` at the end.
    ///
    /// # Errors
    /// [`LiveError`] when the source failed (unplugged, damaged, stalled); it may be asked again.
    fn next_frame(&mut self) -> Result<Option<Frame>, LiveError>;
}
