//! Fast CPU operations for the networks: convolution, batch norm, pooling, with gradients.
//! In: Burn tensors. Out: Burn tensors, by our kernels on Flex in f32, by Burn's own operations elsewhere.
//!
//! Start at [`FeatureMap`] (training and validation) and [`FoldedConv`] (inference).

mod autodiff;
mod conv;
mod crowd;
mod fallback;
mod feature_map;
mod flex;
mod folded;
mod memory;
mod norm;
mod ops;
mod parallel;
mod pool;
mod scratch;
mod simd;
#[cfg(test)]
#[allow(unsafe_code)] // Calls of the passes that work in place.
mod small_shapes;
mod threads;

pub use feature_map::FeatureMap;
pub use folded::FoldedConv;
pub use memory::keep_memory;
pub use simd::{InstructionSet, UnsupportedInstructionSet};
pub use threads::{ThreadsError, set_threads, threads};
