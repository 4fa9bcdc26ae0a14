//! What every request of the web app shares.
//! In: the running parts. Out: [`App`].
#![expect(clippy::disallowed_methods, reason = "a server knows since when it runs")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use axum::body::Bytes;
use fer_data::Labels;
use fer_vision::SmoothOptions;
use tokio::sync::{Semaphore, oneshot};

use crate::{
    limits::Limits,
    live::hub::Hub,
    problem::{Problem, ProblemKind},
    read::{
        MakeFinder,
        engine::{Engine, PictureJob, Seen, Task},
        queue::{Client, Pushed},
    },
    stop::{Stop, stopping},
    videos::Videos,
};

/// What every request shares.
pub(crate) struct App {
    /// Detector threads and network.
    pub(crate) engine: Engine,
    /// What a client may ask for.
    pub(crate) limits: Limits,
    /// The label set of the network.
    pub(crate) labels: Labels,
    /// How readings are steadied.
    pub(crate) smoothing: SmoothOptions,
    /// Makes a finder for a new client.
    pub(crate) make_finder: Arc<MakeFinder>,
    /// The answer to `GET /v1/model`.
    pub(crate) model: serde_json::Value,
    /// The server's own camera or file, if it has one.
    pub(crate) hub: Option<Arc<Hub>>,
    /// Uploaded videos and their readings.
    pub(crate) videos: Videos,
    /// Turns true when the server shall stop.
    pub(crate) stop: Stop,
    /// Places for browsers that send camera frames.
    pub(crate) browsers: Arc<Semaphore>,
    /// Client numbers given so far.
    pub(crate) clients: AtomicU64,
}

impl App {
    /// A client number that no other client has.
    pub(crate) fn new_client(&self) -> Client {
        self.clients.fetch_add(1, Relaxed)
    }

    /// Reads one picture alone, after those that wait.
    ///
    /// # Errors
    /// [`ProblemKind::Busy`] when too many wait, and what the engine refused.
    pub(crate) async fn read_photo(&self, bytes: Bytes) -> Result<Seen, Problem> {
        let (sender, receiver) = oneshot::channel();
        let answer = Box::new(move |answer| {
            // A client that left needs no answer.
            drop(sender.send(answer));
        });
        let task = Task::Photo { smoothing: self.smoothing };
        let job = PictureJob { bytes, task, arrived: Instant::now(), answer };
        match self.engine.push(self.new_client(), job) {
            Pushed::Waiting | Pushed::Replaced(_) => {}
            Pushed::Full(_) => return Err(self.busy()),
            Pushed::Closed(_) => return Err(stopping()),
        }
        receiver.await.unwrap_or_else(|_| Err(stopping()))
    }

    fn busy(&self) -> Problem {
        let detail = format!("{} pictures wait already: try again in a second", self.limits.waiting);
        Problem::new(ProblemKind::Busy, detail)
    }
}
