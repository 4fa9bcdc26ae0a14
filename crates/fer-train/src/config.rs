//! An experiment, as one TOML file.
//! In: TOML text and `key=value` overrides. Out: a checked [`Config`], every default written out.
//! Knows nothing of data, devices or networks' insides.

use std::path::Path;

use fer_data::augment::Augment;
use fer_model::Architecture;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::error::TrainError;

/// An experiment. Every key has the default that `fer-train --print-config` shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Which network.
    pub model: ModelConfig,
    /// Where the faces are.
    pub data: DataConfig,
    /// How long and on what loss.
    pub train: LoopConfig,
    /// How the weights move.
    pub optimizer: OptimizerConfig,
    /// How the learning rate moves.
    pub schedule: ScheduleConfig,
    /// What is averaged over steps.
    pub average: AverageConfig,
    /// What is kept on disk.
    pub checkpoint: CheckpointConfig,
    /// Where it runs.
    pub execution: ExecutionConfig,
    /// What training faces go through; validation faces never do.
    pub augment: Augment,
}

/// `[model]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelConfig {
    /// A preset: tiny, small, base or vgg.
    pub architecture: Architecture,
    /// Dropout before the head, `0..1`.
    pub dropout: f64,
    /// A model folder to start from, of the same architecture and labels; empty: fresh weights.
    pub init: String,
}

/// `[data]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// `drawn`, a FER-2013 CSV (plain, .gz, .xz, .zst), or a folder of class folders.
    pub path: String,
    /// FER+ votes (`fer2013new.csv`) for soft labels; empty: none.
    pub ferplus: String,
    /// Leave out the faces that FER+ raters called no face.
    pub drop_non_faces: bool,
    /// Part of train to validate on where the data has no validation split, `0..1`; 0: refuse.
    pub validation_fraction: f32,
    /// Leave out damaged samples instead of stopping at the first.
    pub skip_bad: bool,
    /// Drawn faces per class for training.
    pub drawn_train: usize,
    /// Drawn faces per class for validation.
    pub drawn_validation: usize,
}

/// `[train]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoopConfig {
    /// Passes over the training split.
    pub epochs: usize,
    /// Faces per step.
    pub batch_size: usize,
    /// Seed of weights, order, augmentation, mixup and dropout.
    pub seed: u64,
    /// Part of each label spread over all classes, `0..1` (Szegedy et al. 2015, arXiv 1512.00567).
    pub label_smoothing: f32,
    /// Alpha of mixup's Beta distribution; 0: off (Zhang et al. 2017, arXiv 1710.09412).
    pub mixup: f32,
    /// Weight the loss by inverse class frequency.
    pub class_weights: bool,
    /// Draw every class equally often.
    pub balanced_sampling: bool,
    /// Stop when validation accuracy has not risen for this many epochs; 0: never.
    pub patience: usize,
}

/// `[optimizer]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OptimizerConfig {
    /// Which rule.
    pub kind: OptimizerKind,
    /// Momentum of SGD (Nesterov), or beta 1 of AdamW.
    pub momentum: f32,
    /// Decay of convolution and head weights; biases and norms have none.
    pub weight_decay: f32,
    /// Largest norm of all gradients together; 0: off.
    pub clip_norm: f32,
}

/// An optimizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptimizerKind {
    /// Stochastic gradient descent with Nesterov momentum.
    Sgd,
    /// Adam with decoupled weight decay; beta 2 0.999, epsilon 1e-8 as PyTorch (Burn's default is 1e-5).
    AdamW,
}

/// `[schedule]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScheduleConfig {
    /// The shape after warm-up.
    pub kind: ScheduleKind,
    /// Highest learning rate, reached after warm-up.
    pub peak_rate: f64,
    /// Epochs of linear rise from a hundredth of the peak.
    pub warmup_epochs: f64,
    /// Learning rate at the end of the cosine, and the least of the plateau.
    pub final_rate: f64,
    /// Plateau: factor at each drop, `0..1`.
    pub plateau_factor: f64,
    /// Plateau: epochs without a higher validation accuracy before a drop.
    pub plateau_patience: usize,
}

/// A learning-rate shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScheduleKind {
    /// Stays at the peak.
    Constant,
    /// Half a cosine down to the final rate.
    Cosine,
    /// Drops by a factor when validation accuracy stands still.
    Plateau,
}

/// `[average]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AverageConfig {
    /// Decay of the exponential average of the weights a step, `0..1`; 0: the raw weights are judged.
    pub ema_decay: f64,
}

/// `[checkpoint]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CheckpointConfig {
    /// How many of the newest epochs are kept beside the best.
    pub keep_last: usize,
}

/// `[execution]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExecutionConfig {
    /// How devices share the work.
    pub strategy: Strategy,
    /// How many devices of the chosen kind, with `multi`.
    pub n_devices: usize,
}

/// How devices share the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strategy {
    /// One device.
    Single,
    /// Burn's multi-device strategy: each device takes its own batch, the first one steps.
    Multi,
    /// Burn's distributed data-parallel strategy: refused until Burn has collectives beyond CUDA.
    Ddp,
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self { architecture: Architecture::Small, dropout: 0.0, init: String::new() }
    }
}

impl Default for DataConfig {
    fn default() -> Self {
        Self {
            path: "drawn".to_owned(),
            ferplus: String::new(),
            drop_non_faces: false,
            validation_fraction: 0.0,
            skip_bad: false,
            drawn_train: 400,
            drawn_validation: 60,
        }
    }
}

impl Default for LoopConfig {
    fn default() -> Self {
        Self {
            epochs: 60,
            batch_size: 128,
            seed: 1,
            label_smoothing: 0.0,
            mixup: 0.0,
            class_weights: false,
            balanced_sampling: false,
            patience: 0,
        }
    }
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self { kind: OptimizerKind::Sgd, momentum: 0.9, weight_decay: 5e-4, clip_norm: 2.0 }
    }
}

impl Default for ScheduleConfig {
    fn default() -> Self {
        Self {
            kind: ScheduleKind::Cosine,
            peak_rate: 0.1,
            warmup_epochs: 2.0,
            final_rate: 0.0,
            plateau_factor: 0.5,
            plateau_patience: 5,
        }
    }
}

impl Default for AverageConfig {
    fn default() -> Self {
        Self { ema_decay: 0.999 }
    }
}

impl Default for CheckpointConfig {
    fn default() -> Self {
        Self { keep_last: 2 }
    }
}

impl Default for ExecutionConfig {
    fn default() -> Self {
        Self { strategy: Strategy::Single, n_devices: 1 }
    }
}

impl Config {
    /// Reads a config file and lays `key=value` overrides over it.
    ///
    /// # Errors
    /// [`TrainError::Config`] naming the file, the key, what was expected and what was found.
    pub fn read(path: &Path, overrides: &[String]) -> Result<Self, TrainError> {
        let text = std::fs::read_to_string(path)
            .map_err(|cause| refuse(path, format!("cannot be read: {cause}")))?;
        Self::parse(&text, overrides).map_err(|reason| refuse(path, reason))
    }

    /// Parses a config text and lays `key=value` overrides over it; the error is a sentence.
    ///
    /// # Errors
    /// A sentence naming the key, what was expected and what was found.
    pub fn parse(text: &str, overrides: &[String]) -> Result<Self, String> {
        let mut table: Table = toml::from_str(text).map_err(|cause| cause.to_string())?;
        for line in overrides {
            set(&mut table, line)?;
        }
        let known = Table::try_from(Self::default()).expect("the default config is a table");
        check_keys(&table, &known, "")?;
        let config: Self = table.try_into().map_err(|cause: toml::de::Error| cause.message().to_owned())?;
        config.validate()?;
        Ok(config)
    }

    /// The whole config as TOML, defaults included.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a config is plain tables and values")
    }

    /// Checks every value; the error names the key, the range and the value.
    ///
    /// # Errors
    /// A sentence naming the first key out of range.
    pub fn validate(&self) -> Result<(), String> {
        let unit = 0.0..1.0;
        within("model.dropout", self.model.dropout, unit.clone())?;
        within("data.validation_fraction", f64::from(self.data.validation_fraction), unit.clone())?;
        within("train.label_smoothing", f64::from(self.train.label_smoothing), unit.clone())?;
        within("train.mixup", f64::from(self.train.mixup), 0.0..10.0)?;
        within("optimizer.momentum", f64::from(self.optimizer.momentum), unit.clone())?;
        within("optimizer.weight_decay", f64::from(self.optimizer.weight_decay), unit.clone())?;
        within("optimizer.clip_norm", f64::from(self.optimizer.clip_norm), 0.0..1e6)?;
        above_zero("schedule.peak_rate", self.schedule.peak_rate)?;
        within("schedule.peak_rate", self.schedule.peak_rate, 0.0..1.000_001)?;
        within("schedule.warmup_epochs", self.schedule.warmup_epochs, 0.0..1e4)?;
        within("schedule.final_rate", self.schedule.final_rate, 0.0..self.schedule.peak_rate)?;
        within("schedule.plateau_factor", self.schedule.plateau_factor, unit.clone())?;
        within("average.ema_decay", self.average.ema_decay, unit)?;
        above_zero("train.epochs", self.train.epochs as f64)?;
        above_zero("train.batch_size", self.train.batch_size as f64)?;
        above_zero("checkpoint.keep_last", self.checkpoint.keep_last as f64)?;
        above_zero("execution.n_devices", self.execution.n_devices as f64)?;
        above_zero("data.drawn_train", self.data.drawn_train as f64)?;
        above_zero("data.drawn_validation", self.data.drawn_validation as f64)?;
        if self.execution.strategy == Strategy::Ddp {
            return Err(DDP.to_owned());
        }
        if self.data.path.is_empty() {
            return Err("data.path: expected drawn, a CSV file or a folder, found nothing".to_owned());
        }
        self.augment.validate().map_err(|reason| format!("augment.{reason}"))
    }
}

/// Why `ddp` is refused, as seen with Burn 0.22.1 (docs/LOG.md).
const DDP: &str = "execution.strategy: ddp needs collective operations, which Burn 0.22 implements on CUDA alone \
(on the CPU: \"Distributed operations are not supported for device Flex(Cpu)\"); use multi";

fn refuse(path: &Path, reason: String) -> TrainError {
    TrainError::Config { path: path.to_owned(), reason }
}

fn within(key: &str, value: f64, range: std::ops::Range<f64>) -> Result<(), String> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(format!("{key}: expected {} ≤ value < {}, found {value}", range.start, range.end))
}

fn above_zero(key: &str, value: f64) -> Result<(), String> {
    if value > 0.0 { Ok(()) } else { Err(format!("{key}: expected a value above 0, found {value}")) }
}

/// Lays one `table.key=value` over a config; the value is TOML, or a bare word as a string.
fn set(table: &mut Table, line: &str) -> Result<(), String> {
    let (key, value) =
        line.split_once('=').ok_or_else(|| format!("--set {line}: expected table.key=value"))?;
    let (section, name) =
        key.trim().split_once('.').ok_or_else(|| format!("--set {line}: expected table.key=value"))?;
    let value = value.trim();
    let parsed: Result<Table, _> = toml::from_str(&format!("v = {value}"));
    let value = parsed
        .ok()
        .and_then(|mut table| table.remove("v"))
        .unwrap_or_else(|| Value::String(value.to_owned()));
    let section = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
    let Value::Table(section) = section else {
        return Err(format!("--set {line}: {key} is not in a table"));
    };
    section.insert(name.to_owned(), value);
    Ok(())
}

/// Refuses the first key that the default config does not have, with the nearest one that it has.
fn check_keys(table: &Table, known: &Table, prefix: &str) -> Result<(), String> {
    for (key, value) in table {
        let Some(expected) = known.get(key) else {
            return Err(unknown_key(key, known, prefix));
        };
        match (value, expected) {
            (Value::Table(inner), Value::Table(known)) => {
                check_keys(inner, known, &format!("{prefix}{key}."))?;
            }
            (_, Value::Table(_)) => {
                return Err(format!("{prefix}{key}: expected a table, found {}", value.type_str()));
            }
            _ => {}
        }
    }
    Ok(())
}

fn unknown_key(key: &str, known: &Table, prefix: &str) -> String {
    let nearest = known
        .keys()
        .map(|candidate| (strsim::jaro_winkler(key, candidate), candidate))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match nearest {
        Some((likeness, candidate)) if likeness > 0.7 => {
            format!("unknown key {prefix}{key}: did you mean {prefix}{candidate}?")
        }
        _ => {
            let names: Vec<_> = known.keys().map(String::as_str).collect();
            format!("unknown key {prefix}{key}: expected one of {}", names.join(", "))
        }
    }
}
