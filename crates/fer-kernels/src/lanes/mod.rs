//! What every kernel stands on: vectors, buffers, threads.
//! In: loops over floats. Out: the same loops on the best instruction set and on all threads.

pub(crate) mod dispatch;
mod native;
pub(crate) mod output;
pub(crate) mod parallel;
pub(crate) mod scratch;
pub(crate) mod simd;
pub(crate) mod threads;
