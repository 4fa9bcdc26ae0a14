//! Sixteen f32 lanes, the instruction sets they exist on, and what is written over them.
//! In: one source of a kernel. Out: what `native` compiles for each instruction set.
#![allow(unsafe_code)] // Vector instructions exist only behind unsafe or per-function target features.

/// Floats in one [`Lanes`] vector, on every instruction set.
pub(crate) const LANES: usize = 16;

/// What the kernels are compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum InstructionSet {
    /// Plain Rust, any processor.
    Portable = 1,
    /// WebAssembly with 128-bit vectors, where the program was compiled for them: four registers per vector.
    Simd128 = 2,
    /// 64-bit ARM: four registers per vector.
    Neon = 3,
    /// x86-64 with AVX2 and FMA (x86-64-v3): two registers per vector.
    Avx2 = 4,
    /// x86-64 with AVX-512 (x86-64-v4): one register per vector.
    Avx512 = 5,
}

/// The instruction set asked for is not one this processor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnsupportedInstructionSet(
    /// What was asked for.
    pub InstructionSet,
);

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
    /// Asks for the cache line of an address that will soon be read; any address will do.
    fn prefetch(from: *const f32);
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
