//! Pictures of all clients, waiting for a detector.
//! In: jobs with their client. Out: the next job whose client has none in work.
//! Bounded; a client's newer job takes the place of its older one.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Condvar, Mutex, MutexGuard},
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

struct Waiting<J> {
    waiting: VecDeque<(Client, J)>,
    in_work: HashSet<Client>,
    closed: bool,
}

/// A bounded queue, fair to clients: at most one job of a client waits and one is in work,
/// so that a client's answers come in the order of its frames.
pub(crate) struct Queue<J> {
    state: Mutex<Waiting<J>>,
    ready: Condvar,
    capacity: usize,
}

impl<J> Queue<J> {
    /// An empty queue for at most `capacity` waiting jobs.
    #[must_use]
    pub(crate) fn new(capacity: usize) -> Self {
        let state = Waiting { waiting: VecDeque::new(), in_work: HashSet::new(), closed: false };
        Self { state: Mutex::new(state), ready: Condvar::new(), capacity }
    }

    /// Adds a job, or puts it in the place of the client's waiting one.
    pub(crate) fn push(&self, client: Client, job: J) -> Pushed<J> {
        let mut state = self.lock();
        if state.closed {
            return Pushed::Closed(job);
        }
        if let Some((_, older)) = state.waiting.iter_mut().find(|(owner, _)| *owner == client) {
            return Pushed::Replaced(std::mem::replace(older, job));
        }
        if state.waiting.len() >= self.capacity {
            return Pushed::Full(job);
        }
        state.waiting.push_back((client, job));
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
            let free = state.waiting.iter().position(|(client, _)| !state.in_work.contains(client));
            if let Some((client, job)) = free.and_then(|idx| state.waiting.remove(idx)) {
                state.in_work.insert(client);
                return Some((client, job));
            }
            state = self.ready.wait(state).expect("no holder of the queue panics");
        }
    }

    /// The client's job is done: its next one may be taken.
    pub(crate) fn finish(&self, client: Client) {
        self.lock().in_work.remove(&client);
        self.ready.notify_one();
    }

    /// Forgets a client's waiting job, when the client has gone.
    pub(crate) fn forget(&self, client: Client) -> Option<J> {
        let mut state = self.lock();
        let idx = state.waiting.iter().position(|(owner, _)| *owner == client)?;
        state.waiting.remove(idx).map(|(_, job)| job)
    }

    /// Ends every [`Queue::take`] and hands back what still waited.
    pub(crate) fn close(&self) -> Vec<J> {
        let mut state = self.lock();
        state.closed = true;
        let rest = state.waiting.drain(..).map(|(_, job)| job).collect();
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

    #[test]
    fn a_newer_frame_takes_the_place_of_the_older_one() {
        let queue = Queue::new(2);
        assert_eq!(queue.push(1, "a1"), Pushed::Waiting);
        assert_eq!(queue.push(2, "b1"), Pushed::Waiting);
        assert_eq!(queue.push(1, "a2"), Pushed::Replaced("a1"));
        assert_eq!(queue.take(), Some((1, "a2")), "the place in the queue is kept");
        assert_eq!(queue.take(), Some((2, "b1")));
    }

    #[test]
    fn a_full_queue_hands_the_job_back() {
        let queue = Queue::new(1);
        assert_eq!(queue.push(1, 'a'), Pushed::Waiting);
        assert_eq!(queue.push(2, 'b'), Pushed::Full('b'));
        assert_eq!(queue.push(1, 'c'), Pushed::Replaced('a'), "its own place is not a new one");
    }

    #[test]
    fn a_client_has_one_job_in_work_at_a_time() {
        let queue = Queue::new(4);
        queue.push(1, "a1");
        assert_eq!(queue.take(), Some((1, "a1")));
        queue.push(1, "a2");
        queue.push(2, "b1");
        assert_eq!(queue.take(), Some((2, "b1")), "client 1 is in work, so client 2 goes first");
        queue.finish(1);
        assert_eq!(queue.take(), Some((1, "a2")));
    }

    #[test]
    fn closing_ends_the_workers_and_hands_back_what_waited() {
        let queue = Queue::new(4);
        queue.push(1, 'a');
        assert_eq!(queue.close(), ['a']);
        assert_eq!(queue.take(), None);
        assert_eq!(queue.push(1, 'b'), Pushed::Closed('b'));
    }

    #[test]
    fn a_client_that_left_has_nothing_waiting() {
        let queue = Queue::new(4);
        queue.push(1, 'a');
        assert_eq!(queue.forget(1), Some('a'));
        assert_eq!(queue.forget(1), None);
    }
}
