//! The newest frame of a live source, which is opened again when it fails or stalls.
//! In: a source, and a way to open it again. Out: [`Captured`] frames and notices.
#![expect(
    clippy::disallowed_methods,
    reason = "live frames have the times at which they come, and a silent camera is opened again"
)]

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fer_vision::Frame;

use super::capture::{Capture, Captured, LiveOptions, captured};
use fer_base::chain;

use crate::error::StreamError;
use crate::source::{Feed, FrameSource, Opener};

/// The newest frame; older ones are dropped and counted. A stalled reader is left behind for a new one.
pub(super) struct NewestCapture {
    slot: Arc<Slot>,
    open_again: Option<Opener>,
    options: LiveOptions,
    heard: Instant,
    n_stalls: u32,
    name: String,
}

impl NewestCapture {
    /// Starts reading in a thread of its own.
    pub(super) fn start(feed: Feed, options: LiveOptions) -> Self {
        let Feed { source, open_again } = feed;
        let slot = Arc::new(Slot::default());
        let name = source.info().name;
        let reader =
            NewestReader { slot: Arc::clone(&slot), generation: 0, open_again: open_again.clone(), options };
        std::thread::spawn(move || reader.run(Some(source)));
        Self { slot, open_again, options, heard: Instant::now(), n_stalls: 0, name }
    }

    /// How long the reader may be silent: opening an address takes longer than waiting for a frame.
    fn patience(&self) -> Duration {
        if self.slot.is_opening() { self.options.open_within } else { self.options.stall_after }
    }

    /// Leaves the silent reader behind and starts another, or gives the source up; one that cannot be
    /// opened again is waited for.
    fn restart(&mut self) -> Captured {
        self.heard = Instant::now();
        self.n_stalls += 1;
        let seconds = self.options.stall_after.as_secs_f32();
        let Some(open_again) = self.open_again.clone() else {
            return Captured::Notice(format!("{}: no frame for {seconds} s, still waiting", self.name));
        };
        if self.n_stalls > self.options.n_attempts {
            let problem = format!("no frame for {seconds} s, given up: is it still connected and sending?");
            return Captured::Failed(StreamError::device(&self.name, problem));
        }
        let generation = self.slot.next_generation();
        let reader = NewestReader {
            slot: Arc::clone(&self.slot),
            generation,
            open_again: Some(open_again),
            options: self.options,
        };
        std::thread::spawn(move || reader.run(None));
        Captured::Notice(format!("{}: no frame for {seconds} s, opening it again", self.name))
    }
}

impl Capture for NewestCapture {
    fn next(&mut self, wait: Duration) -> Option<Captured> {
        let captured = self.slot.take(wait);
        match &captured {
            Some(Captured::Frame { .. }) => {
                self.heard = Instant::now();
                self.n_stalls = 0;
            }
            // A reader that speaks is alive: it is busy opening the source again.
            Some(_) => self.heard = Instant::now(),
            None if self.heard.elapsed() >= self.patience() => return Some(self.restart()),
            None => {}
        }
        captured
    }
}

impl Drop for NewestCapture {
    /// Readers of an older generation stop at their next frame.
    fn drop(&mut self) {
        self.slot.next_generation();
    }
}

/// Reads one live source into the slot until it fails for good or is left behind.
struct NewestReader {
    slot: Arc<Slot>,
    generation: u64,
    open_again: Option<Opener>,
    options: LiveOptions,
}

impl NewestReader {
    fn run(self, source: Option<Box<dyn FrameSource>>) {
        let mut source = source;
        loop {
            let failure = match source.take() {
                Some(mut open) => match self.read(open.as_mut()) {
                    Ok(()) => return,
                    Err(failure) => failure,
                },
                None => None,
            };
            source = match self.reopen(failure) {
                Some(again) => Some(again),
                None => return,
            };
        }
    }

    /// Reads until the source ends (`Err(None)`), fails (`Err(Some)`), or this reader is left behind.
    fn read(&self, source: &mut dyn FrameSource) -> Result<(), Option<StreamError>> {
        loop {
            let start = Instant::now();
            let Some(frame) = source.next_frame()? else { return Err(None) };
            if !self.slot.put(self.generation, frame, start) {
                return Ok(());
            }
        }
    }

    /// The source, opened again, or `None` when it stays away; the slot then holds its end.
    fn reopen(&self, failure: Option<StreamError>) -> Option<Box<dyn FrameSource>> {
        let Some(open_again) = &self.open_again else {
            self.slot.say(self.generation, failure.map_or(Captured::End, Captured::Failed));
            return None;
        };
        if let Some(error) = failure {
            self.slot.say(self.generation, Captured::Notice(chain(&error)));
        }
        let mut last = None;
        for attempt in 1..=self.options.n_attempts {
            self.slot.set_opening(self.generation, true);
            std::thread::sleep(self.options.pause);
            let opened = open_again();
            self.slot.set_opening(self.generation, false);
            match opened {
                Ok(source) => {
                    let notice = format!("{}: open again", source.info().name);
                    return self.slot.say(self.generation, Captured::Notice(notice)).then_some(source);
                }
                Err(error) => {
                    let notice =
                        format!("attempt {attempt} of {}: {}", self.options.n_attempts, chain(&error));
                    if !self.slot.say(self.generation, Captured::Notice(notice)) {
                        return None;
                    }
                    last = Some(error);
                }
            }
        }
        self.slot.say(self.generation, last.map_or(Captured::End, Captured::Failed));
        None
    }
}

/// Where a live reader leaves its newest frame.
#[derive(Default)]
struct Slot {
    state: Mutex<SlotState>,
    filled: Condvar,
}

#[derive(Default)]
struct SlotState {
    generation: u64,
    newest: Option<Captured>,
    said: VecDeque<Captured>,
    is_opening: bool,
    n_frames: u64,
    n_dropped: u64,
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, SlotState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves a frame, or says `false` when this reader was left behind.
    fn put(&self, generation: u64, mut frame: Frame, start: Instant) -> bool {
        let mut state = self.lock();
        if state.generation != generation {
            return false;
        }
        // A source that was opened again counts from 0: the position goes on where it was.
        frame.index = state.n_frames;
        state.n_frames += 1;
        state.n_dropped += u64::from(state.newest.is_some());
        state.newest = Some(captured(frame, start, state.n_dropped));
        self.filled.notify_one();
        true
    }

    fn say(&self, generation: u64, what: Captured) -> bool {
        let mut state = self.lock();
        let is_current = state.generation == generation;
        if is_current {
            state.said.push_back(what);
            self.filled.notify_one();
        }
        is_current
    }

    fn next_generation(&self) -> u64 {
        let mut state = self.lock();
        state.generation += 1;
        state.is_opening = false;
        state.generation
    }

    fn set_opening(&self, generation: u64, is_opening: bool) {
        let mut state = self.lock();
        if state.generation == generation {
            state.is_opening = is_opening;
        }
    }

    fn is_opening(&self) -> bool {
        self.lock().is_opening
    }

    fn take(&self, wait: Duration) -> Option<Captured> {
        let is_empty = |state: &mut SlotState| state.newest.is_none() && state.said.is_empty();
        let waited = self.filled.wait_timeout_while(self.lock(), wait, is_empty);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        // What was said of the source comes before its newest frame, its end after it.
        let is_notice = matches!(state.said.front(), Some(Captured::Notice(_)));
        let newest = if is_notice { None } else { state.newest.take() };
        newest.or_else(|| state.said.pop_front())
    }
}
