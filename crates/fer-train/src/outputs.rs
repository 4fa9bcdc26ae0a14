//! Outputs that would overwrite what a command reads.
//! In: the files it reads and the files it writes. Out: nothing, or a refusal that names both.

use std::path::{Path, PathBuf};

use fer_base::atomic;
use fer_model::ModelCard;
use fer_model::checkpoint::{CARD_FILE, PAGE_FILE};

use crate::error::TrainError;

/// A file with the option that names it.
pub type Named<'a> = (&'a str, &'a Path);

/// Refuses the first output that is an input, or another output.
///
/// # Errors
/// [`TrainError::Usage`] with both options.
pub fn refuse_overwriting(outputs: &[Named<'_>], inputs: &[Named<'_>]) -> Result<(), TrainError> {
    for (idx, (option, path)) in outputs.iter().enumerate() {
        let taken = inputs.iter().chain(&outputs[..idx]).find(|(_, other)| is_same_file(path, other));
        if let Some((other, _)) = taken {
            let path = path.display();
            let reason = format!("{option} {path}: {other} is the same file; choose another name");
            return Err(TrainError::Usage(reason));
        }
    }
    Ok(())
}

/// Refuses the first output that is a file of the model, or of the data, each with its option.
///
/// # Errors
/// [`TrainError::Usage`] with both options.
pub fn refuse_overwriting_inputs(
    outputs: &[Named<'_>],
    model: &Path,
    card: &ModelCard,
    data: &[(&str, Option<&Path>)],
) -> Result<(), TrainError> {
    let files = [CARD_FILE, PAGE_FILE, &card.weights.file].map(|name| model.join(name));
    let model = files.iter().map(|file| ("the model's own file", file.as_path()));
    let data = data.iter().filter_map(|(option, path)| Some((*option, (*path)?)));
    refuse_overwriting(outputs, &model.chain(data).collect::<Vec<_>>())
}

/// Writes a result whole or not at all; the folder must be there.
///
/// # Errors
/// [`TrainError::Write`] with the file and the reason.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
    atomic::write(path, bytes).map_err(TrainError::writing(path))
}

/// Whether two paths lead to one file, links and detours included; neither needs to exist yet.
fn is_same_file(a: &Path, b: &Path) -> bool {
    place(a) == place(b)
}

fn place(path: &Path) -> PathBuf {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let beside = || Some(folder.canonicalize().ok()?.join(path.file_name()?));
    path.canonicalize().ok().or_else(beside).unwrap_or_else(|| path.to_owned())
}
