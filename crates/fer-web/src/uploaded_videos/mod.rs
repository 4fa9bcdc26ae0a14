//! Uploaded videos: kept while they are read, then only their readings, then nothing.
//! In: a video's bytes. Out: progress, readings, the annotated video; all forgotten after a while.
//! One thread reads one video after the other.

mod reader;
pub(crate) mod routes;
mod shelf;
mod store;

use std::sync::mpsc::{Sender, channel};

pub use self::reader::OpenVideo;
pub(crate) use self::reader::VideoTools;
use self::{
    shelf::{Shelf, Status, Video},
    store::{Store, VideoPlace},
};
use crate::{error::WebError, limits::Limits, problem::Problem};

/// All videos in the server's hands, and the thread that reads them.
pub(crate) struct Videos {
    /// What is known of them.
    pub(crate) shelf: Shelf,
    store: Store,
    next: Sender<String>,
}

impl Videos {
    /// An empty shelf, and its thread that reads one video after the other.
    ///
    /// # Errors
    /// [`WebError::Storage`] when there is no place for files, [`WebError::System`] when no thread can be started.
    pub(crate) fn start(tools: VideoTools, limits: &Limits) -> Result<Self, WebError> {
        let store = Store::open(limits).map_err(WebError::Storage)?;
        let shelf = Shelf::new(limits.video_keep);
        let (next, ids) = channel();
        let read = shelf.clone();
        std::thread::Builder::new()
            .name("videos".into())
            .spawn(move || reader::read_all(&ids, &read, &tools))
            .map_err(|cause| WebError::System { what: "thread", cause })?;
        Ok(Self { shelf, store, next })
    }

    /// A place for a video that is about to be uploaded.
    ///
    /// # Errors
    /// As [`Store::place`].
    pub(crate) fn place(&self) -> Result<VideoPlace, Problem> {
        self.shelf.forget_old();
        self.store.place()
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
