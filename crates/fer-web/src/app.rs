//! What every request of the web app shares.
//! In: the running parts. Out: [`App`].

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use axum::body::Bytes;
use fer_data::Labels;
use tokio::sync::{oneshot, watch};

use super::{
    engine::{Engine, Job, Seen, Task},
    limits::Limits,
    metrics::Metrics,
    problem::{Kind, Problem},
    queue::{Client, Pushed},
    source::Hub,
    videos::Videos,
};
use crate::{error::LiveError, pipeline::Finder, smooth::SmoothOptions};

/// Makes a finder that has seen nothing, for a client or a thread.
pub(super) type MakeFinder = dyn Fn() -> Result<Finder, LiveError> + Send + Sync;

/// What every request shares.
pub(super) struct App {
    /// Detector threads and network.
    pub(super) engine: Engine,
    /// What a client may ask for.
    pub(super) limits: Limits,
    /// Counters.
    pub(super) metrics: Arc<Metrics>,
    /// The label set of the network.
    pub(super) labels: Labels,
    /// How readings of camera frames are steadied.
    pub(super) smoothing: SmoothOptions,
    /// Makes a finder for a new client.
    pub(super) make_finder: Arc<MakeFinder>,
    /// The answer to `GET /v1/model`.
    pub(super) model: serde_json::Value,
    /// The server's own camera or file, if it has one.
    pub(super) source: Option<Arc<Hub>>,
    /// Uploaded videos and their readings.
    pub(super) videos: Videos,
    /// Turns true when the server shall stop.
    pub(super) stop: watch::Receiver<bool>,
    /// Client numbers given so far.
    pub(super) clients: AtomicU64,
}

impl App {
    /// A client number that no other client has.
    pub(super) fn new_client(&self) -> Client {
        self.clients.fetch_add(1, Relaxed)
    }

    /// Reads one picture alone, after those that wait.
    ///
    /// # Errors
    /// [`Kind::Busy`] when too many wait, and what the engine refused.
    pub(super) async fn read_photo(&self, bytes: Bytes) -> Result<Seen, Problem> {
        let (sender, receiver) = oneshot::channel();
        let answer = Box::new(move |answer| {
            // A client that left needs no answer.
            let _unheard = sender.send(answer);
        });
        let job = Job { bytes, task: Task::Photo, arrived: Instant::now(), answer };
        match self.engine.push(self.new_client(), job) {
            Pushed::Waiting | Pushed::Replaced(_) => {}
            Pushed::Full(_) => return Err(self.busy()),
            Pushed::Closed(_) => return Err(stopping()),
        }
        let seen = receiver.await.unwrap_or_else(|_| Err(stopping()))?;
        self.metrics.picture();
        Ok(seen)
    }

    fn busy(&self) -> Problem {
        let detail = format!("{} pictures wait already: try again in a second", self.limits.waiting);
        Problem::new(Kind::Busy, detail)
    }
}

/// The problem of everything that comes after the stop was asked for.
#[must_use]
pub(super) fn stopping() -> Problem {
    Problem::new(Kind::Stopping, "the server was asked to stop")
}

/// Waits until the server shall stop.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A sender that is gone has nobody left to serve for.
    let _stopped = stop.wait_for(|stop| *stop).await;
}
