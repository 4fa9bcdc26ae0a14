//! What is fitted on the validation split: temperatures, and how heads are combined.
//! In: a model and its validation samples. Out: its card, written, and what changed.

pub mod card_figures;
pub mod combine;
pub mod temperature;

use fer_data::{LabelSet, Part, Samples, Split};
use fer_model::card::TemperatureCard;
use fer_model::checkpoint::{self, CARD_FILE};
use fer_model::{Predictor, Tta};

use self::card_figures::{calibrated, temperature_of};
use crate::console::Watcher;
use crate::error::TrainError;
use crate::judge::figures::{Figure, Temperature, of_probabilities};
use crate::judge::input::Inputs;
use crate::judge::job::{reading, run};
use crate::judge::probabilities::Scored;

/// Fits the model's temperature on the validation split and writes it into its card; returns what goes
/// to stdout.
///
/// # Errors
/// [`TrainError::Calibration`] when none fits; [`TrainError`] as [`judge`](crate::judge::job::judge).
pub fn calibrate(
    predictor: &Predictor,
    inputs: &Inputs,
    watcher: &mut Watcher<'_>,
) -> Result<String, TrainError> {
    let validation = Part::Split(Split::Validation);
    let samples = inputs.load(validation, predictor.card(), watcher.notice)?.samples;
    let evaluation = run(predictor, &samples, Tta::None, watcher)?;
    let mut card = calibrated(predictor.card(), &evaluation, &samples, &inputs.data.to_string_lossy())?;
    card.temperatures = other_temperatures(predictor, &samples, watcher)?;
    if card.foreign_calibration().is_some() {
        (watcher.notice)(&format!(
            "these {} images are not the validation split in the model's card: the temperature is fitted on them, the card's validation figures stay",
            samples.len()
        ));
    }
    checkpoint::save_card(&inputs.model, &card)?;
    let after = Scored::from_logits(&evaluation.logits(), &evaluation.truth, card.temperature.into());
    let words = |figures: [Figure; 3]| figures.map(|f| format!("{} {}", f.name, f.shown())).join("  ");
    Ok(format!(
        "temperature {:.4} written to {}\nbefore: {}\nafter:  {}\n",
        card.temperature,
        inputs.model.join(CARD_FILE).display(),
        words(of_probabilities(&evaluation.uncalibrated(), Temperature::One)),
        words(of_probabilities(&after, Temperature::One)),
    ))
}

/// The temperatures of all ways of reading but the plain one: more views, and single heads. FER+'s head is
/// fitted on the majority of its raters, where votes were joined.
fn other_temperatures(
    predictor: &Predictor,
    samples: &Samples,
    watcher: &mut Watcher<'_>,
) -> Result<Vec<TemperatureCard>, TrainError> {
    let single = predictor.card().heads.iter().map(|head| Some(head.set));
    let mut fitted = Vec::new();
    for head in std::iter::once(None).chain(single) {
        let majority = (head == Some(LabelSet::FerPlus)).then(|| samples.clone().by_ferplus_majority().0);
        let truth = majority.as_ref().unwrap_or(samples);
        if truth.is_empty() {
            continue;
        }
        let reading = reading(predictor.clone(), head, &truth.labels)?;
        for tta in Tta::ALL.into_iter().filter(|tta| (head, *tta) != (None, Tta::None)) {
            let evaluation = run(&reading, truth, tta, watcher)?;
            fitted.push(temperature_of(head, tta, &evaluation)?);
        }
    }
    Ok(fitted)
}
