//! What cameras and detectors do to a face: noise, blur, too few pixels, compression.
//! In: a face and a generator. Out: the face, worse.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use rand::{Rng, RngExt};

use crate::Face;

/// One of noise (deviation 2 to 25 grey levels), blur (Gaussian, deviation 0.5 to 2 pixels), a lower
/// resolution (12 to 40 pixels wide) and JPEG (quality 10 to 60), each as likely, its strength uniform.
///
/// The ranges reach a little beyond what `fer-eval robustness` judges.
#[must_use]
pub fn degrade(face: &Face, rng: &mut impl Rng) -> Face {
    match rng.random_range(0..4) {
        0 => noisy(face, rng.random_range(2.0..=25.0), rng),
        1 => blurred(face, rng.random_range(0.5..=2.0)),
        2 => through(face, rng.random_range(12..=40)),
        _ => compressed(face, rng.random_range(10..=60)),
    }
}

/// Gaussian noise of a deviation in grey levels.
#[must_use]
pub fn noisy(face: &Face, deviation: f32, rng: &mut impl Rng) -> Face {
    let mut face = face.clone();
    for pixel in face.pixels_mut() {
        // Twelve uniform numbers of 0..1 sum to a bell curve about 6 of deviation 1.
        let bell = (0..12).map(|_| rng.random::<f32>()).sum::<f32>() - 6.0;
        *pixel = (f32::from(*pixel) + deviation * bell).round().clamp(0.0, 255.0) as u8;
    }
    face
}

/// Gaussian blur of a deviation in pixels.
#[must_use]
pub fn blurred(face: &Face, deviation: f32) -> Face {
    Face::from_gray(&imageops::blur(&face.to_gray(), deviation))
}

/// The face as it looks from a picture in which it is `side` pixels wide, `1..`.
#[must_use]
pub fn through(face: &Face, side: u32) -> Face {
    Face::from_gray(&imageops::resize(&face.to_gray(), side, side, FilterType::Triangle))
}

/// The face after JPEG of a quality `1..=100`.
///
/// # Panics
/// Never: what was just encoded in memory decodes.
#[must_use]
pub fn compressed(face: &Face, quality: u8) -> Face {
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
    face.to_gray().write_with_encoder(encoder).expect("48 × 48 grey pixels encode into memory");
    let picture = image::load(Cursor::new(bytes), image::ImageFormat::Jpeg);
    Face::from_picture(&picture.expect("what was just encoded decodes"))
}
