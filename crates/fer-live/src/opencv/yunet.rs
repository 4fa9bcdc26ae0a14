//! YuNet, a small network that finds faces, for those who have its file.
//! In: a picture and the ONNX file. Out: square boxes; the score is the network's own, `0..=1`.

use std::path::PathBuf;

use fer_vision::{DetectFaces, FaceBox, VisionError, keep_best};
use image::RgbImage;
use opencv::core::{Mat, MatTraitConst, Ptr, Size};
use opencv::imgproc;
use opencv::objdetect::FaceDetectorYN;
use opencv::prelude::*;

use super::cause::cause;
use super::picture::to_bgr;

/// Side of the square relative to the mean side of YuNet's box, which ends at chin and hairline:
/// the factor of ResMaskingNet's live program, which cuts its faces so.
const SQUARE: f32 = 1.1;

/// OpenCV's zoo changed the network's outputs with OpenCV 4.8 (opencv_zoo, models/face_detection_yunet).
const WHICH_FILE: &str =
    "expected face_detection_yunet_2023mar.onnx of opencv_zoo, before OpenCV 4.8 the one of 2022mar";

/// How YuNet searches.
#[derive(Clone, Debug, PartialEq)]
pub struct YuNetOptions {
    /// `face_detection_yunet_*.onnx`.
    pub model: PathBuf,
    /// Score from which a box is a face, `0..=1`.
    pub threshold: f32,
    /// The picture is scaled down to this longest side.
    pub scan_side: u32,
}

impl YuNetOptions {
    /// The defaults of OpenCV's zoo, with this file.
    #[must_use]
    pub fn new(model: PathBuf) -> Self {
        Self { model, threshold: 0.7, scan_side: 320 }
    }
}

/// The YuNet detector.
pub struct YuNet {
    network: Ptr<FaceDetectorYN>,
    options: YuNetOptions,
}

impl YuNet {
    /// Loads the network.
    ///
    /// # Errors
    /// [`VisionError::Detect`] when the file is missing, is not YuNet's, or is one that this OpenCV cannot run.
    pub fn new(options: YuNetOptions) -> Result<Self, VisionError> {
        let path = options.model.display().to_string();
        if !options.model.is_file() {
            return Err(VisionError::detect(format!("{path}: no such file; {WHICH_FILE}")));
        }
        let size = Size::new(320, 320);
        let refused = |error: opencv::Error| {
            let version = opencv::core::get_version_string().unwrap_or_default();
            VisionError::detect_for(
                format!("{path}: not a YuNet that OpenCV {version} runs; {WHICH_FILE}"),
                cause(&error),
            )
        };
        let network = FaceDetectorYN::create(&path, "", size, options.threshold, 0.3, 500, 0, 0);
        let mut yunet = Self { network: network.map_err(&refused)?, options };
        // A file of another year loads well and fails at its first picture.
        yunet.search(&RgbImage::new(size.width as u32, size.height as u32)).map_err(&refused)?;
        Ok(yunet)
    }

    fn search(&mut self, picture: &RgbImage) -> opencv::Result<Vec<FaceBox>> {
        let longest = picture.width().max(picture.height());
        let scale = (f64::from(self.options.scan_side) / f64::from(longest)).min(1.0);
        let side = |full: u32| ((f64::from(full) * scale).round() as i32).max(1);
        let size = Size::new(side(picture.width()), side(picture.height()));
        let mut small = Mat::default();
        imgproc::resize(&to_bgr(picture)?, &mut small, size, 0.0, 0.0, imgproc::INTER_AREA)?;
        self.network.set_input_size(size)?;
        let mut faces = Mat::default();
        self.network.detect(&small, &mut faces)?;
        let to_full =
            (picture.width() as f32 / size.width as f32, picture.height() as f32 / size.height as f32);
        // A row: box, five landmarks, score.
        let row = |row: i32| -> opencv::Result<FaceBox> {
            let at = |column| faces.at_2d::<f32>(row, column).copied();
            Ok(square(
                [at(0)? * to_full.0, at(1)? * to_full.1, at(2)? * to_full.0, at(3)? * to_full.1],
                at(14)?,
            ))
        };
        (0..faces.rows()).map(row).collect()
    }
}

fn square([x, y, width, height]: [f32; 4], score: f32) -> FaceBox {
    let side = (width + height) / 2.0 * SQUARE;
    let (center_x, center_y) = (x + width / 2.0, y + height / 2.0);
    FaceBox { x: center_x - side / 2.0, y: center_y - side / 2.0, width: side, height: side, score }
}

impl DetectFaces for YuNet {
    fn detect(&mut self, picture: &RgbImage) -> Result<Vec<FaceBox>, VisionError> {
        self.search(picture).map(keep_best).map_err(|error| VisionError::detect_for("YuNet", cause(&error)))
    }

    fn sure_score(&self) -> f32 {
        0.85
    }
}
