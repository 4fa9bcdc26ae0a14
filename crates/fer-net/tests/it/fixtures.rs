//! An untrained network, its card and drawn faces: whatever the tests need.

use burn::tensor::Device;
use fer_data::{Emotion, Face, Labels};
use fer_model::{Architecture, ModelCard, Predictor};
use fer_net::Net;

pub(crate) fn cpu() -> Device {
    Device::flex()
}

/// A `tiny` network with weights drawn from Burn's initialisers.
pub(crate) fn net() -> Net {
    Net::new(Architecture::Tiny, Emotion::FER2013.len(), 0.0, &cpu())
}

pub(crate) fn card() -> ModelCard {
    let mut card = ModelCard::new(Architecture::Tiny, Labels::fer2013(), "2026-01-31");
    card.selection = "highest validation accuracy, epoch 3 of 4".to_owned();
    card.training.seed = 7;
    card
}

pub(crate) fn predictor(net: &Net, card: ModelCard) -> Predictor {
    fer_net::predictor(net, card)
}

pub(crate) fn faces(n: usize) -> Vec<Face> {
    (0..n).map(|idx| fer_drawn::face(1, idx, Emotion::FER2013[idx % Emotion::FER2013.len()])).collect()
}
