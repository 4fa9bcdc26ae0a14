//! Checkpoints on disk: written whole, proved before they are used.
//! In: Burn's records of an epoch. Out: files with their SHA-256 beside them, and the epochs that are sound.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use burn::{
    optim::{OptimizerRecord, lr_scheduler::LrSchedulerRecord},
    store::ModuleRecord,
};
use burn_train::checkpoint::{Checkpoint, Checkpointer, CheckpointerError};
use fer_base::atomic;
use fer_model::card::sha256_hex;

use crate::error::TrainError;

/// A kind of record: a checkpoint has one of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Weights, and their average.
    Model,
    /// The optimizer's momenta.
    Optimizer,
    /// The schedule's place.
    Scheduler,
}

impl Kind {
    /// All kinds, in the order in which Burn takes their checkpointers.
    pub const ALL: [Self; 3] = [Self::Model, Self::Optimizer, Self::Scheduler];

    /// The word in file names.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Optimizer => "optimizer",
            Self::Scheduler => "scheduler",
        }
    }
}

/// Saves one kind of record under a temporary name and renames it.
///
/// Burn's file checkpointer writes in place: a kill or a full disk would leave half a file under
/// the final name. Its restoring panics on a damaged record, so [`AtomicCheckpointer::verify`] looks first.
#[derive(Clone)]
pub struct AtomicCheckpointer {
    folder: PathBuf,
    kind: Kind,
    /// Set when a save failed: from then on nothing is deleted.
    failed: Arc<AtomicBool>,
}

impl AtomicCheckpointer {
    /// The checkpointers of a folder, in the order of [`Kind::ALL`].
    #[must_use]
    pub fn all(folder: &Path) -> [Self; 3] {
        let failed = Arc::new(AtomicBool::new(false));
        Kind::ALL.map(|kind| Self { folder: folder.to_owned(), kind, failed: Arc::clone(&failed) })
    }

    /// Where an epoch's record is.
    #[must_use]
    pub fn path(&self, epoch: usize) -> PathBuf {
        self.folder.join(format!("{}-{epoch}.bpk", self.kind.name()))
    }

    fn hash_path(&self, epoch: usize) -> PathBuf {
        self.path(epoch).with_extension("sha256")
    }

    /// Looks whether an epoch's record is the one that was saved, and loads.
    ///
    /// # Errors
    /// [`TrainError::Checkpoint`] with the file and what is wrong with it.
    pub fn verify(&self, epoch: usize) -> Result<(), TrainError> {
        let path = self.path(epoch);
        let damaged = |reason: String| TrainError::Checkpoint { path: path.clone(), reason };
        let bytes = fs::read(&path).map_err(|cause| damaged(cause.to_string()))?;
        // Folders written before the hashes were have none: then loading is the only proof.
        if let Ok(expected) = fs::read_to_string(self.hash_path(epoch))
            && expected.trim() != sha256_hex(&bytes)
        {
            let reason =
                format!("damaged or cut short ({} bytes): its SHA-256 is not the one saved", bytes.len());
            return Err(damaged(reason));
        }
        let loaded = match self.kind {
            Kind::Model => <ModuleRecord as Checkpoint>::load(path.clone()).map(drop),
            Kind::Optimizer => <OptimizerRecord as Checkpoint>::load(path.clone()).map(drop),
            Kind::Scheduler => <LrSchedulerRecord as Checkpoint>::load(path.clone()).map(drop),
        };
        loaded.map_err(|cause| damaged(format!("damaged or cut short: {cause}")))
    }

    fn write<R: Checkpoint>(&self, epoch: usize, record: R) -> Result<(), CheckpointerError> {
        let temporary = self.folder.join(format!("{}-{epoch}.part.bpk", self.kind.name()));
        let written = record
            .save(temporary.clone())
            .and_then(|()| self.commit(&temporary, epoch).map_err(CheckpointerError::IOError));
        if written.is_err() && temporary.exists() {
            fs::remove_file(&temporary).map_err(CheckpointerError::IOError)?;
        }
        written
    }

    /// The hash goes first: a record under its final name always has one.
    fn commit(&self, temporary: &Path, epoch: usize) -> std::io::Result<()> {
        File::open(temporary)?.sync_all()?;
        atomic::write(&self.hash_path(epoch), sha256_hex(&fs::read(temporary)?).as_bytes())?;
        fs::rename(temporary, self.path(epoch))
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
        if self.failed.load(Ordering::SeqCst) {
            return Ok(());
        }
        for path in [self.path(epoch), self.hash_path(epoch)] {
            if path.exists() {
                fs::remove_file(path).map_err(CheckpointerError::IOError)?;
            }
        }
        Ok(())
    }

    fn restore(&self, epoch: usize) -> Result<R, CheckpointerError> {
        R::load(self.path(epoch))
    }
}

/// The newest epoch whose three records are sound, or 0 when no epoch was ever saved whole.
///
/// Hears of each damaged record that is passed over.
///
/// # Errors
/// [`TrainError::Checkpoint`] when epochs were saved and none is sound.
pub fn newest_sound(folder: &Path, notice: &dyn Fn(&str)) -> Result<usize, TrainError> {
    let checkpointers = AtomicCheckpointer::all(folder);
    let mut damaged = None;
    for epoch in whole_epochs(folder)? {
        match checkpointers.iter().try_for_each(|checkpointer| checkpointer.verify(epoch)) {
            Ok(()) => return Ok(epoch),
            Err(error) => {
                notice(&format!("epoch {epoch} is passed over: {error}"));
                damaged.get_or_insert(error);
            }
        }
    }
    match damaged {
        Some(TrainError::Checkpoint { path, reason }) => {
            let advice = "there is no older epoch to go on from: copy the run folder again, or start anew with another --out";
            Err(TrainError::Checkpoint { path, reason: format!("{reason}; {advice}") })
        }
        Some(other) => Err(other),
        None => Ok(0),
    }
}

/// Removes what a kill left half-written.
///
/// # Errors
/// [`TrainError::Write`] with the file that cannot be removed.
pub fn sweep(folder: &Path) -> Result<(), TrainError> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries.flatten() {
        // Ours are `model-5.part.bpk`, Burn's `model-5.part.bpk.<process>-<n>.tmp`, a hash's `.….tmp`.
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.contains(".part.bpk") || name.ends_with(".tmp") {
            let path = entry.path();
            fs::remove_file(&path).map_err(|cause| TrainError::Write { path, cause })?;
        }
    }
    Ok(())
}

/// Epochs whose three records are all there, newest first.
fn whole_epochs(folder: &Path) -> Result<Vec<usize>, TrainError> {
    let checkpointers = AtomicCheckpointer::all(folder);
    let names = fs::read_dir(folder).map_err(|cause| TrainError::RunFolder {
        path: folder.to_owned(),
        reason: format!("{cause}: nothing to resume"),
    })?;
    let epoch_of = |name: &str| name.strip_prefix("model-")?.strip_suffix(".bpk")?.parse::<usize>().ok();
    let mut epochs: Vec<usize> = names
        .filter_map(|entry| epoch_of(entry.ok()?.file_name().to_str()?))
        .filter(|&epoch| checkpointers.iter().all(|checkpointer| checkpointer.path(epoch).exists()))
        .collect();
    epochs.sort_unstable_by(|a, b| b.cmp(a));
    Ok(epochs)
}
