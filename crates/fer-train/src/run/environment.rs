//! What a run is made with, for its folder.
//! In: the moment a run starts, or goes on. Out: [`Environment`], kept from the first start.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::TrainError;

/// What a run was made with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// Version of fer.
    pub fer_version: String,
    /// The command line that started the run.
    pub command: String,
    /// When it started, RFC 3339, UTC.
    pub started: String,
    /// The device and why it was chosen.
    pub device: String,
    /// Operating system and processor architecture.
    pub system: String,
    /// The processor as the system names it, where it does.
    pub processor: String,
    /// Threads of the CPU kernels.
    pub threads: usize,
    /// Training faces, validation faces.
    pub n_faces: [usize; 2],
    /// SHA-256 of the training and validation splits.
    pub data_sha256: [String; 2],
    /// Samples left out with `data.skip_bad`.
    pub n_skipped: usize,
    /// Each time the run went on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resumed: Vec<Resumed>,
}

/// One time a run went on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resumed {
    /// The epoch it went on after; 0: none was finished.
    pub after_epoch: usize,
    /// Version of fer.
    pub fer_version: String,
    /// The command line.
    pub command: String,
    /// When, RFC 3339, UTC.
    pub started: String,
    /// The device and why it was chosen.
    pub device: String,
    /// Threads of the CPU kernels.
    pub threads: usize,
}

impl Environment {
    /// Refuses data other than the run began with; `folder` names the run.
    ///
    /// # Errors
    /// [`TrainError::OtherData`] with the first split that differs.
    pub fn expect_data(&self, found: &Self, folder: &Path) -> Result<(), TrainError> {
        let pairs = self.data_sha256.iter().zip(&found.data_sha256);
        match ["training", "validation"].into_iter().zip(pairs).find(|(_, (kept, now))| kept != now) {
            None => Ok(()),
            Some((split, (expected, found))) => Err(TrainError::OtherData {
                path: folder.to_owned(),
                split,
                expected: expected.clone(),
                found: found.clone(),
            }),
        }
    }

    /// The run's first environment with one more time that it went on.
    #[must_use]
    pub fn resumed(mut self, now: Self, after_epoch: usize) -> Self {
        self.resumed.push(Resumed {
            after_epoch,
            fer_version: now.fer_version,
            command: now.command,
            started: now.started,
            device: now.device,
            threads: now.threads,
        });
        self
    }
}

/// The processor as Linux names it, or the architecture elsewhere.
#[must_use]
pub fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("model name"));
    line.and_then(|line| line.split_once(':'))
        .map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.trim().to_owned())
}
