//! Where a run begins, or goes on.
//! In: a run folder and the data of now. Out: [`Origin`]: the epochs done, their rows, the environment.

use crate::{
    error::TrainError,
    run::checkpointer::{AtomicCheckpointer, newest_sound, sweep},
    run::environment::Environment,
    run::folder::RunFolder,
    run::history::History,
};

/// Where a run begins.
pub struct Origin {
    /// The folder that is gone on with; `None`: a new one is to be made.
    pub folder: Option<RunFolder>,
    /// Epochs done; 0: the run begins with the first.
    pub done: usize,
    /// Their rows.
    pub history: History,
    /// What the run was started with, and each time it went on.
    pub environment: Environment,
}

/// Where a stopped run goes on; `now` is the environment of this start.
///
/// # Errors
/// [`TrainError::OtherData`] for data that the run did not begin with, [`TrainError::Checkpoint`]
/// when no epoch can be read, [`TrainError::RunFolder`] when rows or environment cannot.
pub fn origin(folder: RunFolder, now: Environment, notice: &dyn Fn(&str)) -> Result<Origin, TrainError> {
    let first = folder.environment()?;
    first.expect_data(&now, folder.path())?;
    let checkpoints = folder.checkpoints();
    sweep(&checkpoints)?;
    let done = newest_sound(&checkpoints, notice)?;
    let environment = first.resumed(now, done);
    if done == 0 {
        expect_young(&folder)?;
        notice("no epoch was finished: the run starts with the first");
        let history = History::new(folder.path());
        return Ok(Origin { folder: Some(folder), done, history, environment });
    }
    let [model, ..] = AtomicCheckpointer::all(&checkpoints);
    let history = History::resume(folder.path(), done, |epoch| model.verify(epoch).is_ok())?;
    if let Some(lost) = history.lost_best() {
        notice(&format!(
            "epoch {} had the highest validation accuracy, but its weights are gone or damaged: \
             the best of the others counts",
            lost.epoch
        ));
    }
    Ok(Origin { folder: Some(folder), done, history, environment })
}

/// A run with three epochs behind it has a checkpoint: without one, they were taken away. (The second
/// row may be written while the first epoch's records are still on their way to the disk.)
fn expect_young(folder: &RunFolder) -> Result<(), TrainError> {
    let rows = std::fs::read_to_string(folder.path().join("epochs.csv")).unwrap_or_default();
    match rows.lines().skip(1).count() {
        0..=2 => Ok(()),
        n => Err(TrainError::Checkpoint {
            path: folder.checkpoints(),
            reason: format!(
                "no whole checkpoint, but epochs.csv has {n} epochs: copy the run folder again, or start anew with another --out"
            ),
        }),
    }
}
