//! The threads that read.
//! In: how many are wanted. Out: a pool of the running process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::ReadError;

/// All pools. A forked process has none of its parent's threads, and would wait for them for
/// ever: it gets pools of its own, and its parent's stay here untouched.
static POOLS: Mutex<Option<Pools>> = Mutex::new(None);

/// Pools by process and size.
type Pools = HashMap<(u32, usize), Arc<ThreadPool>>;

/// The running process's pool of `n` threads; 0 for one a core.
///
/// # Errors
/// [`ReadError::Option`] when the system does not give so many threads.
pub(crate) fn pool(n: usize) -> Result<Arc<ThreadPool>, ReadError> {
    let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    let pools = pools.get_or_insert_default();
    let key = (std::process::id(), n);
    if let Some(pool) = pools.get(&key) {
        return Ok(Arc::clone(pool));
    }
    let built = ThreadPoolBuilder::new().num_threads(n).thread_name(|idx| format!("fer-{idx}")).build();
    let pool = Arc::new(built.map_err(|error| ReadError::Option(format!("threads: {n}: {error}")))?);
    pools.insert(key, Arc::clone(&pool));
    Ok(pool)
}
