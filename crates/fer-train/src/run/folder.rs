//! A run's folder: what it holds and when it may be used.
//! In: a path, and whether a run is resumed. Out: the folder, new or found fit.
//!
//! `config.toml` (resolved), `environment.json`, `epochs.csv`, `epochs.jsonl`, `curves.svg`,
//! `checkpoints/` and, at the end, `model/`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use fer_base::{Cause, atomic, regular};

use crate::{config::Config, error::TrainError, run::environment::Environment};

/// A place for a run, found fit before anything is loaded.
#[derive(Clone, Debug)]
pub enum RunPlace {
    /// Nothing stands there yet.
    Vacant(PathBuf),
    /// A run that is resumed.
    Standing(RunFolder),
}

impl RunPlace {
    /// A place for a new run; refused where something stands already: a new run needs its own folder.
    ///
    /// # Errors
    /// [`TrainError::RunFolder`] when it exists.
    pub fn vacant(path: &Path) -> Result<Self, TrainError> {
        if !path.exists() {
            return Ok(Self::Vacant(path.to_owned()));
        }
        Err(TrainError::RunFolder {
            path: path.to_owned(),
            reason: "exists already: go on with --resume, or choose another folder with --out".to_owned(),
        })
    }

    /// The folder of a run to go on with; its config must be the one given.
    ///
    /// # Errors
    /// [`TrainError::RunFolder`] when it is no run folder, or was made with another config,
    /// [`TrainError::Damaged`] when its config cannot be read.
    pub fn standing(path: &Path, config: &Config) -> Result<Self, TrainError> {
        let refuse = |reason: String| TrainError::RunFolder { path: path.to_owned(), reason };
        let file = path.join("config.toml");
        let damaged = |source: Cause| TrainError::Damaged { path: file.clone(), source };
        if !file.exists() {
            return Err(refuse("no run to resume: it holds no config.toml".to_owned()));
        }
        let text = regular::read_to_string(&file).map_err(|cause| damaged(cause.into()))?;
        let kept = Config::parse(&text, &[]).map_err(|reason| damaged(reason.into()))?;
        if kept != *config {
            let line = differing_line(&kept.to_toml(), &config.to_toml());
            return Err(refuse(format!("was made with another config: {line}")));
        }
        Ok(Self::Standing(RunFolder(path.to_owned())))
    }

    /// The folder's path, whether it is there yet or not.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Vacant(path) => path,
            Self::Standing(folder) => folder.path(),
        }
    }
}

/// A run's folder.
#[derive(Clone, Debug)]
pub struct RunFolder(PathBuf);

impl RunFolder {
    /// Makes a new folder that holds the resolved config, the environment and a place for checkpoints.
    ///
    /// It appears whole, by a rename: a run that was killed can be resumed from its first moment on.
    ///
    /// # Errors
    /// [`TrainError::Write`] when it cannot be made, or stands already.
    pub fn create(path: &Path, config: &Config, environment: &Environment) -> Result<Self, TrainError> {
        atomic::folder(path, |part| Self(part.to_owned()).fill(config, environment))?;
        Ok(Self(path.to_owned()))
    }

    /// Removes what a kill left half-written, in every folder of the run.
    ///
    /// # Errors
    /// [`TrainError::Write`] with the file that cannot be removed.
    pub fn sweep(&self) -> Result<(), TrainError> {
        [self.path(), &self.checkpoints(), &self.model()].into_iter().try_for_each(sweep)
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
    /// [`TrainError::Damaged`] when `environment.json` is missing or damaged.
    pub fn environment(&self) -> Result<Environment, TrainError> {
        let path = self.0.join("environment.json");
        let damaged = |source: Cause| TrainError::Damaged { path: path.clone(), source };
        let text = regular::read_to_string(&path).map_err(|cause| damaged(cause.into()))?;
        serde_json::from_str(&text).map_err(|cause| damaged(cause.into()))
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
        fs::create_dir_all(self.checkpoints()).map_err(TrainError::writing(&self.0))?;
        self.write("config.toml", &config.to_toml())?;
        self.write_environment(environment)
    }

    fn write(&self, name: &str, text: &str) -> Result<(), TrainError> {
        let path = self.0.join(name);
        atomic::write(&path, text.as_bytes()).map_err(TrainError::writing(&path))
    }
}

fn differing_line(kept: &str, given: &str) -> String {
    let differs = kept.lines().zip(given.lines()).find(|(kept, given)| kept != given);
    differs.map_or_else(
        || "other keys".to_owned(),
        |(kept, given)| format!("it has `{kept}`, this run has `{given}`"),
    )
}

/// Removes half-written files from one folder; ours are `model-5.part.bpk` and `.epochs.csv.<process>.tmp`,
/// Burn's `model-5.part.bpk.<process>-<n>.tmp`.
fn sweep(folder: &Path) -> Result<(), TrainError> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.contains(".part.bpk") || name.ends_with(".tmp") {
            fs::remove_file(entry.path()).map_err(TrainError::writing(&entry.path()))?;
        }
    }
    Ok(())
}
