//! Random erasing: one rectangle of the face painted over.
//! In: a face, a range of areas and a generator. Out: the face with the rectangle.

use rand::{Rng, RngExt};

use crate::{
    Face,
    face::{MEAN, SIDE},
};

/// Paints a rectangle with the mean grey, which the network sees as about 0.
///
/// Its area is uniform in `area` (shares of the face), its height over width log-uniform in
/// 0.3 to 3.3 (Zhong et al. 2017), its place uniform; it stays inside the face.
pub fn erase(face: &mut Face, area: [f32; 2], rng: &mut impl Rng) {
    let [least, most] = area;
    let pixels = rng.random_range(least..=most) * (SIDE * SIDE) as f32;
    let ratio = rng.random_range(0.3_f32.ln()..=3.3_f32.ln()).exp();
    let side = |length: f32| (length.round() as usize).clamp(1, SIDE);
    let (height, width) = (side((pixels * ratio).sqrt()), side((pixels / ratio).sqrt()));
    let (top, left) = (rng.random_range(0..=SIDE - height), rng.random_range(0..=SIDE - width));
    let rows = face.pixels_mut().chunks_exact_mut(SIDE).skip(top).take(height);
    rows.for_each(|row| row[left..left + width].fill(MEAN.round() as u8));
}
