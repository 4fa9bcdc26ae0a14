//! Where a program's faces come from, as one word on the command line or in a config.
//! In: text. Out: [`Data`]: the built-in drawn faces, or a path.

use std::{convert::Infallible, fmt, path::PathBuf, str::FromStr};

use serde::{Deserialize, Serialize};

/// The built-in drawn faces, or a data set on the disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Data {
    /// Faces drawn by seed ([`crate::samples`]): the word `drawn`. A folder of that name is `./drawn`.
    #[default]
    Drawn,
    /// A FER-2013 CSV file or a folder of classes; whether it is there is seen when it is read.
    Path(PathBuf),
}

impl Data {
    /// The word for [`Data::Drawn`].
    pub const DRAWN: &str = "drawn";
}

impl From<String> for Data {
    fn from(text: String) -> Self {
        if text == Self::DRAWN { Self::Drawn } else { Self::Path(text.into()) }
    }
}

impl From<Data> for String {
    fn from(data: Data) -> Self {
        data.to_string()
    }
}

impl FromStr for Data {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.to_owned().into())
    }
}

impl fmt::Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drawn => f.pad(Self::DRAWN),
            Self::Path(path) => path.display().fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_word_means_the_drawn_faces_and_all_others_are_paths() {
        let there_and_back = |text: &str| Data::from(text.to_owned()).to_string();
        assert_eq!("drawn".parse(), Ok(Data::Drawn));
        for path in ["./drawn", "Drawn", "fer2013.csv", ""] {
            assert_eq!(path.parse(), Ok(Data::Path(path.into())));
            assert_eq!(there_and_back(path), path);
        }
        assert_eq!(there_and_back("drawn"), "drawn");
    }
}
