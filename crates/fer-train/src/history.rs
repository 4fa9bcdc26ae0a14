//! What each epoch of a run came to, and which was the best.
//! In: one row an epoch. Out: `epochs.csv`, `epochs.jsonl`, `curves.svg`, and the best epoch.
//! Knows nothing of how the figures were made.

use std::path::{Path, PathBuf};

use fer_data::atomic;
use serde::{Deserialize, Serialize};

use crate::{curves, error::TrainError};

/// One epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRow {
    /// The epoch, from 1.
    pub epoch: usize,
    /// Learning rate of its last step.
    pub rate: f64,
    /// Mean training loss, with smoothing, mixup and weights as configured.
    pub train_loss: f64,
    /// Training top-1 on augmented faces with the moving weights, `0..=1`.
    pub train_accuracy: f64,
    /// Mean cross-entropy on the validation split, without smoothing or mixup.
    pub validation_loss: f64,
    /// Validation top-1 of the judged weights, `0..=1`.
    pub validation_accuracy: f64,
    /// Seconds the epoch took, validation included.
    pub seconds: f64,
    /// Training faces a second, validation's time included.
    pub images_per_second: f64,
}

/// The rows of a run, kept on disk after every epoch.
#[derive(Clone, Debug)]
pub struct History {
    folder: PathBuf,
    rows: Vec<EpochRow>,
}

impl History {
    /// A fresh history in a run folder.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), rows: Vec::new() }
    }

    /// The history of a run folder up to an epoch; later rows are forgotten, their epochs come again.
    ///
    /// # Errors
    /// [`TrainError::RunFolder`] when `epochs.jsonl` is missing, damaged or too short.
    pub fn resume(folder: &Path, last_epoch: usize) -> Result<Self, TrainError> {
        let path = folder.join("epochs.jsonl");
        let refuse = |reason: String| TrainError::RunFolder { path: path.clone(), reason };
        let text = std::fs::read_to_string(&path).map_err(|cause| refuse(cause.to_string()))?;
        let mut rows = Vec::new();
        for (idx, line) in text.lines().enumerate() {
            let row: EpochRow =
                serde_json::from_str(line).map_err(|cause| refuse(format!("line {}: {cause}", idx + 1)))?;
            rows.push(row);
        }
        rows.retain(|row| row.epoch <= last_epoch);
        if rows.len() != last_epoch {
            return Err(refuse(format!("{} rows, expected {last_epoch} as in checkpoints/", rows.len())));
        }
        Ok(Self { folder: folder.to_owned(), rows })
    }

    /// Adds an epoch and writes the three files.
    ///
    /// # Errors
    /// [`TrainError::Write`] with the file that could not be written.
    pub fn push(&mut self, row: EpochRow) -> Result<(), TrainError> {
        self.rows.push(row);
        self.write("epochs.csv", &self.to_csv())?;
        self.write("epochs.jsonl", &self.to_jsonl())?;
        self.write("curves.svg", &curves::svg(&self.rows))
    }

    /// The rows so far.
    #[must_use]
    pub fn rows(&self) -> &[EpochRow] {
        &self.rows
    }

    /// The epoch with the highest validation accuracy, the first of equals.
    #[must_use]
    pub fn best(&self) -> Option<&EpochRow> {
        self.rows
            .iter()
            .reduce(|best, row| if row.validation_accuracy > best.validation_accuracy { row } else { best })
    }

    fn write(&self, name: &str, text: &str) -> Result<(), TrainError> {
        let path = self.folder.join(name);
        atomic::write(&path, text.as_bytes()).map_err(|cause| TrainError::Write { path, cause })
    }

    fn to_csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for row in &self.rows {
            writer.serialize(row).expect("a row is plain numbers");
        }
        let bytes = writer.into_inner().expect("writing to memory cannot fail");
        String::from_utf8(bytes).expect("numbers are ASCII")
    }

    fn to_jsonl(&self) -> String {
        let line = |row| serde_json::to_string(row).expect("a row is plain numbers") + "\n";
        self.rows.iter().map(line).collect()
    }
}
