//! OpenCV's Haar cascade, searched coarsely over the whole picture and finely near a face.
//! In: a picture. Out: boxes in its pixels; the score is how many of the fine search's windows agreed.

use std::path::{Path, PathBuf};

use fer_vision::{DetectFaces, FaceBox, VisionError, keep_best};
use image::RgbImage;
use opencv::core::{Mat, MatTraitConst, Rect, Size, ToInputArray, Vector};
use opencv::imgproc;
use opencv::objdetect::CascadeClassifier;
use opencv::prelude::*;

use super::cause::cause;
use super::picture::borrow;
use super::turn::{turn_back, turned};
use crate::face_detector::options::DetectorOptions;

/// The cascade's own window, in pixels: no smaller face can be found.
const WINDOW: f64 = 24.0;

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

/// Where OpenCV's frontal-face cascade is looked for, in this order.
#[must_use]
pub fn cascade_places() -> Vec<PathBuf> {
    let name = "haarcascade_frontalface_default.xml";
    let beside = std::env::current_exe().ok().and_then(|exe| exe.parent().map(Path::to_owned));
    let folders = [
        "/usr/share/opencv4/haarcascades",
        "/usr/local/share/opencv4/haarcascades",
        "/opt/homebrew/share/opencv4/haarcascades",
        "/usr/share/opencv/haarcascades",
        "/usr/local/share/opencv/haarcascades",
    ];
    beside.into_iter().chain(folders.into_iter().map(PathBuf::from)).map(|folder| folder.join(name)).collect()
}

/// The first of [`cascade_places`] that is there.
#[must_use]
pub fn find_cascade() -> Option<PathBuf> {
    cascade_places().into_iter().find(|path| path.is_file())
}

/// The Haar cascade detector.
pub struct Haar {
    cascade: CascadeClassifier,
    options: DetectorOptions,
}

impl Haar {
    /// Loads the cascade.
    ///
    /// # Errors
    /// [`VisionError::Options`] when an option is out of range, [`VisionError::Detect`] when there is no
    /// cascade or its file is not one.
    pub fn new(options: DetectorOptions) -> Result<Self, VisionError> {
        if options.scale_factor <= 1.0 || options.scale_factor > 2.0 {
            let found = options.scale_factor;
            return Err(VisionError::Options(format!(
                "scale factor: expected above 1 and up to 2, found {found}"
            )));
        }
        let path = options.cascade.clone().or_else(find_cascade).ok_or_else(|| {
            let places: Vec<String> =
                cascade_places().iter().map(|path| path.display().to_string()).collect();
            VisionError::detect(format!(
                "no cascade in {}: install Debian's opencv-data, or give its file with --cascade",
                places.join(", ")
            ))
        })?;
        let cascade = CascadeClassifier::new(&path).map_err(failed)?;
        if !path.is_file() || cascade.empty().map_err(failed)? {
            return Err(VisionError::detect(format!("{}: not a cascade that OpenCV reads", path.display())));
        }
        Ok(Self { cascade, options })
    }

    /// Windows of the whole picture that look like a face, coarse in place and size.
    fn scan(&mut self, rgb: &(impl MatTraitConst + ToInputArray)) -> opencv::Result<Vec<FaceBox>> {
        let longest = rgb.cols().max(rgb.rows());
        let scale = (f64::from(self.options.search_side) / f64::from(longest)).min(1.0);
        let small = gray(rgb, scale)?;
        let smallest = (f64::from(self.options.smallest_face) * scale).max(WINDOW);
        let largest = f64::from(small.cols().min(small.rows()));
        if largest < WINDOW {
            return Ok(Vec::new());
        }
        let found = self.search(&small, self.options.scale_factor, 2, smallest, largest)?;
        let to_full = (
            f64::from(rgb.cols()) / f64::from(small.cols()),
            f64::from(rgb.rows()) / f64::from(small.rows()),
        );
        Ok(found.into_iter().map(|(rect, score)| map_back(rect, score, (0, 0), to_full)).collect())
    }

    /// The face near where one is expected, searched in small steps, at the first of the tilts that has one.
    fn refine(
        &mut self,
        rgb: &(impl MatTraitConst + ToInputArray),
        expected: &FaceBox,
        tries: &[Try],
    ) -> opencv::Result<Option<FaceBox>> {
        let width = f64::from(expected.width);
        let Some(region) = region_around(expected, rgb.cols(), rgb.rows()) else { return Ok(None) };
        let scale = FINE_FACE / width;
        let small = gray(&Mat::roi(rgb, region)?, scale)?;
        let smallest =
            (FINE_FACE * FINE_SIZES.0).max(f64::from(self.options.smallest_face) * scale).max(WINDOW);
        let largest = (FINE_FACE * FINE_SIZES.1).min(f64::from(small.cols().min(small.rows())));
        if largest < smallest {
            return Ok(None);
        }
        let to_full = (
            f64::from(region.width) / f64::from(small.cols()),
            f64::from(region.height) / f64::from(small.rows()),
        );
        for attempt in tries {
            let upright = turned(&small, -attempt.tilt)?;
            let found = self.search(&upright, FINE_STEP, attempt.neighbours as i32, smallest, largest)?;
            if let Some((rect, score)) = found.into_iter().max_by_key(|&(_, score)| score) {
                let rect = turn_back(rect, &small, attempt.tilt);
                return Ok(Some(map_back(rect, score, (region.x, region.y), to_full)));
            }
        }
        Ok(None)
    }

    fn search(
        &mut self,
        gray: &Mat,
        step: f64,
        neighbours: i32,
        smallest: f64,
        largest: f64,
    ) -> opencv::Result<Vec<(Rect, i32)>> {
        let mut rects = Vector::<Rect>::new();
        let mut counts = Vector::<i32>::new();
        let side = |side: f64| Size::new(side.round() as i32, side.round() as i32);
        self.cascade.detect_multi_scale2(
            gray,
            &mut rects,
            &mut counts,
            step,
            neighbours,
            0,
            side(smallest),
            side(largest),
        )?;
        Ok(rects.iter().zip(counts.iter()).collect())
    }

    fn refine_all(
        &mut self,
        picture: &RgbImage,
        places: &[FaceBox],
        tries: &[Try],
    ) -> opencv::Result<Vec<FaceBox>> {
        let rgb = borrow(picture)?;
        let mut boxes = Vec::new();
        for place in places {
            boxes.extend(self.refine(&rgb, place, tries)?);
        }
        Ok(keep_best(boxes))
    }
}

impl DetectFaces for Haar {
    /// A coarse search proposes, the fine search at each proposal decides and measures.
    fn detect(&mut self, picture: &RgbImage) -> Result<Vec<FaceBox>, VisionError> {
        if picture.width() == 0 || picture.height() == 0 {
            return Ok(Vec::new());
        }
        let proposals = borrow(picture).and_then(|rgb| self.scan(&rgb)).map_err(failed)?;
        let tries = [Try { tilt: 0.0, neighbours: self.options.neighbours }];
        self.refine_all(picture, &keep_best(proposals), &tries).map_err(failed)
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
        self.refine_all(picture, expected, &[upright, left, right]).map(Some).map_err(failed)
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

/// Faces that this many windows agree on are hardly ever none: see docs/reports/live.md.
const SURE_SCORE: f32 = 20.0;

/// The matrix, scaled and grey; scaled first, because it then has fewer pixels to turn grey.
fn gray(rgb: &(impl MatTraitConst + ToInputArray), scale: f64) -> opencv::Result<Mat> {
    let size = Size::new(
        (f64::from(rgb.cols()) * scale).round().max(1.0) as i32,
        (f64::from(rgb.rows()) * scale).round().max(1.0) as i32,
    );
    let filter = if scale < 1.0 { imgproc::INTER_AREA } else { imgproc::INTER_LINEAR };
    let mut small = Mat::default();
    imgproc::resize(rgb, &mut small, size, 0.0, 0.0, filter)?;
    let mut gray = Mat::default();
    imgproc::cvt_color_def(&small, &mut gray, imgproc::COLOR_RGB2GRAY)?;
    Ok(gray)
}

/// The part of a picture around an expected face, or `None` when hardly anything of it is in the picture.
fn region_around(expected: &FaceBox, columns: i32, rows: i32) -> Option<Rect> {
    let margin = expected.width * FINE_MARGIN as f32;
    let left = (expected.x - margin).floor().max(0.0) as i32;
    let top = (expected.y - margin).floor().max(0.0) as i32;
    let right = ((expected.x + expected.width + margin).ceil() as i32).min(columns);
    let bottom = ((expected.y + expected.height + margin).ceil() as i32).min(rows);
    let least = (expected.width * 0.6) as i32;
    let is_there = expected.width >= 4.0 && right - left > least.max(1) && bottom - top > least.max(1);
    is_there.then(|| Rect::new(left, top, right - left, bottom - top))
}

fn map_back(rect: Rect, score: i32, corner: (i32, i32), to_full: (f64, f64)) -> FaceBox {
    FaceBox {
        x: (f64::from(corner.0) + f64::from(rect.x) * to_full.0) as f32,
        y: (f64::from(corner.1) + f64::from(rect.y) * to_full.1) as f32,
        width: (f64::from(rect.width) * to_full.0) as f32,
        height: (f64::from(rect.height) * to_full.1) as f32,
        score: score as f32,
    }
}

fn failed(error: opencv::Error) -> VisionError {
    VisionError::detect_for("OpenCV", cause(&error))
}
