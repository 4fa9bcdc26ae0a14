//! An evaluation in figures: for a terminal, and as JSON.
//! In: an evaluation and how it came about. Out: [`Summary`], its text and its JSON.

use std::fmt::Write;

use fer_base::terminal;
use fer_data::{Labels, Part, Samples, Split};
use fer_model::{ModelCard, Tta};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::judge::confusion::{ClassMetrics, ConfusionMatrix};
use crate::judge::evaluate::{Evaluation, Unseen};
use crate::judge::figures::{self, Figure};
use crate::judge::text_tables::{classification_report, confusion_table};

/// The figures of an evaluation and the line that makes them mean something.
#[derive(Clone, Debug)]
pub struct Summary {
    /// What selected the model, which split this is, how many images.
    pub protocol: String,
    figures: Vec<Figure>,
    /// Images judged in a second, network and views included, loading not.
    speed: Figure,
    /// Without the images that stand in the training data; only when that was given.
    unseen: Option<Unseen>,
    /// Figures that only some evaluations have.
    more: Vec<Figure>,
    /// Damaged samples that were left out, as `--skip-bad` asks.
    n_left_out: usize,
    labels: Labels,
    matrix: ConfusionMatrix,
    temperature: f32,
}

/// The JSON output: every figure under its key, an interval beside it as `<key>_ci95`.
impl Serialize for Summary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("n", &self.matrix.n())?;
        map.serialize_entry("n_left_out", &self.n_left_out)?;
        for figure in self.figures.iter().chain(&self.more) {
            map.serialize_entry(figure.key, &figure.value)?;
            if let Some(interval) = figure.ci95 {
                map.serialize_entry(&format!("{}_ci95", figure.key), &interval)?;
            }
        }
        let classes = self.labels.names().iter().cloned().zip(self.matrix.classes());
        map.serialize_entry("per_class", &PerClass(classes.collect()))?;
        map.serialize_entry("confusion_matrix", self.matrix.rows())?;
        map.serialize_entry(self.speed.key, &self.speed.value)?;
        map.serialize_entry("protocol", &self.protocol)?;
        if let Some(unseen) = &self.unseen {
            map.serialize_entry(figures::of_unseen(unseen).key, unseen)?;
        }
        map.end()
    }
}

/// Class figures that serialise as an object in label order.
#[derive(Clone, Debug, PartialEq)]
struct PerClass(Vec<(String, ClassMetrics)>);

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
        Self {
            protocol,
            figures: figures::of(evaluation),
            speed: figures::speed(evaluation),
            unseen,
            more: Vec::new(),
            n_left_out: 0,
            labels: evaluation.labels.clone(),
            matrix: evaluation.confusion_matrix(),
            temperature: evaluation.temperature,
        }
    }

    /// The summary with one figure more, shown below the accuracy.
    #[must_use]
    pub fn with(mut self, figure: Figure) -> Self {
        self.more.push(figure);
        self
    }

    /// The summary of data of which this many damaged samples were left out.
    #[must_use]
    pub fn leaving_out(mut self, n_left_out: usize) -> Self {
        self.n_left_out = n_left_out;
        self
    }

    /// How many damaged samples the figures leave out, for people; `None` where there were none.
    #[must_use]
    pub fn left_out(&self) -> Option<String> {
        (self.n_left_out > 0).then(|| format!("{} damaged samples left out", self.n_left_out))
    }

    /// The figures for people, in the order in which they are read.
    ///
    /// Those after the temperature are left out where there is none: they are those before it.
    #[must_use]
    pub fn rows(&self) -> Vec<Figure> {
        let is_news = |figure: &&Figure| self.temperature != 1.0 || !figure.key.ends_with("_calibrated");
        let mut rows: Vec<Figure> = self.figures.iter().filter(is_news).cloned().collect();
        if let Some(unseen) = &self.unseen {
            rows.insert(1, figures::of_unseen(unseen));
        }
        rows.splice(1..1, self.more.iter().cloned());
        rows.push(self.speed.clone());
        rows
    }

    /// The summary as indented JSON with a final line break.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a summary holds only strings and numbers") + "\n"
    }

    /// The summary for a terminal.
    #[must_use]
    pub fn to_text(&self) -> String {
        let left_out = self.left_out().map(|words| words + "\n").unwrap_or_default();
        let mut text = format!("{}\n{left_out}\n", terminal::line(&self.protocol));
        for row in self.rows() {
            let line = format!("{:<18} {:>8}  {}", row.name, row.shown(), row.remark());
            let _ = writeln!(text, "{}", line.trim_end());
        }
        match self.temperature {
            1.0 => text += "uncalibrated: fer-eval calibrate fits a temperature\n",
            temperature => {
                let _ = writeln!(text, "calibrated at temperature {temperature:.4}");
            }
        }
        format!(
            "{text}\n{}\n{}",
            classification_report(&self.labels, &self.matrix),
            confusion_table(&self.labels, &self.matrix)
        )
    }
}

/// The line that makes the figures mean something: what selected the model, and what it is judged on.
#[must_use]
pub fn protocol(
    card: &ModelCard,
    model: &str,
    data: &str,
    samples: &Samples,
    part: Part,
    tta: Tta,
) -> String {
    let selection = if card.selection.is_empty() { "nothing stated" } else { &card.selection };
    let training = &card.training;
    let hash = samples.hash();
    let role = match part {
        _ if hash == training.train_sha256 => "which fitted the weights: not a measure of quality",
        _ if hash == training.validation_sha256 => "which selected the model: optimistic",
        // Another hash may be one image less, or another carving, of what chose the model.
        Part::Whole => "not the images that the card names",
        Part::Split(Split::Train) => "not the same images as the card's: they may have fitted the weights",
        Part::Split(Split::Validation) => {
            "not the same images as the card's: they may have selected the model"
        }
        Part::Split(_) => "which chose nothing of this model",
    };
    format!(
        "{model} ({architecture}, {parameters} parameters), selected by {selection}; judged on {n} images of {data}, {part}, {role}; test-time augmentation {tta}",
        architecture = card.architecture,
        parameters = card.n_parameters,
        n = samples.len(),
    )
}
