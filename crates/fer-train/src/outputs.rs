//! Outputs that would overwrite what a command reads.
//! In: the files it reads and the files it writes. Out: nothing, or a refusal that names both.

use std::path::{Path, PathBuf};

use crate::error::TrainError;

/// A file with the option that names it.
pub type NamedFile<'a> = (&'a str, &'a Path);

/// Refuses the first output that is an input, or another output.
///
/// # Errors
/// [`TrainError::Usage`] with both options.
pub fn refuse_overwriting(outputs: &[NamedFile<'_>], inputs: &[NamedFile<'_>]) -> Result<(), TrainError> {
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
