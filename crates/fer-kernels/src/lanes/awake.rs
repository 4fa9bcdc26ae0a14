//! Threads that wait for the next kernel awake while one caller's work lasts.
//! In: work that calls many kernels. Out: its result; kernels' tasks, done by the caller and its helpers.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::threads::several_threads;

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
        for _ in 1..rayon::current_num_threads().min(1 + MOST_AWAKE) {
            scope.spawn(|_| help_until(&is_done));
        }
        let _done = WhenDropped(|| is_done.store(true, Ordering::Release));
        work()
    })
}

thread_local! {
    /// Whether this thread is the one that [`with_helpers`] runs work on.
    static LEADS: Cell<bool> = const { Cell::new(false) };
}

/// Threads that wait awake, at most: to let a whole large machine wait for one face would cost more power than it saves time.
/// The others are woken for what they are wanted for.
const MOST_AWAKE: usize = 3;

/// Whether some thread leads.
static IS_LED: AtomicBool = AtomicBool::new(false);

/// Whether this thread leads.
pub(super) fn helpers_are_at_hand() -> bool {
    LEADS.get()
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

/// Calls `task` with every number below `n`, each once: this thread takes tasks as its helpers do.
pub(super) fn share_out(n: usize, task: &(impl Fn(usize) + Sync)) {
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

#[cfg(test)]
mod tests {
    use super::super::parallel::share_out;
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
