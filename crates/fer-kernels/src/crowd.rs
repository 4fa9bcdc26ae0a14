//! Fewer threads while other processes keep cores busy.
//! In: a parallel piece of work. Out: its result, computed by as many threads as cores are free.
//!
//! All threads of a parallel loop wait for the last one. Where another process shares a core with one of them, that
//! thread is off the core half of the time, and all others with it: two threads are then slower than one.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

/// How often the load is looked at: the system counts in hundredths of a second.
const LOOK_EVERY: Duration = Duration::from_millis(400);

/// A core counts as free while others use at most this much of it, so that a passing task costs no thread.
const PASSING_LOAD: f64 = 0.4;

/// Floats from which a pass is worth handing to other threads; smaller ones run where they are.
const WORTH_SHARING: usize = 1 << 16;

/// Runs work that reads `n_floats` and uses rayon inside, on as many threads as there are free cores.
pub(crate) fn share<R: Send>(n_floats: usize, work: impl FnOnce() -> R + Send) -> R {
    if n_floats < WORTH_SHARING || rayon::current_thread_index().is_some() {
        return work();
    }
    let all = rayon::current_num_threads();
    match pool(LOAD.free_threads(all), all) {
        Some(pool) => pool.install(work),
        None => work(),
    }
}

/// The pool of `n` threads, or `None` where the process-wide one, of `all` threads, is to be used.
fn pool(n: usize, all: usize) -> Option<&'static rayon::ThreadPool> {
    static SMALLER: OnceLock<Vec<OnceLock<Option<rayon::ThreadPool>>>> = OnceLock::new();
    if n >= all {
        return None;
    }
    let pools = SMALLER.get_or_init(|| (0..all).map(|_| OnceLock::new()).collect());
    let make = || rayon::ThreadPoolBuilder::new().num_threads(n).build().ok();
    pools.get(n)?.get_or_init(make).as_ref()
}

static LOAD: Load = Load { free: AtomicUsize::new(usize::MAX), last: Mutex::new(None) };

/// What the machine's cores are doing.
struct Load {
    /// Cores free for this process when last looked at.
    free: AtomicUsize,
    last: Mutex<Option<(Instant, Ticks)>>,
}

impl Load {
    /// How many of `all` threads find a core of their own, at least 1.
    fn free_threads(&self, all: usize) -> usize {
        if all > 1
            && let Ok(mut last) = self.last.try_lock()
            && last.as_ref().is_none_or(|(when, _)| when.elapsed() >= LOOK_EVERY)
        {
            let now = Ticks::now();
            if let (Some((_, before)), Some(now)) = (last.as_ref(), &now) {
                self.free.store(now.free_cores_since(before), Ordering::Relaxed);
            }
            *last = Some((Instant::now(), now.unwrap_or_default()));
        }
        self.free.load(Ordering::Relaxed).clamp(1, all)
    }
}

/// Hundredths of a second since the system, or this process, started.
#[derive(Clone, Debug, Default, PartialEq)]
struct Ticks {
    n_cores: usize,
    /// Of all cores, whatever they did.
    all: u64,
    /// Of all cores, not idle.
    busy: u64,
    /// Of this process.
    own: u64,
}

impl Ticks {
    /// As Linux tells; nothing elsewhere.
    fn now() -> Option<Self> {
        let system = std::fs::read_to_string("/proc/stat").ok()?;
        let process = std::fs::read_to_string("/proc/self/stat").ok()?;
        Self::parse(&system, &process)
    }

    /// `/proc/stat` and `/proc/self/stat`, see proc(5).
    fn parse(system: &str, process: &str) -> Option<Self> {
        let n_cores = system
            .lines()
            .filter(|line| line.starts_with("cpu") && line.as_bytes().get(3).is_some_and(u8::is_ascii_digit))
            .count();
        let numbers = |text: &str| -> Vec<u64> {
            text.split_whitespace().map_while(|word| word.parse().ok()).collect()
        };
        // User, nice, system, idle, waiting for a disk, two kinds of interrupts, stolen by the host.
        let cpu = numbers(system.lines().next()?.strip_prefix("cpu ")?);
        let all = cpu.iter().take(8).sum();
        let busy = all - cpu.get(3)? - cpu.get(4)?;
        // The program's name, in parentheses, may hold anything; its state and ten numbers follow.
        let fields = process.rsplit_once(") ")?.1;
        let used: Vec<u64> =
            fields.split(' ').skip(11).take(2).filter_map(|word| word.parse().ok()).collect();
        (n_cores > 0 && used.len() == 2).then(|| Self { n_cores, all, busy, own: used.iter().sum() })
    }

    /// Cores that other processes left free between `before` and now.
    fn free_cores_since(&self, before: &Self) -> usize {
        let passed = self.all.saturating_sub(before.all);
        if passed == 0 || before.n_cores == 0 {
            return usize::MAX;
        }
        let own = self.own.saturating_sub(before.own);
        let others = self.busy.saturating_sub(before.busy).saturating_sub(own);
        let others = others as f64 * self.n_cores as f64 / passed as f64;
        (self.n_cores as f64 - others + PASSING_LOAD).floor().max(0.0) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROCESS: &str = "7 (a) b) S 1 7 7 0 -1 4194560 9 9 9 9 150 50 0 0 20 0 3 0 1";

    fn ticks(user: u64, idle: u64, own: u64) -> Ticks {
        let system = format!("cpu  {user} 0 0 {idle} 0 0 0 0 0 0\ncpu0 1 0\ncpu1 1 0\nintr 5\n");
        let process = PROCESS.replace("150 50", &format!("{own} 0"));
        Ticks::parse(&system, &process).expect("both as Linux writes them")
    }

    #[test]
    fn the_systems_words_are_read() {
        let system = "cpu  10 1 2 80 4 1 1 1 0 0\ncpu0 5 0 1 40\ncpu1 5 1 1 40\nintr 99\n";
        let expected = Ticks { n_cores: 2, all: 100, busy: 16, own: 200 };
        assert_eq!(Ticks::parse(system, PROCESS), Some(expected));
        assert_eq!(Ticks::parse("", PROCESS), None);
        assert_eq!(Ticks::parse(system, "7 (a) S 1"), None);
    }

    #[test]
    fn a_busy_core_is_not_free_and_a_passing_task_costs_none() {
        let before = ticks(0, 0, 0);
        // Over a second of two cores: this process alone, with a busy neighbour, with a passing one.
        assert_eq!(ticks(200, 0, 200).free_cores_since(&before), 2);
        assert_eq!(ticks(200, 0, 100).free_cores_since(&before), 1);
        assert_eq!(ticks(200, 0, 130).free_cores_since(&before), 1);
        assert_eq!(ticks(100, 100, 100).free_cores_since(&before), 2);
        assert_eq!(ticks(200, 0, 170).free_cores_since(&before), 2);
        assert_eq!(ticks(200, 0, 0).free_cores_since(&before), 0);
        assert_eq!(before.free_cores_since(&before), usize::MAX, "no time has passed");
    }

    #[test]
    fn work_is_done_once_on_any_pool() {
        for n in 1..4 {
            let sum = || (0..100_u32).sum::<u32>();
            assert_eq!(pool(n, 4).expect("a smaller pool").install(sum), 4950);
        }
        assert!(pool(4, 4).is_none());
        assert_eq!(share(1 << 20, || 7), 7);
    }
}
