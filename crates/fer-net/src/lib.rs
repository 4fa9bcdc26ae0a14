//! The networks on Burn: what training changes, and what reads faces on any of Burn's devices.
//! In: normalised faces, model folders. Out: logits with gradients; model folders.

mod beside;
pub mod checkpoint;
pub mod device;
pub mod frozen;
mod layer;
mod net;

pub use burn::tensor::Device;
pub use device::{Chosen, choose};
pub use frozen::{Frozen, predictor};
pub use net::Net;
