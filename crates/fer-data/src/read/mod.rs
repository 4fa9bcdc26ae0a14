//! A path → the samples of the splits a program may see.
//! In: a FER-2013 CSV file or a folder of classes. Out: [`Learning`] for training, [`Loaded`] for evaluation.

mod class_folders;
mod class_map;
mod compressed;
mod fer2013;
pub mod ferplus;
mod folder;
mod name_order;
mod options;
mod rows;
mod split_part;
mod validation;

use std::path::Path;

use crate::{DataError, Sample, Samples, Skipped, Split};

pub use class_map::{ClassMap, ClassRule};
pub use options::LoadOptions;
pub(crate) use options::Parts;
pub use split_part::{Cut, Part, load_judged};

/// The samples of one split.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The samples.
    pub samples: Samples,
    /// What was left out.
    pub skipped: Vec<Skipped>,
}

/// All that learning may see. It has no place for a test sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Learning {
    /// Fits the weights.
    pub train: Samples,
    /// Selects epochs and hyper-parameters.
    pub validation: Samples,
    /// What was left out of both.
    pub skipped: Vec<Skipped>,
}

/// The train and validation splits of a FER-2013 CSV file or a folder of classes.
///
/// Test samples are never opened, parsed or decoded: a CSV row of the test split is passed over
/// once its `Usage` is read, and files of the test split are not opened.
///
/// # Errors
/// [`DataError`] when the path cannot be read, a sample is damaged (unless
/// [`LoadOptions::skip_bad`]), a split is missing, or a class has no samples in one of the two.
pub fn load_learning(path: &Path, options: &LoadOptions) -> Result<Learning, DataError> {
    let mut parts = read(path, &[Split::Train, Split::Validation], options)?;
    parts.drop_contradictory(options);
    parts.carve(options);
    let [train, validation, _] = parts.splits;
    let labels = parts.labels;
    let into_samples = |split, samples: Vec<Sample>| match samples.is_empty() {
        true => Err(no_split(path, split, &parts.elsewhere)),
        false => Ok(Samples { split, labels: labels.clone(), samples }),
    };
    let train = into_samples(Split::Train, train)?;
    let validation = into_samples(Split::Validation, validation)?;
    if parts.classes_from_folders {
        every_class_has_samples(path, &train)?;
        every_class_has_samples(path, &validation)?;
    }
    Ok(Learning { train, validation, skipped: parts.skipped })
}

/// The samples of one split, for evaluation. Programs that learn or choose use [`load_learning`].
///
/// # Errors
/// [`DataError`] as for [`load_learning`], for this split alone; a class may have no samples here.
pub fn load_split(path: &Path, split: Split, options: &LoadOptions) -> Result<Loaded, DataError> {
    split_part::load_split_cut(path, split, options, None)
}

/// Reads the wanted splits and nothing of the others.
pub(crate) fn read(path: &Path, wanted: &[Split], options: &LoadOptions) -> Result<Parts, DataError> {
    read_cut(path, wanted, options, None)
}

/// The same, with pictures cut to the face on the way.
fn read_cut(
    path: &Path,
    wanted: &[Split],
    options: &LoadOptions,
    cut: Option<&Cut<'_>>,
) -> Result<Parts, DataError> {
    options.check(path)?;
    let kind = std::fs::metadata(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => DataError::NotFound { path: path.to_owned() },
        _ => DataError::Unreadable { path: path.to_owned(), source },
    })?;
    if kind.is_dir() {
        return folder::read(path, wanted, options, cut);
    }
    let is_for_folders =
        [(cut.is_some(), "to search faces in"), (!options.map.is_empty(), "to map classes of")];
    match is_for_folders.iter().find(|(is_asked, _)| *is_asked) {
        Some((_, what)) => Err(DataError::Layout {
            path: path.to_owned(),
            found: "a CSV file, whose faces are cut and whose classes are FER-2013's".to_owned(),
            expected: format!("a folder of classes {what}"),
        }),
        None => fer2013::read(path, wanted, options),
    }
}

fn no_split(path: &Path, split: Split, elsewhere: &[usize; 3]) -> DataError {
    let others: Vec<String> = Split::ALL
        .iter()
        .zip(elsewhere)
        .filter(|(_, n)| **n > 0)
        .map(|(other, n)| format!("{n} samples are for {other}"))
        .collect();
    let found = if others.is_empty() { String::new() } else { format!("{}; ", others.join(", ")) };
    let usage = split.fer2013_usage();
    let advice = match split {
        Split::Validation => format!(
            "expected rows of Usage {usage}, a folder {split}/<class>, or files test/<class>/{usage}_*; \
             or carve it out of train: fer-train --set data.validation_fraction=0.1, fer-eval --validation-fraction 0.1"
        ),
        _ => format!("expected rows of Usage {usage}, or a folder {split}/<class>"),
    };
    DataError::NoSplit { path: path.to_owned(), split, hint: found + &advice }
}

fn every_class_has_samples(path: &Path, samples: &Samples) -> Result<(), DataError> {
    match samples.counts().iter().position(|&n| n == 0) {
        None => Ok(()),
        Some(label) => Err(DataError::EmptyClass {
            path: path.to_owned(),
            class: samples.labels.name(label).to_owned(),
            split: samples.split,
        }),
    }
}
