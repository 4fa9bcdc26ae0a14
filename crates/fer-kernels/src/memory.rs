//! What mimalloc does with freed memory, for programs whose global allocator it is; in others this changes nothing.
//! In: nothing. Out: an allocator that keeps all, or has given all back.
//!
//! Here because calling C is unsafe, and this is the one crate that may.
#![allow(unsafe_code)] // The allocator is written in C.

/// Keeps freed memory for the next allocation instead of returning it to the system.
///
/// A training step frees and allocates the same hundreds of megabytes again; handing the pages back in between costs
/// a page fault and a zeroing for each, up to a sixth of the time. An environment variable would come too late.
/// For programs that work and end: one that waits for requests should give its memory back.
/// Call it first in `main`.
pub fn keep() {
    /// `mi_option_purge_delay` of mimalloc.h: milliseconds until freed pages go back, -1 for never.
    const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;
    // SAFETY: sets an integer option, which mimalloc allows at any time.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, -1) }
}

/// Gives what the calling thread has taken and nobody uses any more back to the system, at once.
///
/// By itself mimalloc does so only when that thread asks for memory again: a server that has read a few large photos
/// and then waits would hold theirs until the next one. What another thread has taken stays with that thread.
pub fn give_back() {
    // SAFETY: mimalloc allows this at any time and from any thread.
    unsafe { libmimalloc_sys::mi_collect(true) }
}
