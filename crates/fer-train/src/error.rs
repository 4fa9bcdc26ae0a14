//! What can go wrong in training and evaluation.
//! In: causes. Out: one sentence that says where, expected, found and what to try.

use std::path::PathBuf;

use fer_base::{Cause, ExitCode, OutputError, Overlap, exit};

/// Errors of fer-train. A sentence never repeats its source: [`fer_base::chain()`] tells both.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// A config file or an override was refused.
    #[error("{path}: {reason}", path = path.display())]
    Config {
        /// The config file.
        path: PathBuf,
        /// Key, expected, found.
        reason: String,
    },
    /// A config file cannot be read.
    #[error("{path}: the config cannot be read", path = path.display())]
    Unreadable {
        /// The config file.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// A command line that parses but asks for something that is not done.
    #[error("{0}")]
    Usage(String),
    /// An output would overwrite an input, or another output.
    #[error(transparent)]
    Overlap(#[from] Overlap),
    /// The data could not be loaded.
    #[error(transparent)]
    Data(#[from] fer_data::DataError),
    /// A model or device was refused.
    #[error(transparent)]
    Model(#[from] fer_model::ModelError),
    /// The run folder cannot be used.
    #[error("{path}: {reason}", path = path.display())]
    RunFolder {
        /// The run folder.
        path: PathBuf,
        /// What was found, and what to try.
        reason: String,
    },
    /// A file of a run folder is missing or not what fer-train wrote.
    #[error(
        "{path}: missing or damaged, the run cannot go on: copy the run folder again, or start anew with another --out",
        path = path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Cause,
    },
    /// A checkpoint cannot be used.
    #[error("{path}: {reason}", path = path.display())]
    Checkpoint {
        /// The record's file, or the folder of them all.
        path: PathBuf,
        /// What was found, and what to try.
        reason: String,
        /// What the reader said.
        source: Option<Cause>,
    },
    /// The data of a resumed run is not what it began with.
    #[error(
        "{path}: the {split} split is not the one this run began with (SHA-256 {found}, expected {expected}); \
         resume with that data, or start anew with another --out",
        path = path.display()
    )]
    OtherData {
        /// The run folder.
        path: PathBuf,
        /// `training` or `validation`.
        split: &'static str,
        /// The hash in environment.json.
        expected: String,
        /// The hash of what was loaded now.
        found: String,
    },
    /// The user stopped a run before its first epoch was done.
    #[error("interrupted before the first epoch was done; --resume starts it again in {path}", path = path.display())]
    BeforeFirstEpoch {
        /// The run folder.
        path: PathBuf,
    },
    /// An output could not be written.
    #[error("{path}: cannot be written", path = path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// An epoch is done and could not be kept.
    #[error(
        "training stopped: epoch {epoch} could not be saved; make room, then --resume goes on {}",
        match epoch { 1 => "with the first epoch".to_owned(), _ => format!("after epoch {}", epoch - 1) }
    )]
    NotSaved {
        /// The epoch, from 1.
        epoch: usize,
        /// What the writer said.
        source: Cause,
    },
    /// The loss or the gradients are no numbers any more. Checkpoints of earlier epochs are intact.
    #[error(
        "training diverged in epoch {epoch}, step {step}: {what} is {value}; \
         lower schedule.peak_rate, or set optimizer.clip_norm, and start anew with another --out"
    )]
    Diverged {
        /// The epoch, from 1.
        epoch: usize,
        /// The step within the epoch, from 1.
        step: usize,
        /// `the loss` or `the gradients' norm`.
        what: &'static str,
        /// NaN or an infinity.
        value: f32,
    },
    /// Training stopped on an error of its own.
    #[error("training stopped in epoch {epoch}")]
    Stopped {
        /// The epoch, from 1.
        epoch: usize,
        /// The cause, and what to try.
        source: Cause,
    },
    /// The network's answer is no number.
    #[error(
        "{sample}: the network's logits are not finite; its weights are too large to use, take another checkpoint"
    )]
    NotFinite {
        /// The first image it says so of.
        sample: String,
    },
    /// The user stopped an evaluation; nothing was written.
    #[error("interrupted after {n_done} of {n} images; nothing was written")]
    Interrupted {
        /// Images judged so far.
        n_done: usize,
        /// Images there are.
        n: usize,
    },
    /// No temperature can be fitted; the card is as it was.
    #[error("no temperature fits: {reason}; the card was left as it was")]
    Calibration {
        /// What was found, and what to try.
        reason: String,
    },
    /// A network could not be written as ONNX.
    #[error("ONNX export failed")]
    Export {
        /// What the exporter said.
        source: Cause,
    },
}

impl From<OutputError> for TrainError {
    fn from(error: OutputError) -> Self {
        Self::Write { path: error.path, source: error.source }
    }
}

impl ExitCode for TrainError {
    fn exit_code(&self) -> u8 {
        match self {
            Self::Config { .. } | Self::Unreadable { .. } | Self::Usage(_) | Self::RunFolder { .. } => {
                exit::USAGE
            }
            Self::Data(error) => error.exit_code(),
            Self::Calibration { .. } | Self::OtherData { .. } => exit::DATA,
            Self::Model(error) => error.exit_code(),
            Self::Overlap(error) => error.exit_code(),
            Self::Export { .. }
            | Self::Checkpoint { .. }
            | Self::Damaged { .. }
            | Self::Diverged { .. }
            | Self::NotFinite { .. } => exit::MODEL,
            Self::Write { .. } | Self::NotSaved { .. } | Self::Stopped { .. } => exit::OUTPUT,
            Self::Interrupted { .. } | Self::BeforeFirstEpoch { .. } => exit::INTERRUPTED,
        }
    }
}

impl TrainError {
    /// For use with `map_err`: the error of writing to `path`.
    pub fn writing(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Write { path, source }
    }
}
