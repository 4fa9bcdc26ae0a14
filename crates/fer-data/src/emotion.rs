//! The known apparent expressions, their order and their names.
//! In: a name, an index or a FER-2013 code. Out: [`Emotion`].

use serde::{Deserialize, Serialize};

/// An apparent expression that fer knows by name: FER-2013's seven, and contempt, which FER+ has too.
///
/// Which of them a data set or a model has is another fact: its [`Labels`](crate::Labels).
/// The discriminant is the label index in [`Labels::fer2013`](crate::Labels::fer2013) (alphabetical, as
/// Kaggle's folder layout sorts them) and in [`Labels::ferplus`](crate::Labels::ferplus), where contempt
/// follows. It is not FER-2013's CSV code: see [`Emotion::from_fer2013_code`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Emotion {
    /// Angry.
    Angry,
    /// Disgust.
    Disgust,
    /// Fear.
    Fear,
    /// Happy.
    Happy,
    /// Neutral.
    Neutral,
    /// Sad.
    Sad,
    /// Surprise.
    Surprise,
    /// Contempt.
    Contempt,
}

impl Emotion {
    /// How many expressions are known.
    pub const COUNT: usize = 8;

    /// All known expressions, by index: none but FER+'s.
    pub const ALL: [Self; Self::COUNT] = Self::FERPLUS;

    /// The seven of FER-2013 in label order.
    pub const FER2013: [Self; 7] =
        [Self::Angry, Self::Disgust, Self::Fear, Self::Happy, Self::Neutral, Self::Sad, Self::Surprise];

    /// The eight of FER+ in label order, which is that of its votes here.
    pub const FERPLUS: [Self; 8] = [
        Self::Angry,
        Self::Disgust,
        Self::Fear,
        Self::Happy,
        Self::Neutral,
        Self::Sad,
        Self::Surprise,
        Self::Contempt,
    ];

    /// The lower-case English name, as in folder names, CSV columns and cards.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Angry => "angry",
            Self::Disgust => "disgust",
            Self::Fear => "fear",
            Self::Happy => "happy",
            Self::Neutral => "neutral",
            Self::Sad => "sad",
            Self::Surprise => "surprise",
            Self::Contempt => "contempt",
        }
    }

    /// The place among [`Emotion::ALL`], `0..8`; the label index where the label set is FER-2013's or FER+'s.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The expression at an index, or `None` from 8 on.
    #[must_use]
    pub fn from_index(index: usize) -> Option<Self> {
        Self::ALL.get(index).copied()
    }

    /// The expressions in the order of FER-2013's CSV column `emotion`.
    ///
    /// Source: the challenge's `fer2013.csv`, Goodfellow et al. 2013.
    const FER2013_CODES: [Self; 7] =
        [Self::Angry, Self::Disgust, Self::Fear, Self::Happy, Self::Sad, Self::Surprise, Self::Neutral];

    /// The expression of FER-2013's CSV column `emotion`
    /// (0 angry, 1 disgust, 2 fear, 3 happy, 4 sad, 5 surprise, 6 neutral), or `None` from 7 on.
    #[must_use]
    pub fn from_fer2013_code(code: u8) -> Option<Self> {
        Self::FER2013_CODES.get(usize::from(code)).copied()
    }

    /// The number in FER-2013's CSV column `emotion`, `0..7`: the inverse of
    /// [`Emotion::from_fer2013_code`]; `None` for contempt, which FER-2013 does not have.
    #[must_use]
    pub fn fer2013_code(self) -> Option<u8> {
        let code = Self::FER2013_CODES.iter().position(|&other| other == self);
        code.map(|code| code as u8)
    }

    /// The expression a folder or column name stands for, with any capitalisation,
    /// including the synonyms seen in public copies of the data.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name.trim().to_ascii_lowercase().as_str() {
            "angry" | "anger" => Some(Self::Angry),
            "disgust" | "disgusted" => Some(Self::Disgust),
            "fear" | "fearful" | "afraid" | "scared" => Some(Self::Fear),
            "happy" | "happiness" | "joy" => Some(Self::Happy),
            "neutral" | "neutrality" => Some(Self::Neutral),
            "sad" | "sadness" => Some(Self::Sad),
            "surprise" | "surprised" => Some(Self::Surprise),
            "contempt" | "contemptuous" | "scorn" | "scornful" => Some(Self::Contempt),
            _ => None,
        }
    }
}

impl std::fmt::Display for Emotion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}
