//! A grey picture → the places where a cascade sees its object, at all sizes.
//! In: a picture and how to search. Out: [`Hit`] rectangles, equal to OpenCV's `detectMultiScale2`.

use image::GrayImage;
use pulp::{Arch, Simd, WithSimd};

use super::cascade::Cascade;
use super::compiled::{Compiled, Scratch};
use super::group::{Hit, SearchWindow, clipped, group};
use super::layer::{ColumnLayout, Gray, Layer};

/// How a picture is searched; sizes in its pixels, width and height.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Search {
    /// Step from one size to the next; at least [`Search::LEAST_STEP`], smaller ones count as that.
    pub scale_factor: f64,
    /// A place is found when more than this many windows agree on it; with 0 every window is given alone.
    pub min_neighbours: u32,
    /// The smallest window that is tried.
    pub min_size: (u32, u32),
    /// The largest window that is tried; (0, 0) for as large as the picture.
    pub max_size: (u32, u32),
}

impl Search {
    /// The smallest step between sizes: smaller ones try thousands of sizes.
    pub const LEAST_STEP: f64 = 1.001;
}

/// A cascade with the buffers of its search, which are kept from picture to picture.
#[derive(Debug)]
pub struct CascadeSearch {
    cascade: Cascade,
    is_for_any_light: bool,
    arch: Arch,
    /// What was used last is last.
    compiled: Vec<Compiled>,
    layer: Layer,
    scratch: Scratch,
    windows: Vec<SearchWindow>,
}

impl CascadeSearch {
    /// A search that finds also what OpenCV's is blind to: faces in the dark.
    ///
    /// A window's features are divided by its deviation, so a face of little contrast looks to the cascade as one
    /// of much; but OpenCV takes windows that deviate by less than 10 grey values for no faces, and in a quarter
    /// of the light faces do. Here that limit follows the light. In a picture of full light it is OpenCV's:
    /// lower, it finds more in smooth walls than in faces.
    #[must_use]
    pub fn in_any_light(cascade: Cascade) -> Self {
        Self { is_for_any_light: true, ..Self::new(cascade) }
    }

    /// A search with the cascade, as OpenCV's.
    #[must_use]
    pub fn new(cascade: Cascade) -> Self {
        Self {
            cascade,
            is_for_any_light: false,
            arch: fastest_arch(),
            compiled: Vec::new(),
            layer: Layer::default(),
            scratch: Scratch::default(),
            windows: Vec::new(),
        }
    }

    /// The cascade.
    #[must_use]
    pub fn cascade(&self) -> &Cascade {
        &self.cascade
    }

    /// Where the cascade's object is in the picture, in OpenCV's order.
    ///
    /// Equal to `CascadeClassifier::detectMultiScale2` of OpenCV 4 for the same grey picture, rectangles,
    /// counts and order (OpenCV's order on one thread); a test of fer-live compares them.
    pub fn detect_multi_scale(&mut self, gray: &GrayImage, search: &Search) -> Vec<Hit> {
        let size = gray.dimensions();
        let scales = scales(self.cascade.window(), size, search);
        self.windows.clear();
        if !scales.is_empty() {
            let arch = self.arch;
            let light = if self.is_for_any_light { light(gray) } else { 1.0 };
            self.scratch.most_norm = 1.0 / (light * LEAST_DEVIATION);
            let gray = Gray { pixels: gray.as_raw(), width: size.0 as usize, height: size.1 as usize };
            self.compile(gray.width, &scales);
            arch.dispatch(Scan { search: self, gray, scales: &scales });
        }
        let found = group(&self.windows, search.min_neighbours);
        found.into_iter().filter_map(|(window, count)| clipped(window, count, size)).collect()
    }

    /// Makes the offsets for integral images as wide as the picture, where they are not at hand.
    fn compile(&mut self, width: usize, scales: &[f32]) {
        for step in [1, 2] {
            if !scales.iter().any(|&scale| self::step(scale) == step) {
                continue;
            }
            let columns = ColumnLayout { stride: stride(width), step };
            let at_hand = self.compiled.iter().position(|compiled| compiled.is_for(columns));
            let compiled = match at_hand {
                Some(idx) => self.compiled.remove(idx),
                None => Compiled::new(&self.cascade, columns),
            };
            let n_oldest = (self.compiled.len() + 1).saturating_sub(MOST_COMPILED);
            self.compiled.drain(..n_oldest);
            self.compiled.push(compiled);
        }
    }
}

/// Offsets for pictures of so many widths are kept: a search in parts and searches near faces take turns, and
/// making them takes as long as such a search.
const MOST_COMPILED: usize = 8;

/// Length of an integral image's rows.
fn stride(width: usize) -> usize {
    // An odd number of cache lines, so that the rows of a window do not compete for places in the cache.
    let lines = (width + 2).div_ceil(16) | 1;
    16 * lines
}

/// Windows whose grey values deviate less are no faces to OpenCV.
const LEAST_DEVIATION: f64 = 10.0;

/// How much light a picture has got, `0.1..=1`: full light where a twentieth of it is of the middle grey or above.
fn light(gray: &GrayImage) -> f64 {
    let mut counts = [0_u32; 256];
    gray.as_raw().iter().for_each(|&value| counts[usize::from(value)] += 1);
    let mut n_above = gray.as_raw().len() as u32 / 20;
    let mut brightest = 255;
    while brightest > 0 && counts[brightest] <= n_above {
        n_above -= counts[brightest];
        brightest -= 1;
    }
    (brightest as f64 / 128.0).clamp(0.1, 1.0)
}

/// The instruction set the search is dispatched to.
fn fastest_arch() -> Arch {
    // Groups of eight windows lose fewer places to windows that are out than AVX-512's sixteen: 640 × 480 on
    // Zen 4 takes a tenth longer with those.
    #[cfg(target_arch = "x86_64")]
    if let Some(avx2) = pulp::x86::V3::try_new() {
        return Arch::V3(avx2);
    }
    Arch::new()
}

/// Windows are visited at every pixel of a layer, or at every second one where it is large.
fn step(scale: f32) -> usize {
    if scale >= 2.0 { 1 } else { 2 }
}

/// Width and height of a layer.
fn scaled((width, height): (u32, u32), scale: f32) -> (usize, usize) {
    let side = |side: u32| (side as f32 / scale).round_ties_even() as usize;
    (side(width), side(height))
}

/// Sizes to try, relative to the cascade's window; empty when the picture is smaller than that.
fn scales(window: (u32, u32), picture: (u32, u32), search: &Search) -> Vec<f32> {
    if picture.0 < window.0 || picture.1 < window.1 {
        return Vec::new();
    }
    let step =
        if search.scale_factor >= Search::LEAST_STEP { search.scale_factor } else { Search::LEAST_STEP };
    let mut all = Vec::new();
    let mut factor = 1.0_f64;
    loop {
        let side = |side: u32| (f64::from(side) * factor).round_ties_even();
        if side(window.0) > f64::from(picture.0) || side(window.1) > f64::from(picture.1) {
            break;
        }
        all.push(factor as f32);
        factor *= step;
    }
    let size = |scale: f32| window_size(window, scale);
    let max_size = if search.max_size.0 == 0 || search.max_size.1 == 0 { picture } else { search.max_size };
    let is_small = |scale: &f32| {
        let size = size(*scale);
        size.0 <= i64::from(max_size.0) && size.1 <= i64::from(max_size.1)
    };
    let min_size = (i64::from(search.min_size.0), i64::from(search.min_size.1));
    let is_large = |scale: &f32| size(*scale).0 >= min_size.0 && size(*scale).1 >= min_size.1;
    let scales: Vec<f32> = all.iter().copied().take_while(is_small).filter(is_large).collect();
    if !scales.is_empty() {
        return scales;
    }
    // OpenCV's way with sizes between two steps: the step nearest to the smallest size asked for.
    let distance = |scale: &f32| {
        let (right, down) = (min_size.0 - size(*scale).0, min_size.1 - size(*scale).1);
        i128::from(right) * i128::from(right) + i128::from(down) * i128::from(down)
    };
    all.into_iter().min_by_key(distance).into_iter().collect()
}

/// Width and height of the windows that a search tries, smallest first, each size once.
pub(super) fn sizes(window: (u32, u32), picture: (u32, u32), search: &Search) -> Vec<(u32, u32)> {
    let size = |scale: f32| window_size(window, scale);
    let sizes = scales(window, picture, search).into_iter().map(size);
    let mut sizes: Vec<(u32, u32)> = sizes.map(|(width, height)| (width as u32, height as u32)).collect();
    sizes.dedup();
    sizes
}

/// Width and height of the windows at a scale, in pixels of the picture.
fn window_size(window: (u32, u32), scale: f32) -> (i64, i64) {
    let side = |side: u32| (side as f32 * scale).round_ties_even() as i64;
    (side(window.0), side(window.1))
}

/// The search of one picture, compiled once for each instruction set that is asked for at run time.
struct Scan<'a> {
    search: &'a mut CascadeSearch,
    gray: Gray<'a>,
    scales: &'a [f32],
}

impl WithSimd for Scan<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let CascadeSearch { cascade, compiled, layer, scratch, windows, .. } = self.search;
        let size = (self.gray.width as u32, self.gray.height as u32);
        let window = (usize::from(cascade.window.0), usize::from(cascade.window.1));
        // OpenCV divides the rows of every layer among so many threads, whether it has them or not.
        let n_stripes = (scaled(size, self.scales[0]).0 + 1).saturating_sub(window.0).div_ceil(32);
        if n_stripes == 0 {
            return;
        }
        for &scale in self.scales {
            let (width, height) = scaled(size, scale);
            let step = step(scale);
            let columns = ColumnLayout { stride: stride(self.gray.width), step };
            let Some(compiled) = compiled.iter().find(|compiled| compiled.is_for(columns)) else { continue };
            let columns = (width + 1).saturating_sub(window.0);
            let rows = (height + 1).saturating_sub(window.1);
            if columns == 0 || rows == 0 {
                continue;
            }
            layer.fill(self.gray, (width, height), compiled.columns(), compiled.padding());
            // OpenCV's rounding can leave the last row of a layer to no thread.
            let stripe = ((rows / step).div_ceil(n_stripes)).max(1) * step;
            let (box_width, box_height) = window_size(cascade.window(), scale);
            for row in (0..rows.min(stripe * n_stripes)).step_by(step) {
                compiled.passing(simd, layer, row, columns.div_ceil(step), scratch);
                let place = |at: usize| (at as f32 * scale).round_ties_even() as i32;
                windows.extend(scratch.alive.iter().map(|&idx| SearchWindow {
                    x: place(idx as usize * step),
                    y: place(row),
                    width: box_width as i32,
                    height: box_height as i32,
                }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use fer_drawn::Scene;
    use image::imageops::{FilterType, grayscale, resize};
    use proptest::prelude::*;

    use super::super::cascade::{THRESHOLD_SLACK, WeightedRect};
    use super::super::layer::{Tap, scale_row, taps};
    use super::*;

    /// The readable twin: every window by itself, from the definition.
    fn slowly(cascade: &Cascade, gray: &GrayImage, search: &Search) -> Vec<Hit> {
        let size = gray.dimensions();
        let all = scales(cascade.window(), size, search);
        let mut windows = Vec::new();
        let window = cascade.window();
        let n_stripes =
            all.first().map_or(0, |&scale| (scaled(size, scale).0 + 1 - window.0 as usize).div_ceil(32));
        for scale in all {
            let (width, height) = scaled(size, scale);
            let layer = shrunk(gray, width, height);
            let step = step(scale);
            let rows = (height + 1).saturating_sub(window.1 as usize);
            let columns = (width + 1).saturating_sub(window.0 as usize);
            let end = rows.min((rows / step).div_ceil(n_stripes).max(1) * step * n_stripes);
            for row in (0..end).step_by(step) {
                let mut column = 0;
                while column < columns {
                    let passed = n_passed(cascade, &layer, column, row);
                    if passed == Some(cascade.n_stages()) {
                        let place = |at: usize| (at as f32 * scale).round_ties_even() as i32;
                        let (width, height) = window_size(window, scale);
                        windows.push(SearchWindow {
                            x: place(column),
                            y: place(row),
                            width: width as i32,
                            height: height as i32,
                        });
                    }
                    column += if passed == Some(0) { 2 * step } else { step };
                }
            }
        }
        let found = group(&windows, search.min_neighbours);
        found.into_iter().filter_map(|(window, count)| clipped(window, count, size)).collect()
    }

    fn shrunk(gray: &GrayImage, width: usize, height: usize) -> GrayImage {
        let source =
            Gray { pixels: gray.as_raw(), width: gray.width() as usize, height: gray.height() as usize };
        let (mut across, mut down): (Vec<Tap>, Vec<Tap>) = Default::default();
        taps(source.width, width, &mut across);
        taps(source.height, height, &mut down);
        let mut blended = vec![0; source.width];
        let mut pixels = vec![0; width * height];
        for (row, tap) in pixels.chunks_exact_mut(width).zip(down) {
            scale_row(source, tap, &across, &mut blended, row);
        }
        GrayImage::from_raw(width as u32, height as u32, pixels).expect("as many as asked for")
    }

    /// How many stages a window passes; `None` when it is too even.
    fn n_passed(cascade: &Cascade, layer: &GrayImage, column: usize, row: usize) -> Option<usize> {
        let values = |rect: WeightedRect| {
            let (x, y) = (column as u32 + u32::from(rect.x), row as u32 + u32::from(rect.y));
            let pixels = (y..y + u32::from(rect.height))
                .flat_map(move |y| (x..x + u32::from(rect.width)).map(move |x| (x, y)));
            pixels.map(|(x, y)| i64::from(layer.get_pixel(x, y).0[0]))
        };
        let (width, height) = cascade.window;
        let inner = WeightedRect { x: 1, y: 1, width: width - 2, height: height - 2, weight: 1.0 };
        let area = f64::from(inner.width) * f64::from(inner.height);
        let sum = values(inner).sum::<i64>() as f64;
        let spread = area * values(inner).map(|value| value * value).sum::<i64>() as f64 - sum * sum;
        let norm = (1.0 / spread.sqrt()) as f32;
        if spread <= 0.0 || area * f64::from(norm) >= 0.1 {
            return None;
        }
        let passes = |stage: &super::super::cascade::Stage| {
            let gain = |stump: &super::super::cascade::Stump| {
                let part = |rect: &WeightedRect| rect.weight * values(*rect).sum::<i64>() as f32;
                let [first, second, third] = stump.feature.each_ref().map(part);
                let value = (first + second + third) * norm;
                f64::from(if value < stump.threshold { stump.below } else { stump.otherwise })
            };
            stage.stumps.iter().map(gain).sum::<f64>() >= f64::from(stage.threshold - THRESHOLD_SLACK)
        };
        Some(cascade.stages.iter().take_while(|stage| passes(stage)).count())
    }

    fn drawn(seed: u64, n_people: usize, width: u32, height: u32) -> GrayImage {
        let scene = Scene::new(seed, n_people, 320, 240);
        let frame = grayscale(&scene.frame(Duration::from_millis(900 * seed)));
        resize(&frame, width, height, FilterType::Triangle)
    }

    #[test]
    fn the_quick_search_finds_what_the_slow_one_finds() {
        let cascade = Cascade::frontal_face();
        // One search for all pictures: what is left in its buffers must not matter.
        let mut quick = CascadeSearch::new(cascade.clone());
        let mut n_found = 0;
        for (idx, (width, height)) in
            [(160, 120), (97, 75), (24, 24), (49, 130), (161, 121)].into_iter().enumerate()
        {
            let gray = drawn(idx as u64, 1 + idx % 2, width, height);
            for (min_neighbours, min_side, max_side) in [(0, 0, 0), (2, 30, 70), (1, 50, 51)] {
                let search = Search {
                    scale_factor: 1.1,
                    min_neighbours,
                    min_size: (min_side, min_side),
                    max_size: (max_side, max_side),
                };
                let found = quick.detect_multi_scale(&gray, &search);
                assert_eq!(found, slowly(&cascade, &gray, &search), "{width}×{height}, {search:?}");
                n_found += found.len();
            }
        }
        assert!(n_found > 20, "only {n_found} windows were found in all");
    }

    #[test]
    fn a_picture_without_room_for_the_window_has_no_face() {
        let mut search = CascadeSearch::new(Cascade::frontal_face());
        let options = Search { scale_factor: 1.1, min_neighbours: 0, min_size: (0, 0), max_size: (0, 0) };
        for (width, height) in [(0, 0), (23, 400), (400, 23), (24, 24)] {
            assert_eq!(search.detect_multi_scale(&GrayImage::new(width, height), &options), []);
        }
    }

    #[test]
    fn a_step_of_nothing_still_ends() {
        let mut search = CascadeSearch::new(Cascade::frontal_face());
        for scale_factor in [f64::NAN, 0.0, 1.0, -3.0, f64::INFINITY] {
            let options = Search { scale_factor, min_neighbours: 1, min_size: (0, 0), max_size: (24, 24) };
            assert_eq!(search.detect_multi_scale(&GrayImage::new(40, 40), &options), []);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn noise_of_any_size_is_searched_alike(
            width in 24_u32..70,
            height in 24_u32..70,
            seed in any::<u64>(),
            scale_factor in 1.02_f64..2.5,
        ) {
            // A generator by Knuth, for pixels that differ from run to run only with the seed.
            let mut state = seed;
            let mut next = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 56) as u8
            };
            let gray = GrayImage::from_fn(width, height, |_, _| image::Luma([next()]));
            let cascade = Cascade::frontal_face();
            let first_stages = Cascade { stages: cascade.stages[..2].to_vec(), ..cascade };
            let search = Search { scale_factor, min_neighbours: 0, min_size: (0, 0), max_size: (0, 0) };
            let found = CascadeSearch::new(first_stages.clone()).detect_multi_scale(&gray, &search);
            prop_assert_eq!(found, slowly(&first_stages, &gray, &search));
        }
    }
}
