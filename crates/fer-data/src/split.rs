//! The three splits and FER-2013's words for them.
//! In: a Usage word, a folder name or a file name. Out: [`Split`].
//! The only file that knows FER-2013's Usage words.

use serde::{Deserialize, Serialize};

/// A part of a data set, with its one purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// FER-2013's `Training`: fits the weights.
    Train,
    /// FER-2013's `PublicTest`: selects epochs, hyper-parameters and the temperature.
    Validation,
    /// FER-2013's `PrivateTest`: looked at once per released model, and never by what chooses.
    Test,
}

impl Split {
    /// The three splits, in the order they are used.
    pub const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];

    /// The lower-case name: `train`, `validation` or `test`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }

    /// FER-2013's word in the column `Usage`, and the start of a file name in Kaggle's folders.
    #[must_use]
    pub const fn fer2013_usage(self) -> &'static str {
        match self {
            Self::Train => "Training",
            Self::Validation => "PublicTest",
            Self::Test => "PrivateTest",
        }
    }

    /// The split of a word in the column `Usage`, or `None` for an unknown word.
    #[must_use]
    pub fn from_fer2013_usage(usage: &str) -> Option<Self> {
        let usage = usage.trim();
        Self::ALL.into_iter().find(|split| split.fer2013_usage() == usage)
    }

    /// The split of a folder of classes, with any capitalisation, or `None` for another folder.
    #[must_use]
    pub fn from_folder_name(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "train" | "training" => Some(Self::Train),
            "validation" | "valid" | "val" | "publictest" => Some(Self::Validation),
            "test" | "testing" | "privatetest" => Some(Self::Test),
            _ => None,
        }
    }

    /// The split of a file in a folder, by Kaggle's names (`PublicTest_123.jpg`).
    ///
    /// A `PrivateTest_` file is test in whatever folder it stands. A `PublicTest_` file among the
    /// test files is validation, unless the data has a validation folder of its own.
    #[must_use]
    pub fn of_file(folder: Self, name: &str, has_validation_folder: bool) -> Self {
        let is_named = |split: Self| {
            let word = split.fer2013_usage();
            name.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
                && name[word.len()..].starts_with('_')
        };
        if is_named(Self::Test) {
            Self::Test
        } else if folder == Self::Test && !has_validation_folder && is_named(Self::Validation) {
            Self::Validation
        } else {
            folder
        }
    }
}

impl std::fmt::Display for Split {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}
