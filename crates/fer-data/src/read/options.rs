//! What is asked of a reader, and what it finds.
//! In: the choices of a program. Out: [`LoadOptions`], checked; [`Parts`], the samples of every split.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::{class_map::ClassMap, validation};
use crate::{DataError, Labels, Sample, Skipped, Split, error::Reason, face::equal};

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
    /// Leave training samples out whose face occurs again in train with another label; validation and test stay whole.
    pub drop_contradictory: bool,
    /// Share of the training samples to carve off as validation split, `0 < f < 1`, stratified by
    /// label. Used only where the data has no validation split of its own.
    pub validation_fraction: Option<f32>,
    /// Seed of the carving.
    pub seed: u64,
    /// The label set expected (a model's); `None` takes it from the data.
    pub labels: Option<Labels>,
    /// What becomes of classes of a folder that have other names; refused for a CSV file.
    pub map: ClassMap,
}

impl LoadOptions {
    /// Checks every value against its range, and that there is a path.
    ///
    /// # Errors
    /// [`DataError::Setting`] with the first one outside.
    pub(super) fn check(&self, path: &Path) -> Result<(), DataError> {
        if path.as_os_str().is_empty() {
            return Err(DataError::Setting {
                setting: "the data path",
                found: "empty".to_owned(),
                expected: "a FER-2013 CSV file or a folder of classes",
            });
        }
        if let Some(fraction) = self.validation_fraction
            && !(fraction > 0.0 && fraction < 1.0)
        {
            return Err(DataError::Setting {
                setting: "validation_fraction",
                found: fraction.to_string(),
                expected: "a share above 0 and below 1",
            });
        }
        if self.drop_non_faces && self.ferplus.is_none() {
            return Err(DataError::Setting {
                setting: "drop_non_faces",
                found: "true without FER+ votes".to_owned(),
                expected: "ferplus to name fer2013new.csv, whose votes say what is no face",
            });
        }
        Ok(())
    }
}

/// What a reader found, before any check across splits.
pub(crate) struct Parts {
    pub(crate) labels: Labels,
    /// Samples by split, in the order of [`Split::ALL`](crate::Split::ALL).
    pub(crate) splits: [Vec<Sample>; 3],
    pub(crate) skipped: Vec<Skipped>,
    /// Samples of splits that were not asked for, in the order of [`Split::ALL`](crate::Split::ALL); never opened.
    pub(crate) elsewhere: [usize; 3],
    /// Whether the classes are those of folders, so that each must have samples to learn from.
    pub(crate) classes_from_folders: bool,
}

impl Parts {
    /// Nothing found yet.
    pub(super) fn new(labels: Labels, classes_from_folders: bool) -> Self {
        Self {
            labels,
            splits: Default::default(),
            skipped: Vec::new(),
            elsewhere: [0; 3],
            classes_from_folders,
        }
    }

    /// Leaves contradictory training samples out, if that was asked for.
    pub(super) fn drop_contradictory(&mut self, options: &LoadOptions) {
        if !options.drop_contradictory {
            return;
        }
        let train = std::mem::take(&mut self.splits[Split::Train as usize]);
        let groups = equal::groups(train.iter().map(|sample| &sample.face));
        let contradict = |group: &&Vec<usize>| group.iter().any(|&i| train[i].label != train[group[0]].label);
        let contradictory: HashSet<usize> = groups.iter().filter(contradict).flatten().copied().collect();
        for (position, sample) in train.into_iter().enumerate() {
            if contradictory.contains(&position) {
                self.skipped.push(Skipped { source: sample.source, reason: Reason::Contradictory });
            } else {
                self.splits[Split::Train as usize].push(sample);
            }
        }
    }

    /// Carves a validation split off train, if that was asked for and there is none.
    pub(super) fn carve(&mut self, options: &LoadOptions) {
        let Some(fraction) = options.validation_fraction else { return };
        let [train, validation, _] = &mut self.splits;
        if validation.is_empty() {
            (*train, *validation) = validation::carve(std::mem::take(train), fraction, options.seed);
        }
    }
}
