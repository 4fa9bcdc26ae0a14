//! Uploaded videos: kept while they are read, then only their readings, then nothing.
//! In: a video's bytes. Out: progress, readings, the annotated video; all forgotten after a while.
//! One thread reads one video after the other.

mod reader;
mod room;
pub(crate) mod routes;
mod shelf;

use std::{
    io,
    path::Path,
    sync::{
        Arc,
        mpsc::{Sender, channel},
    },
};

use fer_data::Labels;
use fer_stream::{FrameSource, StreamError};
use fer_vision::SmoothOptions;

use self::{
    room::{Place, Room},
    shelf::{Shelf, Status, Video},
};
use crate::{
    limits::Limits,
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

/// All videos in the server's hands, and the thread that reads them.
pub(crate) struct Videos {
    /// What is known of them.
    pub(crate) shelf: Shelf,
    room: Room,
    next: Sender<String>,
}

impl Videos {
    /// An empty shelf, and its thread that reads one video after the other.
    ///
    /// # Errors
    /// The system's, when there is no place for files or no thread can be started.
    pub(crate) fn start(tools: VideoTools, limits: &Limits) -> io::Result<Self> {
        let room = Room::open(limits)?;
        let shelf = Shelf::new(limits.video_keep);
        let (next, ids) = channel();
        let read = shelf.clone();
        std::thread::Builder::new()
            .name("videos".into())
            .spawn(move || reader::read_all(&ids, &read, &tools))?;
        Ok(Self { shelf, room, next })
    }

    /// A place for a video that is about to be uploaded.
    ///
    /// # Errors
    /// As [`Room::place`].
    pub(crate) fn place(&self) -> Result<Place, crate::problem::Problem> {
        self.shelf.forget_old();
        self.room.place()
    }

    /// Puts a video, whose bytes lie in its place, on the shelf to be read.
    pub(crate) fn add(&self, video: Video) -> Status {
        let status = video.status.clone();
        self.shelf.add(video);
        // The thread lives as long as the server; a video it never takes is told as waiting.
        drop(self.next.send(status.id.clone()));
        status
    }
}
