//! What reading a source gives, whether it is a file or live.
//! In: frames as they are read. Out: [`Captured`] frames and notices.
#![expect(clippy::disallowed_methods, reason = "a reading says how long each stage took")]

use std::time::{Duration, Instant};

use fer_vision::Frame;

use crate::error::StreamError;

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
    Failed(StreamError),
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

/// A frame that was just read.
pub(super) fn captured(frame: Frame, start: Instant, n_dropped: u64) -> Captured {
    let captured = Instant::now();
    let capture_ms = captured.duration_since(start).as_secs_f32() * 1000.0;
    Captured::Frame { frame, captured, capture_ms, n_dropped }
}
