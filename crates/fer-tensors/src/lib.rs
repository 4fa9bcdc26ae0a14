//! The networks' operations on Burn's tensors, with gradients: whose kernels compute is decided here.
//! In: Burn tensors. Out: Burn tensors, by fer-kernels on Flex in f32, by Burn's own operations elsewhere.
//!
//! Start at [`FeatureMap`].

mod autodiff;
mod fallback;
mod feature_map;
mod flex;
mod kernel_ops;

pub use feature_map::FeatureMap;
