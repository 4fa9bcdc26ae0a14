//! What a data set is made of, and what is wrong with it.
//! In: a FER-2013 CSV file or a folder of classes. Out: [`Audit`], as a table or as JSON.
//!
//! An audit reads the faces of every split that is there, test included: it counts, and chooses
//! nothing. What it finds may lead a person to clean data; no program of fer reads its results.

mod copies;
mod table;

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::{
    DataError, Face, LoadOptions, Sample, Source, Split,
    face::PIXELS,
    read::{self, Parts, ferplus::FerPlus},
    sample::counts_by_label,
};

pub use copies::{Across, Copies, Group};

/// Below this deviation of grey values (of 255) a face is called near-constant.
///
/// FER-2013's train and validation splits hold two such pictures that are not blank, at 0.7 and 4.1,
/// neither of a face; the flattest that does show one deviates by 9.1.
pub const NEAR_CONSTANT: f64 = 5.0;

/// All findings about a data set.
#[derive(Clone, Debug, Serialize)]
pub struct Audit {
    /// The CSV file or folder.
    pub path: PathBuf,
    /// Class names in label order.
    pub labels: Vec<String>,
    /// Counts of every split that has samples.
    pub splits: Vec<SplitCounts>,
    /// Faces that occur more than once, pixel by pixel.
    pub copies: Copies,
    /// Faces of a single grey value.
    pub blank: Vec<Flat>,
    /// Faces that are not blank but deviate by less than [`NEAR_CONSTANT`].
    pub near_constant: Vec<Flat>,
    /// What FER+ raters say, when their votes are given.
    pub ferplus: Vec<FerPlusCounts>,
    /// Grey values of the training faces.
    pub training_pixels: Option<PixelStatistics>,
    /// Damaged samples, and files that are no images.
    pub skipped: Vec<String>,
}

/// How many faces a split has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SplitCounts {
    /// The split.
    pub split: Split,
    /// All its faces.
    pub n: usize,
    /// Faces by label, in label order.
    pub by_label: Vec<usize>,
}

/// A face that shows next to nothing.
#[derive(Clone, Debug, Serialize)]
pub struct Flat {
    /// Row or file.
    pub source: String,
    /// Its split.
    pub split: Split,
    /// Its label index.
    pub label: usize,
    /// Deviation of its grey values.
    pub deviation: f64,
}

/// What FER+ raters say of a split.
#[derive(Clone, Debug, Serialize)]
pub struct FerPlusCounts {
    /// The split.
    pub split: Split,
    /// Faces where "not a face" got more votes than anything else.
    pub non_faces: usize,
    /// Rows without an image name.
    pub unnamed: usize,
    /// Share of the rated faces whose most voted expression is FER-2013's label.
    pub agreement: f64,
}

/// Mean and deviation of grey values, all pixels of all faces together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PixelStatistics {
    /// Mean, `0..=255`.
    pub mean: f64,
    /// Standard deviation.
    pub deviation: f64,
}

/// Reads every split of a data set and counts; damaged samples are listed, not refused.
///
/// # Errors
/// [`DataError`] when the data set, or the FER+ votes, cannot be read at all.
pub fn audit(path: &Path, ferplus: Option<&Path>) -> Result<Audit, DataError> {
    let options = LoadOptions { skip_bad: true, ..LoadOptions::default() };
    let parts = read::read(path, &Split::ALL, &options)?;
    let votes = ferplus.map(|votes| FerPlus::read(votes, &Split::ALL)).transpose()?;
    let flat = flat(&parts);
    Ok(Audit {
        path: path.to_owned(),
        labels: parts.labels.names().to_vec(),
        splits: counts(&parts),
        copies: copies::find(&all(&parts)),
        blank: flat.iter().filter(|face| face.deviation == 0.0).cloned().collect(),
        near_constant: flat.into_iter().filter(|face| face.deviation > 0.0).collect(),
        ferplus: match votes {
            Some(votes) => opinions(&parts, &votes)?,
            None => Vec::new(),
        },
        training_pixels: statistics(parts.splits[Split::Train as usize].iter().map(|s| &s.face)),
        skipped: parts.skipped.iter().map(ToString::to_string).collect(),
    })
}

/// Mean and deviation over all pixels of the faces, exact; `None` without faces.
pub fn statistics<'a>(faces: impl IntoIterator<Item = &'a Face>) -> Option<PixelStatistics> {
    let (mut n, mut sum, mut squares) = (0_u64, 0_u64, 0_u64);
    for face in faces {
        n += PIXELS as u64;
        sum += face.pixels().iter().map(|&p| u64::from(p)).sum::<u64>();
        squares += face.pixels().iter().map(|&p| u64::from(p) * u64::from(p)).sum::<u64>();
    }
    let mean = (n > 0).then(|| sum as f64 / n as f64)?;
    Some(PixelStatistics { mean, deviation: (squares as f64 / n as f64 - mean * mean).max(0.0).sqrt() })
}

/// Every sample with its split, in the order of the splits.
fn all(parts: &Parts) -> Vec<(Split, &Sample)> {
    let splits = Split::ALL.into_iter().zip(&parts.splits);
    splits.flat_map(|(split, samples)| samples.iter().map(move |sample| (split, sample))).collect()
}

fn counts(parts: &Parts) -> Vec<SplitCounts> {
    let splits = Split::ALL.into_iter().zip(&parts.splits).filter(|(_, samples)| !samples.is_empty());
    splits
        .map(|(split, samples)| SplitCounts {
            split,
            n: samples.len(),
            by_label: counts_by_label(samples, parts.labels.len()),
        })
        .collect()
}

fn flat(parts: &Parts) -> Vec<Flat> {
    let faces = all(parts).into_iter().filter_map(|(split, sample)| {
        let deviation = statistics([&sample.face])?.deviation;
        (deviation < NEAR_CONSTANT).then(|| Flat {
            source: sample.source.to_string(),
            split,
            label: sample.label,
            deviation,
        })
    });
    faces.collect()
}

fn opinions(parts: &Parts, votes: &FerPlus) -> Result<Vec<FerPlusCounts>, DataError> {
    let mut counts = Vec::new();
    for (split, samples) in Split::ALL.into_iter().zip(&parts.splits).filter(|(_, s)| !s.is_empty()) {
        let (mut non_faces, mut unnamed, mut rated, mut agreed) = (0, 0, 0_usize, 0_usize);
        for sample in samples {
            let Source::CsvRow(row) = sample.source else {
                return Err(votes.needs_rows());
            };
            let votes = votes.of_row(row, split)?;
            non_faces += usize::from(votes.is_non_face());
            unnamed += usize::from(!votes.named);
            if let Some(emotion) = votes.most_voted() {
                rated += 1;
                let label = parts.labels.index_of(emotion.name());
                agreed += usize::from(label == Some(sample.label));
            }
        }
        let agreement = agreed as f64 / rated.max(1) as f64;
        counts.push(FerPlusCounts { split, non_faces, unnamed, agreement });
    }
    Ok(counts)
}
