//! The model card: everything about a model that is not its weights.
//! In: `card.json`. Out: [`ModelCard`], checked against this build of fer, or the difference named.

use fer_data::{Labels, face};
use serde::{Deserialize, Serialize};

use crate::error::ModelError;
use crate::net::Architecture;

/// The card schema this version writes, and the newest it reads.
pub const SCHEMA: u64 = 1;

/// What a model is, how it was made, and what it was measured to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelCard {
    /// Version of this format: [`SCHEMA`].
    pub schema: u64,
    /// Version of fer that wrote the card.
    pub fer_version: String,
    /// Day the model was made, `YYYY-MM-DD`.
    pub created: String,
    /// Name of the network preset, [`Architecture::name`].
    pub architecture: String,
    /// Learnable parameters.
    pub n_parameters: usize,
    /// Class names in the order of the logits.
    pub labels: Labels,
    /// What the network is fed.
    pub input: InputCard,
    /// Divides the logits before softmax; 1 when uncalibrated.
    pub temperature: f32,
    /// Where the weights are, and proof that they are these.
    pub weights: WeightsCard,
    /// How the model was trained.
    pub training: TrainingCard,
    /// What chose these weights among all there were, for instance
    /// `highest validation accuracy, epoch 57 of 60, EMA weights`.
    pub selection: String,
    /// What was measured on the validation split, single view.
    pub validation: Option<MetricsCard>,
    /// What the temperature was fitted on; `None` when uncalibrated, or by fer before it was noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<CalibrationCard>,
}

/// The images that the temperature was fitted on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CalibrationCard {
    /// The data as the command line named it.
    pub data: String,
    /// Images.
    pub n: usize,
    /// [`fer_data::Samples::hash`] of them; [`TrainingCard::validation_sha256`] where it is that split.
    pub sha256: String,
}

/// The network's input: a square grey face, `(pixel - mean) / deviation`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputCard {
    /// Side in pixels.
    pub side: usize,
    /// Subtracted from the grey value, `0..=255`.
    pub mean: f32,
    /// Divides the difference.
    pub deviation: f32,
}

/// The weights file of a card.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WeightsCard {
    /// File name beside the card.
    pub file: String,
    /// Size in bytes.
    pub n_bytes: usize,
    /// SHA-256 of the file, 64 hexadecimal digits.
    pub sha256: String,
}

/// How a model was trained: enough to train it again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrainingCard {
    /// The command line.
    pub command: String,
    /// The resolved configuration, as TOML text.
    pub config: String,
    /// SHA-256 of that text; see [`crate::card::sha256_hex`].
    pub config_sha256: String,
    /// The data as the configuration names it.
    pub data: String,
    /// Training faces.
    pub n_train: usize,
    /// Validation faces.
    pub n_validation: usize,
    /// [`fer_data::Samples::hash`] of the training split.
    pub train_sha256: String,
    /// [`fer_data::Samples::hash`] of the validation split.
    pub validation_sha256: String,
    /// Seed of everything random.
    pub seed: u64,
    /// Epochs the run was asked for.
    pub n_epochs: usize,
    /// Epoch of these weights, from 1.
    pub epoch: usize,
}

/// Measurements on one split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricsCard {
    /// Images judged.
    pub n: usize,
    /// Share predicted right, `0..=1`.
    pub accuracy: f64,
    /// Mean F1 over classes, `0..=1`.
    pub macro_f1: f64,
    /// Mean recall over classes, `0..=1`.
    pub balanced_accuracy: f64,
    /// Mean negative log-likelihood in nats, before the temperature.
    pub nll: f64,
    /// Expected calibration error over 15 bins, before the temperature, `0..=1`.
    pub ece: f64,
}

impl ModelCard {
    /// A card for a fresh network, still without training facts, weights or measurements.
    #[must_use]
    pub fn new(architecture: Architecture, labels: Labels, created: impl Into<String>) -> Self {
        Self {
            schema: SCHEMA,
            fer_version: env!("CARGO_PKG_VERSION").to_owned(),
            created: created.into(),
            architecture: architecture.name().to_owned(),
            n_parameters: architecture.size(labels.len()).parameters,
            labels,
            input: InputCard { side: face::SIDE, mean: face::MEAN, deviation: face::DEVIATION },
            temperature: 1.0,
            weights: WeightsCard::default(),
            training: TrainingCard::default(),
            selection: String::new(),
            validation: None,
            calibration: None,
        }
    }

    /// What the temperature was fitted on, where that is not the validation split of the training.
    #[must_use]
    pub fn foreign_calibration(&self) -> Option<&CalibrationCard> {
        self.calibration.as_ref().filter(|on| on.sha256 != self.training.validation_sha256)
    }

    /// Reads and checks a card. `origin` names it in errors: a path, or `embedded model`.
    ///
    /// # Errors
    /// [`ModelError::Card`] for text that is no card, [`ModelError::FutureSchema`] for a later
    /// format, [`ModelError::Mismatch`] for a card this build cannot serve truthfully.
    pub fn from_json(json: &[u8], origin: &str) -> Result<Self, ModelError> {
        let not_a_card =
            |e: serde_json::Error| ModelError::Card { origin: origin.to_owned(), reason: e.to_string() };
        // The schema first: a later format may lack fields that this one requires.
        let version: Version = serde_json::from_slice(json).map_err(not_a_card)?;
        if version.schema > SCHEMA {
            return Err(ModelError::FutureSchema {
                origin: origin.to_owned(),
                found: version.schema,
                known: SCHEMA,
                fer_version: version.fer_version,
            });
        }
        let card: Self = serde_json::from_slice(json).map_err(not_a_card)?;
        card.check(origin)?;
        Ok(card)
    }

    /// The card as indented JSON with a final line break.
    #[must_use]
    pub fn to_json(&self) -> String {
        let json = serde_json::to_string_pretty(self).expect("a card holds only strings and numbers");
        json + "\n"
    }

    /// The network preset.
    ///
    /// # Errors
    /// [`ModelError::Mismatch`] for a name this version does not know.
    pub fn architecture(&self) -> Result<Architecture, ModelError> {
        self.architecture_from("model card")
    }

    /// Refuses a card whose labels are not these, in this order.
    ///
    /// # Errors
    /// [`ModelError::Mismatch`] with both lists.
    pub fn expect_labels(&self, expected: &Labels, origin: &str) -> Result<(), ModelError> {
        if self.labels == *expected {
            return Ok(());
        }
        Err(mismatch(origin, "label order", list(expected), list(&self.labels)))
    }

    /// Refuses a card for another network than this one.
    ///
    /// # Errors
    /// [`ModelError::Mismatch`] with both names.
    pub fn expect_architecture(&self, expected: Architecture, origin: &str) -> Result<(), ModelError> {
        let found = self.architecture_from(origin)?;
        if found == expected {
            return Ok(());
        }
        Err(mismatch(origin, "architecture", expected.name(), found.name()))
    }

    fn check(&self, origin: &str) -> Result<(), ModelError> {
        let architecture = self.architecture_from(origin)?;
        self.check_labels(origin)?;
        self.check_input(origin)?;
        let n_parameters = architecture.size(self.labels.len()).parameters;
        if self.n_parameters != n_parameters {
            return Err(mismatch(origin, "n_parameters", n_parameters, self.n_parameters));
        }
        if !(self.temperature.is_finite() && self.temperature > 0.0) {
            return Err(mismatch(origin, "temperature", "a positive number", self.temperature));
        }
        if self.weights.file.contains(['/', '\\']) || self.weights.file.is_empty() {
            return Err(mismatch(origin, "weights.file", "a file name beside the card", &self.weights.file));
        }
        Ok(())
    }

    fn architecture_from(&self, origin: &str) -> Result<Architecture, ModelError> {
        Architecture::from_name(&self.architecture).ok_or_else(|| {
            let known: Vec<&str> = Architecture::ALL.iter().map(|a| a.name()).collect();
            mismatch(origin, "architecture", format!("one of {}", known.join(", ")), &self.architecture)
        })
    }

    /// The seven expressions in another order would put every probability under a wrong name.
    fn check_labels(&self, origin: &str) -> Result<(), ModelError> {
        let emotions = Labels::fer2013();
        let is_permutation = self.labels.len() == emotions.len()
            && emotions.names().iter().all(|name| self.labels.names().contains(name));
        if is_permutation { self.expect_labels(&emotions, origin) } else { Ok(()) }
    }

    fn check_input(&self, origin: &str) -> Result<(), ModelError> {
        let here = InputCard { side: face::SIDE, mean: face::MEAN, deviation: face::DEVIATION };
        if self.input.side != here.side {
            return Err(mismatch(origin, "input side", here.side, self.input.side));
        }
        if self.input != here {
            let words = |i: &InputCard| format!("mean {}, deviation {}", i.mean, i.deviation);
            return Err(mismatch(origin, "normalisation", words(&here), words(&self.input)));
        }
        Ok(())
    }
}

/// The two fields that every schema has.
#[derive(Deserialize)]
struct Version {
    schema: u64,
    #[serde(default)]
    fer_version: String,
}

/// SHA-256 of some bytes as 64 hexadecimal digits.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    fer_base::hex::encode(&Sha256::digest(bytes))
}

fn list(labels: &Labels) -> String {
    labels.names().join(", ")
}

fn mismatch(origin: &str, field: &'static str, expected: impl ToString, found: impl ToString) -> ModelError {
    ModelError::Mismatch {
        origin: origin.to_owned(),
        field,
        expected: expected.to_string(),
        found: found.to_string(),
    }
}
