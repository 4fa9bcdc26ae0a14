//! A picture → what YuNet sees.
//! In: a picture and the longest side to search at. Out: `[3, height, width]` floats, BGR, `0..=255`.

use image::RgbImage;

/// The network halves its picture five times.
const MULTIPLE: u32 = 32;

/// Weights of pixels are in units of 1/2048, as OpenCV's.
const UNIT: f32 = 2048.0;

/// What the network sees.
pub(super) struct Planes {
    /// `[3, height, width]`, BGR, `0..=255`; zero right of the picture and below it.
    pub(super) values: Vec<f32>,
    /// Multiples of 32.
    pub(super) height: usize,
    /// Multiples of 32.
    pub(super) width: usize,
    /// Pixels of the searched picture a pixel of the full one, `0..=1`.
    pub(super) scale: f64,
}

/// Scales a picture with pixels down to this longest side, if it is larger, and pads it.
///
/// The pixels are those of OpenCV's `resize(…, fx, fy, INTER_LINEAR)` with one factor for both axes.
pub(super) fn planes(picture: &RgbImage, longest: u32) -> Planes {
    let (full_width, full_height) = picture.dimensions();
    let scale = (f64::from(longest) / f64::from(full_width.max(full_height))).min(1.0);
    let side = |full: u32| ((f64::from(full) * scale).round_ties_even() as u32).max(1);
    let (small_width, small_height) = (side(full_width), side(full_height));
    let width = small_width.next_multiple_of(MULTIPLE) as usize;
    let height = small_height.next_multiple_of(MULTIPLE) as usize;
    let mut values = vec![0.0; 3 * width * height];
    let across = pixel_pairs(full_width, small_width, scale);
    let down = pixel_pairs(full_height, small_height, scale);
    let row_bytes = 3 * full_width as usize;
    let row = |idx: usize| &picture.as_raw()[idx * row_bytes..(idx + 1) * row_bytes];
    for (y, pair) in down.iter().enumerate() {
        let (upper, lower) = (row(pair.first), row(pair.second));
        for (x, column) in across.iter().enumerate() {
            let (left, right) = (3 * column.first, 3 * column.second);
            for colour in 0..3 {
                let blended = |line: &[u8]| {
                    i32::from(line[left + colour]) * column.weights.0
                        + i32::from(line[right + colour]) * column.weights.1
                };
                let part = |line: &[u8], weight: i32| (weight * (blended(line) >> 4)) >> 16;
                let value = (part(upper, pair.weights.0) + part(lower, pair.weights.1) + 2) >> 2;
                values[((2 - colour) * height + y) * width + x] = value as f32;
            }
        }
    }
    Planes { values, height, width, scale }
}

/// Two neighbours along an axis and their weights, which sum to 2048.
struct PixelPair {
    first: usize,
    second: usize,
    weights: (i32, i32),
}

fn pixel_pairs(full: u32, small: u32, scale: f64) -> Vec<PixelPair> {
    let last = full as usize - 1;
    let pair = |idx: u32| {
        let place = ((f64::from(idx) + 0.5) / scale - 0.5) as f32;
        let first = place.floor().max(0.0);
        let part = (place - first).max(0.0);
        let weight = |part: f32| (part * UNIT).round_ties_even() as i32;
        let first = (first as usize).min(last);
        PixelPair { first, second: (first + 1).min(last), weights: (weight(1.0 - part), weight(part)) }
    };
    (0..small).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn a_small_picture_keeps_its_pixels_as_blue_green_red_and_is_padded_with_black() {
        let picture = RgbImage::from_fn(33, 2, |x, y| Rgb([x as u8, 100 + y as u8, 200]));
        let planes = planes(&picture, 320);
        assert_eq!((planes.width, planes.height, planes.scale), (64, 32, 1.0));
        let at = |plane: usize, x: usize, y: usize| planes.values[(plane * 32 + y) * 64 + x];
        assert_eq!([at(0, 32, 1), at(1, 32, 1), at(2, 32, 1)], [200.0, 101.0, 32.0]);
        assert_eq!([at(0, 33, 1), at(1, 0, 2), at(2, 63, 31)], [0.0; 3]);
    }

    #[test]
    fn a_large_picture_is_scaled_by_one_factor_and_pixels_lie_between_their_neighbours() {
        let ramp = RgbImage::from_fn(90, 61, |x, _| Rgb([2 * x as u8; 3]));
        let planes = planes(&ramp, 60);
        assert!((planes.scale - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!((planes.width, planes.height), (64, 64));
        for x in 0..60 {
            // Pixel centres: (x + 0.5) · 1.5 − 0.5, twice.
            let expected = 3.0 * x as f32 + 0.5;
            assert!((planes.values[64 * 40 + x] - expected).abs() <= 0.5, "row 40, column {x}");
            assert_eq!(planes.values[64 * 41 + x], 0.0, "61 rows become 41");
        }
    }

    #[test]
    fn the_longest_and_the_flattest_picture_have_a_pixel_left() {
        let planes = planes(&RgbImage::from_pixel(3_000, 1, Rgb([9; 3])), 64);
        assert_eq!((planes.width, planes.height), (64, 32));
        assert_eq!(planes.values[..64], [9.0; 64]);
    }
}
