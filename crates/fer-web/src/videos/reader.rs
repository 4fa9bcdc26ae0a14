//! One uploaded video after the other → readings, and an annotated copy where one is asked for.
//! In: ids of videos on the shelf. Out: their progress and readings, on the shelf.

use std::{
    ops::ControlFlow,
    path::PathBuf,
    sync::{Arc, PoisonError, atomic::AtomicBool, mpsc::Receiver},
    time::Instant,
};

use fer_data::Labels;

use super::{
    problem::{Kind, Problem},
    videos::{Readings, Shelf, Stage, Video, VideoTools},
};
use crate::{
    error::LiveError,
    overlay::{OverlayOptions, draw},
    pipeline::{LiveOptions, Shot, Sink, Stages, run},
    record::VideoRecorder,
    smooth::Smoother,
};

/// The thread: reads one video after the other until the shelf is dropped.
pub(super) fn read_all(ids: &Receiver<String>, shelf: &Arc<Shelf>, tools: &VideoTools) {
    for id in ids {
        let result = read_one(&id, shelf, tools);
        change(shelf, &id, |video| {
            video.done = Some(Instant::now());
            // Only the readings are needed from now on.
            let _gone = std::fs::remove_file(video.original());
            match result {
                Ok((annotated, problem)) => {
                    video.status.stage = Stage::Done;
                    video.status.annotated = annotated;
                    video.status.problem = problem.map(|problem| problem.to_json());
                }
                Err(problem) => {
                    video.status.stage = Stage::Failed;
                    video.status.problem = Some(problem.to_json());
                }
            }
        });
    }
}

fn change(shelf: &Shelf, id: &str, apply: impl FnOnce(&mut Video)) {
    if let Some(video) = shelf.lock().unwrap_or_else(PoisonError::into_inner).get_mut(id) {
        apply(video);
    }
}

/// Reads one video to its end; whether an annotated copy lies beside it, and why it ended too early if it did.
fn read_one(id: &str, shelf: &Arc<Shelf>, tools: &VideoTools) -> Result<(bool, Option<Problem>), Problem> {
    let mut sink = {
        let shelf_now = shelf.lock().unwrap_or_else(PoisonError::into_inner);
        // Removed while it waited.
        let Some(video) = shelf_now.get(id) else { return Ok((false, None)) };
        VideoSink {
            id: id.to_owned(),
            shelf: shelf.clone(),
            readings: video.readings.clone(),
            stop: video.stop.clone(),
            labels: tools.labels.clone(),
            annotated: video.wants_annotated.then(|| video.annotated()),
            original: video.original(),
            writer: None,
        }
    };
    let source = (tools.open)(&sink.original).map_err(|error| not_a_video(&error))?;
    let info = source.info();
    change(shelf, id, |video| {
        video.status.stage = Stage::Reading;
        video.status.n_frames = info.n_frames;
    });
    if let Some(path) = &sink.annotated {
        sink.writer = Some(VideoRecorder::create(path).map_err(|error| failed(&error))?);
    }
    let finder = (tools.make_finder)().map_err(|error| failed(&error))?;
    let classifier = Arc::new(tools.inference.clone());
    let stages = Stages { finder, classifier, smoother: Smoother::new(tools.smoothing) };
    let stop = sink.stop.clone();
    let end = run(source, None, LiveOptions::default(), stages, &stop, &mut sink);
    let is_empty = sink.readings.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
    let problem = match end {
        Ok(()) if is_empty => return Err(Problem::new(Kind::NotAVideo, "the file holds no frame")),
        Ok(()) => None,
        // What was read before the damage is worth keeping.
        Err(error @ LiveError::Read { .. }) if !is_empty => Some(not_a_video(&error)),
        Err(error @ LiveError::Write { .. }) => return Err(failed(&error)),
        Err(error) => return Err(not_a_video(&error)),
    };
    let written = sink.writer.take().map_or(Ok(false), |mut writer| writer.finish().map(|()| true));
    written.map(|annotated| (annotated, problem)).map_err(|error| failed(&error))
}

/// The server's path says nothing to the client: only the reason is told.
fn not_a_video(error: &LiveError) -> Problem {
    let detail = match error {
        LiveError::Open { reason, .. } => reason.clone(),
        LiveError::Read { frame, reason, .. } => format!("frame {frame}: {reason}"),
        other => other.to_string(),
    };
    Problem::new(Kind::NotAVideo, detail)
}

fn failed(error: &LiveError) -> Problem {
    let detail = match error {
        LiveError::Write { reason, .. } => format!("annotated video: {reason}"),
        other => other.to_string(),
    };
    Problem::new(Kind::Failed, detail)
}

/// Keeps the readings, counts the progress, writes the annotated copy.
struct VideoSink {
    id: String,
    shelf: Arc<Shelf>,
    readings: Readings,
    stop: Arc<AtomicBool>,
    original: PathBuf,
    annotated: Option<PathBuf>,
    writer: Option<VideoRecorder>,
    labels: Labels,
}

impl Sink for VideoSink {
    fn shot(&mut self, shot: Shot) -> Result<ControlFlow<()>, LiveError> {
        if let Some(writer) = &mut self.writer {
            let mut picture = shot.frame.picture.clone();
            draw(&shot.reading, &self.labels, &mut picture, &OverlayOptions::default());
            writer.record(&picture, shot.frame.timestamp)?;
        }
        let (width, height) = shot.frame.picture.dimensions();
        self.readings.lock().unwrap_or_else(PoisonError::into_inner).push(shot.reading);
        change(&self.shelf, &self.id, |video| {
            video.status.n_read += 1;
            (video.status.width, video.status.height) = (width, height);
        });
        Ok(ControlFlow::Continue(()))
    }

    fn notice(&mut self, _text: &str) {
        // A file has nothing to say between its frames; its end or failure is the run's result.
    }
}
