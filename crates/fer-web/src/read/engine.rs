//! Encoded pictures of all clients → readings.
//! In: jobs. Out: what was seen, by each job's answer; in order for each client.
//! Detector threads decode, find and crop; the one inference thread classifies and settles.
#![expect(clippy::disallowed_methods, reason = "a reading says how long each stage took")]

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use axum::body::Bytes;
use fer_base::chain;
use fer_vision::{Classified, Classify, Finder, Found, Frame, Reading, SmoothOptions, Smoother};

use super::{
    inference::{Inference, Views},
    picture,
    queue::{Ask, Client, Pushed, Queue},
};
use crate::{
    limits::Limits,
    problem::{Problem, ProblemKind},
    stop::stopping,
};

/// What was seen in one picture.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// Width of the upright picture in pixels.
    pub(crate) width: u32,
    /// Height of the upright picture in pixels.
    pub(crate) height: u32,
    /// Its faces.
    pub(crate) reading: Reading,
    /// How long it took.
    pub(crate) times: Times,
}

/// Stage times of one picture, in ms.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub(crate) struct Times {
    /// Waiting for a detector.
    pub(crate) queue_ms: f32,
    /// Bytes to pixels.
    pub(crate) decode_ms: f32,
    /// Pixels to faces.
    pub(crate) detect_ms: f32,
    /// The pass of the network that held these faces.
    pub(crate) classify_ms: f32,
    /// From arrival to answer.
    pub(crate) total_ms: f32,
}

/// Where what was seen goes.
type OnSeen = Box<dyn FnOnce(Result<Seen, Problem>) + Send>;

/// What a picture is.
pub(crate) enum Task {
    /// A picture alone.
    Photo {
        /// How its reading is steadied: not at all over time, but a face may be uncertain.
        smoothing: SmoothOptions,
    },
    /// The next frame of a client, looked at with the client's own finder.
    Frame {
        /// Follows the client's faces; the queue lets no second frame of the client use it meanwhile.
        finder: Arc<Mutex<Finder>>,
        /// Steadies the client's readings.
        smoother: Arc<Mutex<Smoother>>,
        /// Time since the client's first frame.
        timestamp: Duration,
        /// The client's number of the frame.
        index: u64,
    },
}

/// One picture to read.
pub(crate) struct PictureJob {
    /// The encoded picture.
    pub(crate) bytes: Bytes,
    /// What it is.
    pub(crate) task: Task,
    /// When it arrived.
    pub(crate) arrived: Instant,
    /// Pictures of the same sender that wait before it.
    pub(crate) n_before: usize,
    /// Where the answer goes.
    pub(crate) answer: OnSeen,
}

impl PictureJob {
    /// Answers without reading.
    pub(crate) fn refuse(self, problem: Problem) {
        (self.answer)(Err(problem));
    }
}

/// The detector threads and the network behind them.
pub(crate) struct Engine {
    queue: Arc<Queue<PictureJob>>,
    max_pixels: u64,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// Gives memory that is no longer used back to the system, if the program's allocator keeps it.
pub type GiveBack = dyn Fn() + Send + Sync;

/// After a picture that needed as much, memory is given back; smaller ones take the place of the last.
const LARGE: u64 = 16 << 20;

/// What every detector thread shares.
#[derive(Clone)]
struct Shared {
    queue: Arc<Queue<PictureJob>>,
    inference: Inference,
    max_pixels: u64,
    give_back: Arc<GiveBack>,
}

impl Engine {
    /// Starts one thread per finder; the finders look at photos.
    ///
    /// # Errors
    /// The system's, when no thread can be started.
    pub(crate) fn start(
        finders: Vec<Finder>,
        inference: Inference,
        limits: &Limits,
        give_back: Arc<GiveBack>,
    ) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::new(limits.waiting, limits.decoded_bytes));
        let max_pixels = limits.pixels;
        let shared = Shared { queue: queue.clone(), inference, max_pixels, give_back };
        let threads = finders
            .into_iter()
            .map(|finder| {
                let shared = shared.clone();
                std::thread::Builder::new().name("detector".into()).spawn(move || work(&shared, finder))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { queue, max_pixels, threads: Mutex::new(threads) })
    }

    /// Adds a job; see [`Queue::push`].
    pub(crate) fn push(&self, client: Client, job: PictureJob) -> Pushed<PictureJob> {
        let n_bytes = picture::need(&job.bytes, self.max_pixels);
        self.queue.push(client, Ask::new(job.arrived, n_bytes, job.n_before), job)
    }

    /// Forgets a client's waiting job; see [`Queue::forget`].
    pub(crate) fn forget(&self, client: Client) -> Option<PictureJob> {
        self.queue.forget(client)
    }

    /// Refuses what waits, lets the threads finish what they have, and waits for them.
    pub(crate) fn stop(&self) {
        for job in self.queue.close() {
            job.refuse(stopping());
        }
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // A detector that panicked was already answered for in `work`.
            drop(thread.join());
        }
    }
}

/// One detector thread: takes jobs until the queue closes.
fn work(shared: &Shared, mut photo_finder: Finder) {
    while let Some((client, job)) = shared.queue.take() {
        let mut times = Times { queue_ms: ms_since(job.arrived), ..Times::default() };
        let is_large = picture::need(&job.bytes, shared.max_pixels) >= LARGE;
        // A damaged picture that makes a library panic fails its own request only.
        let seen = catch_unwind(AssertUnwindSafe(|| see(shared, &mut photo_finder, &job, &mut times)))
            .unwrap_or_else(|_| {
                Err(Problem::new(ProblemKind::Failed, "the detector panicked on this picture"))
            });
        match seen {
            Ok((size, found)) => read(&shared.inference, size, found, times, job),
            Err(problem) => job.refuse(problem),
        }
        // The picture is this thread's own; the body is the system's again as soon as it is dropped.
        if is_large {
            (shared.give_back)();
        }
        // Only now may the client's next frame start: the network answers in the order of hand-over.
        shared.queue.finish(client);
    }
}

/// Size and faces of a picture.
fn see(
    shared: &Shared,
    photo_finder: &mut Finder,
    job: &PictureJob,
    times: &mut Times,
) -> Result<((u32, u32), Found), Problem> {
    let start = Instant::now();
    let picture = picture::decode(&job.bytes, shared.max_pixels)?;
    times.decode_ms = ms_since(start);
    let size = picture.dimensions();
    let start = Instant::now();
    let found = match &job.task {
        Task::Photo { .. } => photo_finder.find_photo(&picture),
        Task::Frame { finder, timestamp, index, .. } => {
            let frame = Frame { picture, timestamp: *timestamp, index: *index };
            finder.lock().unwrap_or_else(PoisonError::into_inner).find(&frame)
        }
    };
    times.detect_ms = ms_since(start);
    Ok((size, found.map_err(|error| Problem::new(ProblemKind::Failed, chain(&error)))?))
}

/// Hands the faces to the network; its thread settles what it read, and answers the job.
fn read(inference: &Inference, size: (u32, u32), found: Found, mut times: Times, job: PictureJob) {
    let PictureJob { arrived, answer, task, .. } = job;
    let face_threshold = inference.face_threshold();
    let views = match &task {
        Task::Photo { .. } => Views::OfPhoto,
        Task::Frame { .. } => Views::OfFrame,
    };
    inference.submit(
        found.crops(),
        views,
        Box::new(move |read| {
            answer(match read {
                Ok(read) => {
                    let reading = settle(task, found, read.rows, face_threshold);
                    times.classify_ms = read.classify_ms;
                    times.total_ms = ms_since(arrived);
                    Ok(Seen { width: size.0, height: size.1, reading, times })
                }
                Err(error) => Err(Problem::new(ProblemKind::Failed, chain(&error))),
            });
        }),
    );
}

fn settle(task: Task, found: Found, rows: Vec<Classified>, face_threshold: f32) -> Reading {
    match task {
        Task::Photo { smoothing } => Smoother::new(smoothing.photo()).settle(found, rows, face_threshold),
        Task::Frame { smoother, .. } => {
            let mut smoother = smoother.lock().unwrap_or_else(PoisonError::into_inner);
            smoother.settle(found, rows, face_threshold)
        }
    }
}

/// Time since an instant, in ms.
fn ms_since(start: Instant) -> f32 {
    start.elapsed().as_secs_f32() * 1e3
}
