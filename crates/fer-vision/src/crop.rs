//! A face's box in a picture → the face as the network was trained on it.
//! In: a picture, a box, a crop factor. Out: a 48×48 [`Face`].

use fer_data::Face;
use image::{DynamicImage, RgbImage};

use crate::detect::FaceBox;

/// Grey values of a face deviate at least this much; an evenly lit wall does not (`0..=127.5`).
const LEAST_DEVIATION: f32 = 8.0;

/// The square around a box, `factor` times its mean side, as a face.
/// What lies over the picture's border repeats the border's pixels.
///
/// # Panics
/// If the picture has no pixels.
#[must_use]
pub fn crop(picture: &RgbImage, face_box: &FaceBox, factor: f32) -> Face {
    let side = ((face_box.width + face_box.height) / 2.0 * factor).round().max(1.0);
    let (center_x, center_y) = face_box.center();
    let left = (center_x - side / 2.0).round() as i64;
    let top = (center_y - side / 2.0).round() as i64;
    let side = side as u32;
    let columns: Vec<u32> = (0..side).map(|dx| inside(left + i64::from(dx), picture.width())).collect();
    let mut region = RgbImage::new(side, side);
    for (dy, row) in region.enumerate_rows_mut() {
        let y = inside(top + i64::from(dy), picture.height());
        for ((_, _, pixel), &x) in row.zip(&columns) {
            *pixel = *picture.get_pixel(x, y);
        }
    }
    Face::from_picture(&DynamicImage::ImageRgb8(region))
}

/// Whether a crop has any contrast: a blank one is no face, whatever the detector said.
#[must_use]
pub fn has_contrast(face: &Face) -> bool {
    let n = face.pixels().len() as f32;
    let mean = face.pixels().iter().map(|&p| f32::from(p)).sum::<f32>() / n;
    let squares: f32 = face.pixels().iter().map(|&p| (f32::from(p) - mean).powi(2)).sum();
    (squares / n).sqrt() >= LEAST_DEVIATION
}

fn inside(position: i64, size: u32) -> u32 {
    position.clamp(0, i64::from(size) - 1) as u32
}
