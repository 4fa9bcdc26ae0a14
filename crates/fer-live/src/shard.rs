//! An equal share of many photos.
//! In: `I/N`. Out: which of `n` photos it is; the shares are disjoint and together whole, in order.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// The `index`-th of `of` shares, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: usize,
    of: usize,
}

impl Default for Shard {
    /// All of it.
    fn default() -> Self {
        Self { index: 0, of: 1 }
    }
}

impl Shard {
    /// The photos it is, of `n`; sizes differ by one at most.
    #[must_use]
    pub fn range(self, n: usize) -> Range<usize> {
        // Wide enough for any two numbers.
        let start = |index: usize| (index as u128 * n as u128 / self.of as u128) as usize;
        start(self.index)..start(self.index + 1)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(words: &str) -> Result<Self, String> {
        let numbers = words.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        match numbers {
            Some((index, of)) if index < of => Ok(Self { index, of }),
            _ => Err("expected I/N, a share and how many there are, counted from 0: 0/4, 1/4, 2/4 and 3/4"
                .to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_disjoint_and_together_whole() {
        for (n, of) in [(0, 1), (1, 3), (10, 3), (7, 7), (3, 10), (1000, 7)] {
            let shards = (0..of).map(|index| Shard { index, of }.range(n));
            let sizes: Vec<usize> = shards.clone().map(|range| range.len()).collect();
            assert!(shards.flatten().eq(0..n), "{n} photos in {of} shards");
            assert!(
                sizes.iter().max().zip(sizes.iter().min()).is_some_and(|(most, least)| most - least <= 1)
            );
        }
    }

    #[test]
    fn a_shard_is_counted_from_0() {
        assert_eq!("2/3".parse(), Ok(Shard { index: 2, of: 3 }));
        for words in ["3/3", "1", "0/0", "-1/3", "a/b", "1/2/3", ""] {
            assert!(Shard::from_str(words).is_err_and(|text| text.starts_with("expected I/N")), "{words}");
        }
    }
}
