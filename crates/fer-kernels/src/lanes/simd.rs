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

/// 0 until the first use, then an [`InstructionSet`] as a number, plus [`SELECTED`] if it was asked for.
static CURRENT: AtomicU8 = AtomicU8::new(0);

/// Marks an instruction set that was asked for by [`InstructionSet::select`].
const SELECTED: u8 = 1 << 7;

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
        match CURRENT.load(Ordering::Relaxed) & !SELECTED {
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

    /// Whether our kernels compute here, or Burn's operations.
    ///
    /// Ours on x86-64 and WebAssembly, where they were measured to be faster (docs/reports/speed.md).
    /// An x86-64 without FMA is served by ours too: there `gemm`, under Burn, multiplies one value at a time.
    /// On other processors Burn's, whose `gemm` has kernels for them (NEON), until somebody has
    /// measured ours there: [`InstructionSet::select`] turns them on.
    pub(crate) fn beats_burn() -> bool {
        cfg!(any(target_arch = "x86_64", target_family = "wasm"))
            || CURRENT.load(Ordering::Relaxed) & SELECTED != 0
    }

    /// Uses `self` from now on in this process: for tests, and for finding out what a kernel gains.
    ///
    /// Where Burn's operations compute by default, ours do from then on, on maps that are made afterwards.
    ///
    /// # Errors
    ///
    /// [`UnsupportedInstructionSet`] when this processor does not have it.
    pub fn select(self) -> Result<(), UnsupportedInstructionSet> {
        if self as u8 > detect() as u8 {
            return Err(UnsupportedInstructionSet(self));
        }
        CURRENT.store(self as u8 | SELECTED, Ordering::Relaxed);
        Ok(())
    }
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
fn detect() -> InstructionSet {
    if !is_x86_feature_detected!("avx2") || !is_x86_feature_detected!("fma") {
        InstructionSet::Portable
    } else if is_x86_feature_detected!("avx512f") {
        InstructionSet::Avx512
    } else {
        InstructionSet::Avx2
    }
}

#[cfg(not(all(target_arch = "x86_64", not(miri))))]
fn detect() -> InstructionSet {
    InstructionSet::Portable
}

/// A computation written once over [`Lanes`].
///
/// Kernels, and the passes inside them, are traits on structs and not closures: closures are not always inlined into
/// functions with other target features, and every vector operation in them is then a call.
pub(crate) trait Kernel {
    /// What it returns.
    type Output;

    /// Runs with vectors of type `L`. Mark the implementation `#[inline(always)]`.
    ///
    /// # Safety
    ///
    /// The processor has the instruction set of `L`, and what the kernel's documentation asks of its fields holds.
    unsafe fn run<L: Lanes>(self) -> Self::Output;
}

/// Runs a kernel on the current instruction set.
///
/// # Safety
///
/// What the kernel's documentation asks of its fields holds.
pub(crate) unsafe fn run<K: Kernel>(kernel: K) -> K::Output {
    match InstructionSet::current() {
        // SAFETY: `current` is never above what `detect` found on this processor; the fields are the caller's promise.
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx512 => unsafe { x86::run_avx512(kernel) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx2 => unsafe { x86::run_avx2(kernel) },
        // SAFETY: plain Rust runs everywhere; the fields are the caller's promise.
        _ => unsafe { kernel.run::<[f32; LANES]>() },
    }
}

/// Sixteen f32 values.
///
/// Whoever holds a value has the instruction set: the only ways to a first one, `splat` and `load`, are unsafe.
/// What computes with values is therefore safe.
pub(crate) trait Lanes: Copy {
    /// Whether 32 registers hold one vector each, so that large tiles stay in registers.
    const WIDE: bool;

    /// # Safety
    ///
    /// The processor has the instruction set.
    unsafe fn splat(value: f32) -> Self;
    /// # Safety
    ///
    /// The processor has the instruction set, and 16 floats are readable, at any alignment.
    unsafe fn load(from: *const f32) -> Self;
    /// # Safety
    ///
    /// 16 floats are writable, at any alignment.
    unsafe fn store(self, to: *mut f32);
    /// `self · b + c`, rounded once where the hardware can.
    fn mul_add(self, b: Self, c: Self) -> Self;
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    /// Lanes of `self` where `gate` is above zero or NaN, else 0.
    fn where_open(self, gate: Self) -> Self;
    /// `later` where it is larger than `self` or NaN, else `self`: NaN stays, the first of equals too.
    fn larger(self, later: Self) -> Self;
    /// Lanes of `self` where [`Lanes::larger`] takes `later` over `earlier`, else 0; and those where it does not.
    fn split_at_larger(self, earlier: Self, later: Self) -> (Self, Self);

    /// `value` in every lane.
    #[inline(always)]
    fn filled_with(self, value: f32) -> Self {
        // SAFETY: there is a value, so there is the instruction set.
        unsafe { Self::splat(value) }
    }

    /// `self` clipped at zero; NaN stays NaN, as in PyTorch and in Burn's Flex.
    #[inline(always)]
    fn relu(self) -> Self {
        self.where_open(self)
    }

    /// Loads the first `n ≤ 16` floats, zeros behind them.
    ///
    /// # Safety
    ///
    /// The processor has the instruction set, and `n` floats are readable.
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
    ///
    /// # Safety
    ///
    /// `n` floats are writable.
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

/// Whether [`Lanes::larger`] takes `later` over `earlier`.
#[inline(always)]
fn wins(earlier: f32, later: f32) -> bool {
    later > earlier || later.is_nan()
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
    fn mul_add(self, b: Self, c: Self) -> Self {
        // Every aarch64 has the instruction; where it is not certain, `f32::mul_add` is a slow library call.
        match cfg!(target_arch = "aarch64") {
            true => std::array::from_fn(|i| self[i].mul_add(b[i], c[i])),
            false => std::array::from_fn(|i| self[i] * b[i] + c[i]),
        }
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        std::array::from_fn(|i| self[i] + other[i])
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        std::array::from_fn(|i| self[i] - other[i])
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        std::array::from_fn(|i| self[i] * other[i])
    }
    #[inline(always)]
    fn where_open(self, gate: Self) -> Self {
        std::array::from_fn(|i| if gate[i] > 0.0 || gate[i].is_nan() { self[i] } else { 0.0 })
    }
    #[inline(always)]
    fn larger(self, later: Self) -> Self {
        std::array::from_fn(|i| if wins(self[i], later[i]) { later[i] } else { self[i] })
    }
    #[inline(always)]
    fn split_at_larger(self, earlier: Self, later: Self) -> (Self, Self) {
        (
            std::array::from_fn(|i| if wins(earlier[i], later[i]) { self[i] } else { 0.0 }),
            std::array::from_fn(|i| if wins(earlier[i], later[i]) { 0.0 } else { self[i] }),
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

    // SAFETY of every block below: a value exists only where the processor has AVX-512, and the two ways to a first one
    // demand it of the caller; so do those that touch memory demand the memory.
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
        fn mul_add(self, b: Self, c: Self) -> Self {
            // SAFETY: see the impl.
            Self(unsafe { _mm512_fmadd_ps(self.0, b.0, c.0) })
        }
        #[inline(always)]
        fn add(self, other: Self) -> Self {
            // SAFETY: see the impl.
            Self(unsafe { _mm512_add_ps(self.0, other.0) })
        }
        #[inline(always)]
        fn sub(self, other: Self) -> Self {
            // SAFETY: see the impl.
            Self(unsafe { _mm512_sub_ps(self.0, other.0) })
        }
        #[inline(always)]
        fn mul(self, other: Self) -> Self {
            // SAFETY: see the impl.
            Self(unsafe { _mm512_mul_ps(self.0, other.0) })
        }
        #[inline(always)]
        fn where_open(self, gate: Self) -> Self {
            // SAFETY: see the impl.
            unsafe {
                // Not "less or equal": greater, or unordered, which is NaN.
                let open = _mm512_cmp_ps_mask::<_CMP_NLE_UQ>(gate.0, _mm512_setzero_ps());
                Self(_mm512_maskz_mov_ps(open, self.0))
            }
        }
        #[inline(always)]
        fn larger(self, later: Self) -> Self {
            // SAFETY: see the impl.
            Self(unsafe { _mm512_mask_mov_ps(self.0, self.loses_to(later), later.0) })
        }
        #[inline(always)]
        fn split_at_larger(self, earlier: Self, later: Self) -> (Self, Self) {
            let later_wins = earlier.loses_to(later);
            // SAFETY: see the impl.
            unsafe {
                (
                    Self(_mm512_maskz_mov_ps(later_wins, self.0)),
                    Self(_mm512_maskz_mov_ps(!later_wins, self.0)),
                )
            }
        }
    }

    impl Avx512 {
        /// Lanes where `later` is larger or NaN.
        #[inline(always)]
        fn loses_to(self, later: Self) -> __mmask16 {
            // SAFETY: a value exists only where the processor has AVX-512.
            unsafe {
                _mm512_cmp_ps_mask::<_CMP_GT_OQ>(later.0, self.0)
                    | _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(later.0, later.0)
            }
        }
    }

    #[derive(Clone, Copy)]
    pub(super) struct Avx2(__m256, __m256);

    // SAFETY of every block below: as for `Avx512`, with AVX2 and FMA.
    impl Lanes for Avx2 {
        const WIDE: bool = false;

        #[inline(always)]
        unsafe fn splat(value: f32) -> Self {
            // SAFETY: see the impl.
            let half = unsafe { _mm256_set1_ps(value) };
            Self(half, half)
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            // SAFETY: see the impl.
            unsafe { Self(_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(8))) }
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: see the impl.
            unsafe {
                _mm256_storeu_ps(to, self.0);
                _mm256_storeu_ps(to.add(8), self.1);
            }
        }
        #[inline(always)]
        fn mul_add(self, b: Self, c: Self) -> Self {
            // SAFETY: see the impl.
            unsafe { Self(_mm256_fmadd_ps(self.0, b.0, c.0), _mm256_fmadd_ps(self.1, b.1, c.1)) }
        }
        #[inline(always)]
        fn add(self, other: Self) -> Self {
            // SAFETY: see the impl.
            unsafe { Self(_mm256_add_ps(self.0, other.0), _mm256_add_ps(self.1, other.1)) }
        }
        #[inline(always)]
        fn sub(self, other: Self) -> Self {
            // SAFETY: see the impl.
            unsafe { Self(_mm256_sub_ps(self.0, other.0), _mm256_sub_ps(self.1, other.1)) }
        }
        #[inline(always)]
        fn mul(self, other: Self) -> Self {
            // SAFETY: see the impl.
            unsafe { Self(_mm256_mul_ps(self.0, other.0), _mm256_mul_ps(self.1, other.1)) }
        }
        #[inline(always)]
        fn where_open(self, gate: Self) -> Self {
            // SAFETY: see the impl.
            unsafe {
                let zero = _mm256_setzero_ps();
                // Not "less or equal": greater, or unordered, which is NaN.
                Self(
                    _mm256_and_ps(_mm256_cmp_ps::<_CMP_NLE_UQ>(gate.0, zero), self.0),
                    _mm256_and_ps(_mm256_cmp_ps::<_CMP_NLE_UQ>(gate.1, zero), self.1),
                )
            }
        }
        #[inline(always)]
        fn larger(self, later: Self) -> Self {
            let (low, high) = self.loses_to(later);
            // SAFETY: see the impl.
            unsafe { Self(_mm256_blendv_ps(self.0, later.0, low), _mm256_blendv_ps(self.1, later.1, high)) }
        }
        #[inline(always)]
        fn split_at_larger(self, earlier: Self, later: Self) -> (Self, Self) {
            let (low, high) = earlier.loses_to(later);
            // SAFETY: see the impl.
            unsafe {
                (
                    Self(_mm256_and_ps(low, self.0), _mm256_and_ps(high, self.1)),
                    Self(_mm256_andnot_ps(low, self.0), _mm256_andnot_ps(high, self.1)),
                )
            }
        }
    }

    impl Avx2 {
        /// Lanes, as masks of the two halves, where `later` is larger or NaN.
        #[inline(always)]
        fn loses_to(self, later: Self) -> (__m256, __m256) {
            // SAFETY: a value exists only where the processor has AVX2.
            unsafe {
                let larger = _mm256_cmp_ps::<_CMP_GT_OQ>(later.0, self.0);
                let low = _mm256_or_ps(larger, _mm256_cmp_ps::<_CMP_UNORD_Q>(later.0, later.0));
                let larger = _mm256_cmp_ps::<_CMP_GT_OQ>(later.1, self.1);
                (low, _mm256_or_ps(larger, _mm256_cmp_ps::<_CMP_UNORD_Q>(later.1, later.1)))
            }
        }
    }
}
