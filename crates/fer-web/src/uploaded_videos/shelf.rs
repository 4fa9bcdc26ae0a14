//! Uploaded videos by their addresses: how far each is, and what was read.
//! In: videos, and their progress. Out: what is told of them; all forgotten after a while.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use fer_vision::Reading;
use serde::Serialize;

use super::store::VideoPlace;
use crate::problem::{Problem, ProblemKind};

/// How far a video is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum VideoStage {
    /// It waits for the videos before it.
    Waiting,
    /// It is being read.
    Reading,
    /// All of it is read.
    Done,
    /// It could not be read to its end.
    Failed,
}

/// What is told of a video.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Status {
    /// The video's address under `/v1/videos/`.
    pub(crate) id: String,
    /// The name the client gave it.
    pub(crate) name: String,
    /// How far it is.
    pub(crate) stage: VideoStage,
    /// Frames read so far.
    pub(crate) n_read: u64,
    /// Frames in all, when the file tells.
    pub(crate) n_frames: Option<u64>,
    /// Width in pixels, 0 until the first frame.
    pub(crate) width: u32,
    /// Height in pixels, 0 until the first frame.
    pub(crate) height: u32,
    /// Whether an annotated video can be fetched.
    pub(crate) annotated: bool,
    /// Why it failed, or ended before its end.
    pub(crate) problem: Option<serde_json::Value>,
}

/// The readings of a video, which grow while it is read.
pub(crate) type GrowingReadings = Arc<Mutex<Vec<Reading>>>;

/// One video of the shelf.
pub(crate) struct Video {
    pub(crate) status: Status,
    pub(crate) readings: GrowingReadings,
    pub(crate) stop: Arc<AtomicBool>,
    pub(crate) wants_annotated: bool,
    pub(crate) place: VideoPlace,
    /// When it was done; from then on its time to be forgotten runs.
    pub(crate) done: Option<Instant>,
}

impl Video {
    /// A video, uploaded whole, that waits to be read.
    #[must_use]
    pub(crate) fn new(id: String, name: String, place: VideoPlace, wants_annotated: bool) -> Self {
        let status = Status {
            id,
            name,
            stage: VideoStage::Waiting,
            n_read: 0,
            n_frames: None,
            width: 0,
            height: 0,
            annotated: false,
            problem: None,
        };
        Self { status, readings: Arc::default(), stop: Arc::default(), wants_annotated, place, done: None }
    }
}

/// All videos in the server's hands.
#[derive(Clone)]
pub(crate) struct Shelf {
    videos: Arc<Mutex<HashMap<String, Video>>>,
    keep: Duration,
}

impl Shelf {
    /// An empty shelf that forgets a video so long after it is done.
    #[must_use]
    pub(crate) fn new(keep: Duration) -> Self {
        Self { videos: Arc::default(), keep }
    }

    /// Puts a video on the shelf.
    pub(crate) fn add(&self, video: Video) {
        self.lock().insert(video.status.id.clone(), video);
    }

    /// Looks at a video and changes it; `None` when it was removed.
    pub(crate) fn with<T>(&self, id: &str, look: impl FnOnce(&mut Video) -> T) -> Option<T> {
        self.lock().get_mut(id).map(look)
    }

    /// What is known of a video.
    ///
    /// # Errors
    /// [`ProblemKind::NotFound`] when it was never there or is forgotten.
    pub(crate) fn status(&self, id: &str) -> Result<Status, Problem> {
        self.lock().get(id).map(|video| video.status.clone()).ok_or_else(|| unknown(id))
    }

    /// The readings of a video that is done.
    ///
    /// # Errors
    /// [`ProblemKind::NotFound`], or [`ProblemKind::NotReady`] while it is read.
    pub(crate) fn readings(&self, id: &str) -> Result<(Status, GrowingReadings), Problem> {
        let videos = self.lock();
        let video = videos.get(id).ok_or_else(|| unknown(id))?;
        if video.status.stage != VideoStage::Done {
            return Err(not_ready(&video.status));
        }
        Ok((video.status.clone(), video.readings.clone()))
    }

    /// The file of the annotated video.
    ///
    /// # Errors
    /// [`ProblemKind::NotFound`] when none was asked for, or [`ProblemKind::NotReady`] while it is written.
    pub(crate) fn annotated(&self, id: &str) -> Result<PathBuf, Problem> {
        let videos = self.lock();
        let video = videos.get(id).ok_or_else(|| unknown(id))?;
        match (video.status.annotated, video.wants_annotated) {
            (true, _) => Ok(video.place.annotated()),
            (false, true) => Err(not_ready(&video.status)),
            (false, false) => Err(Problem::new(
                ProblemKind::NotFound,
                "no annotated video was asked for: upload with ?annotated=true",
            )),
        }
    }

    /// Stops reading a video and removes everything of it.
    ///
    /// # Errors
    /// [`ProblemKind::NotFound`] when it was never there or is forgotten.
    pub(crate) fn remove(&self, id: &str) -> Result<(), Problem> {
        let video = self.lock().remove(id).ok_or_else(|| unknown(id))?;
        video.stop.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Stops reading and removes all videos.
    pub(crate) fn clear(&self) {
        for (_, video) in self.lock().drain() {
            video.stop.store(true, Ordering::Relaxed);
        }
    }

    /// Removes the videos whose time is over.
    pub(crate) fn forget_old(&self) {
        let keep = self.keep;
        self.lock().retain(|_, video| video.done.is_none_or(|done| done.elapsed() < keep));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Video>> {
        self.videos.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unknown(id: &str) -> Problem {
    Problem::new(
        ProblemKind::NotFound,
        format!("there is no video {id}: it was removed, or its time was over"),
    )
}

fn not_ready(status: &Status) -> Problem {
    let detail = match &status.problem {
        Some(problem) => {
            format!("the video could not be read: {}", problem["detail"].as_str().unwrap_or_default())
        }
        None => format!("{} frames are read so far: ask again when the stage is done", status.n_read),
    };
    Problem::new(ProblemKind::NotReady, detail)
}
