//! Uploaded videos: kept while they are read, then only their readings, then nothing.
//! In: a video's bytes. Out: progress, readings, the annotated video; all forgotten after a while.
//! One thread reads one video after the other.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Sender, channel},
    },
    time::{Duration, Instant},
};

use fer_data::Labels;
use serde::Serialize;
use tempfile::TempDir;

use super::{
    inference::Inference,
    problem::{Kind, Problem},
    state::MakeFinder,
    video_reader::read_all,
};
use crate::{error::LiveError, frame::FrameSource, reading::Reading, smooth::SmoothOptions};

/// Opens a video file.
pub(super) type OpenVideo = dyn Fn(&Path) -> Result<Box<dyn FrameSource>, LiveError> + Send + Sync;

/// What reads videos.
pub(super) struct VideoTools {
    /// Opens a file.
    pub(super) open: Box<OpenVideo>,
    /// The names drawn on the annotated copy.
    pub(super) labels: Labels,
    /// Makes a finder for each video.
    pub(super) make_finder: Arc<MakeFinder>,
    /// The network, shared with all clients.
    pub(super) inference: Inference,
    /// How readings are steadied.
    pub(super) smoothing: SmoothOptions,
}

/// Where a video is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Stage {
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
pub(super) struct Status {
    /// The video's address under `/v1/videos/`.
    pub(super) id: String,
    /// The name the client gave it.
    pub(super) name: String,
    /// Where it is on its way.
    pub(super) stage: Stage,
    /// Frames read so far.
    pub(super) n_read: u64,
    /// Frames in all, when the file tells.
    pub(super) n_frames: Option<u64>,
    /// Width in pixels, 0 until the first frame.
    pub(super) width: u32,
    /// Height in pixels, 0 until the first frame.
    pub(super) height: u32,
    /// Whether an annotated video can be fetched.
    pub(super) annotated: bool,
    /// Why it failed, or ended before its end.
    pub(super) problem: Option<serde_json::Value>,
}

/// Where files live in memory, on systems that have such a place.
const MEMORY: &str = "/dev/shm";

/// How the folder of a video begins; the number of the server's process follows.
const FOLDER: &str = "fer-video-";

/// The readings of a video, which grow while it is read.
pub(super) type Readings = Arc<Mutex<Vec<Reading>>>;

/// All videos by their ids.
pub(super) type Shelf = Mutex<HashMap<String, Video>>;

/// One video of the shelf.
pub(super) struct Video {
    pub(super) status: Status,
    pub(super) readings: Readings,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) wants_annotated: bool,
    folder: TempDir,
    /// When it was done; from then on its time to be forgotten runs.
    pub(super) done: Option<Instant>,
}

impl Video {
    /// The uploaded file.
    pub(super) fn original(&self) -> PathBuf {
        self.folder.path().join("video")
    }

    /// The annotated copy.
    pub(super) fn annotated(&self) -> PathBuf {
        self.folder.path().join("annotated.mp4")
    }
}

/// All videos in the server's hands.
#[derive(Clone)]
pub(super) struct Videos {
    shelf: Arc<Shelf>,
    next: Sender<String>,
    at_once: usize,
    keep: Duration,
}

impl Videos {
    /// An empty shelf, and its thread that reads one video after the other.
    ///
    /// # Errors
    /// The system's, when no thread can be started.
    pub(super) fn start(tools: VideoTools, at_once: usize, keep: Duration) -> std::io::Result<Self> {
        remove_left_behind();
        let (next, ids) = channel();
        let videos = Self { shelf: Arc::default(), next, at_once, keep };
        let shelf = videos.shelf.clone();
        std::thread::Builder::new().name("videos".into()).spawn(move || read_all(&ids, &shelf, &tools))?;
        Ok(videos)
    }

    /// A folder for a new video's file, in memory where the system has such a place.
    ///
    /// # Errors
    /// [`Kind::Busy`] when too many videos wait, [`Kind::Failed`] when there is no place for files.
    pub(super) fn folder(&self) -> Result<(TempDir, PathBuf), Problem> {
        self.forget_old();
        let n_open = self.lock().values().filter(|video| video.done.is_none()).count();
        if n_open >= self.at_once {
            let detail = format!("{n_open} videos are being read already: try again when one is done");
            return Err(Problem::new(Kind::Busy, detail));
        }
        let memory = Path::new(MEMORY);
        let prefix = format!("{FOLDER}{}-", std::process::id());
        let mut builder = tempfile::Builder::new();
        let builder = builder.prefix(&prefix);
        let folder = if memory.is_dir() { builder.tempdir_in(memory) } else { builder.tempdir() };
        let folder = folder
            .or_else(|_| builder.tempdir())
            .map_err(|error| Problem::new(Kind::Failed, format!("no place for the video's file: {error}")))?;
        let path = folder.path().join("video");
        Ok((folder, path))
    }

    /// Puts a video, whose bytes lie in its folder, on the shelf to be read.
    #[must_use]
    pub(super) fn add(&self, id: String, name: String, folder: TempDir, wants_annotated: bool) -> Status {
        let status = Status {
            id: id.clone(),
            name,
            stage: Stage::Waiting,
            n_read: 0,
            n_frames: None,
            width: 0,
            height: 0,
            annotated: false,
            problem: None,
        };
        let video = Video {
            status: status.clone(),
            readings: Arc::default(),
            stop: Arc::default(),
            wants_annotated,
            folder,
            done: None,
        };
        self.lock().insert(id.clone(), video);
        // The thread lives as long as the server; a video it never takes is told as waiting.
        let _sent = self.next.send(id);
        status
    }

    /// What is known of a video.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when it was never there or is forgotten.
    pub(super) fn status(&self, id: &str) -> Result<Status, Problem> {
        self.lock().get(id).map(|video| video.status.clone()).ok_or_else(|| unknown(id))
    }

    /// The readings of a video that is done.
    ///
    /// # Errors
    /// [`Kind::NotFound`], or [`Kind::NotReady`] while it is read.
    pub(super) fn readings(&self, id: &str) -> Result<(Status, Readings), Problem> {
        let shelf = self.lock();
        let video = shelf.get(id).ok_or_else(|| unknown(id))?;
        if video.status.stage != Stage::Done {
            return Err(not_ready(&video.status));
        }
        Ok((video.status.clone(), video.readings.clone()))
    }

    /// The file of the annotated video.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when none was asked for, or [`Kind::NotReady`] while it is written.
    pub(super) fn annotated(&self, id: &str) -> Result<PathBuf, Problem> {
        let shelf = self.lock();
        let video = shelf.get(id).ok_or_else(|| unknown(id))?;
        match (video.status.annotated, video.wants_annotated) {
            (true, _) => Ok(video.annotated()),
            (false, true) => Err(not_ready(&video.status)),
            (false, false) => Err(Problem::new(
                Kind::NotFound,
                "no annotated video was asked for: upload with ?annotated=true",
            )),
        }
    }

    /// Stops reading a video and removes everything of it.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when it was never there or is forgotten.
    pub(super) fn remove(&self, id: &str) -> Result<(), Problem> {
        let video = self.lock().remove(id).ok_or_else(|| unknown(id))?;
        video.stop.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Stops reading and removes all videos.
    pub(super) fn clear(&self) {
        for (_, video) in self.lock().drain() {
            video.stop.store(true, Ordering::Relaxed);
        }
    }

    /// Removes the videos whose time is over.
    pub(super) fn forget_old(&self) {
        let keep = self.keep;
        self.lock().retain(|_, video| video.done.is_none_or(|done| done.elapsed() < keep));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Video>> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes the videos of servers that were killed: their process is gone, so nobody else will.
fn remove_left_behind() {
    let is_gone = |name: &str| {
        let id = name.strip_prefix(FOLDER)?.split('-').next()?.parse::<u32>().ok()?;
        let processes = Path::new("/proc");
        Some(processes.join("self").exists() && !processes.join(id.to_string()).exists())
    };
    for place in [PathBuf::from(MEMORY), std::env::temp_dir()] {
        for entry in std::fs::read_dir(place).into_iter().flatten().flatten() {
            if entry.file_name().to_str().and_then(is_gone) == Some(true) {
                // Another user's folder is not ours to remove.
                let _removed = std::fs::remove_dir_all(entry.path());
            }
        }
    }
}

fn unknown(id: &str) -> Problem {
    Problem::new(Kind::NotFound, format!("there is no video {id}: it was removed, or its time was over"))
}

fn not_ready(status: &Status) -> Problem {
    let detail = match &status.problem {
        Some(problem) => {
            format!("the video could not be read: {}", problem["detail"].as_str().unwrap_or_default())
        }
        None => format!("{} frames are read so far: ask again when the stage is done", status.n_read),
    };
    Problem::new(Kind::NotReady, detail)
}
