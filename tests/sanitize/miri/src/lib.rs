//! The two folders of fer-kernels in which its unsafe code is, with their tests, for Miri.
//! In: their sources. Out: nothing but tests.
#![allow(dead_code, unreachable_pub)] // What only the tensors above call.

#[path = "../../../../crates/fer-kernels/src/lanes/mod.rs"]
mod lanes;
#[path = "../../../../crates/fer-kernels/src/ops/mod.rs"]
mod ops;
