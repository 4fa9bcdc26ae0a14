//! What is fitted on the validation split: temperatures, and how heads are combined.
//! In: a model and its validation samples. Out: its card, written, and what changed.

pub mod card_figures;
pub mod combine;
pub mod temperature;

use fer_data::{LabelSet, Part, Samples, Split};
use fer_model::card::CalibrationCard;
use fer_model::checkpoint::{self, CARD_FILE};
use fer_model::{ModelCard, Predictor, Tta};

use self::card_figures::{calibrated, temperature_of};
use crate::console::Watcher;
use crate::error::TrainError;
use crate::judge::eyes::{majority_for, own_truth, reading, run};
use crate::judge::figures::{Figure, Temperature, of_probabilities};
use crate::judge::input::Inputs;
use crate::judge::probabilities::Scored;

/// Fits the model's temperatures on the validation split and writes them into its card; returns what goes
/// to stdout. A reading that is mostly FER+'s head is fitted on the majority of its raters: by labels that it
/// does not mean it would look less sure than it is.
///
/// # Errors
/// [`TrainError::Usage`] where the votes are missing; [`TrainError::Calibration`] when none fits; [`TrainError`] for data or a model that cannot be used and a card not written.
pub fn calibrate(
    predictor: &Predictor,
    inputs: &Inputs,
    watcher: &mut Watcher<'_>,
) -> Result<String, TrainError> {
    let validation = Part::Split(Split::Validation);
    let samples = inputs.load(validation, predictor.card(), watcher.notice)?.samples;
    if predictor.card().label_set_of(None) == LabelSet::FerPlus {
        let reason = "the model's reading is mostly FER+'s head: its temperature needs the votes, --ferplus fer2013new.csv";
        inputs.expect_votes(reason)?;
    }
    let mut evaluation = run(predictor, &samples, Tta::None, watcher)?;
    let mut card = calibrated(predictor.card(), &evaluation, &samples, &inputs.data.to_string_lossy())?;
    if let Some(majority) = majority_for(predictor, None, &samples) {
        let reading = reading(predictor.clone(), None, &majority.labels)?;
        evaluation = run(&reading, &majority, Tta::None, watcher)?;
        card.temperature = temperature_of(None, Tta::None, &evaluation)?.temperature;
        card.calibration = card.calibration.map(|c| CalibrationCard { labels: Some(LabelSet::FerPlus), ..c });
    }
    fit_others(&mut card, predictor, &samples, watcher)?;
    if card.foreign_calibration().is_some() {
        (watcher.notice)(&format!(
            "these {} images are not the validation split in the model's card: the temperature is fitted on them, the card's validation figures stay",
            samples.len()
        ));
    }
    checkpoint::save_card(&inputs.model, &card)?;
    let after = Scored::from_logits(&evaluation.logits(), &evaluation.truth, card.temperature.into());
    let word = |f: &Figure| format!("{} {}", f.name, f.shown());
    let words = |figures: Vec<Figure>| figures.iter().map(word).collect::<Vec<_>>().join("  ");
    Ok(format!(
        "temperature {:.4} written to {}\nbefore: {}\nafter:  {}\n",
        card.temperature,
        inputs.model.join(CARD_FILE).display(),
        words(of_probabilities(&evaluation.uncalibrated(), Temperature::One)),
        words(of_probabilities(&after, Temperature::One)),
    ))
}

/// Fills in the temperatures of all ways of reading but the plain one: more views, and single heads; and how
/// often each head is right.
fn fit_others(
    card: &mut ModelCard,
    predictor: &Predictor,
    samples: &Samples,
    watcher: &mut Watcher<'_>,
) -> Result<(), TrainError> {
    let single: Vec<_> = card.heads.iter().map(|head| Some(head.set)).collect();
    for head in std::iter::once(None).chain(single) {
        let Some(truth) = own_truth(predictor, head, samples) else { continue };
        let reading = reading(predictor.clone(), head, &truth.labels)?;
        for tta in Tta::ALL.into_iter().filter(|tta| (head, *tta) != (None, Tta::None)) {
            let evaluation = run(&reading, &truth, tta, watcher)?;
            card.temperatures.push(temperature_of(head, tta, &evaluation)?);
            if tta == Tta::None && card.foreign_calibration().is_none() {
                let accuracy = Some(evaluation.confusion_matrix().accuracy());
                let own = card.heads.iter_mut().filter(|part| Some(part.set) == head);
                own.for_each(|part| part.accuracy = accuracy);
            }
        }
    }
    Ok(())
}
