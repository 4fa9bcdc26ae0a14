//! A file is written whole or not at all.
//! In: a path and bytes. Out: the file, or [`OutputError`] and whatever stood there before.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::atomic;

/// A file or folder that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("{}: cannot be written; {}", path.display(), advice(source.kind()))]
pub struct OutputError {
    /// The file or folder.
    pub path: PathBuf,
    /// The operating system's reason.
    #[source]
    pub source: io::Error,
}

fn advice(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists => {
            "it holds files already: choose another folder, or empty it first"
        }
        _ => "is there space, and may you write there?",
    }
}

impl OutputError {
    /// For use with `map_err`: the error of writing to `path`.
    pub fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self { path, source }
    }
}

/// Writes a file whole, as [`atomic::write`](fn@atomic::write) does; missing parent folders are made.
///
/// # Errors
/// [`OutputError`]; a file that stood there before is then untouched.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), OutputError> {
    let folder = path.parent().unwrap_or(Path::new(""));
    fs::create_dir_all(folder).and_then(|()| atomic::write(path, bytes)).map_err(OutputError::at(path))
}

/// The temporary name beside a path: `.name.part`.
pub fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.part"))
}
