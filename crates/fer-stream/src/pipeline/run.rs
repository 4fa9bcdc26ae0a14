//! The pipeline: capture, detection and recognition side by side, readings to a sink in the calling thread.
//! In: a feed, an analyzer, a sink. Out: every [`Shot`] to the sink, in order.
#![expect(clippy::disallowed_methods, reason = "a reading says how long each stage took")]

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use fer_vision::{Analyzer, Finder, Found, Frame, Reader, Reading, Timings};

use super::capture::{Capture, Captured, LiveOptions};
use super::file::FileCapture;
use super::newest::NewestCapture;
use crate::error::StreamError;
use crate::source::Feed;

/// How long any stage waits before it looks whether it should stop.
const TICK: Duration = Duration::from_millis(30);

/// A frame with its reading.
#[derive(Debug)]
pub struct Shot {
    /// The frame, untouched.
    pub frame: Frame,
    /// What it said.
    pub reading: Reading,
    /// When the frame was read from its source.
    pub captured: Instant,
}

/// What readings go to. `Break` ends the run well.
pub trait Sink {
    /// Takes the next frame and its reading.
    ///
    /// # Errors
    /// [`StreamError`] when an output failed; the run ends with it.
    fn shot(&mut self, shot: Shot) -> Result<ControlFlow<()>, StreamError>;

    /// Takes something the user should know.
    fn notice(&mut self, text: &str);

    /// Called when no frame has come for a moment.
    ///
    /// # Errors
    /// [`StreamError`] when an output failed; the run ends with it.
    fn idle(&mut self) -> Result<ControlFlow<()>, StreamError> {
        Ok(ControlFlow::Continue(()))
    }
}

/// What travels between two stages.
enum Message<T> {
    Work(Box<T>),
    Notice(String),
    Failed(StreamError),
}

/// A frame between detection and recognition.
struct Searched {
    frame: Frame,
    found: Found,
    captured: Instant,
    capture_ms: f32,
    detect_ms: f32,
    n_dropped: u64,
}

/// Reads a source to its end, until `stop` is set, or until the sink has enough.
///
/// A live source is always read at its newest frame and, with `open_again`, survives its failures;
/// of any other source no frame is lost.
///
/// # Errors
/// The first [`StreamError`] of a source that failed for good, of a stage, or of the sink.
pub fn run(
    feed: Feed,
    live: LiveOptions,
    analyzer: Analyzer,
    stop: &Arc<AtomicBool>,
    sink: &mut dyn Sink,
) -> Result<(), StreamError> {
    let Analyzer { mut finder, mut reader } = analyzer;
    let is_live = feed.source.info().live;
    // Without queues a live picture stays young; with them the frames of a file are evened out.
    let n_waiting = if is_live { 0 } else { 4 };
    let mut capture: Box<dyn Capture> = if is_live {
        Box::new(NewestCapture::start(feed, live))
    } else {
        Box::new(FileCapture::start(feed.source))
    };
    let (found_sender, found) = sync_channel(n_waiting);
    let (shot_sender, shots) = sync_channel(n_waiting);
    let ended = Arc::clone(stop);
    std::thread::spawn(move || detect(capture.as_mut(), &mut finder, &found_sender, &ended));
    std::thread::spawn(move || recognize(&found, &mut reader, &shot_sender));
    show(&shots, stop, sink)
}

fn detect(
    capture: &mut dyn Capture,
    finder: &mut Finder,
    next: &SyncSender<Message<Searched>>,
    stop: &AtomicBool,
) {
    while !stop.load(Ordering::Relaxed) {
        let message = match capture.next(TICK) {
            None => continue,
            Some(Captured::End) => return,
            Some(Captured::Notice(text)) => Message::Notice(text),
            Some(Captured::Failed(error)) => Message::Failed(error),
            Some(Captured::Frame { frame, captured, capture_ms, n_dropped }) => {
                let start = Instant::now();
                match finder.find(&frame) {
                    Ok(found) => {
                        let detect_ms = ms_since(start);
                        let searched = Searched { frame, found, captured, capture_ms, detect_ms, n_dropped };
                        Message::Work(Box::new(searched))
                    }
                    Err(error) => Message::Failed(error.into()),
                }
            }
        };
        let is_last = matches!(message, Message::Failed(_));
        if next.send(message).is_err() || is_last {
            return;
        }
    }
}

fn recognize(found: &Receiver<Message<Searched>>, reader: &mut Reader, next: &SyncSender<Message<Shot>>) {
    for message in found {
        let message = match message {
            Message::Work(searched) => recognize_one(*searched, reader)
                .map_or_else(Message::Failed, |shot| Message::Work(Box::new(shot))),
            Message::Notice(text) => Message::Notice(text),
            Message::Failed(error) => Message::Failed(error),
        };
        if next.send(message).is_err() {
            return;
        }
    }
}

fn recognize_one(searched: Searched, reader: &mut Reader) -> Result<Shot, StreamError> {
    let Searched { frame, found, captured, capture_ms, detect_ms, n_dropped } = searched;
    let start = Instant::now();
    let mut reading = reader.read(found)?;
    reading.timings = Timings { capture_ms, detect_ms, classify_ms: ms_since(start) };
    reading.n_dropped = n_dropped;
    Ok(Shot { frame, reading, captured })
}

fn show(shots: &Receiver<Message<Shot>>, stop: &AtomicBool, sink: &mut dyn Sink) -> Result<(), StreamError> {
    while !stop.load(Ordering::Relaxed) {
        let flow = match shots.recv_timeout(TICK) {
            Ok(Message::Work(shot)) => sink.shot(*shot)?,
            Ok(Message::Notice(text)) => {
                sink.notice(&text);
                ControlFlow::Continue(())
            }
            Ok(Message::Failed(error)) => return Err(error),
            Err(RecvTimeoutError::Timeout) => sink.idle()?,
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        };
        if flow.is_break() {
            return Ok(());
        }
    }
    Ok(())
}

/// Time since an instant, in ms.
fn ms_since(start: Instant) -> f32 {
    start.elapsed().as_secs_f32() * 1e3
}
