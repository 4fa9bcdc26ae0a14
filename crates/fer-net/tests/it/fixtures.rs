//! An untrained network, beside the card and faces of fer-model's tests.

use burn::tensor::Device;
use fer_data::Emotion;
use fer_model::Architecture;
use fer_net::Net;

pub(crate) fn cpu() -> Device {
    Device::flex()
}

/// A `tiny` network with weights drawn from Burn's initialisers.
pub(crate) fn net() -> Net {
    Net::new(Architecture::Tiny, Emotion::FER2013.len(), 0.0, &cpu())
}
