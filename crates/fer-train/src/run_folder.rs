//! A run's folder: what it holds and when it may be used.
//! In: a path, and whether a run is resumed. Out: the folder, new or found fit.
//!
//! `config.toml` (resolved), `environment.json`, `epochs.csv`, `epochs.jsonl`, `curves.svg`,
//! `checkpoints/` and, at the end, `model/`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use fer_base::atomic;

use crate::{config::Config, environment::Environment, error::TrainError};

/// A run's folder.
#[derive(Clone, Debug)]
pub struct RunFolder(PathBuf);

impl RunFolder {
    /// Refuses a path where something stands already: a new run needs its own folder.
    ///
    /// # Errors
    /// [`TrainError::RunFolder`] when it exists.
    pub fn expect_vacant(path: &Path) -> Result<(), TrainError> {
        if !path.exists() {
            return Ok(());
        }
        Err(TrainError::RunFolder {
            path: path.to_owned(),
            reason: "exists already: go on with --resume, or choose another folder with --out".to_owned(),
        })
    }

    /// Makes a new folder that holds the resolved config, the environment and a place for checkpoints.
    ///
    /// It appears whole, by a rename: a run that was killed can be resumed from its first moment on.
    ///
    /// # Errors
    /// [`TrainError::RunFolder`] when it exists, [`TrainError::Write`] when it cannot be made.
    pub fn create(path: &Path, config: &Config, environment: &Environment) -> Result<Self, TrainError> {
        Self::expect_vacant(path)?;
        atomic::folder(path, |part| Self(part.to_owned()).fill(config, environment))?;
        Ok(Self(path.to_owned()))
    }

    /// Opens a folder to go on with; its config must be the one given.
    ///
    /// # Errors
    /// [`TrainError::RunFolder`] when it is no run folder, or was made with another config.
    pub fn resume(path: &Path, config: &Config) -> Result<Self, TrainError> {
        let refuse = |reason: String| TrainError::RunFolder { path: path.to_owned(), reason };
        let text = fs::read_to_string(path.join("config.toml"))
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

    /// What the run was started with.
    ///
    /// # Errors
    /// [`TrainError::RunFolder`] when `environment.json` is missing or damaged.
    pub fn environment(&self) -> Result<Environment, TrainError> {
        let path = self.0.join("environment.json");
        let refuse = |reason: String| TrainError::RunFolder { path: path.clone(), reason };
        let text = fs::read_to_string(&path).map_err(|cause| refuse(cause.to_string()))?;
        serde_json::from_str(&text).map_err(|cause| refuse(cause.to_string()))
    }

    /// Writes the environment.
    ///
    /// # Errors
    /// [`TrainError::Write`] when it could not be written.
    pub fn write_environment(&self, environment: &Environment) -> Result<(), TrainError> {
        let json = serde_json::to_string_pretty(environment).expect("an environment is plain values");
        self.write("environment.json", &json)
    }

    fn fill(&self, config: &Config, environment: &Environment) -> Result<(), TrainError> {
        fs::create_dir_all(self.checkpoints())
            .map_err(|cause| TrainError::Write { path: self.0.clone(), cause })?;
        self.write("config.toml", &config.to_toml())?;
        self.write_environment(environment)
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
