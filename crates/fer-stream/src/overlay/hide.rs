//! Faces made unrecognisable.
//! In: a picture and boxes. Out: the picture, a mosaic over each of them.

use image::{Rgb, RgbImage};

use super::paint::Rect;

/// Squares across a hidden face: what is left tells where a head is, not whose.
const SQUARES: i32 = 6;

/// How far beyond its box a face is hidden, in parts of the box: a detector's box ends at brows and chin.
const BEYOND: f32 = 0.25;

/// Lays a mosaic over a face: averages of squares, which no sharpening takes back, as it does a blur.
pub(super) fn hide(picture: &mut RgbImage, face: Rect) {
    let beyond = |length: i32| (BEYOND * length as f32).ceil() as i32;
    let (dx, dy) = (beyond(face.width), beyond(face.height));
    let side = ((face.width + 2 * dx).max(face.height + 2 * dy) / SQUARES).max(1);
    let starts = |start: i32, length: i32| (start..start.saturating_add(length)).step_by(side as usize);
    for top in starts(face.top - dy, face.height + 2 * dy) {
        for left in starts(face.left - dx, face.width + 2 * dx) {
            average(picture, &Rect::new(left, top, side, side));
        }
    }
}

fn average(picture: &mut RgbImage, square: &Rect) {
    let [columns, rows] = square.within(picture.dimensions());
    let n = (columns.len() * rows.len()) as u64;
    if n == 0 {
        return;
    }
    let mut sums = [0_u64; 3];
    let places = || rows.clone().flat_map(|y| columns.clone().map(move |x| (x, y)));
    for (x, y) in places() {
        sums.iter_mut().zip(picture.get_pixel(x, y).0).for_each(|(sum, value)| *sum += u64::from(value));
    }
    let mean = Rgb(sums.map(|sum| ((sum + n / 2) / n) as u8));
    places().for_each(|(x, y)| picture.put_pixel(x, y, mean));
}
