//! What can go wrong with a model folder, its card, its weights or a device.
//! In: causes. Out: one sentence that says where, expected, found and what to try.

use std::io;
use std::path::PathBuf;

use fer_base::{Cause, ExitCode, exit};

/// Errors of fer-model.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A folder holds no model card.
    #[error("no model card in {folder}: was this folder written by fer-train?")]
    NoCard {
        /// The folder.
        folder: PathBuf,
    },
    /// A folder holds a card but not the weights it names.
    #[error("no weights in {folder}: card.json names {file}, copy it there or take another checkpoint")]
    NoWeights {
        /// The folder.
        folder: PathBuf,
        /// The file name in the card.
        file: String,
    },
    /// A file exists and could not be read.
    #[error("{path} could not be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// A file could not be written; what stood there before is untouched.
    #[error("{path} could not be written; nothing that stood there was changed")]
    Write {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// A card is no JSON of the right shape.
    #[error("{origin}: not a model card of fer")]
    Card {
        /// The card's file, or a name for embedded bytes.
        origin: String,
        /// What is wrong, with line and column.
        source: serde_json::Error,
    },
    /// A card was written by a later version of fer.
    #[error(
        "{origin}: card schema {found} (written by fer {fer_version}), this fer reads schema {known}: update fer, or train again"
    )]
    FutureSchema {
        /// The card's file, or a name for embedded bytes.
        origin: String,
        /// The schema in the card.
        found: u64,
        /// The newest schema this version reads.
        known: u64,
        /// The version in the card.
        fer_version: String,
    },
    /// A card disagrees with this build of fer, or with what the caller expects.
    #[error("{origin}: {field} is {found}, expected {expected}")]
    Mismatch {
        /// The card's file, or a name for embedded bytes.
        origin: String,
        /// The field that differs.
        field: &'static str,
        /// What was expected.
        expected: String,
        /// What was found.
        found: String,
    },
    /// The weights are damaged, or belong to another card.
    #[error("{origin}: {reason}")]
    Weights {
        /// The weights' file, or a name for embedded bytes.
        origin: String,
        /// What differs, and what to try.
        reason: String,
        /// What the reader or the writer said, if it says more.
        source: Option<Cause>,
    },
    /// A device was asked for that this machine or this build does not have.
    #[error("--device {wanted}: {reason}")]
    Device {
        /// The device as the user wrote it.
        wanted: String,
        /// Why it cannot be used, which adapters were seen, and what to try.
        reason: String,
    },
}

impl ModelError {
    /// Weights that are not what they should be, for a reason that is all there is to say.
    pub(crate) fn weights(origin: &str, reason: String) -> Self {
        Self::Weights { origin: origin.to_owned(), reason, source: None }
    }
}

impl ExitCode for ModelError {
    fn exit_code(&self) -> u8 {
        match self {
            Self::Device { .. } => exit::DEVICE,
            Self::Write { .. } => exit::OUTPUT,
            _ => exit::MODEL,
        }
    }
}
