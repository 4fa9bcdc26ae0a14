//! Overlapping windows → one rectangle each, with how many agreed.
//! In: windows. Out: their means, as OpenCV's `groupRectangles` forms them.

/// Windows agree when their edges differ by at most this part of their mean smaller side.
const AGREE: f64 = 0.2;

/// A place that was found, inside the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Left edge in pixels.
    pub x: u32,
    /// Top edge in pixels.
    pub y: u32,
    /// Width in pixels, above 0.
    pub width: u32,
    /// Height in pixels, above 0.
    pub height: u32,
    /// How many windows agreed.
    pub neighbours: u32,
}

/// A window, in the pixels of the searched picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SearchWindow {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) width: i32,
    pub(super) height: i32,
}

impl From<Hit> for SearchWindow {
    fn from(hit: Hit) -> Self {
        let [x, y, width, height] = [hit.x, hit.y, hit.width, hit.height].map(|side| side as i32);
        Self { x, y, width, height }
    }
}

impl SearchWindow {
    fn agrees(&self, other: &Self) -> bool {
        let sides = self.width.min(other.width) + self.height.min(other.height);
        let most = AGREE * f64::from(sides) * 0.5;
        let is_near = |a: i32, b: i32| f64::from((a - b).abs()) <= most;
        is_near(self.x, other.x)
            && is_near(self.y, other.y)
            && is_near(self.x + self.width, other.x + other.width)
            && is_near(self.y + self.height, other.y + other.height)
    }

    /// Whether it lies within the other one, widened by [`AGREE`] of its sides.
    fn is_within(&self, other: &Self) -> bool {
        let dx = (f64::from(other.width) * AGREE).round_ties_even() as i32;
        let dy = (f64::from(other.height) * AGREE).round_ties_even() as i32;
        self.x >= other.x - dx
            && self.y >= other.y - dy
            && self.x + self.width <= other.x + other.width + dx
            && self.y + self.height <= other.y + other.height + dy
    }
}

/// Means of the windows that agree, directly or through others, in the order of their first windows; those of
/// more than `min_neighbours`. A mean inside a surer one is left out. With 0, the windows as they are.
pub(super) fn group(windows: &[SearchWindow], min_neighbours: u32) -> Vec<(SearchWindow, u32)> {
    if min_neighbours == 0 {
        return windows.iter().map(|window| (*window, 1)).collect();
    }
    let means: Vec<(SearchWindow, u32)> =
        means(windows).into_iter().filter(|&(_, count)| count > min_neighbours).collect();
    let is_inside_a_surer = |idx: usize| {
        let (window, count) = means[idx];
        means.iter().enumerate().any(|(other_idx, &(other, other_count))| {
            other_idx != idx && window.is_within(&other) && (other_count > count.max(3) || count < 3)
        })
    };
    (0..means.len()).filter(|&idx| !is_inside_a_surer(idx)).map(|idx| means[idx]).collect()
}

fn means(windows: &[SearchWindow]) -> Vec<(SearchWindow, u32)> {
    let mut sums: Vec<(SearchWindow, u32)> = Vec::new();
    for (&window, class) in windows.iter().zip(classes(windows)) {
        if class == sums.len() {
            sums.push((SearchWindow::default(), 0));
        }
        let (sum, count) = &mut sums[class];
        sum.x += window.x;
        sum.y += window.y;
        sum.width += window.width;
        sum.height += window.height;
        *count += 1;
    }
    for (sum, count) in &mut sums {
        // In single precision, times the reciprocal, halves to even: as OpenCV rounds.
        let part = 1.0 / *count as f32;
        let mean = |sum: i32| (sum as f32 * part).round_ties_even() as i32;
        *sum =
            SearchWindow { x: mean(sum.x), y: mean(sum.y), width: mean(sum.width), height: mean(sum.height) };
    }
    sums
}

/// The class of each window, counted from 0 in the order of their first windows.
fn classes(windows: &[SearchWindow]) -> Vec<usize> {
    let mut parents: Vec<usize> = (0..windows.len()).collect();
    for (idx, window) in windows.iter().enumerate() {
        for (other_idx, other) in windows[..idx].iter().enumerate() {
            if window.agrees(other) {
                let (a, b) = (root(&mut parents, idx), root(&mut parents, other_idx));
                // The smaller position leads, so that a root is the first of its class.
                parents[a.max(b)] = a.min(b);
            }
        }
    }
    let mut numbers = vec![0; windows.len()];
    let mut n_classes = 0;
    for idx in 0..windows.len() {
        let first = root(&mut parents, idx);
        if first == idx {
            numbers[idx] = n_classes;
            n_classes += 1;
        } else {
            numbers[idx] = numbers[first];
        }
    }
    numbers
}

fn root(parents: &mut [usize], mut idx: usize) -> usize {
    while parents[idx] != idx {
        parents[idx] = parents[parents[idx]];
        idx = parents[idx];
    }
    idx
}

/// The part of a window inside a picture, or `None` when none is.
pub(super) fn clipped(window: SearchWindow, neighbours: u32, picture: (u32, u32)) -> Option<Hit> {
    let (picture_width, picture_height) = (i64::from(picture.0), i64::from(picture.1));
    let left = i64::from(window.x).max(0);
    let top = i64::from(window.y).max(0);
    let width = (i64::from(window.x) + i64::from(window.width)).min(picture_width) - left;
    let height = (i64::from(window.y) + i64::from(window.height)).min(picture_height) - top;
    (width > 0 && height > 0).then_some(Hit {
        x: left as u32,
        y: top as u32,
        width: width as u32,
        height: height as u32,
        neighbours,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(x: i32, y: i32, side: i32) -> SearchWindow {
        SearchWindow { x, y, width: side, height: side }
    }

    #[test]
    fn windows_that_agree_become_their_mean_and_lonely_ones_go() {
        let windows = [square(10, 10, 30), square(200, 200, 30), square(12, 11, 30), square(11, 12, 31)];
        assert_eq!(group(&windows, 2), [(square(11, 11, 30), 3)]);
        assert_eq!(group(&windows, 3), []);
        assert_eq!(group(&windows, 0).len(), 4, "nothing is grouped");
    }

    #[test]
    fn agreement_is_passed_on_from_neighbour_to_neighbour() {
        let chain: Vec<SearchWindow> = (0..6).map(|idx| square(5 * idx, 0, 30)).collect();
        assert!(!chain[0].agrees(&chain[5]));
        assert_eq!(group(&chain, 1), [(square(12, 0, 30), 6)], "12.5 is rounded to even");
    }

    #[test]
    fn a_weak_mean_inside_a_surer_one_is_left_out() {
        let around = |x: i32, y: i32, side: i32, n: usize| vec![square(x, y, side); n];
        let windows = [around(0, 0, 100, 5), around(30, 30, 40, 2), around(300, 0, 40, 2)].concat();
        assert_eq!(group(&windows, 1), [(square(0, 0, 100), 5), (square(300, 0, 40), 2)]);
        let surer = [around(0, 0, 100, 5), around(30, 30, 40, 5)].concat();
        assert_eq!(group(&surer, 1).len(), 2, "five are not more than five");
    }

    #[test]
    fn what_reaches_over_the_border_is_cut_off() {
        assert_eq!(
            clipped(square(-5, 8, 10), 1, (20, 10)),
            Some(Hit { x: 0, y: 8, width: 5, height: 2, neighbours: 1 })
        );
        assert_eq!(clipped(square(20, 0, 10), 1, (20, 10)), None);
    }
}
