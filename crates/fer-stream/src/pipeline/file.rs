//! A file, read in a thread of its own without losing a frame.
//! In: a source. Out: its frames as [`Captured`], in order.
#![expect(clippy::disallowed_methods, reason = "a reading says how long each stage took")]

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use super::capture::{Capture, Captured, captured};
use crate::source::FrameSource;

/// Every frame, in order; the reading thread waits when it is four frames ahead.
pub(super) struct FileCapture {
    frames: Receiver<Captured>,
}

impl FileCapture {
    /// Starts reading.
    pub(super) fn start(source: Box<dyn FrameSource>) -> Self {
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
