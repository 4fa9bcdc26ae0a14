//! What the detector does to pictures before it searches them: grey, another size, turned.
//! In: a picture. Out: a [`GrayImage`].
//!
//! Differences to the functions of OpenCV that stand here otherwise: [`gray`] is `cvtColor(RGB2GRAY)` to the
//! bit. [`resized`] is `INTER_AREA` but for single grey values that round the other way, and
//! `INTER_LINEAR_EXACT` to the bit. [`turned`] is `warpAffine(INTER_LINEAR)` without its rounding of places
//! to 1/32 of a pixel.

use image::{GrayImage, RgbImage};

use super::layer::{Gray, Tap, scale_row, taps};

/// A part of a picture, in its pixels; inside it and not empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) left: u32,
    pub(super) top: u32,
    pub(super) width: u32,
    pub(super) height: u32,
}

/// The grey values of a region.
pub(super) fn gray(picture: &RgbImage, region: Region) -> GrayImage {
    let row_bytes = 3 * picture.width() as usize;
    let (from, length) = (3 * region.left as usize, 3 * region.width as usize);
    let rows =
        picture.as_raw().chunks_exact(row_bytes).skip(region.top as usize).take(region.height as usize);
    let mut pixels = Vec::with_capacity(region.width as usize * region.height as usize);
    for row in rows {
        let (colours, _) = row[from..from + length].as_chunks::<3>();
        // OpenCV's weights of 0.299, 0.587 and 0.114 in 15 bits.
        pixels.extend(colours.iter().map(|&[red, green, blue]| {
            ((9_798 * u32::from(red) + 19_235 * u32::from(green) + 3_735 * u32::from(blue) + (1 << 14)) >> 15)
                as u8
        }));
    }
    from_pixels(region.width, region.height, pixels)
}

/// The picture at another size, each side at least 1: by area where it shrinks, linear where it grows.
pub(super) fn resized(gray: &GrayImage, width: u32, height: u32) -> GrayImage {
    if gray.dimensions() == (width, height) {
        return gray.clone();
    }
    let source = Gray { pixels: gray.as_raw(), width: gray.width() as usize, height: gray.height() as usize };
    let (columns, rows) = (width as usize, height as usize);
    let mut pixels = vec![0; columns * rows];
    if columns <= source.width && rows <= source.height {
        shrink(source, columns, &mut pixels);
    } else {
        let (mut across, mut down) = (Vec::new(), Vec::<Tap>::new());
        taps(source.width, columns, &mut across);
        taps(source.height, rows, &mut down);
        let mut blended = vec![0; source.width];
        for (row, tap) in pixels.chunks_exact_mut(columns).zip(down) {
            scale_row(source, tap, &across, &mut blended, row);
        }
    }
    from_pixels(width, height, pixels)
}

/// How far a picture is continued beyond each of its edges, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Border {
    pub(super) left: u32,
    pub(super) top: u32,
    pub(super) right: u32,
    pub(super) bottom: u32,
}

/// The picture continued by repeating its edges: a face that reaches over an edge has its window there.
pub(super) fn bordered(gray: &GrayImage, border: Border) -> GrayImage {
    if border == Border::default() {
        return gray.clone();
    }
    let (width, height) = gray.dimensions();
    let wide = width + border.left + border.right;
    let mut pixels = Vec::with_capacity((wide * (height + border.top + border.bottom)) as usize);
    for row in 0..height + border.top + border.bottom {
        let line = row.saturating_sub(border.top).min(height - 1) as usize * width as usize;
        let line = &gray.as_raw()[line..line + width as usize];
        pixels.extend(std::iter::repeat_n(line[0], border.left as usize));
        pixels.extend_from_slice(line);
        pixels.extend(std::iter::repeat_n(line[line.len() - 1], border.right as usize));
    }
    from_pixels(wide, height + border.top + border.bottom, pixels)
}

/// Each pixel the mean of the area it covers.
fn shrink(source: Gray<'_>, columns: usize, pixels: &mut [u8]) {
    let rows = pixels.len() / columns;
    let (across, down) = (covers(source.width, columns), covers(source.height, rows));
    let mut sums = vec![0.0_f32; source.width];
    for (row, cover) in pixels.chunks_exact_mut(columns).zip(&down) {
        sums.fill(0.0);
        let lines = source.pixels.chunks_exact(source.width).skip(cover.first);
        for (line, &weight) in lines.zip(&cover.weights) {
            for (sum, &value) in sums.iter_mut().zip(line) {
                *sum += weight * f32::from(value);
            }
        }
        for (pixel, cover) in row.iter_mut().zip(&across) {
            let parts = sums[cover.first..].iter().zip(&cover.weights);
            *pixel = parts.map(|(sum, weight)| sum * weight).sum::<f32>().round_ties_even() as u8;
        }
    }
}

/// Which pixels one scaled pixel covers along an axis.
struct Cover {
    first: usize,
    /// How much of it each of them is; their sum is 1.
    weights: Vec<f32>,
}

fn covers(from: usize, to: usize) -> Vec<Cover> {
    let scale = from as f64 / to as f64;
    let cover = |idx: usize| {
        let (start, end) = (idx as f64 * scale, ((idx + 1) as f64 * scale).min(from as f64));
        let first = start as usize;
        let last = (end.ceil() as usize).clamp(first + 1, from);
        let part = |at: usize| (end.min((at + 1) as f64) - start.max(at as f64)).max(0.0);
        let whole: f64 = (first..last).map(part).sum();
        Cover { first, weights: (first..last).map(|at| (part(at) / whole) as f32).collect() }
    };
    (0..to).map(cover).collect()
}

/// The picture turned about its centre, by degrees clockwise, its edges continued.
pub(super) fn turned(gray: &GrayImage, clockwise: f64) -> GrayImage {
    let (width, height) = gray.dimensions();
    let (sin, cos) = clockwise.to_radians().sin_cos();
    let (sin, cos) = (sin as f32, cos as f32);
    let (cx, cy) = (width as f32 / 2.0, height as f32 / 2.0);
    let (last_column, last_row) = ((width - 1) as f32, (height - 1) as f32);
    let (source, stride) = (gray.as_raw(), width as usize);
    let mut pixels = Vec::with_capacity(source.len());
    for row in 0..height {
        let down = row as f32 - cy;
        pixels.extend((0..width).map(|column| {
            let right = column as f32 - cx;
            let x = (cx + cos * right + sin * down).clamp(0.0, last_column);
            let y = (cy - sin * right + cos * down).clamp(0.0, last_row);
            let (left, top) = (x as usize, y as usize);
            let next = left + usize::from(left + 1 < stride);
            let lower = if top + 1 < height as usize { top + 1 } else { top };
            let value = |column: usize, row: usize| f32::from(source[row * stride + column]);
            let (part_x, part_y) = (x - left as f32, y - top as f32);
            let upper_value = value(left, top) + part_x * (value(next, top) - value(left, top));
            let lower_value = value(left, lower) + part_x * (value(next, lower) - value(left, lower));
            (upper_value + part_y * (lower_value - upper_value)).round() as u8
        }));
    }
    from_pixels(width, height, pixels)
}

fn from_pixels(width: u32, height: u32, pixels: Vec<u8>) -> GrayImage {
    GrayImage::from_raw(width, height, pixels).expect("as many pixels as width times height")
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn grey_is_the_weighted_mean_of_a_region() {
        let picture = RgbImage::from_fn(5, 4, |x, y| Rgb([x as u8 * 50, y as u8 * 60, 100]));
        let region = Region { left: 1, top: 2, width: 3, height: 2 };
        let expected = [105, 120, 135, 140, 155, 170]
            .into_iter()
            .enumerate()
            .map(|(idx, _)| {
                let (x, y) = (1 + idx % 3, 2 + idx / 3);
                (0.299 * (x * 50) as f64 + 0.587 * (y * 60) as f64 + 0.114 * 100.0).round() as u8
            })
            .collect::<Vec<u8>>();
        assert_eq!(gray(&picture, region).into_raw(), expected);
    }

    #[test]
    fn shrinking_keeps_the_mean_and_halves_are_means_of_four() {
        let gray = GrayImage::from_raw(4, 2, vec![0, 2, 10, 20, 4, 6, 30, 40]).expect("8 pixels");
        assert_eq!(resized(&gray, 2, 1).into_raw(), [3, 25]);
        let even = GrayImage::from_pixel(97, 61, image::Luma([131]));
        assert!(resized(&even, 44, 27).as_raw().iter().all(|&value| value == 131));
    }

    #[test]
    fn growing_an_even_ramp_gives_an_even_ramp() {
        let ramp = GrayImage::from_fn(20, 3, |x, _| image::Luma([10 * x as u8]));
        let grown = resized(&ramp, 40, 6);
        for x in 1..39_u32 {
            let expected = (f64::from(x) - 0.5) / 2.0 * 10.0;
            assert!((f64::from(grown.get_pixel(x, 3).0[0]) - expected).abs() <= 0.5, "column {x}");
        }
    }

    #[test]
    fn turning_by_nothing_changes_nothing_and_a_quarter_moves_right_to_down() {
        let mut gray = GrayImage::new(60, 60);
        gray.put_pixel(40, 30, image::Luma([255]));
        assert_eq!(turned(&gray, 0.0), gray);
        let quarter = turned(&gray, 90.0);
        assert_eq!(quarter.get_pixel(30, 40).0, [255]);
    }
}
