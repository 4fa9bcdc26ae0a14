//! One uploaded video after the other → readings, and an annotated copy where one is asked for.
//! In: ids of videos on the shelf. Out: their progress and readings, on the shelf.
#![expect(clippy::disallowed_methods, reason = "how far a video has come is told with its pace")]

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, atomic::AtomicBool, mpsc::Receiver},
    time::Instant,
};

use fer_base::chain;
use fer_data::Labels;
use fer_stream::{
    Feed, FrameSource, OverlayOptions, StreamError, draw,
    pipeline::{LiveOptions, Shot, Sink, run},
    record::VideoRecorder,
};
use fer_vision::{Analyzer, SmoothOptions};

use super::{
    shelf::{GrowingReadings, Shelf, VideoStage},
    store::write_failed,
};
use crate::{
    problem::{Problem, ProblemKind},
    read::{MakeFinder, inference::Inference},
};

/// Opens video files: where OpenCV, or any other decoder, comes in.
pub trait OpenVideo: Send + Sync {
    /// Opens a file.
    ///
    /// # Errors
    /// [`StreamError::Open`] when it is no video that can be read.
    fn open(&self, path: &Path) -> Result<Box<dyn FrameSource>, StreamError>;
}

impl<F> OpenVideo for F
where
    F: Fn(&Path) -> Result<Box<dyn FrameSource>, StreamError> + Send + Sync,
{
    fn open(&self, path: &Path) -> Result<Box<dyn FrameSource>, StreamError> {
        self(path)
    }
}

/// What reads videos.
pub(crate) struct VideoTools {
    /// Opens a file.
    pub(crate) open: Box<dyn OpenVideo>,
    /// The names drawn on the annotated copy.
    pub(crate) labels: Labels,
    /// Makes a finder for each video.
    pub(crate) make_finder: Arc<MakeFinder>,
    /// The network, shared with all clients.
    pub(crate) inference: Inference,
    /// How readings are steadied.
    pub(crate) smoothing: SmoothOptions,
}

/// The thread: reads one video after the other until the shelf is dropped.
pub(crate) fn read_all(ids: &Receiver<String>, shelf: &Shelf, tools: &VideoTools) {
    for id in ids {
        let result = read_one(&id, shelf, tools);
        shelf.with(&id, |video| {
            video.done = Some(Instant::now());
            video.place.is_read();
            match result {
                Ok((annotated, problem)) => {
                    video.status.stage = VideoStage::Done;
                    video.status.annotated = annotated;
                    video.status.problem = problem.map(|problem| problem.to_json());
                }
                Err(problem) => {
                    video.status.stage = VideoStage::Failed;
                    video.status.problem = Some(problem.to_json());
                }
            }
        });
    }
}

/// Reads one video to its end; whether an annotated copy lies beside it, and why it ended too early if it did.
fn read_one(id: &str, shelf: &Shelf, tools: &VideoTools) -> Result<(bool, Option<Problem>), Problem> {
    let sink = shelf.with(id, |video| VideoSink {
        id: id.to_owned(),
        shelf: shelf.clone(),
        readings: video.readings.clone(),
        stop: video.stop.clone(),
        labels: tools.labels.clone(),
        annotated: video.wants_annotated.then(|| video.place.annotated()),
        original: video.place.original(),
        writer: None,
    });
    // Removed while it waited.
    let Some(mut sink) = sink else { return Ok((false, None)) };
    let source = tools.open.open(&sink.original).map_err(|error| not_a_video(&error))?;
    let info = source.info();
    shelf.with(id, |video| {
        video.status.stage = VideoStage::Reading;
        video.status.n_frames = info.n_frames;
    });
    if let Some(path) = &sink.annotated {
        sink.writer = Some(VideoRecorder::create(path).map_err(|error| failed(&error))?);
    }
    let finder = (tools.make_finder)().map_err(|error| failed(&error.into()))?;
    let analyzer = Analyzer::new(finder, Arc::new(tools.inference.clone()), tools.smoothing);
    let stop = sink.stop.clone();
    let end = run(Feed::once(source), LiveOptions::default(), analyzer, &stop, &mut sink);
    let is_empty = sink.readings.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
    let problem = match end {
        Ok(()) if is_empty => return Err(Problem::new(ProblemKind::NotAVideo, "the file holds no frame")),
        Ok(()) => None,
        // What was read before the damage is worth keeping.
        Err(error @ StreamError::Read { .. }) if !is_empty => Some(not_a_video(&error)),
        Err(error @ StreamError::Write { .. }) => return Err(failed(&error)),
        Err(error) => return Err(not_a_video(&error)),
    };
    let written = sink.writer.take().map_or(Ok(false), |mut writer| writer.finish().map(|()| true));
    written.map(|annotated| (annotated, problem)).map_err(|error| failed(&error))
}

/// The server's path says nothing to the client: only the problem is told.
fn not_a_video(error: &StreamError) -> Problem {
    let detail = match error {
        StreamError::Open { problem, .. } => problem.clone(),
        StreamError::Read { frame, problem, .. } => format!("frame {frame}: {problem}"),
        other => chain(other),
    };
    Problem::new(ProblemKind::NotAVideo, detail)
}

/// An annotated copy that finds the disk full is told like an upload that does.
fn failed(error: &StreamError) -> Problem {
    let StreamError::Write { problem, cause, .. } = error else {
        return Problem::new(ProblemKind::Failed, chain(error));
    };
    let system = cause.as_ref().and_then(|cause| cause.downcast_ref::<std::io::Error>());
    match system.map(write_failed) {
        Some(full) if full.kind == ProblemKind::StorageFull => full,
        _ => Problem::new(ProblemKind::Failed, format!("annotated video: {problem}")),
    }
}

/// Keeps the readings, counts the progress, writes the annotated copy.
struct VideoSink {
    id: String,
    shelf: Shelf,
    readings: GrowingReadings,
    stop: Arc<AtomicBool>,
    original: PathBuf,
    annotated: Option<PathBuf>,
    writer: Option<VideoRecorder>,
    labels: Labels,
}

impl Sink for VideoSink {
    fn shot(&mut self, shot: Shot) -> Result<ControlFlow<()>, StreamError> {
        if let Some(writer) = &mut self.writer {
            let mut picture = shot.frame.picture.clone();
            draw(&shot.reading, &self.labels, &mut picture, &OverlayOptions::default());
            writer.record(&picture, shot.frame.timestamp)?;
        }
        let (width, height) = shot.frame.picture.dimensions();
        self.readings.lock().unwrap_or_else(PoisonError::into_inner).push(shot.reading);
        self.shelf.with(&self.id, |video| {
            video.status.n_read += 1;
            (video.status.width, video.status.height) = (width, height);
        });
        Ok(ControlFlow::Continue(()))
    }

    fn notice(&mut self, _text: &str) {
        // A file has nothing to say between its frames; its end or failure is the run's result.
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_full_disk_is_told_as_such_and_no_path_is_chain() {
        let write = |kind: io::ErrorKind| {
            StreamError::write_for("/tmp/secret.mp4", "not written", io::Error::from(kind))
        };
        assert_eq!(failed(&write(io::ErrorKind::StorageFull)).kind, ProblemKind::StorageFull);
        let other = failed(&write(io::ErrorKind::PermissionDenied));
        assert_eq!(
            (other.kind, other.detail.as_str()),
            (ProblemKind::Failed, "annotated video: not written")
        );
    }
}
