//! A labelled face and where it came from; a split's samples together.
//! In: faces from a loader. Out: [`Samples`] with their labels, split and hash.

use std::path::PathBuf;

use fer_base::hex;
use sha2::{Digest, Sha256};

use crate::{Face, Labels, Split, Votes};

/// Where a sample came from, for error messages, CSVs and reports.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// A data row of a CSV file, counted from 1 without the header.
    CsvRow(usize),
    /// An image file.
    File(PathBuf),
    /// A drawn face: the generator's seed and the sample's index.
    Drawn {
        /// Seed of the drawn set.
        seed: u64,
        /// Index within the drawn set.
        index: usize,
    },
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::CsvRow(row) => write!(f, "row {row}"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Drawn { seed, index } => write!(f, "drawn {seed}/{index}"),
        }
    }
}

/// A labelled face.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The face.
    pub face: Face,
    /// Label index into the set's [`Labels`].
    pub label: usize,
    /// What FER+'s raters said of it, where that was joined.
    pub votes: Option<Votes>,
    /// Where the face came from.
    pub source: Source,
}

/// The samples of one split.
#[derive(Clone, Debug, PartialEq)]
pub struct Samples {
    /// Which split this is.
    pub split: Split,
    /// The label set.
    pub labels: Labels,
    /// The samples, in the order of the file or of sorted paths.
    pub samples: Vec<Sample>,
}

impl Samples {
    /// How many samples there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// The same faces under FER+'s eight labels, by the majority of its raters; faces without one are
    /// left out. Second: how many.
    #[must_use]
    pub fn by_ferplus_majority(self) -> (Self, usize) {
        let n = self.len();
        let relabelled = self.samples.into_iter().filter_map(|sample| {
            let label = sample.votes.as_ref().and_then(Votes::majority)?;
            Some(Sample { label, ..sample })
        });
        let samples: Vec<Sample> = relabelled.collect();
        let n_without = n - samples.len();
        (Self { split: self.split, labels: Labels::ferplus(), samples }, n_without)
    }

    /// The same faces under FER+'s eight labels, by the most votes; faces that most raters called unknown
    /// or no face are left out. For training, which learns the votes themselves.
    #[must_use]
    pub fn by_ferplus_votes(self) -> Self {
        let relabelled = self.samples.into_iter().filter_map(|sample| {
            let shares = sample.votes.as_ref().and_then(Votes::shares)?;
            let most = shares.iter().copied().fold(0.0, f32::max);
            let label = shares.iter().position(|&share| share == most)?;
            Some(Sample { label, ..sample })
        });
        Self { split: self.split, labels: Labels::ferplus(), samples: relabelled.collect() }
    }

    /// Samples per label, in label order.
    #[must_use]
    pub fn counts(&self) -> Vec<usize> {
        counts_by_label(&self.samples, self.labels.len())
    }

    /// SHA-256 over labels and pixels in order, as 64 hexadecimal digits.
    ///
    /// The same faces give the same hash from a CSV and from folders only when their order is the
    /// same; the hash names a data set for a run folder and a model card.
    #[must_use]
    pub fn hash(&self) -> String {
        let mut hasher = Sha256::new();
        for name in self.labels.names() {
            hasher.update(name.as_bytes());
            hasher.update([0]);
        }
        for sample in &self.samples {
            hasher.update((sample.label as u32).to_le_bytes());
            hasher.update(sample.face.pixels());
        }
        hex::encode(&hasher.finalize())
    }
}

/// How many samples have each of the labels `0..n_labels`.
pub(crate) fn counts_by_label(samples: &[Sample], n_labels: usize) -> Vec<usize> {
    let mut counts = vec![0; n_labels];
    samples.iter().for_each(|sample| counts[sample.label] += 1);
    counts
}
