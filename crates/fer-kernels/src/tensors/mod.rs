//! The operations on Burn's tensors: whose kernels compute, and how gradients are registered.
//! In: Burn tensors. Out: Burn tensors, by [`crate::ops`] on Flex in f32, by Burn's own operations elsewhere.

// A web page does not train.
#[cfg(not(target_family = "wasm"))]
mod autodiff;
mod fallback;
pub(crate) mod feature_map;
mod flex;
pub(crate) mod folded;
mod kernel_ops;
