//! How many threads the kernels use.
//! In: a thread count. Out: the process-wide rayon pool, sized.

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

/// Whether there is a thread to share work with; a pool of one would only be another thread to wait for.
pub(crate) fn several_threads() -> bool {
    rayon::current_num_threads() > 1
}
