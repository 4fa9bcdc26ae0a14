//! What FER+'s raters said of a face → what a network learns of it, and is judged by.
//! In: counts of votes. Out: shares, or a majority, in the order of [`Emotion::FERPLUS`].

use crate::Emotion;

/// The votes of ten raters on one face.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Votes {
    /// Votes for the eight expressions, in the order of [`Emotion::FERPLUS`].
    pub emotions: [u16; Emotion::FERPLUS.len()],
    /// Votes for an unknown expression.
    pub unknown: u16,
    /// Votes for "not a face".
    pub non_face: u16,
    /// Whether the row names an image file.
    pub named: bool,
}

impl Votes {
    /// Of FER-2013's seven expressions the one with the most votes, the first of equals; `None` without a
    /// vote for any.
    #[must_use]
    pub fn most_voted(&self) -> Option<Emotion> {
        let votes = |emotion: &Emotion| self.emotions[emotion.index()];
        let most = Emotion::FER2013.iter().map(votes).max()?;
        Emotion::FER2013.into_iter().find(|emotion| most > 0 && votes(emotion) == most)
    }

    /// The shares of FER+'s eight labels ([`crate::Labels::ferplus`]), summing to 1: what a network learns.
    ///
    /// As Barsoum et al. 2016 (arXiv 1608.01041) do: a single vote is an outlier and dropped; `None` where
    /// the most votes say unknown or not a face, or nothing is left.
    #[must_use]
    pub fn shares(&self) -> Option<[f32; Emotion::FERPLUS.len()]> {
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
    fn without_single_votes(&self) -> ([u16; Emotion::FERPLUS.len()], [u16; 2]) {
        let agreed = |votes: u16| if votes > 1 { votes } else { 0 };
        (self.emotions.map(agreed), [self.unknown, self.non_face].map(agreed))
    }

    /// Whether more raters saw no face than any one thing else.
    #[must_use]
    pub fn is_non_face(&self) -> bool {
        let most = self.emotions.iter().chain([&self.unknown]).max();
        most.is_some_and(|&most| self.non_face > most)
    }
}
