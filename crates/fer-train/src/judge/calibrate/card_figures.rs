//! What a model's card says of its quality, and its temperatures.
//! In: a card and evaluations of its model. Out: the card with figures or temperatures filled in.

use std::ops::ControlFlow;

use fer_data::{LabelSet, Samples};
use fer_model::card::{CalibrationCard, MetricsCard, TemperatureCard};
use fer_model::{ModelCard, Predictor, Tta};
use fer_net::{Net, predictor};

use crate::error::TrainError;
use crate::judge::calibrate::temperature::fit_temperature;
use crate::judge::evaluate::{Evaluation, evaluate};
use crate::judge::eyes::{own_truth, reading};
use crate::judge::figures;

/// The card with what the network does on the validation split filled in, single view; of several heads also
/// how often each is right by its own labels.
///
/// # Errors
/// As [`evaluate`].
pub fn measured(card: ModelCard, net: &Net, validation: &Samples) -> Result<ModelCard, TrainError> {
    let single_view = |predictor: &Predictor, samples: &Samples| {
        evaluate(predictor, samples, Tta::None, |_| ControlFlow::Continue(()))
    };
    let predictor = predictor(net, card);
    let mut card = predictor.card().clone();
    card.validation = Some(card_metrics(&single_view(&predictor, validation)?));
    for head in &mut card.heads {
        let set = Some(head.set);
        head.accuracy = match own_truth(&predictor, set, validation) {
            None => None,
            Some(truth) => {
                let reading = reading(predictor.clone(), set, &truth.labels)?;
                Some(single_view(&reading, &truth)?.confusion_matrix().accuracy())
            }
        };
    }
    Ok(card)
}

/// The card with the temperature that fits an evaluation of its model, single view; `data` names the images
/// judged.
///
/// The validation figures are those of the images that selected the model: they are taken from the
/// evaluation only where it judged the same images.
///
/// # Errors
/// [`TrainError::Calibration`] when no temperature fits.
pub fn calibrated(
    card: &ModelCard,
    evaluation: &Evaluation,
    samples: &Samples,
    data: &str,
) -> Result<ModelCard, TrainError> {
    let mut card = card.clone();
    card.temperature = fit_temperature(&evaluation.logits(), &evaluation.truth)? as f32;
    card.temperatures.clear();
    let sha256 = samples.hash();
    card.calibration =
        Some(CalibrationCard { data: data.to_owned(), labels: None, n: samples.len(), sha256 });
    if card.foreign_calibration().is_none() {
        card.validation = Some(card_metrics(evaluation));
    }
    Ok(card)
}

/// The temperature of another way of reading, for [`ModelCard::temperatures`]: averaged views are less sure
/// of themselves than one, and each head has a sureness of its own.
///
/// # Errors
/// [`TrainError::Calibration`] when no temperature fits.
pub fn temperature_of(
    head: Option<LabelSet>,
    tta: Tta,
    evaluation: &Evaluation,
) -> Result<TemperatureCard, TrainError> {
    let temperature = fit_temperature(&evaluation.logits(), &evaluation.truth)? as f32;
    Ok(TemperatureCard { head, tta: tta.name().to_owned(), temperature })
}

/// The figures that a model card states; which, is the card format's decision.
#[must_use]
pub fn card_metrics(evaluation: &Evaluation) -> MetricsCard {
    let figures = figures::of(evaluation);
    let value = |key| {
        let figure = figures.iter().find(|figure| figure.key == key);
        figure.expect("a card's keys are those of figures.rs").value
    };
    MetricsCard {
        n: evaluation.n(),
        accuracy: value("accuracy"),
        macro_f1: value("macro_f1"),
        balanced_accuracy: value("balanced_accuracy"),
        nll: value("nll"),
        ece: value("ece"),
    }
}
