//! The operations on slices of floats, forward and backward.
//! In: `[N, H, W, C]` in f32. Out: new vectors, or the same memory rewritten.

pub mod conv;
pub mod depthwise;
pub mod norm;
pub mod pool;
#[cfg(test)]
#[allow(unsafe_code)] // Outputs that a pass fills.
mod small_shapes;
