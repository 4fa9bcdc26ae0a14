//! Fast CPU operations for the networks: convolution, batch norm, pooling, with gradients.
//! In: Burn tensors. Out: Burn tensors, by our kernels on Flex in f32, by Burn's own operations elsewhere.
//!
//! Start at [`FeatureMap`] (training and validation) and [`FoldedConv`] (inference).

// A web page does not train: it leaves the gradients out.
#![cfg_attr(target_family = "wasm", allow(dead_code))]

mod lanes;
#[cfg(feature = "mimalloc")]
pub mod memory;
mod ops;
mod tensors;

pub use lanes::simd::{InstructionSet, UnsupportedInstructionSet};
pub use lanes::threads::{ThreadsError, map_tasks, on_pool, set_threads, threads};
pub use tensors::feature_map::FeatureMap;
pub use tensors::folded::FoldedConv;
