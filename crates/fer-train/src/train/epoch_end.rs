//! The end of an epoch: its row, and which checkpoints stay.
//! In: Burn's event store. Out: a row in the history, and save and delete actions.

use std::{
    sync::{Arc, Mutex},
    time::Instant,
};

use burn_train::{
    EarlyStoppingStrategy,
    checkpoint::{CheckpointingAction, CheckpointingStrategy},
    metric::store::{Aggregate, EventStoreClient, Split},
};

use crate::{
    error::TrainError,
    run::history::{EpochRow, History},
    train::failure::Failure,
    train::schedule::PlateauSignal,
};

/// What a run tells its watcher after each epoch: the row and the best so far.
pub type OnEpoch = Box<dyn FnMut(&EpochRow, &EpochRow) + Send>;

/// Writes an epoch's row and decides which checkpoints stay: the best, and the newest few.
pub struct EpochEnd {
    /// The rows, shared with early stopping and the end of the run.
    pub history: Arc<Mutex<History>>,
    /// How many of the newest are kept; with 2 or more one epoch is always whole on the disk, because
    /// Burn saves an epoch's records on three threads only after those of the epoch before are written.
    pub keep_last: usize,
    /// Training faces an epoch.
    pub n_faces: usize,
    /// Steps an epoch.
    pub n_steps: usize,
    /// Tells the plateau, where there is one.
    pub plateau: Option<PlateauSignal>,
    /// Stops the run when a row cannot be written, or is of no use.
    pub failure: Failure,
    /// The watcher.
    pub report: OnEpoch,
    /// When the current epoch began; see [`now`].
    pub since: Instant,
}

/// The clock: an epoch's row states how long it took.
#[expect(clippy::disallowed_methods, reason = "seconds an epoch are part of its row")]
#[must_use]
pub fn now() -> Instant {
    Instant::now()
}

impl EpochEnd {
    fn row(&mut self, epoch: usize, store: &EventStoreClient) -> EpochRow {
        let find = |name: &str, split: &Split| {
            store.find_metric(name, epoch, Aggregate::Mean, split).unwrap_or(f64::NAN)
        };
        let seconds = self.since.elapsed().as_secs_f64();
        self.since = now();
        EpochRow {
            epoch,
            rate: find("Learning Rate", &Split::Train),
            train_loss: find("Loss", &Split::Train),
            train_accuracy: find("Accuracy", &Split::Train) / 100.0,
            validation_loss: find("Loss", &Split::Valid),
            validation_accuracy: find("Accuracy", &Split::Valid) / 100.0,
            seconds,
            images_per_second: self.n_faces as f64 / seconds,
        }
    }
}

impl CheckpointingStrategy for EpochEnd {
    fn checkpointing(&mut self, epoch: usize, store: &EventStoreClient) -> Vec<CheckpointingAction> {
        let row = self.row(epoch, store);
        if !row.validation_loss.is_finite() {
            let (what, value) = ("the validation loss", row.validation_loss as f32);
            self.failure.stop(TrainError::Diverged { epoch, step: self.n_steps, what, value });
            return Vec::new();
        }
        let mut history = self.history.lock().expect("no holder panics");
        let before: Vec<usize> = kept(&history, self.keep_last);
        if let Err(error) = history.push(row.clone()) {
            self.failure.stop(TrainError::NotSaved { epoch, source: error.into() });
            return Vec::new();
        }
        if let Some(plateau) = &self.plateau {
            plateau.tell(row.validation_accuracy);
        }
        let after = kept(&history, self.keep_last);
        (self.report)(&row, history.best().unwrap_or(&row));
        let gone = before.into_iter().filter(|old| !after.contains(old)).map(CheckpointingAction::Delete);
        // Saved before anything is deleted: a kill in between leaves one too many, never one too few.
        std::iter::once(CheckpointingAction::Save).chain(gone).collect()
    }
}

/// Epochs whose checkpoints stay: the newest `keep_last`, and the best.
fn kept(history: &History, keep_last: usize) -> Vec<usize> {
    let rows = history.rows();
    let mut epochs: Vec<usize> = rows.iter().rev().take(keep_last).map(|row| row.epoch).collect();
    if let Some(best) = history.best()
        && !epochs.contains(&best.epoch)
    {
        epochs.push(best.epoch);
    }
    epochs
}

/// Stops when validation accuracy has not risen for `patience` epochs.
///
/// Burn's own strategy forgets the best epoch over a resume; this one reads the history.
#[derive(Clone)]
pub struct Patience {
    /// The rows.
    pub history: Arc<Mutex<History>>,
    /// Epochs without a rise.
    pub patience: usize,
}

impl EarlyStoppingStrategy for Patience {
    fn should_stop(&mut self, epoch: usize, _store: &EventStoreClient) -> bool {
        let history = self.history.lock().expect("no holder panics");
        history.best().is_some_and(|best| epoch - best.epoch >= self.patience)
    }
}
