//! Memory that stays with the process.
//! In: nothing. Out: an allocator that no longer gives pages back between two steps.
#![allow(unsafe_code)] // A setting of the allocator, which is written in C; an environment variable would come too late.

/// Tells mimalloc to keep freed memory for the next allocation instead of returning it to the system.
///
/// A training step frees and allocates the same hundreds of megabytes again; handing the pages back in between costs
/// a page fault and a zeroing for each, up to a sixth of the time.
/// For programs that work and end: one that waits for requests should give its memory back.
/// Call it first in `main` of a program whose global allocator is mimalloc; in others it changes nothing.
pub fn keep_memory() {
    /// `mi_option_purge_delay` of mimalloc.h: milliseconds until freed pages go back, -1 for never.
    const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;
    // SAFETY: sets an integer option, which mimalloc allows at any time.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, -1) }
}
