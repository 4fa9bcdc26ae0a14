//! An output may not be an input, nor another output.
//! In: the options of a program and the paths they name. Out: nothing, or which two name one file.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{ExitCode, exit, terminal};

/// Two options that name one file, one of them to write it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{option} {path}: the same file as {other_option} {other_path}; choose another",
    path = terminal::line(&path.to_string_lossy()),
    other_path = terminal::line(&other_path.to_string_lossy())
)]
pub struct Overlap {
    /// The option that would write it, as on the command line.
    pub option: String,
    /// The path it was given.
    pub path: PathBuf,
    /// The other option, which reads it or writes it too.
    pub other_option: String,
    /// The path that one was given.
    pub other_path: PathBuf,
}

impl ExitCode for Overlap {
    fn exit_code(&self) -> u8 {
        exit::USAGE
    }
}

/// Refuses to write over an input, and to write two outputs to one place: both destroy what is there.
///
/// Each pair is an option (`--csv`, `the input`) and its path. `-` is standard input or output: only two
/// outputs share it. Devices such as `/dev/null` hold nothing and may be named twice.
///
/// # Errors
/// [`Overlap`] with the first pair.
pub fn refuse_overlaps(inputs: &[(&str, &Path)], outputs: &[(&str, &Path)]) -> Result<(), Overlap> {
    let is_standard = |path: &Path| path.as_os_str() == "-";
    let mut taken: Vec<_> = inputs.iter().filter(|(_, path)| !is_standard(path)).collect();
    for output @ (option, path) in outputs {
        if is_device(path) {
            continue;
        }
        let same = |other: &Path| match is_standard(path) || is_standard(other) {
            true => path.as_os_str() == other.as_os_str(),
            false => same_file(path, other),
        };
        if let Some((other_option, other_path)) = taken.iter().find(|(_, other)| same(other)) {
            return Err(Overlap {
                option: (*option).to_owned(),
                path: path.to_path_buf(),
                other_option: (*other_option).to_owned(),
                other_path: other_path.to_path_buf(),
            });
        }
        taken.push(output);
    }
    Ok(())
}

/// Whether two paths lead to one file, through links or by another spelling; neither need exist yet.
#[must_use]
pub fn same_file(a: &Path, b: &Path) -> bool {
    match (fs::metadata(a), fs::metadata(b)) {
        (Ok(a_is), Ok(b_is)) => same_entry(&a_is, &b_is).unwrap_or_else(|| place(a) == place(b)),
        // One is there and the other is not.
        (Ok(_), Err(_)) | (Err(_), Ok(_)) => false,
        (Err(_), Err(_)) => place(a) == place(b),
    }
}

/// Whether two names lead to one place on the disk, hard links too; `None` where the system does not say.
#[cfg(unix)]
fn same_entry(a: &fs::Metadata, b: &fs::Metadata) -> Option<bool> {
    use std::os::unix::fs::MetadataExt;
    Some((a.dev(), a.ino()) == (b.dev(), b.ino()))
}

#[cfg(not(unix))]
fn same_entry(_a: &fs::Metadata, _b: &fs::Metadata) -> Option<bool> {
    None
}

fn is_device(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|is| !is.is_file() && !is.is_dir())
}

/// As many links as Linux follows.
const MOST_LINKS: usize = 40;

/// The one name of a file that may not be there yet.
fn place(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        // A link without a target is where a write would make the file.
        let Ok(target) = fs::read_link(&path) else { break };
        path = folder_of(&path).join(target);
    }
    let in_folder = |folder: PathBuf| folder.join(path.file_name().unwrap_or_default());
    path.canonicalize().or_else(|_| folder_of(&path).canonicalize().map(in_folder)).unwrap_or(path)
}

/// The folder a path stands in: `.` for a bare name.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."))
}
