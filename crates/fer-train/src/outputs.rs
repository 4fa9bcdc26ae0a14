//! What a command writes: never over what it reads, and whole or not at all.
//! In: the files it reads and the files it writes. Out: a file, or a refusal that names both.

use std::path::Path;

use fer_base::{atomic, refuse_overlaps};
use fer_model::ModelCard;
use fer_model::checkpoint::{CARD_FILE, PAGE_FILE};

use crate::error::TrainError;

/// Refuses the first output that is a file of the model, or of the data, or another output, each with its
/// option.
///
/// # Errors
/// [`TrainError::Overlap`] with both options.
pub fn refuse_overwriting_inputs(
    outputs: &[(&str, &Path)],
    model: &Path,
    card: &ModelCard,
    data: &[(&str, Option<&Path>)],
) -> Result<(), TrainError> {
    let files = [CARD_FILE, PAGE_FILE, &card.weights.file].map(|name| model.join(name));
    let model = files.iter().map(|file| ("the model's own file", file.as_path()));
    let data = data.iter().filter_map(|(option, path)| Some((*option, (*path)?)));
    Ok(refuse_overlaps(&model.chain(data).collect::<Vec<_>>(), outputs)?)
}

/// Writes a result whole or not at all; the folder must be there.
///
/// # Errors
/// [`TrainError::Write`] with the file and the reason.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
    atomic::write(path, bytes).map_err(TrainError::writing(path))
}
