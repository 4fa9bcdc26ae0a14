//! The model card: everything about a model that is not its weights.
//! In: `card.json`. Out: [`ModelCard`], checked against this build of fer, or the difference named.

use std::ops::RangeInclusive;

use fer_data::{LabelSet, Labels, face};
use serde::{Deserialize, Serialize};

use crate::error::ModelError;
use crate::net::{Architecture, BlockPlan, NetPlan, Pooling};

/// The card schema this version writes, and the newest it reads.
pub const SCHEMA: u64 = 1;

/// Side of the crops that FER-2013's faces are, relative to the side of a Haar box.
///
/// The data set's faces were cut by the same cascade: found again in 648 of 800 of its training faces, its
/// box is 0.979 of the crop (median; middle half 0.90 to 1.04) and centred in it: docs/reports/live.md.
/// Drawn faces are framed alike. A model trained on faces cut otherwise states its own factor in its card.
pub const CROP_FACTOR: f32 = 1.02;

/// The crop factors a card may state: at either end the face is cut into, or is a speck.
pub const CROP_FACTORS: RangeInclusive<f32> = 0.5..=4.0;

/// The temperatures a card may state; outside, every face is read with full confidence or with none.
pub const TEMPERATURES: RangeInclusive<f32> = 0.05..=20.0;

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
    /// The network's blocks; empty in cards of before: the preset's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<BlockPlan>,
    /// How many trunks of these blocks stand side by side, from 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub n_trunks: usize,
    /// How the last feature maps become features; plain means in cards of before.
    #[serde(default, skip_serializing_if = "is_default")]
    pub pooling: Pooling,
    /// Whether the network brings each face to mean 0 and deviation 1 first; not in cards of before.
    #[serde(default, skip_serializing_if = "is_default")]
    pub standardizes: bool,
    /// Learnable parameters.
    pub n_parameters: usize,
    /// Class names of a reading, in its order: those of the first head.
    pub labels: Labels,
    /// The heads, in the order of the logits; empty: one head, whose labels are [`ModelCard::labels`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heads: Vec<HeadCard>,
    /// The verifier, whose logit stands behind those of all heads; `None`: every crop counts as a face.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verifier: Option<VerifierCard>,
    /// What the network is fed.
    pub input: InputCard,
    /// Divides a reading's logits before softmax, single view, within [`TEMPERATURES`]; 1 when uncalibrated.
    pub temperature: f32,
    /// Temperatures of other views and of single heads; where one is not listed, [`ModelCard::temperature`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub temperatures: Vec<TemperatureCard>,
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

/// Largest offset of a logit that a card may ask for: no share of a label is as small as its exponential.
const MOST_OFFSET: f32 = 100.0;

/// One head: logits for one label set, from the features that all heads share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadCard {
    /// Whose labels they are.
    pub set: LabelSet,
    /// Class names in the order of the head's logits.
    pub labels: Labels,
    /// The head's weight in a reading, `0..=1`, where all heads' logits are combined; chosen on validation.
    pub weight: f32,
    /// What is added to the head's logits, in label order, where they are combined; empty: nothing. By logit
    /// adjustment (Menon et al. 2021, arXiv 2007.07314) rare labels gain what the training faces' shares took
    /// from them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offsets: Vec<f32>,
    /// Top-1 of the head alone on the validation split, by its own label set, single view, `0..=1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
}

impl HeadCard {
    /// A head that is combined as it is, with this weight, `0..=1`.
    #[must_use]
    pub fn new(set: LabelSet, labels: Labels, weight: f32) -> Self {
        Self { set, labels, weight, offsets: Vec::new(), accuracy: None }
    }
}

/// One more output from the features that the heads share: whether the crop shows a face at all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerifierCard {
    /// Below this face score, `0..=1`, a crop is no face; chosen on validation.
    pub threshold: f32,
    /// Share of the validation split's faces that the threshold keeps, `0..=1`.
    pub faces_kept: f64,
    /// Share of a detector's false finds in held-out pictures that it refuses, `0..=1`.
    pub false_finds_refused: f64,
    /// Faces and false finds that these shares were measured on.
    pub n: [usize; 2],
    /// The command that fitted it.
    pub command: String,
}

/// The temperature of one way of reading.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemperatureCard {
    /// The head read; `None`: the reading, in which heads are combined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<LabelSet>,
    /// Views averaged, [`crate::Tta::name`].
    pub tta: String,
    /// Divides the logits before softmax.
    pub temperature: f32,
}

/// The images that the temperature was fitted on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CalibrationCard {
    /// The data as the command line named it.
    pub data: String,
    /// Whose labels they are; `None`: the data's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<LabelSet>,
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
    /// Side of the faces it was trained on, relative to the side of a Haar box around the face: how
    /// tightly a found face is to be cut; [`CROP_FACTOR`] in cards of before it was noted.
    #[serde(default = "crop_factor")]
    pub crop_factor: f32,
}

fn one() -> usize {
    1
}

// Serde hands over a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_one(n: &usize) -> bool {
    *n == 1
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn crop_factor() -> f32 {
    CROP_FACTOR
}

impl InputCard {
    /// What this build of fer feeds a network, from faces cut as FER-2013's are.
    #[must_use]
    pub fn here() -> Self {
        Self { side: face::SIDE, mean: face::MEAN, deviation: face::DEVIATION, crop_factor: CROP_FACTOR }
    }
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

impl MetricsCard {
    /// Its figures by their key, in the card's order.
    #[must_use]
    pub const fn figures(&self) -> [(&'static str, f64); 5] {
        let Self { n: _, accuracy, macro_f1, balanced_accuracy, nll, ece } = *self;
        [
            ("accuracy", accuracy),
            ("macro_f1", macro_f1),
            ("balanced_accuracy", balanced_accuracy),
            ("nll", nll),
            ("ece", ece),
        ]
    }
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
            blocks: Vec::new(),
            n_trunks: 1,
            pooling: Pooling::Mean,
            standardizes: false,
            n_parameters: architecture.size(labels.len()).parameters,
            labels,
            heads: Vec::new(),
            verifier: None,
            input: InputCard::here(),
            temperature: 1.0,
            temperatures: Vec::new(),
            weights: WeightsCard::default(),
            training: TrainingCard::default(),
            selection: String::new(),
            validation: None,
            calibration: None,
        }
    }

    /// A card for a fresh network of this plan and these heads; the first head names the reading's labels.
    ///
    /// # Panics
    /// If there is no head.
    #[must_use]
    pub fn with_heads(
        architecture: Architecture,
        plan: &NetPlan,
        heads: Vec<HeadCard>,
        created: impl Into<String>,
    ) -> Self {
        let mut card = Self::new(architecture, heads[0].labels.clone(), created);
        if plan.blocks != architecture.blocks() {
            card.blocks.clone_from(&plan.blocks);
        }
        card.n_trunks = plan.n_trunks;
        card.pooling = plan.pooling;
        card.standardizes = plan.standardizes;
        if heads.len() > 1 {
            card.heads = heads;
        }
        card.n_parameters = plan.size(card.n_logits()).parameters;
        card
    }

    /// Whose labels a head's reading, or with `None` that of all heads combined, is meant in: those of the
    /// head that weighs most, the first of equals.
    #[must_use]
    pub fn label_set_of(&self, head: Option<LabelSet>) -> LabelSet {
        let heads = self.all_heads();
        let heaviest = heads.iter().rev().max_by(|a, b| a.weight.total_cmp(&b.weight));
        head.or(heaviest.map(|head| head.set)).expect("a card has a head")
    }

    /// The heads, also of a card that lists none.
    #[must_use]
    pub fn all_heads(&self) -> Vec<HeadCard> {
        if !self.heads.is_empty() {
            return self.heads.clone();
        }
        vec![HeadCard::new(self.labels.set(), self.labels.clone(), 1.0)]
    }

    /// Logits of all heads together, and the verifier's where there is one.
    #[must_use]
    pub fn n_logits(&self) -> usize {
        let n_labels = match self.heads.is_empty() {
            true => self.labels.len(),
            false => self.heads.iter().map(|head| head.labels.len()).sum(),
        };
        n_labels + usize::from(self.verifier.is_some())
    }

    /// The same card with another verifier, or none: the outputs and parameters are counted anew.
    ///
    /// # Errors
    /// [`ModelError::Mismatch`] for a preset this version does not know.
    pub fn with_verifier(mut self, verifier: Option<VerifierCard>) -> Result<Self, ModelError> {
        self.verifier = verifier;
        self.n_parameters = self.plan()?.size(self.n_logits()).parameters;
        Ok(self)
    }

    /// The temperature of a head (`None`: of the reading) with these views.
    #[must_use]
    pub fn temperature_of(&self, head: Option<LabelSet>, tta: &str) -> f32 {
        let fits = |t: &&TemperatureCard| t.head == head && t.tta == tta;
        self.temperatures.iter().find(fits).map_or(self.temperature, |t| t.temperature)
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
        let not_a_card = |source: serde_json::Error| ModelError::Card { origin: origin.to_owned(), source };
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

    /// What the network is made of: blocks of the card's own, or the preset's.
    ///
    /// # Errors
    /// [`ModelError::Mismatch`] for a preset this version does not know.
    pub fn plan(&self) -> Result<NetPlan, ModelError> {
        Ok(self.plan_of(self.architecture()?))
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

    /// Refuses what [`ModelCard::from_json`] would refuse, so that no such card is written either.
    pub(crate) fn check(&self, origin: &str) -> Result<(), ModelError> {
        let architecture = self.architecture_from(origin)?;
        self.check_labels(origin)?;
        self.check_input(origin)?;
        let plan = self.plan_of(architecture);
        plan.check().map_err(|(expected, found)| mismatch(origin, "blocks", expected, found))?;
        let n_parameters = plan.size(self.n_logits()).parameters;
        if self.n_parameters != n_parameters {
            return Err(mismatch(origin, "n_parameters", n_parameters, self.n_parameters));
        }
        for other in &self.temperatures {
            within(origin, "temperature", other.temperature, TEMPERATURES)?;
        }
        within(origin, "temperature", self.temperature, TEMPERATURES)?;
        if let Some(verifier) = &self.verifier {
            within(origin, "verifier threshold", verifier.threshold, 0.0..=1.0)?;
        }
        within(origin, "input crop_factor", self.input.crop_factor, CROP_FACTORS)?;
        self.check_measurements(origin)?;
        if self.weights.file.contains(['/', '\\']) || self.weights.file.is_empty() {
            return Err(mismatch(origin, "weights.file", "a file name beside the card", &self.weights.file));
        }
        Ok(())
    }

    fn plan_of(&self, architecture: Architecture) -> NetPlan {
        NetPlan {
            n_trunks: self.n_trunks,
            pooling: self.pooling,
            standardizes: self.standardizes,
            ..architecture.plan(&self.blocks)
        }
    }

    fn architecture_from(&self, origin: &str) -> Result<Architecture, ModelError> {
        Architecture::from_name(&self.architecture).ok_or_else(|| {
            let known: Vec<&str> = Architecture::ALL.iter().map(|a| a.name()).collect();
            mismatch(origin, "architecture", format!("one of {}", known.join(", ")), &self.architecture)
        })
    }

    /// The seven expressions in another order would put every probability under a wrong name, and so
    /// would two labels of one name.
    fn check_labels(&self, origin: &str) -> Result<(), ModelError> {
        if let Some(first) = self.heads.first()
            && first.labels != self.labels
        {
            return Err(mismatch(origin, "first head", list(&self.labels), list(&first.labels)));
        }
        if !(1..=NetPlan::MOST_TRUNKS).contains(&self.n_trunks) {
            let expected = format!("1 to {}", NetPlan::MOST_TRUNKS);
            return Err(mismatch(origin, "n_trunks", expected, self.n_trunks));
        }
        self.check_heads(origin)?;
        let names = self.labels.names();
        if let Some((_, twice)) = names.iter().enumerate().find(|(idx, name)| names[..*idx].contains(name)) {
            return Err(mismatch(origin, "labels", "each name once", format!("{twice} twice")));
        }
        let is_unreadable = |name: &&String| name.trim().is_empty() || name.contains(char::is_control);
        if let Some(name) = self.all_heads().iter().flat_map(|head| head.labels.names()).find(is_unreadable) {
            return Err(mismatch(origin, "labels", "names without control characters", format!("{name:?}")));
        }
        let emotions = Labels::fer2013();
        let is_permutation = self.labels.len() == emotions.len()
            && emotions.names().iter().all(|name| self.labels.names().contains(name));
        if is_permutation { self.expect_labels(&emotions, origin) } else { Ok(()) }
    }

    fn check_heads(&self, origin: &str) -> Result<(), ModelError> {
        if let Some(head) = self.heads.iter().find(|head| !(0.0..=1.0).contains(&head.weight)) {
            return Err(mismatch(origin, "head weight", "0 to 1", head.weight));
        }
        let is_share = |accuracy: f64| (0.0..=1.0).contains(&accuracy);
        if let Some(head) = self.heads.iter().find(|head| !head.accuracy.is_none_or(is_share)) {
            return Err(mismatch(origin, "head accuracy", "0 to 1", format!("{:?}", head.accuracy)));
        }
        let is_odd = |head: &&HeadCard| {
            let n = head.offsets.len();
            (n != 0 && n != head.labels.len())
                || !head.offsets.iter().all(|offset| offset.abs() <= MOST_OFFSET)
        };
        if let Some(head) = self.heads.iter().find(is_odd) {
            let expected = format!("none, or {} of -{MOST_OFFSET} to {MOST_OFFSET}", head.labels.len());
            return Err(mismatch(origin, "head offsets", expected, format!("{:?}", head.offsets)));
        }
        Ok(())
    }

    /// JSON has no NaN: a figure that is none would be written as null, and not read back.
    fn check_measurements(&self, origin: &str) -> Result<(), ModelError> {
        let Some(metrics) = &self.validation else { return Ok(()) };
        match metrics.figures().into_iter().find(|(_, value)| !value.is_finite()) {
            Some((figure, value)) => {
                Err(mismatch(origin, "validation", "finite figures", format!("{figure} {value}")))
            }
            None => Ok(()),
        }
    }

    fn check_input(&self, origin: &str) -> Result<(), ModelError> {
        let here = InputCard { crop_factor: self.input.crop_factor, ..InputCard::here() };
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

fn within(
    origin: &str,
    field: &'static str,
    value: f32,
    range: RangeInclusive<f32>,
) -> Result<(), ModelError> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(mismatch(origin, field, format!("{} to {}", range.start(), range.end()), value))
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
