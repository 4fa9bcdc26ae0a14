//! Where a run starts: at its first epoch, or after those it has done.
//! In: a place for the run and the data of now. Out: [`Start`]: the epochs done, their rows, the environment.

use std::path::PathBuf;

use fer_base::regular;

use crate::{
    config::Config,
    error::TrainError,
    run::checkpointer::{AtomicCheckpointer, newest_sound},
    run::environment::Environment,
    run::folder::{RunFolder, RunPlace},
    run::history::History,
};

/// Where a run starts.
pub(crate) struct Start {
    place: RunPlace,
    /// Epochs done; 0: the run starts with the first.
    pub(crate) done: usize,
    /// Their rows.
    pub(crate) history: History,
    /// What the run was first started with, and each time it went on.
    pub(crate) environment: Environment,
}

impl Start {
    /// Finds where a run starts; `now` is the environment of this start. Makes no folder yet.
    ///
    /// # Errors
    /// [`TrainError::OtherData`] for data that the run did not begin with, [`TrainError::Checkpoint`]
    /// when no epoch can be read, [`TrainError::Damaged`] when rows or environment cannot.
    pub(crate) fn of(place: RunPlace, now: Environment, notice: &dyn Fn(&str)) -> Result<Self, TrainError> {
        match place {
            RunPlace::Standing(folder) => Self::after_checkpoint(folder, now, notice),
            RunPlace::Vacant(path) => {
                let history = History::new(&path);
                Ok(Self { place: RunPlace::Vacant(path), done: 0, history, environment: now })
            }
        }
    }

    fn after_checkpoint(
        folder: RunFolder,
        now: Environment,
        notice: &dyn Fn(&str),
    ) -> Result<Self, TrainError> {
        let first = folder.environment()?;
        first.expect_data(&now, folder.path())?;
        folder.sweep()?;
        let checkpoints = folder.checkpoints();
        let done = newest_sound(&checkpoints, notice)?;
        let environment = first.resumed(now, done);
        let history = if done == 0 {
            expect_young(&folder)?;
            notice("no epoch was finished: the run starts with the first");
            History::new(folder.path())
        } else {
            let [model, ..] = AtomicCheckpointer::all(&checkpoints);
            History::resume(folder.path(), done, |epoch| model.verify(epoch).is_ok())?
        };
        if let Some(lost) = history.lost_best() {
            notice(&format!(
                "epoch {} had the highest validation accuracy, but its weights are gone or damaged: \
                 the best of the others counts",
                lost.epoch
            ));
        }
        Ok(Self { place: RunPlace::Standing(folder), done, history, environment })
    }

    /// The run's folder: made now that nothing can be refused any more, or the standing one, which notes
    /// that the run goes on.
    ///
    /// # Errors
    /// [`TrainError::Write`] when it cannot be made or written to.
    pub(crate) fn folder(&self, config: &Config) -> Result<RunFolder, TrainError> {
        match &self.place {
            RunPlace::Vacant(path) => RunFolder::create(path, config, &self.environment),
            RunPlace::Standing(folder) => {
                folder.write_environment(&self.environment)?;
                Ok(folder.clone())
            }
        }
    }

    /// The path of the run's folder, whether it is there yet or not.
    #[must_use]
    pub(crate) fn path(&self) -> PathBuf {
        self.place.path().to_owned()
    }
}

/// A run with three epochs behind it has a checkpoint: without one, they were taken away. (The second
/// row may be written while the first epoch's records are still on their way to the disk.)
fn expect_young(folder: &RunFolder) -> Result<(), TrainError> {
    let rows = regular::read_to_string(&folder.path().join("epochs.csv")).unwrap_or_default();
    match rows.lines().skip(1).count() {
        0..=2 => Ok(()),
        n => Err(TrainError::Checkpoint {
            path: folder.checkpoints(),
            reason: format!(
                "no whole checkpoint, but epochs.csv has {n} epochs: copy the run folder again, or start anew with another --out"
            ),
            source: None,
        }),
    }
}
