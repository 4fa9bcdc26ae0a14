//! A path → the samples of the splits a program may see.
//! In: a FER-2013 CSV file or a folder of classes. Out: [`Learning`] for training, [`Loaded`] for evaluation.

mod class_folders;
mod compressed;
mod fer2013;
pub mod ferplus;
mod folder;
mod name_order;
mod validation;

use std::path::{Path, PathBuf};

use crate::{DataError, Labels, Sample, Samples, Skipped, Split};

/// How to load a data set; the default refuses every damaged sample and carves nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LoadOptions {
    /// Leave damaged samples out and list them, instead of refusing the data set.
    pub skip_bad: bool,
    /// FER+ votes (`fer2013new.csv`) to join to a FER-2013 CSV file, as soft labels.
    pub ferplus: Option<PathBuf>,
    /// Leave training samples out that FER+ raters saw no face in; needs [`LoadOptions::ferplus`].
    /// Validation and test stay whole, so that accuracies stay comparable.
    pub drop_non_faces: bool,
    /// Share of the training samples to carve off as validation split, `0 < f < 1`, stratified by
    /// label. Used only where the data has no validation split of its own.
    pub validation_fraction: Option<f32>,
    /// Seed of the carving.
    pub seed: u64,
    /// The label set expected (a model's); `None` takes it from the data.
    pub labels: Option<Labels>,
}

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
    parts.carve(options)?;
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
    let wanted: &[Split] = match split {
        Split::Test => &[Split::Test],
        _ => &[Split::Train, Split::Validation],
    };
    let carves = options.validation_fraction.is_some() && split != Split::Test;
    let mut parts = read(path, if carves { wanted } else { std::slice::from_ref(&split) }, options)?;
    if carves {
        parts.carve(options)?;
    }
    let samples = std::mem::take(&mut parts.splits[split as usize]);
    if samples.is_empty() {
        return Err(no_split(path, split, &parts.elsewhere));
    }
    let samples = Samples { split, labels: parts.labels, samples };
    Ok(Loaded { samples, skipped: parts.skipped })
}

/// What a reader found, before any check across splits.
pub(crate) struct Parts {
    pub(crate) labels: Labels,
    /// Samples by split, in the order of [`Split::ALL`].
    pub(crate) splits: [Vec<Sample>; 3],
    pub(crate) skipped: Vec<Skipped>,
    /// Samples of splits that were not asked for, in the order of [`Split::ALL`]; never opened.
    pub(crate) elsewhere: [usize; 3],
    /// Whether the classes are those of folders, so that each must have samples to learn from.
    pub(crate) classes_from_folders: bool,
}

impl Parts {
    fn carve(&mut self, options: &LoadOptions) -> Result<(), DataError> {
        let Some(fraction) = options.validation_fraction else { return Ok(()) };
        let [train, validation, _] = &mut self.splits;
        if validation.is_empty() {
            (*train, *validation) = validation::carve(std::mem::take(train), fraction, options.seed);
        }
        Ok(())
    }
}

/// Reads the wanted splits and nothing of the others.
pub(crate) fn read(path: &Path, wanted: &[Split], options: &LoadOptions) -> Result<Parts, DataError> {
    check(path, options)?;
    let kind = std::fs::metadata(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => DataError::NotFound { path: path.to_owned() },
        _ => DataError::Unreadable { path: path.to_owned(), source },
    })?;
    if kind.is_dir() { folder::read(path, wanted, options) } else { fer2013::read(path, wanted, options) }
}

fn check(path: &Path, options: &LoadOptions) -> Result<(), DataError> {
    if path.as_os_str().is_empty() {
        return Err(DataError::Setting {
            setting: "the data path",
            found: "empty".to_owned(),
            expected: "a FER-2013 CSV file or a folder of classes",
        });
    }
    if let Some(fraction) = options.validation_fraction
        && !(fraction > 0.0 && fraction < 1.0)
    {
        return Err(DataError::Setting {
            setting: "validation_fraction",
            found: fraction.to_string(),
            expected: "a share above 0 and below 1",
        });
    }
    if options.drop_non_faces && options.ferplus.is_none() {
        return Err(DataError::Setting {
            setting: "drop_non_faces",
            found: "true without FER+ votes".to_owned(),
            expected: "ferplus to name fer2013new.csv, whose votes say what is no face",
        });
    }
    Ok(())
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
