//! The choice between instruction sets, at run time.
//! In: a [`Kernel`]. Out: the kernel, run on the best instruction set of this machine or on the one that was selected.
#![allow(unsafe_code)] // What a kernel asks of its fields is its caller's promise.

use std::sync::atomic::{AtomicU8, Ordering};

use super::native;
use super::simd::{InstructionSet, Kernel, UnsupportedInstructionSet};

impl std::fmt::Display for UnsupportedInstructionSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let best = InstructionSet::best();
        write!(f, "instruction set: expected a processor with {:?}, found at best {best:?}", self.0)
    }
}

impl std::error::Error for UnsupportedInstructionSet {}

/// 0 until the first use, then an [`InstructionSet`] as a number, plus [`SELECTED`] if it was asked for.
static CURRENT: AtomicU8 = AtomicU8::new(0);

/// Marks an instruction set that was asked for by [`InstructionSet::select`].
const SELECTED: u8 = 1 << 7;

impl InstructionSet {
    /// All of them, slowest first.
    const ALL: [Self; 5] = [Self::Portable, Self::Simd128, Self::Neon, Self::Avx2, Self::Avx512];

    /// Those this processor runs, slowest first.
    pub fn available() -> Vec<Self> {
        Self::ALL.into_iter().filter(|set| native::has(*set)).collect()
    }

    /// The fastest this processor runs.
    fn best() -> Self {
        Self::ALL.into_iter().rfind(|set| native::has(*set)).unwrap_or(Self::Portable)
    }

    /// The one in use: the best of this processor unless [`InstructionSet::select`] chose another.
    pub fn current() -> Self {
        match CURRENT.load(Ordering::Relaxed) & !SELECTED {
            1 => Self::Portable,
            2 => Self::Simd128,
            3 => Self::Neon,
            4 => Self::Avx2,
            5 => Self::Avx512,
            _ => {
                let best = Self::best();
                CURRENT.store(best as u8, Ordering::Relaxed);
                best
            }
        }
    }

    /// Whether [`InstructionSet::select`] chose the one in use.
    pub fn is_selected() -> bool {
        CURRENT.load(Ordering::Relaxed) & SELECTED != 0
    }

    /// Uses `self` from now on in this process: for tests, and for finding out what a kernel gains.
    ///
    /// # Errors
    ///
    /// [`UnsupportedInstructionSet`] when this processor does not have it.
    pub fn select(self) -> Result<(), UnsupportedInstructionSet> {
        if !native::has(self) {
            return Err(UnsupportedInstructionSet(self));
        }
        CURRENT.store(self as u8 | SELECTED, Ordering::Relaxed);
        Ok(())
    }
}

/// Runs a kernel on the current instruction set.
///
/// # Safety
///
/// What the kernel's documentation asks of its fields holds.
pub(crate) unsafe fn run<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: `current` is an instruction set of this processor; the fields are the caller's promise.
    unsafe { native::run(InstructionSet::current(), kernel) }
}
