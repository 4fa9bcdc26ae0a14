//! Networks, checkpoints and the predictor.
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

pub use card::ModelCard;
pub use checkpoint::ModelFiles;
pub use decide::{argmax, sigmoid, softmax};
pub use device::{Chosen, DeviceChoice, choose};
pub use error::ModelError;
pub use net::{Architecture, FoldedNet, Net};
pub use predict::{Prediction, Predictor};
pub use tta::Tta;
