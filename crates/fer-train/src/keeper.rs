//! The end of an epoch: its row, and which checkpoints stay.
//! In: Burn's event store. Out: a row in the history, and save and delete actions.
//! Knows nothing of networks.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use burn_train::{
    EarlyStoppingStrategy, Interrupter,
    checkpoint::{Checkpoint, Checkpointer, CheckpointerError, CheckpointingAction, CheckpointingStrategy},
    metric::store::{Aggregate, EventStoreClient, Split},
};

use crate::{
    error::TrainError,
    history::{EpochRow, History},
    schedule::PlateauSignal,
};

/// What a run tells its watcher after each epoch: the row and the best so far.
pub type Report = Box<dyn FnMut(&EpochRow, &EpochRow) + Send>;

/// Writes an epoch's row and decides which checkpoints stay: the best, and the newest few.
pub struct Keeper {
    /// The rows, shared with early stopping and the end of the run.
    pub history: Arc<Mutex<History>>,
    /// How many of the newest are kept.
    pub keep_last: usize,
    /// Training faces an epoch.
    pub n_faces: usize,
    /// Tells the plateau, where there is one.
    pub plateau: Option<PlateauSignal>,
    /// Stops the run when a row cannot be written.
    pub interrupter: Interrupter,
    /// The watcher.
    pub report: Report,
    /// When the current epoch began.
    pub since: Instant,
}

impl Keeper {
    fn row(&mut self, epoch: usize, store: &EventStoreClient) -> EpochRow {
        let find = |name: &str, split: &Split| {
            store.find_metric(name, epoch, Aggregate::Mean, split).unwrap_or(f64::NAN)
        };
        let seconds = self.since.elapsed().as_secs_f64();
        self.since = Instant::now();
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

impl CheckpointingStrategy for Keeper {
    fn checkpointing(&mut self, epoch: usize, store: &EventStoreClient) -> Vec<CheckpointingAction> {
        let row = self.row(epoch, store);
        let mut history = self.history.lock().expect("no holder panics");
        let before: Vec<usize> = kept(&history, self.keep_last);
        if let Err(error) = history.push(row.clone()) {
            self.interrupter
                .fail(burn_train::TrainingError::Checkpoint(CheckpointerError::Unknown(error.to_string())));
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

/// Saves one kind of record under a temporary name and renames it.
///
/// Burn's file checkpointer writes in place: a kill or a full disk would leave half a file under
/// the final name.
#[derive(Clone)]
pub struct AtomicCheckpointer {
    folder: PathBuf,
    name: &'static str,
    /// Set when a save failed: from then on nothing is deleted.
    failed: Arc<AtomicBool>,
}

/// The three kinds of record of a checkpoint: model, optimizer, scheduler.
pub const KINDS: [&str; 3] = ["model", "optimizer", "scheduler"];

impl AtomicCheckpointer {
    /// The checkpointers of a folder, in the order of [`KINDS`].
    #[must_use]
    pub fn all(folder: &Path) -> [Self; 3] {
        let failed = Arc::new(AtomicBool::new(false));
        KINDS.map(|name| Self { folder: folder.to_owned(), name, failed: Arc::clone(&failed) })
    }

    /// Where an epoch's record is.
    #[must_use]
    pub fn path(&self, epoch: usize) -> PathBuf {
        self.folder.join(format!("{}-{epoch}.bpk", self.name))
    }

    fn write<R: Checkpoint>(&self, epoch: usize, record: R) -> Result<(), CheckpointerError> {
        let temporary = self.folder.join(format!("{}-{epoch}.part.bpk", self.name));
        let written = record.save(temporary.clone()).and_then(|()| {
            std::fs::File::open(&temporary)
                .and_then(|file| file.sync_all())
                .and_then(|()| std::fs::rename(&temporary, self.path(epoch)))
                .map_err(CheckpointerError::IOError)
        });
        if written.is_err() && temporary.exists() {
            std::fs::remove_file(&temporary).map_err(CheckpointerError::IOError)?;
        }
        written
    }
}

impl<R: Checkpoint> Checkpointer<R> for AtomicCheckpointer {
    fn save(&self, epoch: usize, record: R) -> Result<(), CheckpointerError> {
        let written = self.write(epoch, record);
        if written.is_err() {
            self.failed.store(true, Ordering::SeqCst);
        }
        written
    }

    fn delete(&self, epoch: usize) -> Result<(), CheckpointerError> {
        let path = self.path(epoch);
        if self.failed.load(Ordering::SeqCst) || !path.exists() {
            return Ok(());
        }
        std::fs::remove_file(path).map_err(CheckpointerError::IOError)
    }

    fn restore(&self, epoch: usize) -> Result<R, CheckpointerError> {
        R::load(self.path(epoch))
    }
}

/// The newest epoch whose three records are all there.
///
/// # Errors
/// [`TrainError::RunFolder`] when there is none.
pub fn newest_checkpoint(folder: &Path) -> Result<usize, TrainError> {
    let refuse = |reason: String| TrainError::RunFolder { path: folder.to_owned(), reason };
    let checkpointers = AtomicCheckpointer::all(folder);
    let names = std::fs::read_dir(folder).map_err(|cause| refuse(format!("{cause}: nothing to resume")))?;
    let epoch_of = |name: &str| name.strip_prefix("model-")?.strip_suffix(".bpk")?.parse::<usize>().ok();
    names
        .filter_map(|entry| epoch_of(entry.ok()?.file_name().to_str()?))
        .filter(|&epoch| checkpointers.iter().all(|checkpointer| checkpointer.path(epoch).exists()))
        .max()
        .ok_or_else(|| {
            refuse("no finished epoch: nothing to resume, start anew with another --out".to_owned())
        })
}
