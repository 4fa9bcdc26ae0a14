//! Pictures of all clients → readings.
//! In: encoded pictures. Out: faces with probabilities; in order for each client.

pub(crate) mod analyze_route;
mod body;
pub(crate) mod engine;
pub(crate) mod inference;
mod picture;
pub(crate) mod queue;
pub(crate) mod room;
pub(crate) mod senders;

use fer_vision::{Finder, VisionError};

/// Makes a finder that has seen nothing, for a client or a thread.
pub type MakeFinder = dyn Fn() -> Result<Finder, VisionError> + Send + Sync;
