//! Encoded pictures of all clients → found faces with their probabilities.
//! In: jobs. Out: what was seen, by each job's answer; in order for each client.
//! Detector threads decode, find and crop; the one inference thread reads.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use axum::body::Bytes;

use super::{
    inference::Inference,
    metrics::{Metrics, Stage},
    picture,
    problem::{Kind, Problem},
    queue::{Client, Pushed, Queue},
};
use crate::{
    error::LiveError,
    frame::Frame,
    pipeline::{Finder, Found},
};

/// What was seen in one picture.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// Width of the upright picture in pixels.
    pub(super) width: u32,
    /// Height of the upright picture in pixels.
    pub(super) height: u32,
    /// The faces.
    pub(super) found: Found,
    /// Probabilities of each crop of `found`, `[n_crops][n_labels]`.
    pub(super) probabilities: Vec<Vec<f32>>,
    /// How long it took.
    pub(super) times: Times,
}

/// Stage times of one picture, in ms.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub(super) struct Times {
    /// Waiting for a detector.
    pub(super) queue_ms: f32,
    /// Bytes to pixels.
    pub(super) decode_ms: f32,
    /// Pixels to faces.
    pub(super) detect_ms: f32,
    /// The pass of the network that held these faces.
    pub(super) classify_ms: f32,
    /// From arrival to answer.
    pub(super) total_ms: f32,
}

/// Where an answer goes.
pub(super) type Answer = Box<dyn FnOnce(Result<Seen, Problem>) + Send>;

/// What a picture is.
pub(super) enum Task {
    /// A picture alone.
    Photo,
    /// The next frame of a client, looked at with the client's own finder.
    Frame {
        /// Follows the client's faces; the queue lets no second frame of the client use it meanwhile.
        finder: Arc<Mutex<Finder>>,
        /// Time since the client's first frame.
        timestamp: Duration,
        /// The client's number of the frame.
        index: u64,
    },
}

/// One picture to read.
pub(super) struct Job {
    /// The encoded picture.
    pub(super) bytes: Bytes,
    /// What it is.
    pub(super) task: Task,
    /// When it arrived.
    pub(super) arrived: Instant,
    /// Where the answer goes.
    pub(super) answer: Answer,
}

impl Job {
    /// Answers without reading.
    pub(super) fn refuse(self, problem: Problem) {
        (self.answer)(Err(problem));
    }
}

/// The detector threads and the network behind them.
pub(super) struct Engine {
    queue: Arc<Queue<Job>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// What every detector thread shares.
#[derive(Clone)]
struct Shared {
    queue: Arc<Queue<Job>>,
    inference: Inference,
    metrics: Arc<Metrics>,
    max_pixels: u64,
}

impl Engine {
    /// Starts one thread per finder; the finders look at photos.
    ///
    /// # Errors
    /// [`LiveError::Detect`] when no thread can be started.
    pub(super) fn start(
        finders: Vec<Finder>,
        inference: Inference,
        waiting: usize,
        max_pixels: u64,
        metrics: Arc<Metrics>,
    ) -> Result<Self, LiveError> {
        let queue = Arc::new(Queue::new(waiting));
        let shared = Shared { queue: queue.clone(), inference, metrics, max_pixels };
        let threads = finders
            .into_iter()
            .map(|finder| {
                let shared = shared.clone();
                std::thread::Builder::new().name("detector".into()).spawn(move || work(&shared, finder))
            })
            .collect::<Result<_, _>>()
            .map_err(|error| LiveError::Detect(format!("no thread for it: {error}")))?;
        Ok(Self { queue, threads: Mutex::new(threads) })
    }

    /// Adds a job; see [`Queue::push`].
    pub(super) fn push(&self, client: Client, job: Job) -> Pushed<Job> {
        self.queue.push(client, job)
    }

    /// Forgets a client's waiting job; see [`Queue::forget`].
    pub(super) fn forget(&self, client: Client) -> Option<Job> {
        self.queue.forget(client)
    }

    /// How many pictures wait.
    #[must_use]
    pub(super) fn n_waiting(&self) -> usize {
        self.queue.n_waiting()
    }

    /// Refuses what waits, lets the threads finish what they have, and waits for them.
    pub(super) fn stop(&self) {
        for job in self.queue.close() {
            job.refuse(Problem::new(Kind::Stopping, "the server was asked to stop"));
        }
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // A detector that panicked was already answered for in `work`.
            let _ended = thread.join();
        }
    }
}

/// One detector thread: takes jobs until the queue closes.
fn work(shared: &Shared, mut photo_finder: Finder) {
    while let Some((client, job)) = shared.queue.take() {
        let mut times = Times { queue_ms: ms_since(job.arrived), ..Times::default() };
        shared.metrics.stage(Stage::Queue, times.queue_ms);
        // A damaged picture that makes a library panic fails its own request only.
        let seen = catch_unwind(AssertUnwindSafe(|| see(shared, &mut photo_finder, &job, &mut times)))
            .unwrap_or_else(|_| Err(Problem::new(Kind::Failed, "the detector panicked on this picture")));
        match seen {
            Ok((width, height, found)) => {
                let seen = Seen { width, height, found, probabilities: Vec::new(), times };
                read(&shared.inference, seen, job);
            }
            Err(problem) => job.refuse(problem),
        }
        // Only now may the client's next frame start: the network answers in the order of hand-over.
        shared.queue.finish(client);
    }
}

/// Width, height and faces of a picture.
fn see(
    shared: &Shared,
    photo_finder: &mut Finder,
    job: &Job,
    times: &mut Times,
) -> Result<(u32, u32, Found), Problem> {
    let start = Instant::now();
    let picture = picture::decode(&job.bytes, shared.max_pixels)?;
    times.decode_ms = ms_since(start);
    shared.metrics.stage(Stage::Decode, times.decode_ms);
    let (width, height) = picture.dimensions();
    let start = Instant::now();
    let found = match &job.task {
        Task::Photo => photo_finder.find_photo(&picture),
        Task::Frame { finder, timestamp, index } => {
            let frame = Frame { picture, timestamp: *timestamp, index: *index };
            finder.lock().unwrap_or_else(PoisonError::into_inner).find(&frame)
        }
    };
    times.detect_ms = ms_since(start);
    shared.metrics.stage(Stage::Detect, times.detect_ms);
    Ok((width, height, found.map_err(|error| Problem::new(Kind::Failed, error.to_string()))?))
}

/// Hands the faces to the network, which answers the job.
fn read(inference: &Inference, mut seen: Seen, job: Job) {
    let Job { arrived, answer, .. } = job;
    let crops = seen.found.crops();
    inference.submit(
        crops,
        Box::new(move |probabilities| {
            answer(match probabilities {
                Ok(read) => {
                    seen.probabilities = read.rows;
                    seen.times.classify_ms = read.classify_ms;
                    seen.times.total_ms = ms_since(arrived);
                    Ok(seen)
                }
                Err(error) => Err(Problem::new(Kind::Failed, error.to_string())),
            });
        }),
    );
}

/// Time since an instant, in ms.
#[must_use]
pub(super) fn ms_since(start: Instant) -> f32 {
    start.elapsed().as_secs_f32() * 1e3
}
