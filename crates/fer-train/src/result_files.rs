//! What a command writes: never over what it reads, and whole or not at all.
//! In: the files it reads and the files it writes. Out: a file, or a refusal that names both.

use std::fs;
use std::path::{Path, PathBuf};

use fer_base::{atomic, refuse_overlaps};
use fer_model::ModelCard;
use fer_model::checkpoint::{CARD_FILE, PAGE_FILE};

use crate::error::TrainError;

/// What else a shipped model's folder holds: how it came about.
const ORIGINS: [&str; 3] = ["config.toml", "epochs.csv", "curves.svg"];

/// Refuses the first output that is a file of the model, or of the data, or another output, each with its
/// option. Of data in a folder every file is one.
///
/// # Errors
/// [`TrainError::Overlap`] with both options.
pub fn refuse_overwriting_inputs(
    outputs: &[(&str, &Path)],
    model: &Path,
    card: &ModelCard,
    data: &[(&str, Option<&Path>)],
) -> Result<(), TrainError> {
    let own = [CARD_FILE, PAGE_FILE, &card.weights.file];
    let own: Vec<PathBuf> = own.into_iter().chain(ORIGINS).map(|name| model.join(name)).collect();
    let earlier = earlier_stages(model);
    let model = own.iter().map(|file| ("the model's own file", file.as_path()));
    let model = model.chain(earlier.iter().map(|folder| ("the model's folder", folder.as_path())));
    let data = data.iter().filter_map(|(option, path)| Some((*option, (*path)?)));
    Ok(refuse_overlaps(&model.chain(data).collect::<Vec<_>>(), outputs)?)
}

/// Folders in a shipped model's that tell of the runs it went on from: those with a config.
fn earlier_stages(model: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(model).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|folder| folder.join(ORIGINS[0]).is_file()).collect()
}

/// Writes a result whole or not at all; the folder must be there.
///
/// # Errors
/// [`TrainError::Write`] with the file and the reason.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
    atomic::write(path, bytes).map_err(TrainError::writing(path))
}
