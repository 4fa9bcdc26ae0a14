//! A run on the disk.
//! In: what a run leaves. Out: its folder, and the way back from it.

pub(crate) mod card;
pub(crate) mod checkpointer;
pub mod environment;
pub mod folder;
pub mod history;
pub mod initial;
pub(crate) mod start;
pub mod summary;
