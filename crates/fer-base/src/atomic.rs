//! Files and folders that are either whole or absent.
//! In: a path and its content. Out: the file, replaced in one step, or the old one untouched.
//!
//! What is being written stands beside its place as `.name.XXXXXX.tmp` (a folder: `.part`) and is locked.
//! A process that is killed leaves it there, unlocked: the next write to the same place sweeps it away.

use std::{
    fs::{self, File, TryLockError},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

use tempfile::{Builder, NamedTempFile, TempDir};

use crate::{ExitCode, exit, same_file::folder_of};

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

fn advice(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists => {
            "something stands there already: choose another place, or empty it first"
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

impl ExitCode for OutputError {
    fn exit_code(&self) -> u8 {
        exit::OUTPUT
    }
}

/// Writes a file whole; missing parent folders are made.
///
/// # Errors
/// [`OutputError`]; a file that stood there before is then untouched.
pub fn save(path: &Path, bytes: &[u8]) -> Result<(), OutputError> {
    fs::create_dir_all(folder_of(path)).and_then(|()| write(path, bytes)).map_err(OutputError::at(path))
}

/// Writes `bytes` beside `path`, flushes them to the disk and renames; the folder must be there.
///
/// A pipe or a device such as `/dev/null` is written to and not replaced.
///
/// # Errors
/// The cause (a full disk, a missing folder, no permission). The temporary file is removed and
/// whatever stood at `path` is as it was.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|is| !is.is_file() && !is.is_dir()) {
        return fs::OpenOptions::new().write(true).open(path)?.write_all(bytes);
    }
    stage(path, bytes)?.commit()
}

/// Writes and flushes the temporary file only: what needs space is done, what stood at `path` stays
/// until [`Staged::commit`]. Files that belong together are staged first and committed after.
///
/// # Errors
/// As [`write`](fn@write).
pub fn stage(path: &Path, bytes: &[u8]) -> io::Result<Staged> {
    let mut file = temporary_file(path)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(Staged { file, path: path.to_owned() })
}

/// A file under its temporary name; removed when dropped uncommitted.
#[derive(Debug)]
pub struct Staged {
    file: NamedTempFile,
    path: PathBuf,
}

impl Staged {
    /// Where the file will stand.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the file its name, replacing what stood there.
    ///
    /// # Errors
    /// The cause; what stood there is as it was.
    pub fn commit(self) -> io::Result<()> {
        self.file.persist(&self.path).map_err(|error| error.error)?;
        sync_folder(&self.path)
    }
}

/// Makes a folder whole: `fill` writes into one beside it, which then gets its name; missing parent folders
/// are made. `path` must not exist yet, or be an empty folder.
///
/// # Errors
/// The error of `fill`, or [`OutputError`] when `path` holds something or cannot be written; nothing is left.
pub fn folder<E: From<OutputError>>(path: &Path, fill: impl FnOnce(&Path) -> Result<(), E>) -> Result<(), E> {
    let part = fs::create_dir_all(folder_of(path)).and_then(|()| temporary_folder(path));
    let (part, _lock) = part.map_err(OutputError::at(path))?;
    fill(part.path())?;
    // Renaming onto an empty folder is allowed; onto a full one it is refused.
    fs::rename(part.path(), path).map_err(OutputError::at(path))?;
    // It has its name now, and is not to be removed.
    drop(part.keep());
    sync_folder(path).map_err(|source| OutputError::at(path)(source).into())
}

/// Tries to make something that no sweep of another process has taken in its first moment.
const TRIES: usize = 16;

fn temporary_file(path: &Path) -> io::Result<NamedTempFile> {
    let start = start_of_name(path)?;
    sweep(path, &start);
    for _ in 0..TRIES {
        let mut builder = Builder::new();
        builder.prefix(&start).suffix(".tmp");
        // As any new file: whoever may read the folder's files may read this one, within the umask.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let file = builder.tempfile_in(folder_of(path))?;
        if is_ours(file.as_file(), file.path()) {
            return Ok(file);
        }
    }
    Err(swept_away())
}

fn temporary_folder(path: &Path) -> io::Result<(TempDir, Option<File>)> {
    let start = start_of_name(path)?;
    sweep(path, &start);
    for _ in 0..TRIES {
        let mut builder = Builder::new();
        builder.prefix(&start).suffix(".part");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
        let folder = builder.tempdir_in(folder_of(path))?;
        // Some systems open no folders; there, none is swept either.
        let lock = File::open(folder.path()).ok();
        if lock.as_ref().is_none_or(|lock| is_ours(lock, folder.path())) {
            return Ok((folder, lock));
        }
    }
    Err(swept_away())
}

/// Locks what was just made; whether it is still there and not in another's hands.
fn is_ours(file: &File, path: &Path) -> bool {
    // A file system without locks has none that are held.
    !matches!(file.try_lock(), Err(TryLockError::WouldBlock)) && path.exists()
}

fn swept_away() -> io::Error {
    io::Error::other("other processes sweep this place without end")
}

/// Removes what killed processes left of writing to this place. What is locked is still being written.
fn sweep(path: &Path, start: &str) {
    let Ok(entries) = fs::read_dir(folder_of(path)) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_left = name.starts_with(start) && (name.ends_with(".tmp") || name.ends_with(".part"));
        if !is_left || !File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok()) {
            continue;
        }
        // One that cannot be removed does no harm; the write itself says what is wrong with the place.
        if entry.path().is_dir() {
            fs::remove_dir_all(entry.path()).ok();
        } else {
            fs::remove_file(entry.path()).ok();
        }
    }
}

/// `.name.`: in the same folder as `name`, because a rename is only atomic within a file system.
fn start_of_name(path: &Path) -> io::Result<String> {
    let name = path.file_name().ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "names no file"))?;
    Ok(format!(".{}.", name.to_string_lossy()))
}

/// Flushes the folder's entry of a renamed file, so that a power cut cannot undo the rename.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}
