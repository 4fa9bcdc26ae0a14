//! YuNet as a [`DetectFaces`].
//! In: a picture. Out: square boxes; the score is the network's own, `0..=1`.

use image::RgbImage;

use super::decode::{YuNetFace, decode};
use super::network::{YuNet, YuNetError};
use super::picture::planes;
use crate::detect::{DetectFaces, FaceBox, Landmarks, keep_best};
use crate::error::VisionError;
use crate::haar::HaarOptions;

/// Side of the square relative to the mean side of YuNet's box, which ends at chin and hairline:
/// the factor of ResMaskingNet's live program, which cuts its faces so.
const SQUARE: f32 = 1.1;

/// Faces of this score are hardly ever none.
const SURE_SCORE: f32 = 0.85;

/// How YuNet searches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct YuNetOptions {
    /// Score from which a box is a face, `0..=1`.
    pub threshold: f32,
    /// The picture is scaled down to this longest side for the search, `32..=4096`; its time grows with the square.
    pub search_side: u32,
}

impl Default for YuNetOptions {
    /// OpenCV's threshold; the side is that of the Haar detector.
    fn default() -> Self {
        Self { threshold: 0.8, search_side: HaarOptions::default().search_side }
    }
}

/// The YuNet detector.
pub struct YuNetDetector {
    network: YuNet,
    options: YuNetOptions,
    /// The faces of the last picture: their square boxes and landmarks.
    last: Vec<(FaceBox, Landmarks)>,
}

impl YuNetDetector {
    /// Loads the network from the content of `face_detection_yunet_2023mar.onnx`, or of another with its interface.
    ///
    /// # Errors
    /// [`YuNetError`] when an option is out of range, or the bytes are no ONNX file or another network's.
    pub fn from_onnx(onnx: Vec<u8>, options: YuNetOptions) -> Result<Self, YuNetError> {
        if !(0.0..=1.0).contains(&options.threshold) {
            let found = options.threshold;
            return Err(YuNetError::Options(format!("YuNet's threshold: expected 0 to 1, found {found}")));
        }
        if !(32..=4096).contains(&options.search_side) {
            let found = options.search_side;
            return Err(YuNetError::Options(format!(
                "YuNet's search side: expected 32 to 4096 pixels, found {found}"
            )));
        }
        Ok(Self { network: YuNet::load(onnx)?, options, last: Vec::new() })
    }

    /// The faces of a picture as YuNet gives them, in the picture's pixels, surest first: boxes taller than wide.
    ///
    /// # Errors
    /// [`VisionError::Detect`] when the network itself failed.
    pub fn find(&mut self, picture: &RgbImage) -> Result<Vec<YuNetFace>, VisionError> {
        if picture.width() == 0 || picture.height() == 0 {
            return Ok(Vec::new());
        }
        let planes = planes(picture, self.options.search_side);
        let to_full = (1.0 / planes.scale) as f32;
        let cells =
            self.network.run(planes).map_err(|error| VisionError::detect_for("YuNet failed", error))?;
        let faces = decode(&cells, self.options.threshold);
        Ok(faces.into_iter().map(|face| scaled(face, to_full)).collect())
    }
}

fn scaled(face: YuNetFace, by: f32) -> YuNetFace {
    let FaceBox { x, y, width, height, score } = face.face_box;
    let Landmarks { right_eye, left_eye, nose, right_mouth, left_mouth } = face.landmarks;
    let point = |(x, y): (f32, f32)| (x * by, y * by);
    YuNetFace {
        face_box: FaceBox { x: x * by, y: y * by, width: width * by, height: height * by, score },
        landmarks: Landmarks {
            right_eye: point(right_eye),
            left_eye: point(left_eye),
            nose: point(nose),
            right_mouth: point(right_mouth),
            left_mouth: point(left_mouth),
        },
    }
}

fn square(found: &FaceBox) -> FaceBox {
    let side = (found.width + found.height) / 2.0 * SQUARE;
    let (x, y) = found.center();
    FaceBox { x: x - side / 2.0, y: y - side / 2.0, width: side, height: side, score: found.score }
}

impl DetectFaces for YuNetDetector {
    fn detect(&mut self, picture: &RgbImage) -> Result<Vec<FaceBox>, VisionError> {
        let faces = self.find(picture)?;
        self.last = faces.iter().map(|face| (square(&face.face_box), face.landmarks)).collect();
        Ok(keep_best(self.last.iter().map(|&(face_box, _)| face_box).collect()))
    }

    /// Those of the box that overlaps most, for a track steadies its box; at least half must overlap.
    fn landmarks(&self, face: &FaceBox) -> Option<Landmarks> {
        let overlaps = self.last.iter().map(|(found, landmarks)| (found.iou(face), landmarks));
        let (overlap, landmarks) = overlaps.max_by(|a, b| a.0.total_cmp(&b.0))?;
        (overlap >= 0.5).then_some(*landmarks)
    }

    fn sure_score(&self) -> f32 {
        SURE_SCORE
    }
}
