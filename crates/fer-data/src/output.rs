//! A file is written whole or not at all.
//! In: a path and bytes. Out: the file, or [`OutputError`] and whatever stood there before.
//! Knows nothing of formats.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// A file or folder that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("{}: cannot be written; is there space, and may you write there?", path.display())]
pub struct OutputError {
    /// The file or folder.
    pub path: PathBuf,
    /// The operating system's reason.
    #[source]
    pub source: io::Error,
}

impl OutputError {
    /// For use with `map_err`: the error of writing to `path`.
    pub fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self { path, source }
    }
}

/// Writes a file under a temporary name beside it, forces it to disk, and renames it; missing parent
/// folders are made.
///
/// # Errors
/// [`OutputError`]; a file that stood there before is then untouched.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), OutputError> {
    let part = beside(path);
    let written = write_part(&part, bytes).and_then(|()| fs::rename(&part, path));
    if written.is_err() {
        // The first error is the one to tell; a part that cannot be removed does no harm.
        fs::remove_file(&part).ok();
    }
    written.map_err(OutputError::at(path))
}

fn write_part(part: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = part.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = File::create(part)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The temporary name beside a path: `.name.part`.
pub(crate) fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.part"))
}
