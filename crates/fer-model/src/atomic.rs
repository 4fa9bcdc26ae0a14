//! Files that are either whole or absent.
//! In: a path and bytes. Out: the file, replaced in one step, or the old one untouched.
//! Knows nothing of what the bytes mean.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Writes `bytes` to a temporary name beside `path`, flushes them to the disk and renames.
///
/// # Errors
/// The cause (a full disk, a missing folder, no permission). The temporary file is removed and
/// whatever stood at `path` is as it was.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = temporary_name(path);
    let written = write_and_rename(path, &temporary, bytes);
    if written.is_err() && temporary.exists() {
        fs::remove_file(&temporary)?;
    }
    written
}

fn write_and_rename(path: &Path, temporary: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(temporary, path)?;
    sync_folder(path)
}

/// `folder/.name.<process id>.tmp`: in the same folder, because a rename is only atomic within a
/// file system.
fn temporary_name(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.tmp", std::process::id()))
}

/// Flushes the folder's entry of a renamed file, so that a power cut cannot undo the rename.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}
