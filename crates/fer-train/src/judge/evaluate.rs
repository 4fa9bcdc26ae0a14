//! A model judged on one split.
//! In: a predictor and samples. Out: [`Evaluation`], with every prediction.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use fer_data::{Face, Labels, Part, Samples};
use fer_model::{ModelError, Prediction, Predictor, Tta};

use crate::error::TrainError;
use crate::judge::confusion::{ConfusionMatrix, wilson95};
use crate::judge::probabilities::Scored;

/// Faces between two calls of the progress function, about: whole batches are judged.
const STEP: usize = 256;

/// Every prediction on one split, with the truth.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// The label set.
    pub labels: Labels,
    /// What was judged.
    pub part: Part,
    /// The true label of each image.
    pub truth: Vec<usize>,
    /// The prediction of each image, in the same order.
    pub predictions: Vec<Prediction>,
    /// The card's temperature at the time.
    pub temperature: f32,
    /// How long the network took for all of them.
    pub elapsed: Duration,
}

/// Accuracy on the images that do not also stand in the training data.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Unseen {
    /// Images left.
    pub n: u64,
    /// Images whose pixels equal those of a training image.
    pub n_removed: u64,
    /// Share predicted right among those left, `0..=1`.
    pub accuracy: f64,
    /// Its 95 % Wilson interval.
    pub accuracy_ci95: [f64; 2],
}

/// Judges a split; `progress` hears how many images are done, and may stop.
///
/// # Errors
/// [`TrainError::Model`] when the samples' labels are not the model's, [`TrainError::NotFinite`] when
/// the network's answer is no number,
/// [`TrainError::Interrupted`] when `progress` breaks.
pub fn evaluate(
    predictor: &Predictor,
    samples: &Samples,
    tta: Tta,
    mut progress: impl FnMut(usize) -> ControlFlow<()>,
) -> Result<Evaluation, TrainError> {
    expect_labels(predictor, samples)?;
    let start = now();
    let mut predictions = Vec::with_capacity(samples.len());
    let step = predictor.batch_size() * STEP.div_ceil(predictor.batch_size());
    for chunk in samples.samples.chunks(step) {
        let read = predictor.predict_each(chunk.iter().map(|sample| &sample.face), tta);
        if let Some(idx) = read.iter().position(|prediction| !prediction.is_finite()) {
            return Err(TrainError::NotFinite { sample: chunk[idx].source.to_string() });
        }
        predictions.extend(read);
        if progress(predictions.len()).is_break() {
            return Err(TrainError::Interrupted { n_done: predictions.len(), n: samples.len() });
        }
    }
    Ok(Evaluation {
        labels: samples.labels.clone(),
        part: Part::Split(samples.split),
        truth: samples.samples.iter().map(|sample| sample.label).collect(),
        predictions,
        temperature: predictor.temperature(tta),
        elapsed: start.elapsed(),
    })
}

/// Refuses to judge a prediction by labels that are not its own.
fn expect_labels(predictor: &Predictor, samples: &Samples) -> Result<(), TrainError> {
    if *predictor.labels() == samples.labels {
        return Ok(());
    }
    let [expected, found] = [&samples.labels, predictor.labels()].map(|labels| labels.names().join(", "));
    let origin = "model card, against the data's classes".to_owned();
    Err(ModelError::Mismatch { origin, field: "label order", expected, found }.into())
}

/// The clock: an evaluation says how many images it judged in a second.
#[expect(clippy::disallowed_methods, reason = "the speed is part of an evaluation")]
fn now() -> Instant {
    Instant::now()
}

impl Evaluation {
    /// How many images were judged.
    #[must_use]
    pub fn n(&self) -> usize {
        self.truth.len()
    }

    /// Labels against predictions.
    #[must_use]
    pub fn confusion_matrix(&self) -> ConfusionMatrix {
        let predicted = self.predictions.iter().map(Prediction::label);
        ConfusionMatrix::from_pairs(self.labels.len(), self.truth.iter().copied().zip(predicted))
    }

    /// The logits, `[n][n_labels]`.
    #[must_use]
    pub fn logits(&self) -> Vec<Vec<f32>> {
        self.predictions.iter().map(|prediction| prediction.logits.clone()).collect()
    }

    /// Probabilities before the card's temperature.
    #[must_use]
    pub fn uncalibrated(&self) -> Scored {
        Scored::from_logits(&self.logits(), &self.truth, 1.0)
    }

    /// Probabilities after the card's temperature.
    #[must_use]
    pub fn calibrated(&self) -> Scored {
        Scored::from_logits(&self.logits(), &self.truth, f64::from(self.temperature))
    }

    /// Images judged in a second.
    #[must_use]
    pub fn images_per_second(&self) -> f64 {
        self.n() as f64 / self.elapsed.as_secs_f64()
    }

    /// The accuracy without the images that stand, pixel for pixel, in the training data.
    ///
    /// `samples` are those that were judged.
    #[must_use]
    pub fn unseen(&self, samples: &Samples, train: &Samples) -> Unseen {
        let seen: HashSet<&Face> = train.samples.iter().map(|sample| &sample.face).collect();
        let (mut n, mut n_right) = (0, 0);
        for ((sample, truth), prediction) in samples.samples.iter().zip(&self.truth).zip(&self.predictions) {
            if !seen.contains(&sample.face) {
                n += 1;
                n_right += u64::from(prediction.label() == *truth);
            }
        }
        Unseen {
            n,
            n_removed: self.n() as u64 - n,
            accuracy: n_right as f64 / n.max(1) as f64,
            accuracy_ci95: wilson95(n_right, n),
        }
    }
}
