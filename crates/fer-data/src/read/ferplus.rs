//! FER+ votes (`fer2013new.csv`) by row of FER-2013's CSV file.
//! In: ten raters' counts a row. Out: [`Votes`], with a soft distribution and the non-face flag.
//!
//! The trap: the number in a row's image name (`fer0000060.png`) is the row number only up to row
//! 59 (from 0), and rows that raters called no face have no name. Only the row's own position joins.

use std::{
    borrow::Cow,
    path::{Path, PathBuf},
};

use super::rows::{self, Rows};
use crate::{DataError, Emotion, Split, Votes};

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
        let (mut lines, header) = Rows::open(path)?;
        let columns = Columns::find(&header).map_err(&unfit)?;
        let mut rows = Vec::new();
        while let Some(rows::Row { number, line }) = lines.next()? {
            let unfit = |problem: String| unfit(format!("row {number}: {problem}"));
            let row = line.and_then(rows::columns).map_err(|reason| unfit(reason.to_string()))?;
            let row: Vec<_> = row.into_iter().map(String::from_utf8_lossy).collect();
            let usage = row.get(columns.usage).map_or("", |usage| usage);
            let split =
                Split::from_fer2013_usage(usage).ok_or_else(|| unfit(format!("unknown Usage `{usage}`")))?;
            let votes = match wanted.contains(&split) {
                true => Some(columns.votes(&row).map_err(unfit)?),
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
    emotions: [usize; Emotion::FERPLUS.len()],
    unknown: usize,
    non_face: usize,
}

impl Columns {
    fn find(header: &[String]) -> Result<Self, String> {
        let column = |name: &str| {
            header
                .iter()
                .position(|column| column.eq_ignore_ascii_case(name))
                .ok_or_else(|| format!("no column `{name}`"))
        };
        let mut emotions = [0; Emotion::FERPLUS.len()];
        for emotion in Emotion::FERPLUS {
            emotions[emotion.index()] = header
                .iter()
                .position(|column| Emotion::from_name(column) == Some(emotion))
                .ok_or_else(|| format!("no column for {emotion}"))?;
        }
        Ok(Self {
            usage: column("Usage")?,
            name: column("Image name")?,
            emotions,
            unknown: column("unknown")?,
            non_face: column("NF")?,
        })
    }

    fn votes(&self, row: &[Cow<'_, str>]) -> Result<Votes, String> {
        let count = |column: usize| {
            let text = row.get(column).ok_or_else(|| format!("only {} columns", row.len()))?;
            text.trim().parse::<u16>().map_err(|_| format!("`{text}` is not a number of votes"))
        };
        let mut emotions = [0; Emotion::FERPLUS.len()];
        for (votes, &column) in emotions.iter_mut().zip(&self.emotions) {
            *votes = count(column)?;
        }
        Ok(Votes {
            emotions,
            unknown: count(self.unknown)?,
            non_face: count(self.non_face)?,
            named: row.get(self.name).is_some_and(|name| !name.trim().is_empty()),
        })
    }
}
