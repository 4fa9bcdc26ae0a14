//! What every request of the web app shares.
//! In: the running parts. Out: [`App`].
#![expect(clippy::disallowed_methods, reason = "a server knows since when it runs")]

use std::{
    net::IpAddr,
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
        room::Rooms,
        senders::Senders,
    },
    stop::{Stop, stopping},
    uploaded_videos::Videos,
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
    /// Memory for the bodies of all requests.
    pub(crate) rooms: Rooms,
    /// Who has how many pictures waiting.
    pub(crate) senders: Senders,
    /// Client numbers given so far.
    pub(crate) clients: AtomicU64,
}

impl App {
    /// A client number that no other client has.
    pub(crate) fn new_client(&self) -> Client {
        self.clients.fetch_add(1, Relaxed)
    }

    /// Reads one picture alone; small pictures, and those of senders with fewer waiting, go first. One whose
    /// sender no longer waits for the answer is not read.
    ///
    /// # Errors
    /// [`ProblemKind::Busy`] when too many wait, or it would wait too long, and what the engine refused.
    pub(crate) async fn read_photo(&self, sender: IpAddr, bytes: Bytes) -> Result<Seen, Problem> {
        let (seen, receiver) = oneshot::channel();
        let answer = Box::new(move |answer| {
            // A client that left needs no answer.
            drop(seen.send(answer));
        });
        let turn = self.senders.enter(sender);
        let task = Task::Photo { smoothing: self.smoothing };
        let job = PictureJob { bytes, task, arrived: Instant::now(), n_before: turn.n_before(), answer };
        let client = self.new_client();
        let _waiting = AwaitedPicture { engine: &self.engine, client };
        match self.engine.push(client, job) {
            Pushed::Waiting | Pushed::Replaced(_) => {}
            Pushed::Full(_) => return Err(self.busy()),
            Pushed::Closed(_) => return Err(stopping()),
        }
        let seen = tokio::time::timeout(self.limits.answer_time, receiver).await;
        seen.map_err(|_| self.too_many())?.unwrap_or_else(|_| Err(stopping()))
    }

    fn too_many(&self) -> Problem {
        let waited = self.limits.answer_time.as_secs();
        let detail =
            format!("the picture's turn did not come within {waited} s: try again, or scale it down");
        Problem::new(ProblemKind::Busy, detail)
    }

    fn busy(&self) -> Problem {
        let detail = format!("{} pictures wait already: try again in a second", self.limits.waiting);
        Problem::new(ProblemKind::Busy, detail)
    }
}

/// A picture that waits for a detector as long as somebody waits for its answer.
struct AwaitedPicture<'a> {
    engine: &'a Engine,
    client: Client,
}

impl Drop for AwaitedPicture<'_> {
    fn drop(&mut self) {
        drop(self.engine.forget(self.client));
    }
}
