//! A cascade, searched coarsely over the whole picture and finely near a face.
//! In: a picture. Out: boxes in its pixels; the score is how many of the fine search's windows agreed.

use image::{GrayImage, RgbImage};

use super::cascade::Cascade;
use super::group::Hit;
use super::map_back::{MapBack, SearchedRect};
use super::picture::{Border, Region, bordered, gray, resized, turned};
use super::search::{CascadeSearch, Search};
use super::spread::{COARSE_NEIGHBOURS, Coarse, Spread};
use crate::detect::{DetectFaces, FaceBox, SearchPart, keep_best};
use crate::error::VisionError;

/// In the fine search, the expected face is scaled to this width, so that every face costs the same.
const FINE_FACE: f64 = 44.0;

/// The fine search looks at this much around the expected face, in widths of the face.
const FINE_MARGIN: f64 = 0.4;

/// Sizes the fine search tries, relative to the expected one.
const FINE_SIZES: (f64, f64) = (0.7, 1.45);

/// The cascade knows upright faces; a known face that is not found so is looked for at these tilts too,
/// in degrees, clockwise.
const TILTS: [f64; 2] = [-20.0, 20.0];

/// Step from one size to the next in the fine search.
const FINE_STEP: f64 = 1.07;

/// Photos are searched at this longest side at least.
const PHOTO_SIDE: u32 = 1024;

/// How far photos are continued beyond their edges, at least.
const PHOTO_BORDER: f64 = 0.15;

/// How many windows must agree on a face in a photo that a verifier judges, at most.
const PHOTO_NEIGHBOURS: u32 = 2;

/// Faces that this many windows agree on are hardly ever none: see docs/reports/live.md.
const SURE_SCORE: f32 = 20.0;

/// Who evaluates a cascade: ours is [`CascadeSearch`], OpenCV's is the reference.
pub trait SearchCascade: Send {
    /// The cascade's window, in pixels: no smaller face can be found.
    fn window(&self) -> (u32, u32);

    /// Where the cascade sees its object in a grey picture.
    ///
    /// # Errors
    /// [`VisionError::Detect`] when the evaluation itself failed.
    fn search(&mut self, gray: &GrayImage, search: &Search) -> Result<Vec<Hit>, VisionError>;
}

impl SearchCascade for CascadeSearch {
    fn window(&self) -> (u32, u32) {
        self.cascade().window()
    }

    fn search(&mut self, gray: &GrayImage, search: &Search) -> Result<Vec<Hit>, VisionError> {
        Ok(self.detect_multi_scale(gray, search))
    }
}

/// How the detector searches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HaarOptions {
    /// Step from one size to the next in the coarse search, above 1 and up to 2.
    pub scale_factor: f64,
    /// How many windows of the fine search must agree on a face.
    pub neighbours: u32,
    /// Width of the smallest face to be found, in the picture's pixels; 0 for as small as the search sees.
    pub smallest_face: u32,
    /// The picture is scaled down to this longest side for the coarse search.
    pub search_side: u32,
    /// The picture is continued by this share of its longest side beyond every edge, `0..=0.5`, so that
    /// faces are found that reach over it.
    pub border: f64,
}

impl Default for HaarOptions {
    fn default() -> Self {
        Self { scale_factor: 1.1, neighbours: 4, smallest_face: 0, search_side: 320, border: 0.05 }
    }
}

impl HaarOptions {
    /// For photos: no hurry, so smaller faces are found too, and those that reach far over the edge; where
    /// the network tells faces from what is none, also those that fewer windows agree on.
    #[must_use]
    pub fn photo(self, has_verifier: bool) -> Self {
        Self {
            scale_factor: self.scale_factor.min(1.1),
            neighbours: if has_verifier { self.neighbours.min(PHOTO_NEIGHBOURS) } else { self.neighbours },
            search_side: self.search_side.max(PHOTO_SIDE),
            border: self.border.max(PHOTO_BORDER),
            ..self
        }
    }
}

/// The detector over a cascade.
#[derive(Debug)]
pub struct HaarDetector<E = CascadeSearch> {
    evaluator: E,
    options: HaarOptions,
    spread: Option<Spread>,
}

impl HaarDetector {
    /// The detector over OpenCV's frontal-face cascade, which is in this crate.
    ///
    /// # Errors
    /// As [`HaarDetector::with`].
    pub fn new(options: HaarOptions) -> Result<Self, VisionError> {
        Self::with(CascadeSearch::in_any_light(Cascade::frontal_face()), options)
    }
}

impl<E: SearchCascade> HaarDetector<E> {
    /// The detector over whichever cascade, evaluated by whom one likes.
    ///
    /// # Errors
    /// [`VisionError::Options`] when an option is out of range.
    pub fn with(evaluator: E, options: HaarOptions) -> Result<Self, VisionError> {
        if !(options.scale_factor > 1.0 && options.scale_factor <= 2.0) {
            let found = options.scale_factor;
            return Err(VisionError::Options(format!(
                "scale factor: expected above 1 and up to 2, found {found}"
            )));
        }
        if !(0.0..=0.5).contains(&options.border) {
            let found = options.border;
            return Err(VisionError::Options(format!("border: expected 0 to 0.5, found {found}")));
        }
        Ok(Self { evaluator, options, spread: None })
    }

    /// Places of the whole picture that look like a face, coarse in place and size, surest first.
    fn scan(&mut self, picture: &RgbImage) -> Result<Vec<FaceBox>, VisionError> {
        let Some(coarse) = self.coarse(picture) else { return Ok(Vec::new()) };
        let found = self.evaluator.search(&coarse.small, &coarse.search)?;
        Ok(coarse.proposals(&found))
    }

    /// The whole picture made ready for the coarse search; `None` when it has no room for a face.
    fn coarse(&self, picture: &RgbImage) -> Option<Coarse> {
        let (width, height) = picture.dimensions();
        if width == 0 || height == 0 {
            return None;
        }
        let scale = (f64::from(self.options.search_side) / f64::from(width.max(height))).min(1.0);
        let whole = Region { left: 0, top: 0, width, height };
        let small = scaled(&gray(picture, whole), scale);
        let side = (f64::from(small.width().max(small.height())) * self.options.border).round() as u32;
        let border = Border { left: side, top: side, right: side, bottom: side };
        let map = MapBack::new(whole, &small, border);
        let small = bordered(&small, border);
        let smallest = (f64::from(self.options.smallest_face) * scale).max(self.window());
        let largest = f64::from(small.width().min(small.height()));
        let search = search(self.options.scale_factor, COARSE_NEIGHBOURS, (smallest, largest));
        (largest >= self.window()).then_some(Coarse { small, map, search })
    }

    /// The face near where one is expected, searched in small steps, at the first of the tilts that has one.
    fn refine(
        &mut self,
        picture: &RgbImage,
        expected: &FaceBox,
        tries: &[Try],
    ) -> Result<Option<FaceBox>, VisionError> {
        let most_beyond = f64::from(picture.width().max(picture.height())) * self.options.border;
        let around = region_around(expected, picture.dimensions(), most_beyond);
        let Some((region, beyond)) = around else { return Ok(None) };
        let scale = FINE_FACE / f64::from(expected.width);
        let small = scaled(&gray(picture, region), scale);
        let border = beyond.map(|pixels| (pixels * scale).round() as u32);
        let [left, top, right, bottom] = border;
        let border = Border { left, top, right, bottom };
        let map = MapBack::new(region, &small, border);
        let small = bordered(&small, border);
        let smallest =
            (FINE_FACE * FINE_SIZES.0).max(f64::from(self.options.smallest_face) * scale).max(self.window());
        let largest = (FINE_FACE * FINE_SIZES.1).min(f64::from(small.width().min(small.height())));
        if largest < smallest {
            return Ok(None);
        }
        for attempt in tries {
            let upright;
            let searched = if attempt.tilt == 0.0 {
                &small
            } else {
                upright = turned(&small, -attempt.tilt);
                &upright
            };
            let search = search(FINE_STEP, attempt.neighbours, (smallest, largest));
            let found = self.evaluator.search(searched, &search)?;
            if let Some(hit) = found.into_iter().max_by_key(|hit| hit.neighbours) {
                let place = SearchedRect::from(hit).turned(small.dimensions(), attempt.tilt);
                return Ok(Some(map.face_box(place, hit.neighbours)));
            }
        }
        Ok(None)
    }

    fn refine_all(
        &mut self,
        picture: &RgbImage,
        places: &[FaceBox],
        tries: &[Try],
    ) -> Result<Vec<FaceBox>, VisionError> {
        let mut boxes = Vec::new();
        for place in places {
            boxes.extend(self.refine(picture, place, tries)?);
        }
        Ok(keep_best(boxes))
    }

    /// How a proposal is judged.
    fn upright(&self) -> [Try; 1] {
        [Try { tilt: 0.0, neighbours: self.options.neighbours }]
    }

    /// The longer side of the cascade's window.
    fn window(&self) -> f64 {
        let (width, height) = self.evaluator.window();
        f64::from(width.max(height))
    }
}

impl<E: SearchCascade> DetectFaces for HaarDetector<E> {
    /// A coarse search proposes, the fine search at each proposal decides and measures.
    fn detect(&mut self, picture: &RgbImage) -> Result<Vec<FaceBox>, VisionError> {
        self.spread = None;
        let proposals = self.scan(picture)?;
        self.refine_all(picture, &proposals, &self.upright())
    }

    /// The first part makes the picture ready, others search some sizes of it each, and one at a time the
    /// proposals are decided on in the frame of that part.
    fn detect_part(&mut self, picture: &RgbImage, known: &[FaceBox]) -> Result<SearchPart, VisionError> {
        let Some(mut spread) = self.spread.take() else {
            self.spread = self.coarse(picture).map(|coarse| Spread::new(coarse, self.evaluator.window()));
            return Ok(SearchPart { boxes: Vec::new(), is_last: self.spread.is_none() });
        };
        let boxes = match spread.next_search() {
            Some((small, search)) => {
                let windows = self.evaluator.search(small, &search)?;
                spread.take(windows);
                Vec::new()
            }
            None => match spread.next_proposal(known) {
                Some(proposal) => self.refine_all(picture, &[proposal], &self.upright())?,
                None => Vec::new(),
            },
        };
        let is_last = spread.is_done(known);
        self.spread = (!is_last).then_some(spread);
        Ok(SearchPart { boxes, is_last })
    }

    fn detect_near(
        &mut self,
        picture: &RgbImage,
        expected: &[FaceBox],
    ) -> Result<Option<Vec<FaceBox>>, VisionError> {
        // Where a face was a moment ago, a quarter of the evidence is enough for an upright one.
        let neighbours = self.options.neighbours;
        let upright = Try { tilt: 0.0, neighbours: neighbours.div_ceil(4) };
        let [left, right] = TILTS.map(|tilt| Try { tilt, neighbours });
        self.refine_all(picture, expected, &[upright, left, right]).map(Some)
    }

    fn sure_score(&self) -> f32 {
        SURE_SCORE
    }
}

/// One look of the fine search.
#[derive(Clone, Copy)]
struct Try {
    /// How far the face leans, in degrees clockwise.
    tilt: f64,
    /// How many windows must agree.
    neighbours: u32,
}

/// A search for faces with sides from the smallest to the largest, in the searched picture's pixels.
fn search(scale_factor: f64, min_neighbours: u32, (smallest, largest): (f64, f64)) -> Search {
    let side = |side: f64| (side.round() as u32, side.round() as u32);
    Search { scale_factor, min_neighbours, min_size: side(smallest), max_size: side(largest) }
}

/// The picture scaled by a factor, each side at least 1.
fn scaled(gray: &GrayImage, scale: f64) -> GrayImage {
    let side = |side: u32| (f64::from(side) * scale).round().max(1.0) as u32;
    resized(gray, side(gray.width()), side(gray.height()))
}

/// The part of a picture around an expected face, and how far the face's surroundings reach beyond the
/// picture's left, top, right and lower edge, up to `most` pixels; `None` when hardly anything of it is there.
fn region_around(expected: &FaceBox, (columns, rows): (u32, u32), most: f64) -> Option<(Region, [f64; 4])> {
    let margin = expected.width * FINE_MARGIN as f32;
    let far = [
        (expected.x - margin).floor(),
        (expected.y - margin).floor(),
        (expected.x + expected.width + margin).ceil(),
        (expected.y + expected.height + margin).ceil(),
    ];
    let [left, top] = [far[0], far[1]].map(|edge| edge.max(0.0) as i64);
    let right = (far[2] as i64).min(i64::from(columns));
    let bottom = (far[3] as i64).min(i64::from(rows));
    let least = ((expected.width * 0.6) as i64).max(1);
    let is_there = expected.width >= 4.0 && right - left > least && bottom - top > least;
    let beyond = [-far[0], -far[1], far[2] - columns as f32, far[3] - rows as f32];
    let region = Region {
        left: left as u32,
        top: top as u32,
        width: (right - left).max(0) as u32,
        height: (bottom - top).max(0) as u32,
    };
    is_there.then(|| (region, beyond.map(|pixels| f64::from(pixels).clamp(0.0, most))))
}
