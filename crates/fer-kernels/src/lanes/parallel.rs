//! A range of work, shared out among threads.
//! In: a number of items and how many make a task. Out: calls with sub-ranges.

use std::cell::Cell;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rayon::prelude::*;

/// Floats that one task of an element-wise pass covers: long enough to pay for the hand-over, short enough to share fairly.
pub(crate) const TASK_FLOATS: usize = 1 << 15;

/// Calls `work` for every range of at most `per_task` items, and returns the results in order.
///
/// The ranges depend on the two numbers alone, so that sums over them are the same for every number of threads.
/// Idle threads take the next range: a thread that is held up by another process delays one range, not half of the work.
pub(crate) fn map_ranges<R: Send>(
    n: usize,
    per_task: usize,
    work: impl Fn(Range<usize>) -> R + Sync,
) -> Vec<R> {
    let per_task = per_task.max(1);
    let range = |task: usize| task * per_task..((task + 1) * per_task).min(n);
    let tasks = 0..n.div_ceil(per_task);
    if tasks.len() > 1 && several_threads() {
        tasks.into_par_iter().with_max_len(1).map(|task| work(range(task))).collect()
    } else {
        tasks.map(|task| work(range(task))).collect()
    }
}

/// Calls `task` with every number below `n`, each once, on all threads.
pub(crate) fn share_out(n: usize, task: impl Fn(usize) + Sync) {
    if n < 2 || !several_threads() {
        (0..n).for_each(task);
    } else if LEADS.get() {
        share_with_helpers(n, &task);
    } else {
        (0..n).into_par_iter().with_max_len(1).for_each(&task);
    }
}

thread_local! {
    /// Whether this thread is the one that [`with_helpers`] runs work on.
    static LEADS: Cell<bool> = const { Cell::new(false) };
}

/// Whether some thread leads.
static IS_LED: AtomicBool = AtomicBool::new(false);

/// Runs work that calls many kernels, with threads of the pool awake and waiting for them until it is done.
///
/// One face takes less than a millisecond, in which each layer wants all threads for a while. To wake a thread takes a
/// tenth of that, and a call from outside the pool wakes two: one that computes, and in the end the caller. So the caller
/// computes, and the others wait without sleeping.
///
/// One such work at a time: a second one is handed to the pool, and whoever is on the pool stays there.
pub fn with_helpers<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    if !several_threads() || LEADS.get() || rayon::current_thread_index().is_some() {
        return work();
    }
    let Some(_lead) = Lead::take() else { return rayon::scope(|_| work()) };
    let is_done = AtomicBool::new(false);
    rayon::in_place_scope(|scope| {
        for _ in 1..rayon::current_num_threads() {
            scope.spawn(|_| help_until(&is_done));
        }
        let _done = WhenDropped(|| is_done.store(true, Ordering::Release));
        work()
    })
}

/// The one place of who leads.
struct Lead;

impl Lead {
    fn take() -> Option<Self> {
        let is_free = !IS_LED.swap(true, Ordering::Acquire);
        is_free.then(|| {
            LEADS.set(true);
            Self
        })
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        LEADS.set(false);
        IS_LED.store(false, Ordering::Release);
    }
}

/// Does what comes to the pool.
fn help_until(is_done: &AtomicBool) {
    let mut patience = Patience::default();
    while !is_done.load(Ordering::Acquire) {
        if rayon::yield_now() == Some(rayon::Yield::Executed) {
            patience = Patience::default();
        } else {
            patience.wait();
        }
    }
}

/// As [`share_out`], from outside the pool: this thread takes tasks as its helpers do.
fn share_with_helpers(n: usize, task: &(impl Fn(usize) + Sync)) {
    let next = AtomicUsize::new(0);
    let take_all = || {
        let numbers = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        numbers.take_while(|idx| *idx < n).for_each(task);
    };
    let n_helpers = (rayon::current_num_threads() - 1).min(n - 1);
    let n_busy = AtomicUsize::new(n_helpers);
    rayon::in_place_scope(|scope| {
        for _ in 0..n_helpers {
            scope.spawn(|_| {
                let _free = WhenDropped(|| n_busy.fetch_sub(1, Ordering::Release));
                take_all();
            });
        }
        take_all();
        // The scope waits too, but asleep.
        let mut patience = Patience::default();
        while n_busy.load(Ordering::Acquire) > 0 {
            patience.wait();
        }
    });
}

/// Waiting without sleep: at first without a call into the system, which would slow down a thread on the same core.
#[derive(Default)]
struct Patience {
    n_waits: usize,
}

impl Patience {
    /// Waits about half a microsecond, and after a while until the system has let others run.
    fn wait(&mut self) {
        self.n_waits += 1;
        if self.n_waits > 200 {
            std::thread::yield_now();
        } else {
            (0..16).for_each(|_| std::hint::spin_loop());
        }
    }
}

/// Calls back when it is dropped, in a panic too.
struct WhenDropped<R, F: Fn() -> R>(F);

impl<R, F: Fn() -> R> Drop for WhenDropped<R, F> {
    fn drop(&mut self) {
        let _result = (self.0)();
    }
}

/// Whether there is a thread to share work with; a pool of one would only be another thread to wait for.
pub(crate) fn several_threads() -> bool {
    rayon::current_num_threads() > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts how often each of `n` tasks was done.
    fn shared_out(n: usize) -> Vec<usize> {
        let counts: Vec<AtomicUsize> = (0..n).map(|_| AtomicUsize::new(0)).collect();
        share_out(n, |idx| {
            counts[idx].fetch_add(1, Ordering::Relaxed);
        });
        counts.into_iter().map(AtomicUsize::into_inner).collect()
    }

    #[test]
    fn every_task_is_done_once_with_helpers_and_without() {
        for n in [0, 1, 2, 3, 100] {
            assert_eq!(shared_out(n), vec![1; n], "{n} tasks on the pool");
            let nested = with_helpers(|| with_helpers(|| [shared_out(n), shared_out(n)]));
            assert_eq!(nested, [vec![1; n], vec![1; n]], "{n} tasks with helpers");
        }
    }

    #[test]
    fn several_callers_each_have_their_tasks_done() {
        let caller = || (0..200).all(|_| with_helpers(|| shared_out(20)) == vec![1; 20]);
        let all = std::thread::scope(|scope| {
            let callers: Vec<_> = (0..4).map(|_| scope.spawn(caller)).collect();
            callers.into_iter().all(|caller| caller.join().is_ok_and(|done| done))
        });
        assert!(all);
    }

    #[test]
    fn a_panic_in_a_task_reaches_the_caller_and_leaves_the_helpers_free() {
        for bad in [0, 19] {
            let work = || with_helpers(|| share_out(20, |idx| assert_ne!(idx, bad)));
            assert!(std::panic::catch_unwind(work).is_err());
        }
        assert!(!LEADS.get());
        assert_eq!(with_helpers(|| shared_out(20)), vec![1; 20]);
    }
}
