//! Checkpoints on disk: written whole, proved before they are used.
//! In: Burn's records of an epoch. Out: files with their SHA-256 beside them, and the epochs that are sound.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use burn::{
    optim::{OptimizerRecord, lr_scheduler::LrSchedulerRecord},
    store::ModuleRecord,
};
use burn_train::checkpoint::{Checkpoint, Checkpointer, CheckpointerError};
use fer_base::{Cause, atomic, chain, regular};
use fer_model::card::sha256_hex;

use crate::{error::TrainError, train::failure::Failure};

/// A kind of record: a checkpoint has one of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecordKind {
    /// Weights, and their average.
    Model,
    /// The optimizer's momenta.
    Optimizer,
    /// The schedule's place.
    Scheduler,
}

impl RecordKind {
    /// All kinds, in the order in which Burn takes their checkpointers.
    pub(crate) const ALL: [Self; 3] = [Self::Model, Self::Optimizer, Self::Scheduler];

    /// The word in file names.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
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
/// the final name. Its restoring panics on a record that is damaged or was made for something else, so
/// [`AtomicCheckpointer::verify`] takes only those whose hash says that this program saved them.
#[derive(Clone)]
pub(crate) struct AtomicCheckpointer {
    folder: PathBuf,
    kind: RecordKind,
    /// Told when a save fails: from then on nothing is deleted.
    failure: Failure,
}

impl AtomicCheckpointer {
    /// The checkpointers of a folder that is read, in the order of [`RecordKind::ALL`].
    #[must_use]
    pub(crate) fn all(folder: &Path) -> [Self; 3] {
        Self::writing(folder, &Failure::default())
    }

    /// The checkpointers of a run that writes; `failure` is called with the first epoch that cannot be saved.
    #[must_use]
    pub(crate) fn writing(folder: &Path, failure: &Failure) -> [Self; 3] {
        RecordKind::ALL.map(|kind| Self { folder: folder.to_owned(), kind, failure: failure.clone() })
    }

    /// Where an epoch's record is.
    #[must_use]
    pub(crate) fn path(&self, epoch: usize) -> PathBuf {
        self.folder.join(format!("{}-{epoch}.bpk", self.kind.name()))
    }

    fn hash_path(&self, epoch: usize) -> PathBuf {
        self.path(epoch).with_extension("sha256")
    }

    /// Looks whether an epoch's record is the one that was saved, and loads.
    ///
    /// # Errors
    /// [`TrainError::Checkpoint`] with the file and what is wrong with it.
    pub(crate) fn verify(&self, epoch: usize) -> Result<(), TrainError> {
        let path = self.path(epoch);
        let damaged = |reason: String, source: Option<Cause>| TrainError::Checkpoint {
            path: path.clone(),
            reason,
            source,
        };
        let unread = |cause: io::Error| damaged("cannot be read".to_owned(), Some(cause.into()));
        let bytes = regular::read(&path).map_err(unread)?;
        let expected = regular::read_to_string(&self.hash_path(epoch))
            .map_err(|cause| damaged("its .sha256 cannot be read".to_owned(), Some(cause.into())))?;
        if expected.trim() != sha256_hex(&bytes) {
            let reason =
                format!("damaged or cut short ({} bytes): its SHA-256 is not the one saved", bytes.len());
            return Err(damaged(reason, None));
        }
        let loaded = match self.kind {
            RecordKind::Model => <ModuleRecord as Checkpoint>::load(path.clone()).map(drop),
            RecordKind::Optimizer => <OptimizerRecord as Checkpoint>::load(path.clone()).map(drop),
            RecordKind::Scheduler => <LrSchedulerRecord as Checkpoint>::load(path.clone()).map(drop),
        };
        loaded.map_err(|cause| damaged("damaged or cut short".to_owned(), Some(cause.into())))
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
        let Err(cause) = self.write(epoch, record) else { return Ok(()) };
        let words = cause.to_string();
        self.failure.stop(TrainError::NotSaved { epoch, source: cause.into() });
        Err(CheckpointerError::Unknown(words))
    }

    fn delete(&self, epoch: usize) -> Result<(), CheckpointerError> {
        if self.failure.is_set() {
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
pub(crate) fn newest_sound(folder: &Path, notice: &dyn Fn(&str)) -> Result<usize, TrainError> {
    let checkpointers = AtomicCheckpointer::all(folder);
    let mut damaged = None;
    for epoch in whole_epochs(folder)? {
        match checkpointers.iter().try_for_each(|checkpointer| checkpointer.verify(epoch)) {
            Ok(()) => return Ok(epoch),
            Err(error) => {
                notice(&format!("epoch {epoch} is passed over: {}", chain(&error)));
                damaged.get_or_insert(error);
            }
        }
    }
    match damaged {
        Some(TrainError::Checkpoint { path, reason, source }) => {
            let advice = "there is no older epoch to go on from: copy the run folder again, or start anew with another --out";
            Err(TrainError::Checkpoint { path, reason: format!("{reason}; {advice}"), source })
        }
        Some(other) => Err(other),
        None => Ok(0),
    }
}

/// Epochs whose three records are all there, newest first.
fn whole_epochs(folder: &Path) -> Result<Vec<usize>, TrainError> {
    let checkpointers = AtomicCheckpointer::all(folder);
    let names = fs::read_dir(folder)
        .map_err(|cause| TrainError::Damaged { path: folder.to_owned(), source: cause.into() })?;
    let epoch_of = |name: &str| name.strip_prefix("model-")?.strip_suffix(".bpk")?.parse::<usize>().ok();
    let mut epochs: Vec<usize> = names
        .filter_map(|entry| epoch_of(entry.ok()?.file_name().to_str()?))
        .filter(|&epoch| checkpointers.iter().all(|checkpointer| checkpointer.path(epoch).exists()))
        .collect();
    epochs.sort_unstable_by(|a, b| b.cmp(a));
    Ok(epochs)
}
