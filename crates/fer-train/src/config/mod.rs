//! An experiment: its keys and their defaults.
//! In: nothing. Out: [`Config`]; `parse.rs` reads one from TOML, `check.rs` knows the ranges.

mod check;
mod parse;

use fer_data::augment::Augment;
use fer_drawn::Data;
use fer_model::{
    Architecture,
    net::{BlockPlan, NetPlan, Pooling},
};
use serde::{Deserialize, Serialize};

/// An experiment. Every key has the default that `fer-train --print-config` shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Which network.
    pub model: ModelConfig,
    /// Where the faces are.
    pub data: DataConfig,
    /// Trained models whose probabilities are learnt beside the labels.
    pub teacher: TeacherConfig,
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
    /// Blocks instead of the preset's, for instance `[{ plain = { width = 16, convs = 1, pool = true } },
    /// { residual = { width = 32, stride = 1 } }, { separable = { width = 48, stride = 2 } }]`; empty: those of
    /// `init`, or the preset's.
    pub blocks: Vec<BlockPlan>,
    /// How many trunks of these blocks stand side by side under one head, `1..=64`; those of `init` where it is named
    /// and no blocks are.
    pub n_trunks: usize,
    /// `mean`, or `weighted`: every place of the last feature map has a learnt weight; a model of means to start from
    /// begins as it is.
    pub pooling: Pooling,
    /// Bring each face to mean 0 and deviation 1 first, so that light and contrast need not be learnt; a model to start
    /// from that did not begins near what it was.
    pub standardize: bool,
    /// Dropout before the head, `0..1`.
    pub dropout: f64,
    /// A model folder to start from, of the same architecture and blocks, with a head of the run's labels;
    /// empty: fresh weights.
    pub init: String,
    /// Model folders that are put beside `init`'s: the run starts as their mean; empty: `init` alone.
    pub beside: Vec<String>,
    /// How they are put together.
    pub join: Join,
}

/// How several models become one network that begins as a mean of theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Join {
    /// Models of the same blocks up to their widths: the widths add up, and training fills what is between them.
    Widths,
    /// Models of the same blocks: each stays a trunk of its own, an ensemble in one network.
    Trunks,
    /// Models of the same blocks that were trained on from the same one: every weight is the mean of theirs, and the
    /// network no larger (Wortsman et al. 2022, "Model soups", arXiv 2203.05482). Of models of different origin the
    /// mean is worth nothing.
    Weights,
}

/// `[data]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// `drawn`, a FER-2013 CSV (plain, .gz, .xz, .zst), or a folder of class folders.
    pub path: String,
    /// Whose labels are learnt: those of FER-2013 (or of the user's folders), of FER+, or both with a
    /// head each on the same features.
    pub labels: LabelChoice,
    /// FER+ votes (`fer2013new.csv`); empty: none.
    pub ferplus: String,
    /// Leave out the faces that FER+ raters called no face.
    pub drop_non_faces: bool,
    /// Leave out training faces that occur again with another label.
    pub drop_contradictory: bool,
    /// Part of train to validate on where the data has no validation split, `0..1`; 0: refuse.
    pub validation_fraction: f32,
    /// Leave out damaged samples instead of stopping at the first.
    pub skip_bad: bool,
    /// Drawn faces per class for training.
    pub drawn_train: usize,
    /// Drawn faces per class for validation.
    pub drawn_validation: usize,
}

/// Whose labels are learnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LabelChoice {
    /// The data's own.
    Fer2013,
    /// The votes of FER+'s raters, eight labels.
    FerPlus,
    /// Two heads.
    Both,
}

/// `[teacher]`: knowledge distillation (Hinton et al. 2015, arXiv 1503.02531) on the same augmented faces.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TeacherConfig {
    /// Model folders; their probabilities are averaged, head by head. Empty: no teacher.
    pub models: Vec<String>,
    /// The teachers' part of the loss, `0..=1`; the rest is the labels'.
    pub weight: f32,
    /// Divides teachers' and student's logits, `0.1..=20`; higher shows more of what else a face looks like.
    pub temperature: f32,
}

/// `[train]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoopConfig {
    /// Passes over the training split.
    pub epochs: usize,
    /// Faces per step, over all devices.
    pub batch_size: usize,
    /// Seed of weights, order, augmentation, mixing and dropout.
    pub seed: u64,
    /// Part of each label spread over all classes, `0..1` (Szegedy et al. 2015, arXiv 1512.00567).
    pub label_smoothing: f32,
    /// Alpha of mixup's Beta distribution; 0: off (Zhang et al. 2017, arXiv 1710.09412).
    pub mixup: f32,
    /// Alpha of CutMix's; 0: off; with mixup each has half of the steps (Yun et al. 2019, arXiv 1905.04899).
    pub cutmix: f32,
    /// Weight the loss by inverse class frequency.
    pub class_weights: bool,
    /// Draw every class equally often.
    pub balanced_sampling: bool,
    /// Adds this times the logarithm of each label's share to the logits while training, so that rare
    /// labels are not drowned (Menon et al. 2021, arXiv 2007.07314; 1: balanced softmax, Ren et al. 2020,
    /// arXiv 2007.10740); 0: off.
    pub logit_adjustment: f32,
    /// FER+'s part of the loss with `data.labels = "both"`, `0..=1`.
    pub ferplus_weight: f32,
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
        Self {
            architecture: Architecture::Small,
            blocks: Vec::new(),
            n_trunks: 1,
            pooling: Pooling::Mean,
            standardize: false,
            dropout: 0.0,
            init: String::new(),
            beside: Vec::new(),
            join: Join::Widths,
        }
    }
}

impl Default for DataConfig {
    fn default() -> Self {
        Self {
            path: Data::DRAWN.to_owned(),
            labels: LabelChoice::Fer2013,
            ferplus: String::new(),
            drop_non_faces: false,
            drop_contradictory: false,
            validation_fraction: 0.0,
            skip_bad: false,
            drawn_train: 400,
            drawn_validation: 60,
        }
    }
}

impl Default for TeacherConfig {
    fn default() -> Self {
        Self { models: Vec::new(), weight: 0.7, temperature: 2.0 }
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
            cutmix: 0.0,
            class_weights: false,
            balanced_sampling: false,
            logit_adjustment: 0.0,
            ferplus_weight: 0.5,
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

impl ModelConfig {
    /// What the network is made of: blocks of the config's own, or the preset's.
    #[must_use]
    pub fn plan(&self) -> NetPlan {
        NetPlan {
            n_trunks: self.n_trunks,
            pooling: self.pooling,
            standardizes: self.standardize,
            ..self.architecture.plan(&self.blocks)
        }
    }
}

impl Config {
    /// The whole config as TOML, defaults included.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a config is plain tables and values")
    }
}
