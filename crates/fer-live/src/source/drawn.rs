//! The built-in scene of drawn people: something to look at where there is no camera.
//! In: a seed, how many people, a size, a rate. Out: [`Frame`]s, endless in real time or a clip of a length.
#![expect(clippy::disallowed_methods, reason = "a drawn scene plays at its own pace")]

use std::time::{Duration, Instant};

use fer_drawn::Scene;
use fer_stream::{FrameSource, SourceInfo, StreamError};
use fer_vision::Frame;

use super::options::SourceOptions;

/// Picture size unless another is asked for.
const SIZE: (u32, u32) = (640, 480);

/// Frames per second unless another rate is asked for.
const RATE: f64 = 30.0;

/// Drawn people, frame after frame.
pub struct DrawnSource {
    scene: Scene,
    size: (u32, u32),
    rate: f64,
    index: u64,
    /// When a live scene's frame 0 was due; a clip does not wait.
    started: Option<Instant>,
    n_frames: Option<u64>,
}

impl DrawnSource {
    /// An endless scene in real time: frames are given when they are due, late ones are left out.
    #[must_use]
    pub fn live(options: &SourceOptions) -> Self {
        Self { started: Some(options.started), ..Self::clip(options, None) }
    }

    /// The same scene as fast as it is read, for `n_frames` or without end.
    #[must_use]
    pub fn clip(options: &SourceOptions, n_frames: Option<u64>) -> Self {
        let size = options.size.unwrap_or(SIZE);
        let scene = Scene::new(options.seed, options.n_people, size.0, size.1);
        Self { scene, size, rate: options.rate.unwrap_or(RATE), index: 0, started: None, n_frames }
    }
}

impl FrameSource for DrawnSource {
    fn info(&self) -> SourceInfo {
        SourceInfo {
            name: "drawn".to_owned(),
            live: self.started.is_some(),
            width: self.size.0,
            height: self.size.1,
            frames_per_second: self.rate,
            n_frames: self.n_frames,
        }
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, StreamError> {
        if self.n_frames.is_some_and(|n_frames| self.index >= n_frames) {
            return Ok(None);
        }
        if let Some(started) = self.started {
            let due = (started.elapsed().as_secs_f64() * self.rate).ceil() as u64;
            self.index = self.index.max(due);
            let wait =
                Duration::from_secs_f64(self.index as f64 / self.rate).saturating_sub(started.elapsed());
            std::thread::sleep(wait);
        }
        let index = self.index;
        self.index += 1;
        let timestamp = Duration::from_secs_f64(index as f64 / self.rate);
        Ok(Some(Frame { picture: self.scene.frame(timestamp), timestamp, index }))
    }
}
