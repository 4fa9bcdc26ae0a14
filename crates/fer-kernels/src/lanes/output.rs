//! Where a kernel writes: memory that several threads fill, each its own part.
//! In: a buffer that is borrowed for as long as anybody writes. Out: pointers to its elements; a filled vector.
#![allow(unsafe_code)] // Outputs are handed out without being filled first: filling costs as much as a kernel.

use std::marker::PhantomData;
use std::mem::MaybeUninit;

/// A buffer that several threads may write, each to its own elements.
#[derive(Clone, Copy)]
pub(crate) struct SharedOut<'a> {
    start: *mut f32,
    len: usize,
    buffer: PhantomData<&'a mut [MaybeUninit<f32>]>,
}

// SAFETY: whoever asks for an element promises that no two threads use the same one.
unsafe impl Send for SharedOut<'_> {}
// SAFETY: as above.
unsafe impl Sync for SharedOut<'_> {}

impl<'a> SharedOut<'a> {
    /// A buffer still to be filled.
    pub(crate) fn new(buffer: &'a mut [MaybeUninit<f32>]) -> Self {
        Self { start: buffer.as_mut_ptr().cast(), len: buffer.len(), buffer: PhantomData }
    }

    /// A buffer to be overwritten, in part or as a whole.
    pub(crate) fn over(floats: &'a mut [f32]) -> Self {
        Self { start: floats.as_mut_ptr(), len: floats.len(), buffer: PhantomData }
    }

    /// Floats of the buffer.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The element `idx`.
    ///
    /// # Safety
    ///
    /// `idx` is below [`SharedOut::len`]; elements are used by one thread each.
    #[inline(always)]
    pub(crate) unsafe fn at(self, idx: usize) -> *mut f32 {
        debug_assert!(idx < self.len, "element {idx} of an output of {}", self.len);
        // SAFETY: the caller's promise.
        unsafe { self.start.add(idx) }
    }
}

/// What an element-wise pass reads and writes: two buffers of the same length, or one that it rewrites.
#[derive(Clone, Copy)]
pub(crate) struct InOut<'a> {
    input: *const f32,
    out: SharedOut<'a>,
}

// SAFETY: the input is only read, or is the output, of which each thread uses its own elements.
unsafe impl Send for InOut<'_> {}
// SAFETY: as above.
unsafe impl Sync for InOut<'_> {}

impl<'a> InOut<'a> {
    /// Reads and rewrites one buffer.
    pub(crate) fn in_place(floats: &'a mut [f32]) -> Self {
        let out = SharedOut::over(floats);
        Self { input: out.start, out }
    }

    /// Reads one buffer and fills another.
    ///
    /// # Panics
    ///
    /// Panics when their lengths differ.
    pub(crate) fn apart(input: &'a [f32], out: SharedOut<'a>) -> Self {
        assert_eq!(
            out.len(),
            input.len(),
            "an output of {} floats for an input of {}",
            out.len(),
            input.len()
        );
        Self { input: input.as_ptr(), out }
    }

    /// Floats read, and floats written.
    pub(crate) fn len(&self) -> usize {
        self.out.len()
    }

    /// The element `idx` to be read.
    ///
    /// # Safety
    ///
    /// As for [`SharedOut::at`].
    #[inline(always)]
    pub(crate) unsafe fn input(self, idx: usize) -> *const f32 {
        debug_assert!(idx < self.len(), "element {idx} of an input of {}", self.len());
        // SAFETY: the caller's promise; the input is as long as the output.
        unsafe { self.input.add(idx) }
    }

    /// The element `idx` to be written.
    ///
    /// # Safety
    ///
    /// As for [`SharedOut::at`].
    #[inline(always)]
    pub(crate) unsafe fn out(self, idx: usize) -> *mut f32 {
        // SAFETY: the caller's promise.
        unsafe { self.out.at(idx) }
    }
}

/// A new vector of `len` floats, which `fill` must write completely.
///
/// # Safety
///
/// `fill` writes every element before it returns, and reads none before writing it.
pub(crate) unsafe fn filled_by(len: usize, fill: impl FnOnce(SharedOut<'_>)) -> Vec<f32> {
    let mut floats = Vec::with_capacity(len);
    fill(SharedOut::new(&mut floats.spare_capacity_mut()[..len]));
    // SAFETY: the capacity is at least `len`, and the caller promises that the elements are written.
    unsafe { floats.set_len(len) };
    floats
}
