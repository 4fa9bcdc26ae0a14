//! The doors through which bytes come.
//! In: a name. Out: how to open the door, what to begin with, and the words of the format.

mod data;
mod models;
mod pictures;
mod programs;
mod streams;
mod web;

use anyhow::{Result, bail};

/// Gives an input to the program's code: what came of it in words, or the promise that it broke.
pub(crate) type Door = Box<dyn FnMut(&[u8]) -> Result<String, String>>;

/// One door.
pub(crate) struct Target {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    /// What comes through it.
    pub(crate) door: &'static str,
    /// Sound inputs.
    pub(crate) seeds: fn() -> Vec<Vec<u8>>,
    /// Words of the format.
    pub(crate) words: &'static [&'static [u8]],
    /// Opens it.
    pub(crate) open: fn() -> Door,
    /// Needs built programs, so that it is run only when named.
    pub(crate) on_request: bool,
}

/// All doors.
pub(crate) const TARGETS: &[Target] = &[
    data::CSV,
    data::COMPRESSED,
    data::FERPLUS,
    data::FOLDER,
    pictures::PICTURE,
    models::CARD,
    models::WEIGHTS,
    models::CHECKPOINT,
    models::CONFIG,
    models::CASCADE,
    models::YUNET,
    streams::GIF,
    streams::MJPEG,
    streams::RAW,
    web::HTTP,
    web::MULTIPART,
    web::WEBSOCKET,
    programs::PROGRAMS,
];

/// The target of a name.
pub(crate) fn named(name: &str) -> Result<&'static Target> {
    match TARGETS.iter().find(|target| target.name == name) {
        Some(target) => Ok(target),
        None => bail!("no target {name}: `fer-fuzz list` names them"),
    }
}

/// What came of a result, in words.
fn words<T>(result: Result<T, impl std::error::Error>) -> String {
    result.map_or_else(|error| fer_base::chain(&error), |_| "sound".to_owned())
}
