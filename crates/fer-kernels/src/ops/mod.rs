//! The operations on slices of floats, forward and backward.
//! In: `[N, H, W, C]` in f32. Out: new vectors, or the same memory rewritten.

pub(crate) mod conv;
pub(crate) mod norm;
pub(crate) mod pool;
#[cfg(test)]
#[allow(unsafe_code)] // Outputs that a pass fills.
mod small_shapes;
