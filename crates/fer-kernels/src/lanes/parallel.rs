//! A range of work, shared out among threads.
//! In: a number of items and how many make a task. Out: calls with sub-ranges.

use std::ops::Range;

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

/// Calls `work` with every chunk of at most `len` floats and its number.
pub(crate) fn each_chunk(floats: &mut [f32], len: usize, work: impl Fn(usize, &mut [f32]) + Sync) {
    if floats.len() > len && several_threads() {
        floats.par_chunks_mut(len).with_max_len(1).enumerate().for_each(|(idx, chunk)| work(idx, chunk));
    } else {
        floats.chunks_mut(len).enumerate().for_each(|(idx, chunk)| work(idx, chunk));
    }
}

/// Whether there is a thread to share work with; a pool of one would only be another thread to wait for.
pub(crate) fn several_threads() -> bool {
    rayon::current_num_threads() > 1
}
