//! Trained networks, their cards and folders, and the predictor: all that reading faces takes, without Burn.
//! In: faces. Out: logits and probabilities in label order.

pub mod card;
pub mod card_page;
pub mod checkpoint;
pub mod decide;
pub mod device;
pub mod error;
pub mod net;
pub mod predict;
pub mod tta;
pub mod weights;

pub use card::ModelCard;
pub use checkpoint::{Model, ModelFiles};
pub use decide::{sigmoid, softmax};
pub use device::DeviceChoice;
pub use error::ModelError;
pub use net::{Architecture, FoldedNet};
pub use predict::{Network, Prediction, Predictor};
pub use tta::Tta;
pub use weights::Weights;
