//! A grey picture → the places where a cascade sees its object, at all sizes.
//! In: a picture and how to search. Out: [`Hit`] rectangles, equal to OpenCV's `detectMultiScale2`.

use image::GrayImage;
use pulp::{Arch, Simd, WithSimd};

use super::cascade::Cascade;
use super::group::{Window, clipped, group};
use super::layer::{Columns, Gray, Layer};
use super::windows::{Compiled, Scratch};

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

/// A cascade with the buffers of its search, which are kept from picture to picture.
#[derive(Debug)]
pub struct CascadeSearch {
    cascade: Cascade,
    arch: Arch,
    /// For windows at every pixel and at every second one.
    compiled: [Compiled; 2],
    layer: Layer,
    scratch: Scratch,
    windows: Vec<Window>,
}

impl CascadeSearch {
    /// A search with the cascade.
    #[must_use]
    pub fn new(cascade: Cascade) -> Self {
        Self {
            cascade,
            arch: fastest_arch(),
            compiled: Default::default(),
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
        if let Some(&first) = scales.first() {
            let arch = self.arch;
            let gray = Gray { pixels: gray.as_raw(), width: size.0 as usize, height: size.1 as usize };
            self.compile(scaled(size, first).0, &scales);
            arch.dispatch(Scan { search: self, gray, scales: &scales });
        }
        let found = group(&self.windows, search.min_neighbours);
        found.into_iter().filter_map(|(window, count)| clipped(window, count, size)).collect()
    }

    /// Makes the offsets for integral images as wide as the largest layer, where they are not for that already.
    fn compile(&mut self, width: usize, scales: &[f32]) {
        // An odd number of cache lines, so that the rows of a window do not compete for places in the cache.
        let lines = (width + 2).div_ceil(16) | 1;
        let stride = 16 * lines;
        for &scale in scales {
            let columns = Columns { stride, step: step(scale) };
            let compiled = &mut self.compiled[columns.step - 1];
            if !compiled.is_for(columns) {
                *compiled = Compiled::new(&self.cascade, columns);
            }
        }
    }
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
            let compiled = &compiled[step - 1];
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
                windows.extend(scratch.alive.iter().map(|&idx| Window {
                    x: place(idx as usize * step),
                    y: place(row),
                    width: box_width as i32,
                    height: box_height as i32,
                }));
            }
        }
    }
}
