//! How many threads the kernels use.
//! In: a thread count. Out: the process-wide rayon pool, sized; work that runs on it.

use super::parallel::{map_ranges, several_threads};

/// The thread pool was already running when its size was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadsError {
    /// Threads asked for.
    pub expected: usize,
    /// Threads the running pool has.
    pub found: usize,
}

impl std::fmt::Display for ThreadsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "thread pool: asked for {} threads, but {} already run: set the number before the first tensor operation",
            self.expected, self.found
        )
    }
}

impl std::error::Error for ThreadsError {}

/// Sets the number of threads of the process-wide rayon pool, which these kernels and Burn's Flex share; 0 means one per core.
///
/// Call it at the start of a program: the pool cannot change its size later, but may be asked for the same size again.
///
/// # Errors
///
/// [`ThreadsError`] when the pool already runs with another size.
pub fn set_threads(threads: usize) -> Result<(), ThreadsError> {
    let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let expected = if threads == 0 { cores() } else { threads };
    let built = rayon::ThreadPoolBuilder::new().num_threads(expected).build_global();
    let found = rayon::current_num_threads();
    if built.is_ok() || found == expected { Ok(()) } else { Err(ThreadsError { expected, found }) }
}

/// Threads of the pool that the kernels run on.
#[must_use]
pub fn threads() -> usize {
    rayon::current_num_threads()
}

/// Runs work that calls many kernels on a thread of the pool.
///
/// Each kernel that is called from elsewhere hands its work to the pool and sleeps until it is done: two switches between
/// threads, which for one small image take longer than the kernel. From inside the pool no hand-over is needed.
/// With one thread it runs where it is.
pub fn on_pool<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    if several_threads() { rayon::scope(|_| work()) } else { work() }
}

/// Results of `n` tasks in order, done at once where there are threads: each may call kernels, which share the pool.
pub fn map_tasks<R: Send>(n: usize, task: impl Fn(usize) -> R + Sync) -> Vec<R> {
    map_ranges(n, 1, |range| task(range.start))
}
