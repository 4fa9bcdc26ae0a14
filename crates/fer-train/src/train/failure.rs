//! The first error of a run, told from whichever thread found it.
//! In: an error. Out: the run stops between two steps, and ends with that error.
//!
//! Burn's interrupter keeps an error of its own kind only, in which ours would be text.

use std::sync::{Arc, Mutex};

use burn_train::{Interrupter, TrainingError, checkpoint::CheckpointerError};

use crate::error::TrainError;

/// Stops a run and keeps why; clones share it.
#[derive(Clone, Default)]
pub struct Failure {
    first: Arc<Mutex<Option<TrainError>>>,
    interrupter: Interrupter,
}

impl Failure {
    /// Nothing has failed yet; `interrupter` stops the run.
    #[must_use]
    pub fn new(interrupter: Interrupter) -> Self {
        Self { first: Arc::default(), interrupter }
    }

    /// Stops the run. The first error is kept: later ones are mostly its consequences.
    ///
    /// # Panics
    /// If another thread panicked while telling.
    pub fn stop(&self, error: TrainError) {
        let words = error.to_string();
        self.first.lock().expect("no teller panics").get_or_insert(error);
        self.interrupter.fail(TrainingError::Checkpoint(CheckpointerError::Unknown(words)));
    }

    /// Whether something failed.
    ///
    /// # Panics
    /// If another thread panicked while telling.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.first.lock().expect("no teller panics").is_some()
    }

    /// What failed, for the end of the run.
    ///
    /// # Panics
    /// If another thread panicked while telling.
    #[must_use]
    pub fn take(&self) -> Option<TrainError> {
        self.first.lock().expect("no teller panics").take()
    }
}

impl std::fmt::Debug for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.is_set() { "Failure(set)" } else { "Failure(unset)" })
    }
}
