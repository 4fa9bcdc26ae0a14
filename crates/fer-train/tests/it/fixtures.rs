//! An untrained model, drawn samples, and an evaluation with known predictions.

use std::ops::ControlFlow;
use std::time::Duration;

use burn::tensor::Device;
use fer_data::{Emotion, Labels, Part, Samples, Split};
use fer_model::{Architecture, DeviceChoice, ModelCard, Prediction, Tta};
use fer_net::{Net, choose};
use fer_train::judge::evaluate::{Evaluation, evaluate};

pub(crate) fn cpu() -> Device {
    choose(DeviceChoice::Cpu).expect("every machine has a CPU").device
}

pub(crate) fn net() -> Net {
    Net::new(Architecture::Tiny, Emotion::FER2013.len(), 0.0, &cpu())
}

pub(crate) fn card() -> ModelCard {
    let mut card = ModelCard::new(Architecture::Tiny, Labels::fer2013(), "2026-01-31");
    card.selection = "highest validation accuracy, epoch 3 of 4".to_owned();
    card.training.seed = 7;
    card
}

/// `7 · per_class` drawn validation faces.
pub(crate) fn samples(per_class: usize) -> Samples {
    fer_drawn::samples(Split::Validation, per_class, 7)
}

pub(crate) fn judged(samples: &Samples) -> Evaluation {
    let predictor = fer_net::predictor(&net(), card());
    evaluate(&predictor, samples, Tta::None, |_| ControlFlow::Continue(())).unwrap()
}

/// An evaluation of `samples` in which the `idx`-th image is predicted as `predict(idx, label)`.
pub(crate) fn pretend(samples: &Samples, predict: impl Fn(usize, usize) -> usize) -> Evaluation {
    let n_labels = samples.labels.len();
    let prediction = |(idx, sample): (usize, &fer_data::Sample)| {
        let mut logits = vec![0.0; n_labels];
        logits[predict(idx, sample.label)] = 2.0 + idx as f32 / 1000.0;
        Prediction::new(logits, 1.0)
    };
    Evaluation {
        labels: samples.labels.clone(),
        part: Part::Split(samples.split),
        truth: samples.samples.iter().map(|sample| sample.label).collect(),
        predictions: samples.samples.iter().enumerate().map(prediction).collect(),
        temperature: 1.0,
        elapsed: Duration::from_millis(50),
    }
}
