//! Pictures of all clients, waiting for a detector.
//! In: jobs with their client, and what they ask for. Out: the next job whose client has none in work.
//! Bounded in number, and in the memory of what is in work; a client's newer job takes the place of its older
//! one, and small pictures go before large ones.

use std::{
    collections::HashMap,
    sync::{Condvar, Mutex, MutexGuard},
    time::{Duration, Instant},
};

/// Who a job belongs to; unique for the life of the server.
pub(crate) type Client = u64;

/// What became of a pushed job.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Pushed<J> {
    /// It waits.
    Waiting,
    /// It waits in the place of this older job of the same client.
    Replaced(J),
    /// The queue is full: here it is again.
    Full(J),
    /// The server is stopping: here it is again.
    Closed(J),
}

/// What a job asks for: its place in the order, and room in memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask {
    /// When it is due; of two jobs the one that is due first goes first.
    pub(crate) due: Instant,
    /// Bytes of memory that it needs while it is in work.
    pub(crate) n_bytes: u64,
}

/// Pictures that need no more than this are all alike: whoever sends small frames is not served before whoever
/// sends middling ones.
const SMALL_MIB: u64 = 16;

/// Patience asked of a picture for each MiB that it needs beyond: a phone's photo does not wait for forty of fifty
/// megapixels, and a large one is overtaken only by what comes within its patience.
const PATIENCE_PER_MIB: Duration = Duration::from_millis(100);

/// Patience asked for each picture that the sender has waiting already: about the time that reading one takes.
const TURN: Duration = Duration::from_millis(100);

impl Ask {
    /// Of a picture that arrived at a time, needs so much memory, and whose sender has so many waiting before it.
    pub(crate) fn new(arrived: Instant, n_bytes: u64, n_before: usize) -> Self {
        let n_mib = u32::try_from((n_bytes >> 20).saturating_sub(SMALL_MIB)).unwrap_or(u32::MAX);
        let turns = TURN.saturating_mul(u32::try_from(n_before).unwrap_or(u32::MAX));
        Self { due: arrived + PATIENCE_PER_MIB.saturating_mul(n_mib) + turns, n_bytes }
    }
}

struct Waiting<J> {
    waiting: Vec<(Client, Ask, J)>,
    /// The memory of each client's job in work.
    in_work: HashMap<Client, u64>,
    closed: bool,
}

impl<J> Waiting<J> {
    /// The job that is due first among those of clients with none in work, once there is room for it. While
    /// there is none, nothing overtakes it: else a large one would wait for ever.
    fn next(&self) -> Option<(Client, u64)> {
        let free = |(client, ..): &&(Client, Ask, J)| !self.in_work.contains_key(client);
        let (client, ask, _) = self.waiting.iter().filter(free).min_by_key(|(_, ask, _)| ask.due)?;
        Some((*client, ask.n_bytes))
    }

    fn has_room(&self, n_bytes: u64, most_bytes: u64) -> bool {
        let used: u64 = self.in_work.values().sum();
        used == 0 || used.saturating_add(n_bytes) <= most_bytes
    }

    fn remove(&mut self, client: Client) -> Option<J> {
        let idx = self.waiting.iter().position(|(owner, ..)| *owner == client)?;
        Some(self.waiting.remove(idx).2)
    }
}

/// A bounded queue, fair to clients: at most one job of a client waits and one is in work,
/// so that a client's answers come in the order of its frames.
pub(crate) struct Queue<J> {
    state: Mutex<Waiting<J>>,
    ready: Condvar,
    capacity: usize,
    most_bytes: u64,
}

impl<J> Queue<J> {
    /// An empty queue for at most `capacity` waiting jobs; those in work need at most `most_bytes` of memory
    /// together, and one that needs more is in work alone.
    #[must_use]
    pub(crate) fn new(capacity: usize, most_bytes: u64) -> Self {
        let state = Waiting { waiting: Vec::new(), in_work: HashMap::new(), closed: false };
        Self { state: Mutex::new(state), ready: Condvar::new(), capacity, most_bytes }
    }

    /// Adds a job, or puts it in the place of the client's waiting one.
    pub(crate) fn push(&self, client: Client, ask: Ask, job: J) -> Pushed<J> {
        let mut state = self.lock();
        if state.closed {
            return Pushed::Closed(job);
        }
        if let Some((_, asked, older)) = state.waiting.iter_mut().find(|(owner, ..)| *owner == client) {
            *asked = Ask { due: asked.due.min(ask.due), ..ask };
            return Pushed::Replaced(std::mem::replace(older, job));
        }
        if state.waiting.len() >= self.capacity {
            return Pushed::Full(job);
        }
        state.waiting.push((client, ask, job));
        drop(state);
        self.ready.notify_one();
        Pushed::Waiting
    }

    /// Waits for a job and marks its client as in work until [`Queue::finish`]; `None` once closed.
    pub(crate) fn take(&self) -> Option<(Client, J)> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some((client, n_bytes)) = state.next()
                && state.has_room(n_bytes, self.most_bytes)
                && let Some(job) = state.remove(client)
            {
                state.in_work.insert(client, n_bytes);
                return Some((client, job));
            }
            state = self.ready.wait(state).expect("no holder of the queue panics");
        }
    }

    /// The client's job is done: its next one may be taken, and others have its room.
    pub(crate) fn finish(&self, client: Client) {
        self.lock().in_work.remove(&client);
        self.ready.notify_all();
    }

    /// Forgets a client's waiting job, when the client has gone.
    pub(crate) fn forget(&self, client: Client) -> Option<J> {
        let mut state = self.lock();
        let job = state.remove(client);
        drop(state);
        // It may have been the one for which there was no room.
        self.ready.notify_all();
        job
    }

    /// Ends every [`Queue::take`] and hands back what still waited.
    pub(crate) fn close(&self) -> Vec<J> {
        let mut state = self.lock();
        state.closed = true;
        let rest = state.waiting.drain(..).map(|(.., job)| job).collect();
        drop(state);
        self.ready.notify_all();
        rest
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<J>> {
        self.state.lock().expect("no holder of the queue panics")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A queue, and what jobs ask for: a second for each, and memory.
    struct Fixture {
        queue: Queue<&'static str>,
        start: Instant,
    }

    impl Fixture {
        #[expect(clippy::disallowed_methods, reason = "an instant can only be had from the clock")]
        fn new(capacity: usize, most_mib: u64) -> Self {
            Self { queue: Queue::new(capacity, most_mib << 20), start: Instant::now() }
        }

        fn push(&self, client: Client, second: u64, n_mib: u64, job: &'static str) -> Pushed<&'static str> {
            let ask = Ask::new(self.start + Duration::from_secs(second), n_mib << 20, 0);
            self.queue.push(client, ask, job)
        }
    }

    #[test]
    fn a_newer_frame_takes_the_place_of_the_older_one() {
        let f = Fixture::new(2, 100);
        assert_eq!(f.push(1, 0, 1, "a1"), Pushed::Waiting);
        assert_eq!(f.push(2, 1, 1, "b1"), Pushed::Waiting);
        assert_eq!(f.push(1, 2, 1, "a2"), Pushed::Replaced("a1"));
        assert_eq!(f.queue.take(), Some((1, "a2")), "the place in the queue is kept");
        assert_eq!(f.queue.take(), Some((2, "b1")));
    }

    #[test]
    fn a_full_queue_hands_the_job_back() {
        let f = Fixture::new(1, 100);
        assert_eq!(f.push(1, 0, 1, "a"), Pushed::Waiting);
        assert_eq!(f.push(2, 0, 1, "b"), Pushed::Full("b"));
        assert_eq!(f.push(1, 0, 1, "c"), Pushed::Replaced("a"), "its own place is not a new one");
    }

    #[test]
    fn a_client_has_one_job_in_work_at_a_time() {
        let f = Fixture::new(4, 100);
        f.push(1, 0, 1, "a1");
        assert_eq!(f.queue.take(), Some((1, "a1")));
        f.push(1, 1, 1, "a2");
        f.push(2, 2, 1, "b1");
        assert_eq!(f.queue.take(), Some((2, "b1")), "client 1 is in work, so client 2 goes first");
        f.queue.finish(1);
        assert_eq!(f.queue.take(), Some((1, "a2")));
    }

    #[test]
    fn a_photo_goes_before_forty_large_ones_that_came_earlier() {
        let f = Fixture::new(64, 1000);
        for client in 0..40 {
            f.push(client, 0, 280, "7000 x 7000");
        }
        f.push(40, 20, 72, "12 megapixels");
        f.push(41, 20, 2, "a frame");
        assert_eq!(f.queue.take(), Some((41, "a frame")));
        assert_eq!(f.queue.take(), Some((40, "12 megapixels")));
        // Those who come for minutes do not keep a large one from its turn.
        f.push(42, 200, 2, "a late frame");
        assert_eq!(f.queue.take(), Some((0, "7000 x 7000")));
    }

    #[test]
    fn a_photo_of_the_same_sender_goes_before_its_forty_large_ones_too() {
        let f = Fixture::new(64, 1000);
        for n in 0..40 {
            f.queue.push(n as Client, Ask::new(f.start, 280 << 20, n), "7000 x 7000");
        }
        f.queue.push(40, Ask::new(f.start + Duration::from_secs(1), 72 << 20, 40), "12 megapixels");
        assert_eq!(f.queue.take(), Some((40, "12 megapixels")));
    }

    #[test]
    fn a_sender_of_many_lets_the_others_have_their_turns() {
        let f = Fixture::new(64, 1000);
        for n in 0..5 {
            f.queue.push(n as Client, Ask::new(f.start, 1 << 20, n), "one of many");
        }
        let later = f.start + Duration::from_millis(1);
        f.queue.push(9, Ask::new(later, 1 << 20, 0), "the only one");
        assert_eq!(f.queue.take(), Some((0, "one of many")));
        assert_eq!(f.queue.take(), Some((9, "the only one")));
    }

    #[test]
    fn what_is_in_work_stays_within_the_memory_and_a_large_one_works_alone() {
        let f = Fixture::new(8, 100);
        let taken = |f: &Fixture| {
            let state = f.queue.lock();
            state.next().is_some_and(|(_, n_bytes)| state.has_room(n_bytes, 100 << 20))
        };
        f.push(1, 0, 60, "a");
        f.push(2, 1, 60, "b");
        assert_eq!(f.queue.take(), Some((1, "a")));
        assert!(!taken(&f), "60 and 60 are more than 100");
        f.queue.finish(1);
        assert_eq!(f.queue.take(), Some((2, "b")));
        f.push(3, 2, 500, "large");
        f.push(4, 300, 1, "small, but due later");
        assert!(!taken(&f), "the large one waits for its turn and is not overtaken");
        f.queue.finish(2);
        assert_eq!(f.queue.take(), Some((3, "large")), "alone");
        assert!(!taken(&f));
        f.queue.finish(3);
        assert_eq!(f.queue.take(), Some((4, "small, but due later")));
    }

    #[test]
    fn closing_ends_the_workers_and_hands_back_what_waited() {
        let f = Fixture::new(4, 100);
        f.push(1, 0, 1, "a");
        assert_eq!(f.queue.close(), ["a"]);
        assert_eq!(f.queue.take(), None);
        assert_eq!(f.push(1, 0, 1, "b"), Pushed::Closed("b"));
    }

    #[test]
    fn a_client_that_left_has_nothing_waiting() {
        let f = Fixture::new(4, 100);
        f.push(1, 0, 1, "a");
        assert_eq!(f.queue.forget(1), Some("a"));
        assert_eq!(f.queue.forget(1), None);
    }
}
