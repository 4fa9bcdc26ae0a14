//! What can go wrong while data is read, in sentences a person can act on.
//! In: paths, rows and what stood there. Out: [`DataError`], and [`Reason`] for one bad sample.

use std::path::PathBuf;

use fer_base::{ExitCode, exit};

use crate::{
    Source, Split,
    face::{SIDE, picture::PictureError},
};

/// A data set that cannot be loaded: where, what was expected, what was found, what to try.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// Nothing stands at the path.
    #[error("{}: no such file or folder; datasets/README.md says where data comes from", path.display())]
    NotFound {
        /// The path as given.
        path: PathBuf,
    },

    /// The operating system refused to open or read.
    #[error("{}: cannot be read", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's reason.
        #[source]
        source: std::io::Error,
    },

    /// A file or folder without anything of use in it.
    #[error("{}: {found}, expected {expected}", path.display())]
    Layout {
        /// The file or folder.
        path: PathBuf,
        /// What stands there.
        found: String,
        /// What should stand there, and what to try.
        expected: String,
    },

    /// A compressed file that ends or breaks before its end.
    #[error(
        "{}: the {format} data breaks off or is damaged after row {row}; fetch or copy the file again",
        path.display()
    )]
    Compressed {
        /// The compressed file.
        path: PathBuf,
        /// `gzip`, `xz` or `zstd`.
        format: &'static str,
        /// Whole data rows read before the break.
        row: usize,
        /// The decoder's reason.
        #[source]
        source: std::io::Error,
    },

    /// A damaged sample, refused unless damaged samples are to be skipped.
    #[error("{}: {reason}; repair or remove it, or skip damaged samples (--skip-bad)", at(path, sample))]
    Damaged {
        /// The CSV file or the folder given to the loader.
        path: PathBuf,
        /// The row or the file.
        sample: Source,
        /// What is wrong with it.
        reason: Reason,
    },

    /// A picture that cannot be decoded.
    #[error("{}: {}", path.display(), source.advice())]
    Picture {
        /// The file.
        path: PathBuf,
        /// The decoder's reason.
        #[source]
        source: PictureError,
    },

    /// The data has no samples of a split.
    #[error("{}: no samples for {split}; {hint}", path.display())]
    NoSplit {
        /// The CSV file or folder.
        path: PathBuf,
        /// The split asked for.
        split: Split,
        /// What stands there instead, and what to try.
        hint: String,
    },

    /// A class without samples in a split that needs all of them.
    #[error(
        "{}: class `{class}` has no samples in {split}; add some, or remove the class from the other splits",
        path.display()
    )]
    EmptyClass {
        /// The data set's or the class's folder.
        path: PathBuf,
        /// The class name.
        class: String,
        /// The split that lacks it.
        split: Split,
    },

    /// The classes of the data are not those asked for.
    #[error("{}: class `{found}` is not one of the expected classes {}", path.display(), expected.join(", "))]
    Labels {
        /// The CSV file or folder.
        path: PathBuf,
        /// The class that stands there.
        found: String,
        /// The class names asked for, in label order.
        expected: Vec<String>,
    },

    /// FER+ votes that do not belong to the data.
    #[error("{}: {problem}; FER+ votes join row i of fer2013new.csv to row i of FER-2013's CSV", path.display())]
    FerPlus {
        /// The votes file.
        path: PathBuf,
        /// What does not fit, and where.
        problem: String,
    },

    /// A setting outside its range.
    #[error("{setting} is {found}, expected {expected}")]
    Setting {
        /// The setting's name.
        setting: &'static str,
        /// Its value.
        found: String,
        /// The allowed range.
        expected: &'static str,
    },
}

impl ExitCode for DataError {
    fn exit_code(&self) -> u8 {
        match self {
            Self::Setting { .. } => exit::USAGE,
            _ => exit::DATA,
        }
    }
}

fn at(path: &std::path::Path, sample: &Source) -> String {
    match sample {
        Source::File(file) => file.display().to_string(),
        _ => format!("{}, {sample}", path.display()),
    }
}

/// Why one sample cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// A CSV row with fewer columns than the header.
    #[error("{found} columns, expected {expected}")]
    Columns {
        /// Columns in the row.
        found: usize,
        /// Columns in the header.
        expected: usize,
    },
    /// A row that is no row of numbers: refused before it fills the memory.
    #[error("longer than {most} bytes")]
    RowLength {
        /// The most a row may have.
        most: usize,
    },
    /// A quote that opens or closes nothing.
    #[error("a stray quote; a column in quotes begins and ends with one")]
    Quote,
    /// A label that is not a FER-2013 code.
    #[error("label `{found}`, expected 0 to 6")]
    Label {
        /// The text in the column.
        found: String,
    },
    /// A word in `Usage` that names no split.
    #[error("Usage `{found}`, expected {}", usages())]
    Usage {
        /// The text in the column.
        found: String,
    },
    /// Too few or too many pixels.
    #[error("{found} pixel values, expected {SIDE} × {SIDE} = {}", SIDE * SIDE)]
    PixelCount {
        /// Values in the row.
        found: usize,
    },
    /// A pixel that is no number from 0 to 255.
    #[error("pixel {position} is `{found}`, expected a number from 0 to 255")]
    PixelValue {
        /// Position in the row, from 1.
        position: usize,
        /// The text that stands there.
        found: String,
    },
    /// An image file without content.
    #[error("the file is empty (0 bytes), expected an image")]
    EmptyFile,
    /// An image file that cannot be decoded.
    #[error("not a readable image: {cause}")]
    Image {
        /// The decoder's or the operating system's reason.
        cause: String,
    },
    /// A file among the images that is none by its extension; always skipped.
    #[error("not an image by its extension")]
    NotAnImage,
    /// A photograph in which a detector sees no face; always skipped.
    #[error("no face is found in it")]
    NoFace,
    /// FER+ raters saw no face, and such samples are to be left out.
    #[error("not a face, by FER+ votes")]
    NonFace,
    /// The same face occurs in train with another label, and such samples are to be left out.
    #[error("the same face has another label elsewhere")]
    Contradictory,
}

fn usages() -> String {
    Split::ALL.map(Split::fer2013_usage).join(", ")
}

/// A sample that was left out, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The row or file.
    pub source: Source,
    /// Why it was left out.
    pub reason: Reason,
}

impl std::fmt::Display for Skipped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.source, self.reason)
    }
}
