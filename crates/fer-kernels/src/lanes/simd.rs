//! Sixteen f32 lanes on three instruction sets, and the choice between them at run time.
//! In: a [`Kernel`]. Out: the kernel, compiled for the best instruction set of this machine and run.
#![allow(unsafe_code)] // Vector instructions exist only behind unsafe or per-function target features.

use std::sync::atomic::{AtomicU8, Ordering};

/// Floats in one [`Lanes`] vector, on every instruction set.
pub(crate) const LANES: usize = 16;

/// What the kernels are compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum InstructionSet {
    /// Plain Rust, any processor.
    Portable = 1,
    /// x86-64 with AVX2 and FMA: two 8-lane registers per vector.
    Avx2 = 2,
    /// x86-64 with AVX-512F: one register per vector.
    Avx512 = 3,
}

/// The instruction set asked for is not one this processor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnsupportedInstructionSet(
    /// What was asked for.
    pub InstructionSet,
);

impl std::fmt::Display for UnsupportedInstructionSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "instruction set: expected a processor with {:?}, found at best {:?}", self.0, detect())
    }
}

impl std::error::Error for UnsupportedInstructionSet {}

/// 0 until the first use, then an [`InstructionSet`] as a number.
static CURRENT: AtomicU8 = AtomicU8::new(0);

impl InstructionSet {
    /// Those this processor runs, slowest first.
    pub fn available() -> Vec<Self> {
        let best = detect();
        [Self::Portable, Self::Avx2, Self::Avx512]
            .into_iter()
            .filter(|set| *set as u8 <= best as u8)
            .collect()
    }

    /// The one in use: the best of this processor unless [`InstructionSet::select`] chose another.
    pub fn current() -> Self {
        match CURRENT.load(Ordering::Relaxed) {
            1 => Self::Portable,
            2 => Self::Avx2,
            3 => Self::Avx512,
            _ => {
                let best = detect();
                CURRENT.store(best as u8, Ordering::Relaxed);
                best
            }
        }
    }

    /// Uses `self` from now on in this process: for tests, and for finding out what a kernel gains.
    ///
    /// # Errors
    ///
    /// [`UnsupportedInstructionSet`] when this processor does not have it.
    pub fn select(self) -> Result<(), UnsupportedInstructionSet> {
        if self as u8 > detect() as u8 {
            return Err(UnsupportedInstructionSet(self));
        }
        CURRENT.store(self as u8, Ordering::Relaxed);
        Ok(())
    }
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
fn detect() -> InstructionSet {
    let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    match avx2 {
        true if is_x86_feature_detected!("avx512f") => InstructionSet::Avx512,
        true => InstructionSet::Avx2,
        false => InstructionSet::Portable,
    }
}

#[cfg(not(all(target_arch = "x86_64", not(miri))))]
fn detect() -> InstructionSet {
    InstructionSet::Portable
}

/// A computation written once over [`Lanes`].
pub(crate) trait Kernel {
    /// What it returns.
    type Output;

    /// Runs with vectors of type `L`. Mark the implementation `#[inline(always)]`.
    ///
    /// # Safety
    ///
    /// The processor has the instruction set of `L`.
    unsafe fn run<L: Lanes>(self) -> Self::Output;
}

/// Runs a kernel on the current instruction set.
pub(crate) fn run<K: Kernel>(kernel: K) -> K::Output {
    match InstructionSet::current() {
        // SAFETY: `current` is never above what `detect` found on this processor.
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx512 => unsafe { x86::run_avx512(kernel) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx2 => unsafe { x86::run_avx2(kernel) },
        // SAFETY: plain Rust runs everywhere.
        _ => unsafe { kernel.run::<[f32; LANES]>() },
    }
}

/// Sixteen f32 values.
///
/// # Safety
///
/// Every method needs the instruction set of the implementing type;
/// `load` reads and `store` writes 16 floats at any alignment.
pub(crate) trait Lanes: Copy {
    /// Whether 32 registers hold one vector each, so that large tiles stay in registers.
    const WIDE: bool;

    unsafe fn splat(value: f32) -> Self;
    unsafe fn load(from: *const f32) -> Self;
    unsafe fn store(self, to: *mut f32);
    /// `self · b + c`, rounded once where the hardware can.
    unsafe fn mul_add(self, b: Self, c: Self) -> Self;
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn sub(self, other: Self) -> Self;
    unsafe fn mul(self, other: Self) -> Self;
    unsafe fn max(self, other: Self) -> Self;
    /// Lanes of `self` where `gate > 0`, else 0.
    unsafe fn keep_where_positive(self, gate: Self) -> Self;
    /// Lanes of `self` where `a == b`, else 0; and `rest` with those lanes set to 0.
    unsafe fn take_where_equal(self, a: Self, b: Self) -> (Self, Self);

    /// Loads the first `n ≤ 16` floats, zeros behind them.
    #[inline(always)]
    unsafe fn load_first(from: *const f32, n: usize) -> Self {
        // SAFETY: 16 floats are read only if there are 16, otherwise `n` are copied to a buffer of 16.
        unsafe {
            if n == LANES {
                return Self::load(from);
            }
            let mut padded = [0.0f32; LANES];
            std::ptr::copy_nonoverlapping(from, padded.as_mut_ptr(), n);
            Self::load(padded.as_ptr())
        }
    }

    /// Stores the first `n ≤ 16` lanes.
    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, n: usize) {
        // SAFETY: 16 floats are written only if there is room for 16, otherwise `n` are copied from a buffer.
        unsafe {
            if n == LANES {
                return self.store(to);
            }
            let mut padded = [0.0f32; LANES];
            self.store(padded.as_mut_ptr());
            std::ptr::copy_nonoverlapping(padded.as_ptr(), to, n);
        }
    }
}

/// Plain Rust, which Miri and every processor can run.
impl Lanes for [f32; LANES] {
    const WIDE: bool = false;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        [value; LANES]
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller vouches for 16 readable floats; the read is unaligned.
        unsafe { from.cast::<Self>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller vouches for 16 writable floats; the write is unaligned.
        unsafe { to.cast::<Self>().write_unaligned(self) }
    }
    #[inline(always)]
    unsafe fn mul_add(self, b: Self, c: Self) -> Self {
        // Two roundings: a fused multiply-add without hardware for it is a slow library call.
        std::array::from_fn(|i| self[i] * b[i] + c[i])
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        std::array::from_fn(|i| self[i] + other[i])
    }
    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        std::array::from_fn(|i| self[i] - other[i])
    }
    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        std::array::from_fn(|i| self[i] * other[i])
    }
    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        std::array::from_fn(|i| if self[i] > other[i] { self[i] } else { other[i] })
    }
    #[inline(always)]
    unsafe fn keep_where_positive(self, gate: Self) -> Self {
        std::array::from_fn(|i| if gate[i] > 0.0 { self[i] } else { 0.0 })
    }
    #[inline(always)]
    unsafe fn take_where_equal(self, a: Self, b: Self) -> (Self, Self) {
        (
            std::array::from_fn(|i| if a[i] == b[i] { self[i] } else { 0.0 }),
            std::array::from_fn(|i| if a[i] == b[i] { 0.0 } else { self[i] }),
        )
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Kernel, Lanes};
    use std::arch::x86_64::*;

    #[target_feature(enable = "avx512f,avx2,fma")]
    pub(super) unsafe fn run_avx512<K: Kernel>(kernel: K) -> K::Output {
        // SAFETY: this function's own requirement.
        unsafe { kernel.run::<Avx512>() }
    }

    #[target_feature(enable = "avx2,fma")]
    pub(super) unsafe fn run_avx2<K: Kernel>(kernel: K) -> K::Output {
        // SAFETY: this function's own requirement.
        unsafe { kernel.run::<Avx2>() }
    }

    #[derive(Clone, Copy)]
    pub(super) struct Avx512(__m512);

    // SAFETY of every block below: the trait demands the instruction set and the memory from the caller.
    impl Lanes for Avx512 {
        const WIDE: bool = true;

        #[inline(always)]
        unsafe fn splat(value: f32) -> Self {
            // SAFETY: see the impl.
            Self(unsafe { _mm512_set1_ps(value) })
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            // SAFETY: see the impl.
            Self(unsafe { _mm512_loadu_ps(from) })
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: see the impl.
            unsafe { _mm512_storeu_ps(to, self.0) }
        }
        #[inline(always)]
        unsafe fn mul_add(self, b: Self, c: Self) -> Self {
            // SAFETY: see the impl.
            Self(unsafe { _mm512_fmadd_ps(self.0, b.0, c.0) })
        }
        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            // SAFETY: see the impl.
            Self(unsafe { _mm512_add_ps(self.0, other.0) })
        }
        #[inline(always)]
        unsafe fn sub(self, other: Self) -> Self {
            // SAFETY: see the impl.
            Self(unsafe { _mm512_sub_ps(self.0, other.0) })
        }
        #[inline(always)]
        unsafe fn mul(self, other: Self) -> Self {
            // SAFETY: see the impl.
            Self(unsafe { _mm512_mul_ps(self.0, other.0) })
        }
        #[inline(always)]
        unsafe fn max(self, other: Self) -> Self {
            // SAFETY: see the impl.
            Self(unsafe { _mm512_max_ps(self.0, other.0) })
        }
        #[inline(always)]
        unsafe fn keep_where_positive(self, gate: Self) -> Self {
            // SAFETY: see the impl.
            unsafe {
                let mask = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(gate.0, _mm512_setzero_ps());
                Self(_mm512_maskz_mov_ps(mask, self.0))
            }
        }
        #[inline(always)]
        unsafe fn take_where_equal(self, a: Self, b: Self) -> (Self, Self) {
            // SAFETY: see the impl.
            unsafe {
                let mask = _mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a.0, b.0);
                (Self(_mm512_maskz_mov_ps(mask, self.0)), Self(_mm512_maskz_mov_ps(!mask, self.0)))
            }
        }
    }

    #[derive(Clone, Copy)]
    pub(super) struct Avx2(__m256, __m256);

    impl Lanes for Avx2 {
        const WIDE: bool = false;

        #[inline(always)]
        unsafe fn splat(value: f32) -> Self {
            // SAFETY: the trait demands AVX2 from the caller.
            let half = unsafe { _mm256_set1_ps(value) };
            Self(half, half)
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            // SAFETY: the trait demands AVX2 and 16 readable floats from the caller.
            unsafe { Self(_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(8))) }
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: the trait demands AVX2 and 16 writable floats from the caller.
            unsafe {
                _mm256_storeu_ps(to, self.0);
                _mm256_storeu_ps(to.add(8), self.1);
            }
        }
        #[inline(always)]
        unsafe fn mul_add(self, b: Self, c: Self) -> Self {
            // SAFETY: the trait demands AVX2 and FMA from the caller.
            unsafe { Self(_mm256_fmadd_ps(self.0, b.0, c.0), _mm256_fmadd_ps(self.1, b.1, c.1)) }
        }
        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            // SAFETY: the trait demands AVX2 from the caller.
            unsafe { Self(_mm256_add_ps(self.0, other.0), _mm256_add_ps(self.1, other.1)) }
        }
        #[inline(always)]
        unsafe fn sub(self, other: Self) -> Self {
            // SAFETY: the trait demands AVX2 from the caller.
            unsafe { Self(_mm256_sub_ps(self.0, other.0), _mm256_sub_ps(self.1, other.1)) }
        }
        #[inline(always)]
        unsafe fn mul(self, other: Self) -> Self {
            // SAFETY: the trait demands AVX2 from the caller.
            unsafe { Self(_mm256_mul_ps(self.0, other.0), _mm256_mul_ps(self.1, other.1)) }
        }
        #[inline(always)]
        unsafe fn max(self, other: Self) -> Self {
            // SAFETY: the trait demands AVX2 from the caller.
            unsafe { Self(_mm256_max_ps(self.0, other.0), _mm256_max_ps(self.1, other.1)) }
        }
        #[inline(always)]
        unsafe fn keep_where_positive(self, gate: Self) -> Self {
            // SAFETY: the trait demands AVX2 from the caller.
            unsafe {
                let zero = _mm256_setzero_ps();
                Self(
                    _mm256_and_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(gate.0, zero), self.0),
                    _mm256_and_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(gate.1, zero), self.1),
                )
            }
        }
        #[inline(always)]
        unsafe fn take_where_equal(self, a: Self, b: Self) -> (Self, Self) {
            // SAFETY: the trait demands AVX2 from the caller.
            unsafe {
                let low = _mm256_cmp_ps::<_CMP_EQ_OQ>(a.0, b.0);
                let high = _mm256_cmp_ps::<_CMP_EQ_OQ>(a.1, b.1);
                (
                    Self(_mm256_and_ps(low, self.0), _mm256_and_ps(high, self.1)),
                    Self(_mm256_andnot_ps(low, self.0), _mm256_andnot_ps(high, self.1)),
                )
            }
        }
    }
}
