//! Detector, classifier and sources whose answers are known in advance.

use std::collections::VecDeque;
use std::time::Duration;

use fer_stream::{FrameSource, SourceInfo, StreamError};
use fer_vision::Frame;
use image::RgbImage;

#[path = "../../../fer-vision/tests/it/fakes.rs"]
mod vision;

pub(crate) use vision::*;

/// What a scripted source does next.
pub(crate) enum Step {
    Frame(RgbImage),
    Fail,
    /// Runs something while the source is asked for its next frame.
    Do(Box<dyn FnOnce() + Send>),
}

/// Does as its script says, then ends. Frames are 40 ms apart.
pub(crate) struct Scripted {
    steps: VecDeque<Step>,
    live: bool,
    index: u64,
}

impl Scripted {
    pub(crate) fn new(live: bool, steps: impl IntoIterator<Item = Step>) -> Self {
        Self { steps: steps.into_iter().collect(), live, index: 0 }
    }
}

impl FrameSource for Scripted {
    fn info(&self) -> SourceInfo {
        SourceInfo {
            name: "scripted".to_owned(),
            live: self.live,
            width: 96,
            height: 64,
            frames_per_second: 25.0,
            n_frames: None,
        }
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, StreamError> {
        loop {
            match self.steps.pop_front() {
                None => return Ok(None),
                Some(Step::Do(act)) => act(),
                Some(Step::Fail) => {
                    return Err(StreamError::device("scripted", "unplugged"));
                }
                Some(Step::Frame(picture)) => {
                    let index = self.index;
                    self.index += 1;
                    let timestamp = Duration::from_millis(40 * index);
                    return Ok(Some(Frame { picture, timestamp, index }));
                }
            }
        }
    }
}
