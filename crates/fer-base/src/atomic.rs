//! Files that are either whole or absent.
//! In: a path and bytes. Out: the file, replaced in one step, or the old one untouched.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Writes `bytes` to a temporary name beside `path`, flushes them to the disk and renames.
///
/// # Errors
/// The cause (a full disk, a missing folder, no permission). The temporary file is removed and
/// whatever stood at `path` is as it was.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    stage(path, bytes)?.commit()
}

/// Writes and flushes the temporary file only: what needs space is done, what stood at `path` stays
/// until [`Staged::commit`]. Files that belong together are staged first and committed after.
///
/// # Errors
/// As [`write`](fn@write).
pub fn stage(path: &Path, bytes: &[u8]) -> io::Result<Staged> {
    // Made before the first byte is written, so that whatever fails, its drop removes the file.
    let staged = Staged { temporary: temporary_name(path), path: path.to_owned() };
    let mut file = File::create(&staged.temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(staged)
}

/// A file under its temporary name; removed when dropped uncommitted.
#[derive(Debug)]
pub struct Staged {
    temporary: PathBuf,
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
        fs::rename(&self.temporary, &self.path)?;
        sync_folder(&self.path)
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // After a commit there is nothing to remove; on a failing disk nothing more can be done.
        fs::remove_file(&self.temporary).unwrap_or_default();
    }
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
