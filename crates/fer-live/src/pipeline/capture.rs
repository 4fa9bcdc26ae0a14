//! Reading a source in a thread of its own: a file loses no frame, a live source gives its newest.
//! In: a source, and for a live one a way to open it again. Out: [`Captured`] frames and notices.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use super::live_capture::LiveCapture;
use crate::error::LiveError;
use crate::frame::{Frame, FrameSource};

/// Opens a live source again after it failed.
pub type Opener = Arc<dyn Fn() -> Result<Box<dyn FrameSource>, LiveError> + Send + Sync>;

/// What reading a source gives.
#[derive(Debug)]
pub enum Captured {
    /// A frame, when it was read, how long that took in ms, and how many frames were dropped so far.
    Frame {
        /// The frame.
        frame: Frame,
        /// When it was read.
        captured: Instant,
        /// How long reading took, in ms.
        capture_ms: f32,
        /// Frames dropped so far because newer ones had come.
        n_dropped: u64,
    },
    /// Something the user should know; the source goes on.
    Notice(String),
    /// The source has ended well.
    End,
    /// The source has failed for good.
    Failed(LiveError),
}

/// How patient a live source is read.
#[derive(Clone, Copy, Debug)]
pub struct LiveOptions {
    /// A source that gives no frame for this long has stalled.
    pub stall_after: Duration,
    /// A source that is being opened again may take this long to do so.
    pub open_within: Duration,
    /// How often a source that failed or stalled is opened again before it is given up.
    pub n_attempts: u32,
    /// Pause before each attempt.
    pub pause: Duration,
}

impl Default for LiveOptions {
    fn default() -> Self {
        Self {
            stall_after: Duration::from_secs(5),
            open_within: Duration::from_secs(20),
            n_attempts: 5,
            pause: Duration::from_secs(1),
        }
    }
}

/// Gives what a source's thread has read.
pub(super) trait Capture: Send {
    /// The next thing, or `None` when there is none within `wait`.
    fn next(&mut self, wait: Duration) -> Option<Captured>;
}

/// Reads `source` in a thread of its own; `open_again` makes a live source survive its failures.
pub(super) fn start(
    source: Box<dyn FrameSource>,
    open_again: Option<Opener>,
    options: LiveOptions,
) -> Box<dyn Capture> {
    if source.info().live {
        Box::new(LiveCapture::start(source, open_again, options))
    } else {
        Box::new(FileCapture::start(source))
    }
}

/// Every frame, in order; the reading thread waits when it is four frames ahead.
struct FileCapture {
    frames: Receiver<Captured>,
}

impl FileCapture {
    fn start(source: Box<dyn FrameSource>) -> Self {
        let (sender, frames) = sync_channel(4);
        std::thread::spawn(move || read_all(source, &sender));
        Self { frames }
    }
}

impl Capture for FileCapture {
    fn next(&mut self, wait: Duration) -> Option<Captured> {
        match self.frames.recv_timeout(wait) {
            Ok(captured) => Some(captured),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Captured::End),
        }
    }
}

fn read_all(mut source: Box<dyn FrameSource>, sender: &SyncSender<Captured>) {
    loop {
        let start = Instant::now();
        let (captured, is_last) = match source.next_frame() {
            Ok(Some(frame)) => (captured(frame, start, 0), false),
            Ok(None) => (Captured::End, true),
            Err(error) => (Captured::Failed(error), true),
        };
        if sender.send(captured).is_err() || is_last {
            return;
        }
    }
}

/// A frame that was just read.
pub(super) fn captured(frame: Frame, start: Instant, n_dropped: u64) -> Captured {
    let captured = Instant::now();
    let capture_ms = captured.duration_since(start).as_secs_f32() * 1000.0;
    Captured::Frame { frame, captured, capture_ms, n_dropped }
}
