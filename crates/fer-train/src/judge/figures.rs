//! The figures of an evaluation: one row each, made here and nowhere else.
//! In: an evaluation. Out: [`Figure`]s, which text, JSON, HTML and the card show in their own ways.
//!
//! A new figure is one entry in [`of`]; the card takes those that [`fer_model::card::MetricsCard`] names.

use crate::judge::confusion::wilson95;
use crate::judge::evaluate::{Evaluation, Unseen};
use crate::judge::probabilities::Scored;

/// One figure with everything that any output says of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Its key in JSON and in the card.
    pub key: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// Its value, in the unit.
    pub value: f64,
    /// How the value is to be read.
    pub unit: Unit,
    /// What it means, and over what it was taken; empty where the name says it.
    pub note: String,
    /// Its 95 % interval, where it has one.
    pub ci95: Option<[f64; 2]>,
}

/// How a value is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A share, `0..=1`, shown in per cent.
    Share,
    /// A number without a unit people know, shown with four decimals.
    Number,
    /// Images a second.
    Rate,
}

/// At which temperature probabilities were taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Temperature {
    /// 1, before the card's.
    One,
    /// The card's.
    OfTheCard,
}

impl Figure {
    fn new(key: &'static str, name: &'static str, value: f64, unit: Unit, note: &str) -> Self {
        Self { key, name, value, unit, note: note.to_owned(), ci95: None }
    }

    fn with_interval(self, n_right: u64, n: u64) -> Self {
        Self { ci95: Some(wilson95(n_right, n)), ..self }
    }

    /// The value as people read it.
    #[must_use]
    pub fn shown(&self) -> String {
        match self.unit {
            Unit::Share => format!("{:.2} %", 100.0 * self.value),
            Unit::Number => format!("{:.4}", self.value),
            Unit::Rate => format!("{:.0}", self.value),
        }
    }

    /// The interval and the note in one line; empty where there is neither.
    #[must_use]
    pub fn remark(&self) -> String {
        let interval =
            self.ci95.map(|[low, high]| format!("95 % interval {:.2} to {:.2} %", 100.0 * low, 100.0 * high));
        let note = (!self.note.is_empty()).then(|| self.note.clone());
        interval.into_iter().chain(note).collect::<Vec<_>>().join("; ")
    }
}

/// The figures of an evaluation, the most asked for first.
#[must_use]
pub fn of(evaluation: &Evaluation) -> Vec<Figure> {
    let matrix = evaluation.confusion_matrix();
    let (before, after) = (evaluation.uncalibrated(), evaluation.calibrated());
    let share = |key, name, value, note: &str| Figure::new(key, name, value, Unit::Share, note);
    let (n_present, n_labels) = (matrix.n_present(), matrix.n_labels());
    let over = match n_present == n_labels {
        true => String::new(),
        false => format!(", over the {n_present} of {n_labels} that have images"),
    };
    let recall_note = format!("mean recall over classes{over}");
    let f1_note = format!("every class counts equally{over}");
    let mut figures = vec![
        share("accuracy", "accuracy", matrix.accuracy(), "").with_interval(matrix.n_right(), matrix.n()),
        share("balanced_accuracy", "balanced accuracy", matrix.balanced_accuracy(), &recall_note),
        share("macro_f1", "macro-F1", matrix.macro_average().f1, &f1_note),
        share("top2", "top-2", before.top(2), "the label is among the two most probable"),
    ];
    figures.extend(of_probabilities(&before, Temperature::One));
    figures.extend(of_probabilities(&after, Temperature::OfTheCard));
    figures
}

/// How honest probabilities are, at a temperature.
#[must_use]
pub fn of_probabilities(scored: &Scored, temperature: Temperature) -> Vec<Figure> {
    let (nll, brier, ece) = (scored.nll(), scored.brier(), scored.ece());
    let (number, share) = (Unit::Number, Unit::Share);
    match temperature {
        Temperature::One => vec![
            Figure::new("nll", "NLL", nll, number, "nats, before the temperature"),
            Figure::new("brier", "Brier", brier, number, "0 to 2, before the temperature"),
            Figure::new("ece", "ECE", ece, share, "15 bins, before the temperature"),
        ],
        Temperature::OfTheCard => {
            let after = "after the card's temperature";
            let [by_chance, deviation] = scored.ece_by_chance();
            let note =
                format!("± {:.2} %: of a perfectly calibrated model as sure as this", 100.0 * deviation);
            vec![
                Figure::new("nll_calibrated", "NLL, calibrated", nll, number, after),
                Figure::new("brier_calibrated", "Brier, calibrated", brier, number, after),
                Figure::new("ece_calibrated", "ECE, calibrated", ece, share, after),
                Figure::new("ece_by_chance", "ECE by chance", by_chance, share, &note),
            ]
        }
    }
}

/// The accuracy without the images that stand in the training data.
#[must_use]
pub fn of_unseen(unseen: &Unseen) -> Figure {
    let note = format!("{} images left, {} stand in the training data", unseen.n, unseen.n_removed);
    let figure = Figure::new("duplicates_removed", "duplicates removed", unseen.accuracy, Unit::Share, &note);
    Figure { ci95: Some(unseen.accuracy_ci95), ..figure }
}

/// The accuracy where a photograph in which no face was found counts as a wrong answer.
#[must_use]
pub fn with_unfound(evaluation: &Evaluation, n_without_face: usize) -> Figure {
    let (n_right, n) = (evaluation.confusion_matrix().n_right(), (evaluation.n() + n_without_face) as u64);
    let note = format!("{n} photographs, the {n_without_face} without a found face counted as wrong");
    let value = n_right as f64 / n.max(1) as f64;
    Figure::new("accuracy_of_all_photographs", "of all photographs", value, Unit::Share, &note)
        .with_interval(n_right, n)
}

/// How fast the images were judged.
#[must_use]
pub fn speed(evaluation: &Evaluation) -> Figure {
    let per_second = evaluation.images_per_second();
    Figure::new("images_per_second", "speed", per_second, Unit::Rate, "images a second, loading not counted")
}
