//! An experiment: its keys and their defaults.
//! In: nothing. Out: [`Config`]; `parse.rs` reads one from TOML, `check.rs` knows the ranges.

mod check;
mod parse;

use fer_data::augment::Augment;
use fer_model::Architecture;
use serde::{Deserialize, Serialize};

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
    /// Faces per step, over all devices.
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
    /// Epochs of linear rise from a hundredth of the peak, fewer than the run's.
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
    /// How many of the newest epochs are kept beside the best, from 2: a run killed while it saves one
    /// goes on from the other.
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
    /// Burn's multi-device strategy: the devices share each step's faces, the first one steps.
    /// Batch norm sees each device's share alone, so results are near those of one device, not equal.
    Multi,
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
    /// The whole config as TOML, defaults included.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a config is plain tables and values")
    }
}
