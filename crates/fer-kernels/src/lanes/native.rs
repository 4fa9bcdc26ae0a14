//! The lanes on real processors, by the crate `pulp`: one source for AVX-512, AVX2, NEON, WebAssembly and plain Rust.
//! In: a [`Kernel`] and an [`InstructionSet`]. Out: the kernel, compiled for it and run.
#![allow(unsafe_code)] // A function for one instruction set may only be called where the processor has it.

use pulp::Simd;

use super::simd::{InstructionSet, Kernel, LANES, Lanes};

/// Whether this processor has the instruction set.
pub(super) fn has(set: InstructionSet) -> bool {
    match set {
        InstructionSet::Portable => true,
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        InstructionSet::Avx2 => pulp::x86::V3::is_available(),
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        InstructionSet::Avx512 => pulp::x86::V4::is_available(),
        #[cfg(all(target_arch = "aarch64", target_feature = "neon", not(miri)))]
        InstructionSet::Neon => true,
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        InstructionSet::Simd128 => true,
        _ => false,
    }
}

/// Runs a kernel on an instruction set.
///
/// # Safety
///
/// The processor [`has`] the instruction set, and what the kernel's documentation asks of its fields holds.
#[inline(always)]
pub(super) unsafe fn run<K: Kernel>(set: InstructionSet, kernel: K) -> K::Output {
    // SAFETY: the caller's promise.
    unsafe {
        match set {
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx512 => x86::run_avx512(kernel),
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx2 => x86::run_avx2(kernel),
            #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
            InstructionSet::Neon => kernel.run::<Registers<pulp::aarch64::Neon, 4>>(),
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            InstructionSet::Simd128 => kernel.run::<Registers<pulp::wasm::Simd128, 4>>(),
            _ => kernel.run::<Registers<pulp::Scalar, LANES>>(),
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use pulp::x86::{V3, V4};

    use super::{Kernel, Registers};

    // The features of `V4` and `V3`, which `is_available` asks for: without one of them an operation is a call.

    #[target_feature(enable = "sse,sse2,fxsr,sse3,ssse3,sse4.1,sse4.2,popcnt,avx,avx2,bmi1,bmi2,fma,lzcnt")]
    #[target_feature(enable = "avx512f,avx512bw,avx512cd,avx512dq,avx512vl")]
    pub(super) unsafe fn run_avx512<K: Kernel>(kernel: K) -> K::Output {
        // SAFETY: this function's own requirement.
        unsafe { kernel.run::<Registers<V4, 1>>() }
    }

    #[target_feature(enable = "sse,sse2,fxsr,sse3,ssse3,sse4.1,sse4.2,popcnt,avx,avx2,bmi1,bmi2,fma,lzcnt")]
    pub(super) unsafe fn run_avx2<K: Kernel>(kernel: K) -> K::Output {
        // SAFETY: this function's own requirement.
        unsafe { kernel.run::<Registers<V3, 2>>() }
    }
}

/// An instruction set that can be taken for granted.
trait Assume: Simd {
    /// # Safety
    ///
    /// The processor has the instruction set.
    unsafe fn assume() -> Self;
}

#[cfg(any(target_arch = "x86_64", target_feature = "neon", target_feature = "simd128"))]
macro_rules! assume {
    ($($instructions:ty),*) => {$(
        impl Assume for $instructions {
            #[inline(always)]
            unsafe fn assume() -> Self {
                // SAFETY: the caller's promise.
                unsafe { Self::new_unchecked() }
            }
        }
    )*};
}

#[cfg(target_arch = "x86_64")]
assume!(pulp::x86::V3, pulp::x86::V4);
#[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
assume!(pulp::aarch64::Neon);
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
assume!(pulp::wasm::Simd128);

impl Assume for pulp::Scalar {
    #[inline(always)]
    unsafe fn assume() -> Self {
        Self
    }
}

/// Sixteen lanes in `N` registers; the token `simd` proves the instruction set.
#[derive(Clone, Copy)]
struct Registers<S: Simd, const N: usize> {
    simd: S,
    registers: [S::f32s; N],
}

impl<S: Simd, const N: usize> Registers<S, N> {
    /// Fails to compile unless it holds.
    const WHOLE: () = assert!(S::F32_LANES * N == LANES, "sixteen lanes in whole registers");

    #[inline(always)]
    fn new(simd: S, registers: [S::f32s; N]) -> Self {
        const { Self::WHOLE };
        Self { simd, registers }
    }
}

/// The same operation on every register; a loop, because a closure may stay a call.
macro_rules! in_each {
    ($lanes:ident, $register:ident => $value:expr) => {{
        let mut registers = $lanes.registers;
        for $register in 0..N {
            registers[$register] = $value;
        }
        Self::new($lanes.simd, registers)
    }};
}

impl<S: Assume, const N: usize> Lanes for Registers<S, N> {
    // AVX-512 alone has 32 registers that hold 16 lanes each.
    const WIDE: bool = N == 1;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        // SAFETY: the caller's promise.
        let simd = unsafe { S::assume() };
        Self::new(simd, [simd.splat_f32s(value); N])
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller's promise: the registers are 16 floats, which are plain data; the read is unaligned.
        unsafe { Self::new(S::assume(), from.cast::<[S::f32s; N]>().read_unaligned()) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's promise: the registers are 16 floats; the write is unaligned.
        unsafe { to.cast::<[S::f32s; N]>().write_unaligned(self.registers) }
    }
    #[inline(always)]
    fn prefetch(from: *const f32) {
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        // SAFETY: every x86-64 processor has the instruction, which reads nothing that could fail.
        unsafe {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_T0>(from.cast());
        }
        #[cfg(not(all(target_arch = "x86_64", not(miri))))]
        let _ = from;
    }
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        in_each!(self, r => self.simd.mul_add_e_f32s(self.registers[r], b.registers[r], c.registers[r]))
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        in_each!(self, r => self.simd.add_f32s(self.registers[r], other.registers[r]))
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        in_each!(self, r => self.simd.sub_f32s(self.registers[r], other.registers[r]))
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        in_each!(self, r => self.simd.mul_f32s(self.registers[r], other.registers[r]))
    }
    #[inline(always)]
    fn where_open(self, gate: Self) -> Self {
        let (simd, zero) = (self.simd, self.simd.splat_f32s(0.0));
        in_each!(self, r => {
            // NaN is not below or equal to anything.
            let closed = simd.less_than_or_equal_f32s(gate.registers[r], zero);
            simd.select_f32s(closed, zero, self.registers[r])
        })
    }
    #[inline(always)]
    fn larger(self, later: Self) -> Self {
        in_each!(self, r => {
            let wins = later_wins(self.simd, self.registers[r], later.registers[r]);
            self.simd.select_f32s(wins, later.registers[r], self.registers[r])
        })
    }
    #[inline(always)]
    fn split_at_larger(self, earlier: Self, later: Self) -> (Self, Self) {
        let (simd, zero) = (self.simd, self.simd.splat_f32s(0.0));
        let (mut taken, mut rest) = (self, self);
        for r in 0..N {
            let wins = later_wins(simd, earlier.registers[r], later.registers[r]);
            taken.registers[r] = simd.select_f32s(wins, self.registers[r], zero);
            rest.registers[r] = simd.select_f32s(wins, zero, self.registers[r]);
        }
        (taken, rest)
    }
}

/// Where `later` is larger than `earlier`, or NaN.
#[inline(always)]
fn later_wins<S: Simd>(simd: S, earlier: S::f32s, later: S::f32s) -> S::m32s {
    let is_number = simd.equal_f32s(later, later);
    simd.or_m32s(simd.greater_than_f32s(later, earlier), simd.not_m32s(is_number))
}
