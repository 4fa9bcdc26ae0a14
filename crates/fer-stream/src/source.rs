//! Where pictures come from.
//! In: a camera, a file, a stream or a drawing. Out: [`Frame`]s, one after the other.

use std::sync::Arc;

use fer_vision::Frame;

use crate::error::StreamError;

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
    /// [`StreamError`] when the source failed (unplugged, damaged, stalled); it may be asked again.
    fn next_frame(&mut self) -> Result<Option<Frame>, StreamError>;
}

/// Opens a live source again after it failed.
pub type Opener = Arc<dyn Fn() -> Result<Box<dyn FrameSource>, StreamError> + Send + Sync>;

/// A source, and how it comes back.
pub struct Feed {
    /// Where frames come from.
    pub source: Box<dyn FrameSource>,
    /// How a live source is opened again after it failed; without it, its failure is its end.
    pub open_again: Option<Opener>,
}

impl Feed {
    /// A source that is opened once.
    #[must_use]
    pub fn once(source: Box<dyn FrameSource>) -> Self {
        Self { source, open_again: None }
    }
}
