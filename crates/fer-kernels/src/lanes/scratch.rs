//! Memory the kernels reuse, aligned to cache lines.
//! In: a number of floats. Out: a buffer of the calling thread.
#![allow(unsafe_code)] // Cache lines are seen as floats.

use std::cell::RefCell;

/// One cache line, 16 floats.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; 16]);

/// A growable buffer of floats that starts on a cache line.
#[derive(Default)]
pub(crate) struct AlignedBuffer {
    lines: Vec<Line>,
}

impl AlignedBuffer {
    /// A zeroed buffer of at least `len` floats.
    pub(crate) fn zeroed(len: usize) -> Self {
        Self { lines: vec![Line([0.0; 16]); len.div_ceil(16)] }
    }

    /// The buffer as `len` floats, holding what it held before; new memory is zero.
    pub(crate) fn floats(&mut self, len: usize) -> &mut [f32] {
        let n_lines = len.div_ceil(16);
        if self.lines.len() < n_lines {
            self.lines = Vec::new(); // The old content is not worth copying.
            self.lines = vec![Line([0.0; 16]); n_lines];
        }
        // SAFETY: `Line` is 16 floats without padding, and there are at least `len / 16` of them.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast::<f32>(), len) }
    }

    /// The first `len` floats.
    pub(crate) fn as_slice(&self, len: usize) -> &[f32] {
        assert!(len <= self.lines.len() * 16, "{len} floats of a buffer of {}", self.lines.len() * 16);
        // SAFETY: as in `floats`; the length was checked.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast::<f32>(), len) }
    }
}

thread_local! {
    static SCRATCH: RefCell<[AlignedBuffer; 2]> = RefCell::default();
}

/// Lends two buffers of this thread to `work`; what they hold is left over from earlier work.
pub(crate) fn with_scratch<R>(lens: [usize; 2], work: impl FnOnce(&mut [f32], &mut [f32]) -> R) -> R {
    // Taken out for the time of the call, so that a nested call finds empty buffers instead of a panic.
    let [mut a, mut b] = SCRATCH.take();
    let result = work(a.floats(lens[0]), b.floats(lens[1]));
    SCRATCH.set([a, b]);
    result
}
