//! A card and drawn faces: whatever the tests need.

use fer_data::{Emotion, Face, Labels};
use fer_model::{Architecture, ModelCard};

pub(crate) fn card() -> ModelCard {
    let mut card = ModelCard::new(Architecture::Tiny, Labels::fer2013(), "2026-01-31");
    card.selection = "highest validation accuracy, epoch 3 of 4".to_owned();
    card.training.seed = 7;
    card
}

pub(crate) fn faces(n: usize) -> Vec<Face> {
    (0..n).map(|idx| fer_drawn::face(1, idx, Emotion::FER2013[idx % Emotion::FER2013.len()])).collect()
}
