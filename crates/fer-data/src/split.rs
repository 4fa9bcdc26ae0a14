//! The three splits and FER-2013's words for them.
//! In: a Usage word or a folder name. Out: [`Split`].
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
}

impl std::fmt::Display for Split {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}
