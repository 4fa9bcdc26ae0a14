//! An output may not be an input, nor a file in one, nor another output.
//! In: the options of a program and the paths they name. Out: nothing, or which two name one file.

use std::{
    collections::HashSet,
    fmt, fs,
    path::{Path, PathBuf},
};

use crate::{ExitCode, exit, terminal};

/// An output that would destroy what another option reads or writes.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{option} {path}: {clash} {other_option} {other_path}; choose another",
    path = terminal::line(&path.to_string_lossy()),
    other_path = terminal::line(&other_path.to_string_lossy())
)]
pub struct Overlap {
    /// The option that would write it, as on the command line.
    pub option: String,
    /// The path it was given.
    pub path: PathBuf,
    /// How it would.
    pub clash: Clash,
    /// The other option, which reads it or writes it too.
    pub other_option: String,
    /// The path that one was given.
    pub other_path: PathBuf,
}

/// How an output meets a path that it may not touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clash {
    /// It is that file, by whatever name.
    SameFile,
    /// It is a file that is there, below that folder or linked in it.
    InFolder,
}

impl fmt::Display for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SameFile => "the same file as",
            Self::InFolder => "a file in",
        })
    }
}

impl ExitCode for Overlap {
    fn exit_code(&self) -> u8 {
        exit::USAGE
    }
}

/// Refuses to write over an input, and to write two outputs to one place: both destroy what is there.
///
/// A folder among the inputs stands for every file that is in it, however deep; a new file may be written
/// into it. Each pair is an option (`--csv`, `the input`) and its path. `-` is standard input or output: only
/// two outputs share it. Devices such as `/dev/null` hold nothing and may be named twice.
///
/// # Errors
/// [`Overlap`] with the first pair.
pub fn refuse_overlaps(inputs: &[(&str, &Path)], outputs: &[(&str, &Path)]) -> Result<(), Overlap> {
    let mut taken: Vec<_> = inputs.iter().filter(|(_, path)| !is_standard(path)).collect();
    for output @ (option, path) in outputs {
        if is_device(path) {
            continue;
        }
        for (other_option, other_path) in &taken {
            if let Some(clash) = clash(path, other_path) {
                return Err(Overlap {
                    option: (*option).to_owned(),
                    path: path.to_path_buf(),
                    clash,
                    other_option: (*other_option).to_owned(),
                    other_path: other_path.to_path_buf(),
                });
            }
        }
        taken.push(output);
    }
    Ok(())
}

fn is_standard(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// How an output meets another path; `None` where it does not.
fn clash(output: &Path, other: &Path) -> Option<Clash> {
    if is_standard(output) || is_standard(other) {
        return (output.as_os_str() == other.as_os_str()).then_some(Clash::SameFile);
    }
    if same_file(output, other) {
        return Some(Clash::SameFile);
    }
    is_file_in(output, other).then_some(Clash::InFolder)
}

/// Whether a path leads to a file that is there, below a folder, or to one that a link in it stands for.
fn is_file_in(path: &Path, folder: &Path) -> bool {
    if !path.is_file() || !folder.is_dir() {
        return false;
    }
    let Ok(folder) = folder.canonicalize() else { return false };
    // Every step of the path counts, because a link in the folder may lead out of it: what it stands for is
    // read all the same. Before `..` the path was elsewhere.
    let mut steps = path.ancestors().take_while(|step| step.file_name().is_some());
    steps.any(|step| step.canonicalize().is_ok_and(|step| step.starts_with(&folder)))
        || is_linked_in(path, &folder, &mut HashSet::new())
}

/// Whether a file that is there is one of a folder, however deep, by another name; linked folders count.
fn is_linked_in(path: &Path, folder: &Path, seen: &mut HashSet<PathBuf>) -> bool {
    let is_new = folder.canonicalize().is_ok_and(|folder| seen.insert(folder));
    let Ok(entries) = fs::read_dir(folder) else { return false };
    is_new
        && entries.flatten().map(|entry| entry.path()).any(|entry| {
            if entry.is_dir() { is_linked_in(path, &entry, seen) } else { same_file(&entry, path) }
        })
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
