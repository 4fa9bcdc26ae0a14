//! What evaluation alone may ask for: any one split, or a folder without splits as a whole.
//! In: a path, a [`Part`] and how pictures are cut to the face. Out: [`Loaded`].

use std::path::Path;

use image::DynamicImage;

use super::{class_folders, no_split, read_cut};
use crate::{DataError, Face, LoadOptions, Loaded, Reason, Samples, Split};

/// How a picture becomes a face: [`Face::from_picture`] where it is cut to the face already, else a
/// detector's work. A picture in which it sees none is [`Reason::NoFace`]: listed, and never refused.
pub type Cut<'a> = dyn Fn(&DynamicImage) -> Result<Face, Reason> + Sync + 'a;

/// What is judged of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// One split.
    Split(Split),
    /// All of a folder of classes that has no splits.
    Whole,
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Split(split) => write!(f, "{split} split"),
            Self::Whole => f.write_str("whole folder"),
        }
    }
}

/// The samples of a part, for evaluation. Programs that learn or choose use
/// [`load_learning`](crate::load_learning).
///
/// Without `cut`, pictures of a folder are the faces, scaled. The samples of [`Part::Whole`] say
/// [`Split::Train`], as every folder without splits does.
///
/// # Errors
/// [`DataError`] as for [`load_split`](crate::load_split); [`DataError::Layout`] for [`Part::Whole`] of a
/// file, or of a folder with splits (by folders or by FER-2013's file names), and for `cut` with a CSV file.
pub fn load_judged(
    path: &Path,
    part: Part,
    options: &LoadOptions,
    cut: Option<&Cut<'_>>,
) -> Result<Loaded, DataError> {
    match part {
        Part::Split(split) => load_split_cut(path, split, options, cut),
        Part::Whole => load_whole(path, options, cut),
    }
}

pub(super) fn load_split_cut(
    path: &Path,
    split: Split,
    options: &LoadOptions,
    cut: Option<&Cut<'_>>,
) -> Result<Loaded, DataError> {
    let wanted: &[Split] = match split {
        Split::Test => &[Split::Test],
        _ => &[Split::Train, Split::Validation],
    };
    let carves = options.validation_fraction.is_some() && split != Split::Test;
    let wanted = if carves { wanted } else { std::slice::from_ref(&split) };
    let mut parts = read_cut(path, wanted, options, cut)?;
    if carves {
        parts.carve(options);
    }
    let samples = std::mem::take(&mut parts.splits[split as usize]);
    if samples.is_empty() {
        return Err(no_split(path, split, &parts.elsewhere));
    }
    let samples = Samples { split, labels: parts.labels, samples };
    Ok(Loaded { samples, skipped: parts.skipped })
}

fn load_whole(path: &Path, options: &LoadOptions, cut: Option<&Cut<'_>>) -> Result<Loaded, DataError> {
    let refused = |found: &str| DataError::Layout {
        path: path.to_owned(),
        found: found.to_owned(),
        expected: "a folder of classes without splits to be judged whole; else name one split".to_owned(),
    };
    if path.is_file() {
        return Err(refused("a file"));
    }
    if path.is_dir() && class_folders::has_split_folders(path)? {
        return Err(refused("folders of splits"));
    }
    let parts = read_cut(path, &[Split::Train], options, cut)?;
    if parts.elsewhere.iter().any(|&n| n > 0) {
        return Err(refused(&format!("files named {}_*", Split::Test.fer2013_usage())));
    }
    let [samples, ..] = parts.splits;
    if samples.is_empty() {
        return Err(refused("no face"));
    }
    let samples = Samples { split: Split::Train, labels: parts.labels, samples };
    Ok(Loaded { samples, skipped: parts.skipped })
}
