//! The coarse search of a whole picture in parts, so that no frame waits for all of it.
//! In: the picture, made ready. Out: what to search in each part, then the proposals one by one.
//!
//! All parts together propose what one search of the same picture does.

use std::collections::VecDeque;

use image::GrayImage;

use super::group::{Hit, SearchWindow, clipped, group};
use super::map_back::{MapBack, SearchedRect};
use super::search::{Search, sizes};
use crate::detect::{FaceBox, keep_best};

/// So many parts of about the same cost; the largest layer alone, which is never divided, costs a tenth of all.
const N_PARTS: usize = 7;

/// How many windows of the coarse search must agree on a proposal, less one.
pub(super) const COARSE_NEIGHBOURS: u32 = 2;

/// A whole picture, made ready for the coarse search.
#[derive(Debug)]
pub(super) struct Coarse {
    /// Grey, scaled down and with its border.
    pub(super) small: GrayImage,
    pub(super) map: MapBack,
    /// How it is searched.
    pub(super) search: Search,
}

impl Coarse {
    /// What was found in the small picture, in the pixels of the whole one, surest first.
    pub(super) fn proposals(&self, found: &[Hit]) -> Vec<FaceBox> {
        keep_best(
            found.iter().map(|&hit| self.map.face_box(SearchedRect::from(hit), hit.neighbours)).collect(),
        )
    }
}

/// A search that has begun.
#[derive(Debug)]
pub(super) struct Spread {
    coarse: Coarse,
    /// Of every part that is to come.
    searches: VecDeque<Search>,
    windows: Vec<SearchWindow>,
    /// Surest first.
    proposals: VecDeque<FaceBox>,
}

impl Spread {
    /// Begins a search with a cascade of this window.
    pub(super) fn new(coarse: Coarse, window: (u32, u32)) -> Self {
        let sizes = sizes(window, coarse.small.dimensions(), &coarse.search);
        let searches = parts(&sizes, window).into_iter().map(|(min_size, max_size)| Search {
            min_neighbours: 0,
            min_size,
            max_size,
            ..coarse.search
        });
        Self { searches: searches.collect(), windows: Vec::new(), proposals: VecDeque::new(), coarse }
    }

    /// What the next part searches in which picture; its windows go to [`Spread::take`].
    pub(super) fn next_search(&mut self) -> Option<(&GrayImage, Search)> {
        self.searches.pop_front().map(|search| (&self.coarse.small, search))
    }

    /// Takes the windows of a part; with those of the last one, proposals come of them.
    pub(super) fn take(&mut self, windows: Vec<Hit>) {
        self.windows.extend(windows.into_iter().map(SearchWindow::from));
        if self.searches.is_empty() {
            let size = self.coarse.small.dimensions();
            let groups = group(&self.windows, COARSE_NEIGHBOURS).into_iter();
            let found: Vec<Hit> = groups.filter_map(|(window, count)| clipped(window, count, size)).collect();
            self.proposals = self.coarse.proposals(&found).into();
        }
    }

    /// The surest of the proposals that are left, where no face is known.
    pub(super) fn next_proposal(&mut self, known: &[FaceBox]) -> Option<FaceBox> {
        self.proposals.retain(|proposal| proposal.is_apart(known));
        self.proposals.pop_front()
    }

    /// Whether nothing is left to be searched or decided on.
    pub(super) fn is_done(&self, known: &[FaceBox]) -> bool {
        self.searches.is_empty() && !self.proposals.iter().any(|proposal| proposal.is_apart(known))
    }
}

/// Width and height of windows.
type Size = (u32, u32);

/// The sizes, smallest first, divided into at most [`N_PARTS`] runs of about the same cost: first and last of each.
fn parts(sizes: &[Size], window: Size) -> Vec<(Size, Size)> {
    // Windows are tried at every pixel of their layer, and at every second one where the layer is large.
    let cost = |&(width, _): &Size| {
        let scale = f64::from(width) / f64::from(window.0);
        if scale >= 2.0 { 1.0 / (scale * scale) } else { 0.25 / (scale * scale) }
    };
    let share = sizes.iter().map(cost).sum::<f64>() / N_PARTS as f64;
    let mut before = 0.0;
    let numbered: Vec<(usize, Size)> = sizes
        .iter()
        .map(|size| {
            let middle = before + cost(size) / 2.0;
            before += cost(size);
            ((middle / share) as usize, *size)
        })
        .collect();
    numbered.chunk_by(|a, b| a.0 == b.0).map(|run| (run[0].1, run[run.len() - 1].1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_is_in_one_part_and_no_part_costs_much_more_than_its_share() {
        let search = Search { scale_factor: 1.1, min_neighbours: 0, min_size: (24, 24), max_size: (0, 0) };
        for picture in [(352, 272), (300, 100), (40, 40), (24, 24)] {
            let sizes = sizes((24, 24), picture, &search);
            let parts = parts(&sizes, (24, 24));
            let searched: Vec<Size> = parts
                .iter()
                .flat_map(|(first, last)| sizes.iter().filter(move |size| first <= *size && *size <= last))
                .copied()
                .collect();
            assert_eq!(searched, sizes, "{picture:?}");
            assert!(parts.len() <= N_PARTS && !parts.is_empty(), "{picture:?}: {parts:?}");
        }
        let sizes = sizes((24, 24), (352, 272), &search);
        assert!(parts(&sizes, (24, 24)).len() >= 6);
    }
}
