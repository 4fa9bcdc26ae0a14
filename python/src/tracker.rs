//! Frames with time stamps → followed faces, for Python.
//! In: one source's frames in the order of their times. Out: [`FaceRow`]s with tracks and smoothed probabilities.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use fer_vision::{Analyzer, Finder, Frame};
use pyo3::prelude::*;

use crate::detector::DetectorChoice;
use crate::error::ReadError;
use crate::face::{FaceRow, rows};
use crate::input::{Channels, PictureInput};
use crate::reader::NativeReader;
use crate::threads::pool;

/// Follows the faces of one source; used through `fer_rs.Tracker`.
#[pyclass(frozen, module = "fer_rs._native")]
pub(crate) struct NativeTracker {
    source: Mutex<SourceState>,
    detector: DetectorChoice,
    threads: usize,
}

/// One source: what it has shown, and how far it is.
struct SourceState {
    analyzer: Analyzer,
    n_frames: u64,
    last: Duration,
}

#[pymethods]
impl NativeTracker {
    #[new]
    #[pyo3(signature = (reader, half_life=None, margin=None, search_every=None))]
    fn new(
        reader: &Bound<'_, NativeReader>,
        half_life: Option<f64>,
        margin: Option<f32>,
        search_every: Option<f64>,
    ) -> PyResult<Self> {
        let reader = reader.get();
        let (mut finding, mut smoothing) = (reader.finding(), reader.smoothing());
        if let Some(every) = search_every {
            finding.scan_every = seconds("search_every", every)?;
        }
        if let Some(half_life) = half_life {
            smoothing.half_life = seconds("half_life", half_life)?;
        }
        if let Some(margin) = margin.filter(|margin| !(0.0..=1.0).contains(margin)) {
            return Err(ReadError::Option(format!("margin: expected 0 to 1, found {margin}")).into());
        }
        smoothing.margin = margin.unwrap_or(smoothing.margin);
        let detector = reader.frame_detector();
        let finder = Finder::new(detector.build()?, finding);
        let analyzer = Analyzer::new(finder, reader.predictor(), smoothing);
        let source = Mutex::new(SourceState { analyzer, n_frames: 0, last: Duration::ZERO });
        Ok(Self { source, detector, threads: reader.threads() })
    }

    /// Reads the source's next frame, which was taken at `time` seconds.
    fn update(
        &self,
        py: Python<'_>,
        image: &Bound<'_, PyAny>,
        time: f64,
        channels: Option<&str>,
    ) -> PyResult<Vec<FaceRow>> {
        let time = seconds("time", time)?;
        let input = PictureInput::take(image, Channels::parse(channels)?)?;
        let read = || {
            self.detector.refuse_fork()?;
            let pool = pool(self.threads)?;
            // Locked out here: a thread of the pool that waits for its own work may begin another thread's.
            let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
            let source = &mut *source;
            pool.install(|| source.read(input, time))
        };
        Ok(py.detach(read)?)
    }
}

impl SourceState {
    fn read(&mut self, input: PictureInput, time: Duration) -> Result<Vec<FaceRow>, ReadError> {
        if time < self.last {
            let (last, found) = (self.last.as_secs_f64(), time.as_secs_f64());
            return Err(ReadError::Option(format!(
                "time: expected no less than {last} seconds, the last frame's, found {found}: \
                 a Tracker follows one source, take another for another"
            )));
        }
        let frame = Frame { picture: input.picture()?, timestamp: time, index: self.n_frames };
        self.last = time;
        self.n_frames += 1;
        Ok(rows(self.analyzer.analyze(&frame)?))
    }
}

/// A time in seconds, from Python.
fn seconds(name: &str, value: f64) -> Result<Duration, ReadError> {
    Duration::try_from_secs_f64(value)
        .map_err(|_| ReadError::Option(format!("{name}: expected seconds, 0 or more, found {value}")))
}
