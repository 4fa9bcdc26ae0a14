//! Fast CPU operations for the networks: convolution, batch norm, pooling, with gradients.
//! In: slices of `[N, H, W, C]` floats. Out: new vectors, or the same memory rewritten.
//!
//! For inference start at [`FoldedConv`]; for training see the crate fer-tensors, which makes Burn use these.

mod folded;
mod lanes;
#[cfg(feature = "mimalloc")]
pub mod memory;
mod ops;

pub use folded::{FoldedConv, FoldedDepthwise, Map, Norm};
pub use lanes::simd::{InstructionSet, UnsupportedInstructionSet};
pub use lanes::threads::{ThreadsError, map_tasks, on_pool, set_threads, threads};
pub use ops::{conv, depthwise, norm, pool};
