//! The end of a server, as everything in it hears of it.
//! In: a signal that turns true once. Out: a wait, and the problem of what comes too late.

use tokio::sync::watch;

use crate::problem::{Problem, ProblemKind};

/// Turns true when the server shall stop.
pub(crate) type Stop = watch::Receiver<bool>;

/// The problem of everything that comes after the stop was asked for.
#[must_use]
pub(crate) fn stopping() -> Problem {
    Problem::new(ProblemKind::Stopping, "the server was asked to stop")
}

/// Waits until the server shall stop.
pub(crate) async fn stopped(stop: &mut Stop) {
    // A sender that is gone has nobody left to serve for.
    drop(stop.wait_for(|stop| *stop).await);
}
