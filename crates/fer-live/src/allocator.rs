//! Memory that goes back to the system.
//! In: nothing. Out: an allocator that holds no more than what is used.
#![allow(unsafe_code)] // A function of the allocator, which is written in C.

/// Tells mimalloc to give back what is freed, at once and from all threads.
///
/// By itself it does so only when the thread that freed memory asks for some again: a server that has read a
/// few large photos and then waits would hold their memory until the next one.
pub fn give_back_memory() {
    // SAFETY: mimalloc allows this at any time and from any thread.
    unsafe { libmimalloc_sys::mi_collect(true) }
}
