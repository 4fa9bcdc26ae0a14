//! An evaluation in figures: for a terminal, and as JSON.
//! In: an evaluation and how it came about. Out: [`Summary`], its text and its JSON.

use std::fmt::Write;

use fer_data::{Labels, Samples, Split};
use fer_model::{ModelCard, Tta};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::judge::confusion::{ClassMetrics, ConfusionMatrix, wilson95};
use crate::judge::evaluate::{Evaluation, Unseen};
use crate::judge::text_tables::{classification_report, confusion_table};

/// The figures of an evaluation, under the names of the JSON output.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Images judged.
    pub n: usize,
    /// Share predicted right, `0..=1`.
    pub accuracy: f64,
    /// Its 95 % Wilson interval.
    pub accuracy_ci95: [f64; 2],
    /// Mean recall over classes.
    pub balanced_accuracy: f64,
    /// Mean F1 over classes.
    pub macro_f1: f64,
    /// Share whose label is among the two most probable.
    pub top2: f64,
    /// Mean negative log-likelihood in nats, before the temperature.
    pub nll: f64,
    /// Multi-class Brier score, `0..=2`, before the temperature.
    pub brier: f64,
    /// Expected calibration error over 15 bins, before the temperature.
    pub ece: f64,
    /// The same after the card's temperature.
    pub ece_calibrated: f64,
    /// Figures by class name, in label order.
    pub per_class: PerClass,
    /// Counts, row = label, column = prediction.
    pub confusion_matrix: Vec<Vec<u64>>,
    /// Images judged in a second, network and views included, loading not.
    pub images_per_second: f64,
    /// What selected the model, which split this is, how many images.
    pub protocol: String,
    /// Without the images that stand in the training data; only when that was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicates_removed: Option<Unseen>,
    /// The rest of what the text shows.
    #[serde(skip)]
    shown: Shown,
}

#[derive(Clone, Debug)]
struct Shown {
    labels: Labels,
    matrix: ConfusionMatrix,
    temperature: f32,
    nll_calibrated: f64,
    brier_calibrated: f64,
}

/// Class figures that serialise as an object in label order.
#[derive(Clone, Debug, PartialEq)]
pub struct PerClass(pub Vec<(String, ClassMetrics)>);

impl Serialize for PerClass {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, class) in &self.0 {
            map.serialize_entry(name, class)?;
        }
        map.end()
    }
}

impl Summary {
    /// The figures of an evaluation; `protocol` from [`protocol`].
    #[must_use]
    pub fn new(evaluation: &Evaluation, protocol: String, unseen: Option<Unseen>) -> Self {
        let matrix = evaluation.confusion_matrix();
        let (before, after) = (evaluation.uncalibrated(), evaluation.calibrated());
        let labels = evaluation.labels.clone();
        Self {
            n: evaluation.n(),
            accuracy: matrix.accuracy(),
            accuracy_ci95: wilson95(matrix.n_right(), matrix.n()),
            balanced_accuracy: matrix.balanced_accuracy(),
            macro_f1: matrix.macro_average().f1,
            top2: before.top(2),
            nll: before.nll(),
            brier: before.brier(),
            ece: before.ece(),
            ece_calibrated: after.ece(),
            per_class: PerClass(labels.names().iter().cloned().zip(matrix.classes()).collect()),
            confusion_matrix: matrix.rows().to_vec(),
            images_per_second: evaluation.images_per_second(),
            protocol,
            duplicates_removed: unseen,
            shown: Shown {
                labels,
                matrix,
                temperature: evaluation.temperature,
                nll_calibrated: after.nll(),
                brier_calibrated: after.brier(),
            },
        }
    }

    /// The summary as indented JSON with a final line break.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a summary holds only strings and numbers") + "\n"
    }

    /// The summary for a terminal.
    #[must_use]
    pub fn to_text(&self) -> String {
        let Shown { labels, matrix, .. } = &self.shown;
        format!(
            "{protocol}\n\n{figures}\n{report}\n{confusion}\n{speed:.0} images/s\n",
            protocol = self.protocol,
            figures = self.figures(),
            report = classification_report(labels, matrix),
            confusion = confusion_table(labels, matrix),
            speed = self.images_per_second,
        )
    }

    fn figures(&self) -> String {
        let mut text = format!(
            "accuracy           {}  (95 % interval {})\n",
            percent(self.accuracy),
            interval(self.accuracy_ci95)
        );
        if let Some(unseen) = &self.duplicates_removed {
            let _ = writeln!(
                text,
                "duplicates removed {}  (95 % interval {}; {} images left, {} stand in the training data)",
                percent(unseen.accuracy),
                interval(unseen.accuracy_ci95),
                unseen.n,
                unseen.n_removed
            );
        }
        let _ = writeln!(text, "top-2              {}", percent(self.top2));
        let _ = writeln!(text, "macro-F1           {}", percent(self.macro_f1));
        let _ = writeln!(text, "balanced accuracy  {}", percent(self.balanced_accuracy));
        text + &self.calibration()
    }

    fn calibration(&self) -> String {
        let Shown { temperature, nll_calibrated, brier_calibrated, .. } = &self.shown;
        let before = format!("NLL {:.4}  Brier {:.4}  ECE {}", self.nll, self.brier, percent(self.ece));
        if *temperature == 1.0 {
            return format!("uncalibrated       {before}  (fer-eval calibrate fits a temperature)\n");
        }
        format!(
            "at temperature 1   {before}\nat {temperature:<15.4} NLL {nll_calibrated:.4}  Brier {brier_calibrated:.4}  ECE {}\n",
            percent(self.ece_calibrated)
        )
    }
}

/// The line that makes the figures mean something: what selected the model, and what it is judged on.
#[must_use]
pub fn protocol(card: &ModelCard, model: &str, data: &str, samples: &Samples, tta: Tta) -> String {
    let selection = if card.selection.is_empty() { "nothing stated" } else { &card.selection };
    let training = &card.training;
    let hash = samples.hash();
    let role = match samples.split {
        _ if hash == training.train_sha256 => "which fitted the weights: not a measure of quality",
        _ if hash == training.validation_sha256 => "which selected the model: leans to the good side",
        // Another hash may be one image less, or another carving, of what chose the model.
        Split::Train => "not the same images as the card's: they may have fitted the weights",
        Split::Validation => "not the same images as the card's: they may have selected the model",
        _ => "which chose nothing of this model",
    };
    format!(
        "{model} ({architecture}, {parameters} parameters), selected by {selection}; judged on {n} images of {data}, {split} split, {role}; test-time augmentation {tta}",
        architecture = card.architecture,
        parameters = card.n_parameters,
        n = samples.len(),
        split = samples.split,
    )
}

fn percent(share: f64) -> String {
    format!("{:>5.2} %", 100.0 * share)
}

fn interval([low, high]: [f64; 2]) -> String {
    format!("{:.2} to {:.2}", 100.0 * low, 100.0 * high)
}
