//! Brightness and contrast.
//! In: a face, a factor and an offset. Out: the face with other grey values.

use crate::{
    Face,
    face::{DEVIATION, MEAN},
};

/// Multiplies every pixel's distance from the mean grey by `contrast` and adds `brightness`
/// deviations; values beyond black and white stay there.
pub fn tone(face: &mut Face, contrast: f32, brightness: f32) {
    let offset = MEAN + brightness * DEVIATION;
    let table: [u8; 256] = std::array::from_fn(|grey| {
        // The conversion to u8 saturates.
        ((grey as f32 - MEAN) * contrast + offset).round() as u8
    });
    for pixel in face.pixels_mut() {
        *pixel = table[usize::from(*pixel)];
    }
}
