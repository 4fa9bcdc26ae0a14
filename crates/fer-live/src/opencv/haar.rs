//! OpenCV's own evaluation of a Haar cascade, the reference that ours is compared with.
//! In: a grey picture. Out: where the cascade sees its object.

use std::path::{Path, PathBuf};

use fer_vision::VisionError;
use fer_vision::haar::{Hit, Search, SearchCascade};
use image::GrayImage;
use opencv::core::{Mat, Rect, Size, Vector};
use opencv::objdetect::CascadeClassifier;
use opencv::prelude::*;

use super::cause::cause;

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

/// OpenCV's `CascadeClassifier`.
pub struct OpenCvCascade {
    classifier: CascadeClassifier,
    window: (u32, u32),
}

impl OpenCvCascade {
    /// Loads a cascade's file, or OpenCV's frontal face from where the system keeps it.
    ///
    /// # Errors
    /// [`VisionError::Detect`] when there is no cascade or its file is not one.
    pub fn new(path: Option<&Path>) -> Result<Self, VisionError> {
        let path = path.map(Path::to_owned).or_else(find_cascade).ok_or_else(|| {
            let places: Vec<String> =
                cascade_places().iter().map(|path| path.display().to_string()).collect();
            VisionError::detect(format!(
                "no cascade in {}: install Debian's opencv-data, or give its file with --cascade",
                places.join(", ")
            ))
        })?;
        let unread = || VisionError::detect(format!("{}: not a cascade that OpenCV reads", path.display()));
        if !path.is_file() {
            return Err(unread());
        }
        let classifier = CascadeClassifier::new(&path).map_err(|error| failed(&error))?;
        if classifier.empty().map_err(|error| failed(&error))? {
            return Err(unread());
        }
        let window = classifier.get_original_window_size().map_err(|error| failed(&error))?;
        Ok(Self { classifier, window: (window.width as u32, window.height as u32) })
    }
}

impl SearchCascade for OpenCvCascade {
    fn window(&self) -> (u32, u32) {
        self.window
    }

    fn search(&mut self, gray: &GrayImage, search: &Search) -> Result<Vec<Hit>, VisionError> {
        self.detect_multi_scale(gray, search).map_err(|error| failed(&error))
    }
}

impl OpenCvCascade {
    fn detect_multi_scale(&mut self, gray: &GrayImage, search: &Search) -> opencv::Result<Vec<Hit>> {
        let mut rects = Vector::<Rect>::new();
        let mut counts = Vector::<i32>::new();
        let size = |(width, height): (u32, u32)| Size::new(width as i32, height as i32);
        self.classifier.detect_multi_scale2(
            &Mat::new_rows_cols_with_bytes::<u8>(gray.height() as i32, gray.width() as i32, gray.as_raw())?,
            &mut rects,
            &mut counts,
            search.scale_factor.max(Search::LEAST_STEP),
            search.min_neighbours as i32,
            0,
            size(search.min_size),
            size(search.max_size),
        )?;
        Ok(rects
            .iter()
            .zip(counts.iter())
            .map(|(rect, count)| Hit {
                x: rect.x as u32,
                y: rect.y as u32,
                width: rect.width as u32,
                height: rect.height as u32,
                neighbours: count as u32,
            })
            .collect())
    }
}

fn failed(error: &opencv::Error) -> VisionError {
    VisionError::detect_for("OpenCV's cascade", cause(error))
}
