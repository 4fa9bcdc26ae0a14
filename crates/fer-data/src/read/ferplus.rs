//! FER+ votes (`fer2013new.csv`) by row of FER-2013's CSV file.
//! In: ten raters' counts a row. Out: [`Votes`], with a soft distribution and the non-face flag.
//!
//! The trap: the number in a row's image name (`fer0000060.png`) is the row number only up to row
//! 59 (from 0), and rows that raters called no face have no name. Only the row's own position joins.

use std::path::{Path, PathBuf};

use ::csv::ReaderBuilder;

use crate::{DataError, Emotion, Split};

/// The name of FER+'s eighth label.
pub const CONTEMPT: &str = "contempt";

/// How many labels FER+ has: the seven expressions, then contempt.
pub const COUNT: usize = Emotion::COUNT + 1;

/// The votes of ten raters on one face.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Votes {
    /// Votes for the seven expressions, in the order of [`Emotion::ALL`].
    pub emotions: [u16; Emotion::COUNT],
    /// Votes for contempt, which FER-2013 does not have.
    pub contempt: u16,
    /// Votes for an unknown expression.
    pub unknown: u16,
    /// Votes for "not a face".
    pub non_face: u16,
    /// Whether the row names an image file.
    pub named: bool,
}

impl Votes {
    /// The expression with the most votes, the first of equals; `None` without a vote for any.
    #[must_use]
    pub fn most_voted(&self) -> Option<Emotion> {
        let most = *self.emotions.iter().max()?;
        let index = self.emotions.iter().position(|&votes| votes == most && votes > 0)?;
        Emotion::from_index(index)
    }

    /// The shares of FER+'s eight labels ([`crate::Labels::ferplus`]), summing to 1: what a network learns.
    ///
    /// As Barsoum et al. 2016 (arXiv 1608.01041) do: a single vote is an outlier and dropped; `None` where
    /// the most votes say unknown or not a face, or nothing is left.
    #[must_use]
    pub fn shares(&self) -> Option<[f32; COUNT]> {
        let (votes, elsewhere) = self.without_single_votes();
        let sum: u16 = votes.iter().sum();
        let most = votes.iter().copied().max().unwrap_or(0);
        (most > 0 && elsewhere.iter().all(|&other| other <= most))
            .then(|| votes.map(|votes| f32::from(votes) / f32::from(sum)))
    }

    /// The label among FER+'s eight that more than half of the raters gave, single votes dropped:
    /// what a network is judged by. `None` without one, or where it is unknown or not a face.
    #[must_use]
    pub fn majority(&self) -> Option<usize> {
        let (votes, elsewhere) = self.without_single_votes();
        let all: u16 = votes.iter().chain(&elsewhere).sum();
        votes.iter().position(|&votes| 2 * votes > all)
    }

    /// Votes for the eight labels, and for unknown and not a face; fewer than two count as none.
    fn without_single_votes(&self) -> ([u16; COUNT], [u16; 2]) {
        let agreed = |votes: u16| if votes > 1 { votes } else { 0 };
        let mut votes = [agreed(self.contempt); COUNT];
        for (votes, &emotion) in votes.iter_mut().zip(&self.emotions) {
            *votes = agreed(emotion);
        }
        (votes, [self.unknown, self.non_face].map(agreed))
    }

    /// Whether more raters saw no face than any one thing else.
    #[must_use]
    pub fn is_non_face(&self) -> bool {
        let most = self.emotions.iter().chain([&self.contempt, &self.unknown]).max();
        most.is_some_and(|&most| self.non_face > most)
    }
}

/// The votes file, row by row.
#[derive(Clone, Debug)]
pub struct FerPlus {
    path: PathBuf,
    /// Split and votes by row; no votes for the rows of splits that were not asked for.
    rows: Vec<(Split, Option<Votes>)>,
}

impl FerPlus {
    /// Reads a votes file; of a row of a split not in `wanted` only `Usage` is looked at.
    ///
    /// # Errors
    /// [`DataError`] when the file cannot be read, lacks a column, or a count is no number.
    pub fn read(path: &Path, wanted: &[Split]) -> Result<Self, DataError> {
        let unfit = |problem: String| DataError::FerPlus { path: path.to_owned(), problem };
        if !path.exists() {
            return Err(DataError::NotFound { path: path.to_owned() });
        }
        let mut reader =
            ReaderBuilder::new().flexible(true).from_path(path).map_err(|error| unfit(error.to_string()))?;
        let header = reader.headers().map_err(|error| unfit(error.to_string()))?.clone();
        let columns = Columns::find(&header).map_err(&unfit)?;
        let mut rows = Vec::new();
        for (i, record) in reader.records().enumerate() {
            let row = i + 1;
            let record = record.map_err(|error| unfit(format!("row {row}: {error}")))?;
            let usage = record.get(columns.usage).unwrap_or("");
            let split = Split::from_fer2013_usage(usage)
                .ok_or_else(|| unfit(format!("row {row}: unknown Usage `{usage}`")))?;
            let votes = match wanted.contains(&split) {
                true => {
                    Some(columns.votes(&record).map_err(|problem| unfit(format!("row {row}: {problem}")))?)
                }
                false => None,
            };
            rows.push((split, votes));
        }
        Ok(Self { path: path.to_owned(), rows })
    }

    /// The votes on a data row of FER-2013's CSV file, counted from 1.
    ///
    /// # Errors
    /// [`DataError::FerPlus`] when there is no such row, or it is of another split: then the two
    /// files do not belong together.
    pub fn of_row(&self, row: usize, split: Split) -> Result<&Votes, DataError> {
        let problem = match self.rows.get(row - 1) {
            Some((_, Some(votes))) if self.rows[row - 1].0 == split => return Ok(votes),
            Some((other, _)) => format!(
                "row {row} is of Usage {}, but of {} in the CSV file",
                other.fer2013_usage(),
                split.fer2013_usage()
            ),
            None => format!("no row {row}, only {} rows", self.rows.len()),
        };
        Err(DataError::FerPlus { path: self.path.clone(), problem })
    }

    /// The error of joining the votes to anything but a CSV file.
    pub(crate) fn needs_rows(&self) -> DataError {
        let problem = "the faces are files of a folder, which carry no row numbers".to_owned();
        DataError::FerPlus { path: self.path.clone(), problem }
    }

    /// Split and votes of every row, in the order of the file; no votes for rows of splits that
    /// were not asked for.
    #[must_use]
    pub fn rows(&self) -> &[(Split, Option<Votes>)] {
        &self.rows
    }
}

/// Where the columns stand.
struct Columns {
    usage: usize,
    name: usize,
    emotions: [usize; Emotion::COUNT],
    contempt: usize,
    unknown: usize,
    non_face: usize,
}

impl Columns {
    fn find(header: &::csv::StringRecord) -> Result<Self, String> {
        let column = |name: &str| {
            header
                .iter()
                .position(|column| column.trim().eq_ignore_ascii_case(name))
                .ok_or_else(|| format!("no column `{name}`"))
        };
        let mut emotions = [0; Emotion::COUNT];
        for emotion in Emotion::ALL {
            emotions[emotion.index()] = header
                .iter()
                .position(|column| Emotion::from_name(column) == Some(emotion))
                .ok_or_else(|| format!("no column for {emotion}"))?;
        }
        Ok(Self {
            usage: column("Usage")?,
            name: column("Image name")?,
            emotions,
            contempt: column("contempt")?,
            unknown: column("unknown")?,
            non_face: column("NF")?,
        })
    }

    fn votes(&self, record: &::csv::StringRecord) -> Result<Votes, String> {
        let count = |column: usize| {
            let text = record.get(column).ok_or_else(|| format!("only {} columns", record.len()))?;
            text.trim().parse::<u16>().map_err(|_| format!("`{text}` is not a number of votes"))
        };
        let mut emotions = [0; Emotion::COUNT];
        for (votes, &column) in emotions.iter_mut().zip(&self.emotions) {
            *votes = count(column)?;
        }
        Ok(Votes {
            emotions,
            contempt: count(self.contempt)?,
            unknown: count(self.unknown)?,
            non_face: count(self.non_face)?,
            named: record.get(self.name).is_some_and(|name| !name.trim().is_empty()),
        })
    }
}
