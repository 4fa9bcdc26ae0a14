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

/// Sets the number of threads of the process-wide rayon pool, which these kernels and Burn's Flex share.
///
/// `threads` is at least 1; 0 means one per core.
/// Call it once, at the start of a program: the pool cannot change its size later.
///
/// # Errors
///
/// [`ThreadsError`] when the pool already runs with another size.
pub fn set_threads(threads: usize) -> Result<(), ThreadsError> {
    let built = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
    let found = rayon::current_num_threads();
    match built {
        Ok(()) => Ok(()),
        Err(_) if found == threads => Ok(()),
        Err(_) => Err(ThreadsError { expected: threads, found }),
    }
}

/// Threads of the pool that the kernels run on.
#[must_use]
pub fn threads() -> usize {
    rayon::current_num_threads()
}
