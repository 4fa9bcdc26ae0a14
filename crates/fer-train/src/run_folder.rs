//! A run's folder: what it holds and when it may be used.
//! In: a path, and whether a run is resumed. Out: the folder, new or found fit.
//! Knows nothing of training.
//!
//! `config.toml` (resolved), `environment.json`, `epochs.csv`, `epochs.jsonl`, `curves.svg`,
//! `checkpoints/` and, at the end, `model/`.

use std::path::{Path, PathBuf};

use fer_data::atomic;
use serde::Serialize;

use crate::{config::Config, error::TrainError};

/// What a run was made with, for its folder.
#[derive(Clone, Debug, Serialize)]
pub struct Environment {
    /// Version of fer.
    pub fer_version: &'static str,
    /// The command line.
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
}

/// A run's folder.
#[derive(Clone, Debug)]
pub struct RunFolder(PathBuf);

impl RunFolder {
    /// Makes a new folder.
    ///
    /// # Errors
    /// [`TrainError::RunFolder`] when it exists or cannot be made.
    pub fn create(path: &Path) -> Result<Self, TrainError> {
        let refuse = |reason: String| TrainError::RunFolder { path: path.to_owned(), reason };
        if path.exists() {
            return Err(refuse(
                "exists already: go on with --resume, or choose another folder with --out".to_owned(),
            ));
        }
        std::fs::create_dir_all(path.join("checkpoints")).map_err(|cause| refuse(cause.to_string()))?;
        Ok(Self(path.to_owned()))
    }

    /// Opens a folder to go on with; its config must be the one given, epochs aside.
    ///
    /// # Errors
    /// [`TrainError::RunFolder`] when it is no run folder, or was made with another config.
    pub fn resume(path: &Path, config: &Config) -> Result<Self, TrainError> {
        let refuse = |reason: String| TrainError::RunFolder { path: path.to_owned(), reason };
        let text = std::fs::read_to_string(path.join("config.toml"))
            .map_err(|cause| refuse(format!("no run to resume: config.toml: {cause}")))?;
        let kept = Config::parse(&text, &[]).map_err(|reason| refuse(format!("config.toml: {reason}")))?;
        if kept != *config {
            let line = differing_line(&kept.to_toml(), &config.to_toml());
            return Err(refuse(format!("was made with another config: {line}")));
        }
        Ok(Self(path.to_owned()))
    }

    /// The folder's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Where checkpoints go.
    #[must_use]
    pub fn checkpoints(&self) -> PathBuf {
        self.0.join("checkpoints")
    }

    /// Where the final model goes.
    #[must_use]
    pub fn model(&self) -> PathBuf {
        self.0.join("model")
    }

    /// Writes the resolved config and the environment.
    ///
    /// # Errors
    /// [`TrainError::Write`] with the file that could not be written.
    pub fn describe(&self, config: &Config, environment: &Environment) -> Result<(), TrainError> {
        self.write("config.toml", &config.to_toml())?;
        let json = serde_json::to_string_pretty(environment).expect("an environment is plain values");
        self.write("environment.json", &json)
    }

    fn write(&self, name: &str, text: &str) -> Result<(), TrainError> {
        let path = self.0.join(name);
        atomic::write(&path, text.as_bytes()).map_err(|cause| TrainError::Write { path, cause })
    }
}

fn differing_line(kept: &str, given: &str) -> String {
    let differs = kept.lines().zip(given.lines()).find(|(kept, given)| kept != given);
    differs.map_or_else(
        || "other keys".to_owned(),
        |(kept, given)| format!("it has `{kept}`, this run has `{given}`"),
    )
}

/// The processor as Linux names it, or the architecture elsewhere.
#[must_use]
pub fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("model name"));
    line.and_then(|line| line.split_once(':'))
        .map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.trim().to_owned())
}
