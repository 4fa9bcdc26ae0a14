//! The networks: presets, and the form that reads faces.
//! In: trained weights, then normalised faces `[N, 48, 48]`. Out: logits `[N, n_logits]`.

mod folded;
mod forward;
mod plan;

pub use folded::FoldedNet;
pub use forward::{After, BlockParts, ConvLayer};
pub use plan::{Architecture, BlockPlan, NetPlan, NetSize, Pooling};

/// Added to a face's deviation where faces are standardized, in units of the input: three grey values, so that a
/// blank crop stays one.
pub const STANDARD_FLOOR: f32 = 0.05;

/// What batch norm adds to a variance.
pub const EPSILON: f32 = 1e-5;
