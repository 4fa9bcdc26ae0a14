//! What each epoch of a run came to, and which was the best.
//! In: one row an epoch. Out: `epochs.csv`, `epochs.jsonl`, `curves.svg`, and the best epoch.

use std::path::{Path, PathBuf};

use fer_base::{Cause, atomic, regular};
use serde::{Deserialize, Serialize};

use crate::{
    chart::curves::{self, Panel},
    error::TrainError,
};

/// One epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRow {
    /// The epoch, from 1.
    pub epoch: usize,
    /// Mean learning rate of its steps.
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
    /// Epochs whose weights cannot be used any more; none of them can be the best.
    lost: Vec<usize>,
}

impl History {
    /// A fresh history in a run folder.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), rows: Vec::new(), lost: Vec::new() }
    }

    /// The history of a run folder up to an epoch; later rows are forgotten, their epochs come again.
    ///
    /// `is_sound` tells whether an epoch's weights are there: those kept on disk, the best among them.
    /// Read from the CSV file, because numbers come back from it exactly and a diverged loss is NaN there;
    /// a last digit lost would be another best epoch where two are equal.
    ///
    /// # Errors
    /// [`TrainError::Damaged`] when `epochs.csv` is missing, or damaged or too short before that epoch.
    pub fn resume(
        folder: &Path,
        last_epoch: usize,
        is_sound: impl Fn(usize) -> bool,
    ) -> Result<Self, TrainError> {
        let path = folder.join("epochs.csv");
        let damaged = |source: Cause| TrainError::Damaged { path: path.clone(), source };
        let text = regular::read_to_string(&path).map_err(|cause| damaged(cause.into()))?;
        let mut rows: Vec<EpochRow> = Vec::new();
        for row in csv::Reader::from_reader(text.as_bytes()).into_deserialize().take(last_epoch) {
            let n = rows.len() + 1;
            let row =
                row.map_err(|cause| damaged(format!("row {n} of {last_epoch} needed: {cause}").into()))?;
            rows.push(row);
        }
        if rows.len() != last_epoch {
            let reason = format!("{} rows, expected {last_epoch} as in checkpoints/", rows.len());
            return Err(damaged(reason.into()));
        }
        let lost = rows.iter().map(|row| row.epoch).filter(|&epoch| !is_sound(epoch)).collect();
        Ok(Self { folder: folder.to_owned(), rows, lost })
    }

    /// Adds an epoch and writes the three files.
    ///
    /// # Errors
    /// [`TrainError::Write`] with the file that could not be written.
    pub fn push(&mut self, row: EpochRow) -> Result<(), TrainError> {
        self.rows.push(row);
        self.write("epochs.csv", &self.to_csv())?;
        self.write("epochs.jsonl", &self.to_jsonl())?;
        self.write("curves.svg", &curves::svg(&self.panels()))
    }

    /// Loss and accuracy over epochs, training and validation.
    fn panels(&self) -> [Panel; 2] {
        let over_epochs =
            |value: fn(&EpochRow) -> f64| self.rows.iter().map(|r| (r.epoch, value(r))).collect();
        [
            Panel {
                title: "loss",
                train: over_epochs(|row| row.train_loss),
                validation: over_epochs(|row| row.validation_loss),
            },
            Panel {
                title: "accuracy, %",
                train: over_epochs(|row| 100.0 * row.train_accuracy),
                validation: over_epochs(|row| 100.0 * row.validation_accuracy),
            },
        ]
    }

    /// The rows so far.
    #[must_use]
    pub fn rows(&self) -> &[EpochRow] {
        &self.rows
    }

    /// The epoch with the highest validation accuracy whose weights are there, the first of equals.
    #[must_use]
    pub fn best(&self) -> Option<&EpochRow> {
        best_of(self.rows.iter().filter(|row| !self.lost.contains(&row.epoch)))
    }

    /// The epoch that would be the best if its weights were there.
    #[must_use]
    pub fn lost_best(&self) -> Option<&EpochRow> {
        best_of(self.rows.iter()).filter(|row| self.lost.contains(&row.epoch))
    }

    fn write(&self, name: &str, text: &str) -> Result<(), TrainError> {
        let path = self.folder.join(name);
        atomic::write(&path, text.as_bytes()).map_err(TrainError::writing(&path))
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

fn best_of<'a>(rows: impl Iterator<Item = &'a EpochRow>) -> Option<&'a EpochRow> {
    rows.reduce(|best, row| if row.validation_accuracy > best.validation_accuracy { row } else { best })
}
