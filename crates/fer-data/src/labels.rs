//! The label set of a data set or a model: names in label order.
//! In: names. Out: [`Labels`], equal only when names and order are equal.

use serde::{Deserialize, Serialize};

use crate::Emotion;

/// Whose names a label set has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LabelSet {
    /// FER-2013's own seven labels, one person's word for a face.
    Fer2013,
    /// FER+'s eight: the votes of ten raters on the same faces (Barsoum et al. 2016, arXiv 1608.01041).
    FerPlus,
    /// A user's own classes.
    Own,
}

impl LabelSet {
    /// The name in configs, cards and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fer2013 => "fer2013",
            Self::FerPlus => "ferplus",
            Self::Own => "own",
        }
    }
}

impl std::fmt::Display for LabelSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// Class names in label order: FER-2013's seven expressions, FER+'s eight, or a user's own classes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Labels(Vec<String>);

impl Labels {
    /// FER-2013's seven expressions, in the order of [`Emotion::FER2013`].
    #[must_use]
    pub fn fer2013() -> Self {
        Self::of(&Emotion::FER2013)
    }

    /// FER+'s eight expressions: FER-2013's, and contempt as the last.
    #[must_use]
    pub fn ferplus() -> Self {
        Self::of(&Emotion::FERPLUS)
    }

    fn of(emotions: &[Emotion]) -> Self {
        Self(emotions.iter().map(|e| e.name().to_owned()).collect())
    }

    /// The set these names belong to: by names and order.
    #[must_use]
    pub fn set(&self) -> LabelSet {
        match self {
            names if *names == Self::fer2013() => LabelSet::Fer2013,
            names if *names == Self::ferplus() => LabelSet::FerPlus,
            _ => LabelSet::Own,
        }
    }

    /// A user's own classes, in the given order.
    #[must_use]
    pub fn custom(names: Vec<String>) -> Self {
        Self(names)
    }

    /// How many classes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no classes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names in label order.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// The name of a label index.
    ///
    /// # Panics
    /// If `label` is not below [`Labels::len`].
    #[must_use]
    pub fn name(&self, label: usize) -> &str {
        &self.0[label]
    }

    /// The label index of a name, after the synonyms of [`Emotion::from_name`].
    #[must_use]
    pub fn index_of(&self, name: &str) -> Option<usize> {
        let same = |other: &String| {
            other.eq_ignore_ascii_case(name)
                || matches!((Emotion::from_name(other), Emotion::from_name(name)), (Some(a), Some(b)) if a == b)
        };
        self.0.iter().position(same)
    }
}

/// The label that a row of numbers, one a label, speaks for: the index of the largest, the first of equals.
///
/// `None` for an empty row, and for one that holds a NaN: what is larger than NaN is not known.
#[must_use]
pub fn argmax<T: PartialOrd>(row: &[T]) -> Option<usize> {
    let mut best = 0;
    for (idx, value) in row.iter().enumerate() {
        match value.partial_cmp(&row[best])? {
            std::cmp::Ordering::Greater => best = idx,
            std::cmp::Ordering::Equal | std::cmp::Ordering::Less => {}
        }
    }
    (!row.is_empty()).then_some(best)
}
