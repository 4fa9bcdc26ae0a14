//! A face's box in a picture → the face as the network was trained on it.
//! In: a picture, a box, a crop factor. Out: a 48×48 [`Face`].

use fer_data::Face;
use image::{DynamicImage, Rgb, RgbImage};

use crate::detect::FaceBox;

/// Grey values of a face deviate at least this much; an evenly lit wall does not (`0..=127.5`).
const LEAST_DEVIATION: f32 = 3.0;

/// Crops whose grey values deviate less are brightened to this, as faces of the data sets are lit.
const LIT_DEVIATION: f32 = 32.0;

/// The square around a box, `factor` times its mean side, as a face.
/// What lies over the picture's border repeats the border's pixels.
///
/// # Panics
/// If the picture has no pixels.
#[must_use]
pub fn crop(picture: &RgbImage, face_box: &FaceBox, factor: f32) -> Face {
    let (left, top, side) = square(face_box, factor);
    let columns: Vec<u32> = (0..side).map(|dx| inside(left + i64::from(dx), picture.width())).collect();
    let mut region = RgbImage::new(side, side);
    for (dy, row) in region.enumerate_rows_mut() {
        let y = inside(top + i64::from(dy), picture.height());
        for ((_, _, pixel), &x) in row.zip(&columns) {
            *pixel = *picture.get_pixel(x, y);
        }
    }
    lit(Face::from_picture(&DynamicImage::ImageRgb8(region)))
}

/// As [`crop`], of a face turned clockwise by `tilt` radians about its box's centre: in the crop it is upright.
///
/// # Panics
/// If the picture has no pixels.
#[must_use]
pub fn crop_turned(picture: &RgbImage, face_box: &FaceBox, factor: f32, tilt: f32) -> Face {
    let (left, top, side) = square(face_box, factor);
    let half = side as f32 / 2.0;
    let (center_x, center_y) = (left as f32 + half, top as f32 + half);
    let (sin, cos) = tilt.sin_cos();
    let region = RgbImage::from_fn(side, side, |x, y| {
        let (right, down) = (x as f32 + 0.5 - half, y as f32 + 0.5 - half);
        blended(picture, center_x + cos * right - sin * down, center_y + sin * right + cos * down)
    });
    lit(Face::from_picture(&DynamicImage::ImageRgb8(region)))
}

/// A face in the dark as in the light; one of enough contrast stays as it is.
fn lit(mut face: Face) -> Face {
    let (mean, deviation) = mean_and_deviation(&face);
    if !(LEAST_DEVIATION..LIT_DEVIATION).contains(&deviation) {
        return face;
    }
    let gain = LIT_DEVIATION / deviation;
    // More light makes a dark face brighter, too, but not brighter than the middle.
    let middle = mean.max((mean * gain).min(128.0));
    for pixel in face.pixels_mut() {
        *pixel = (middle + (f32::from(*pixel) - mean) * gain).round().clamp(0.0, 255.0) as u8;
    }
    face
}

/// Left edge, top edge and side of the square around a box, in whole pixels.
fn square(face_box: &FaceBox, factor: f32) -> (i64, i64, u32) {
    let side = ((face_box.width + face_box.height) / 2.0 * factor).round().max(1.0);
    let (center_x, center_y) = face_box.center();
    ((center_x - side / 2.0).round() as i64, (center_y - side / 2.0).round() as i64, side as u32)
}

/// The colour at a place, where a pixel's centre is half a pixel from its corner.
fn blended(picture: &RgbImage, x: f32, y: f32) -> Rgb<u8> {
    let (x, y) = (x - 0.5, y - 0.5);
    let (left, top) = (x.floor(), y.floor());
    let (part_x, part_y) = (x - left, y - top);
    let column = |dx: i64| inside(left as i64 + dx, picture.width());
    let row = |dy: i64| inside(top as i64 + dy, picture.height());
    let corners = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(dx, dy)| picture.get_pixel(column(dx), row(dy)).0);
    Rgb(std::array::from_fn(|colour| {
        let [upper_left, upper_right, lower_left, lower_right] =
            corners.map(|pixel| f32::from(pixel[colour]));
        let upper = upper_left + part_x * (upper_right - upper_left);
        let lower = lower_left + part_x * (lower_right - lower_left);
        (upper + part_y * (lower - upper)).round() as u8
    }))
}

/// Whether a crop has any contrast: a blank one is no face, whatever the detector said.
#[must_use]
pub fn has_contrast(face: &Face) -> bool {
    mean_and_deviation(face).1 >= LEAST_DEVIATION
}

fn mean_and_deviation(face: &Face) -> (f32, f32) {
    let n = face.pixels().len() as f32;
    let mean = face.pixels().iter().map(|&p| f32::from(p)).sum::<f32>() / n;
    let squares: f32 = face.pixels().iter().map(|&p| (f32::from(p) - mean).powi(2)).sum();
    (mean, (squares / n).sqrt())
}

fn inside(position: i64, size: u32) -> u32 {
    position.clamp(0, i64::from(size) - 1) as u32
}
