//! From a searched picture back to the one it was cut from.
//! In: places in the searched picture. Out: boxes in the pixels of the whole one.

use image::GrayImage;

use super::group::Hit;
use super::picture::{Border, Region};
use crate::detect::FaceBox;

/// A rectangle in a searched picture; one that was turned back may reach over its border.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct SearchedRect {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

impl From<Hit> for SearchedRect {
    fn from(hit: Hit) -> Self {
        Self { x: hit.x.into(), y: hit.y.into(), width: hit.width.into(), height: hit.height.into() }
    }
}

impl SearchedRect {
    /// Where a rectangle of the picture made upright lies in the picture as it was, its centre turned by
    /// degrees clockwise; to whole pixels.
    pub(super) fn turned(self, picture: (u32, u32), clockwise: f64) -> Self {
        let (sin, cos) = clockwise.to_radians().sin_cos();
        let (cx, cy) = (f64::from(picture.0) / 2.0, f64::from(picture.1) / 2.0);
        let right = self.x + self.width / 2.0 - cx;
        let down = self.y + self.height / 2.0 - cy;
        let (x, y) = (cx + cos * right - sin * down, cy + sin * right + cos * down);
        Self { x: (x - self.width / 2.0).round(), y: (y - self.height / 2.0).round(), ..self }
    }
}

/// From a searched picture to the one it was cut from.
#[derive(Debug)]
pub(super) struct MapBack {
    corner: (f64, f64),
    scale: (f64, f64),
}

impl MapBack {
    /// `small` shows the region, and is searched with a border.
    pub(super) fn new(region: Region, small: &GrayImage, border: Border) -> Self {
        let scale = (
            f64::from(region.width) / f64::from(small.width()),
            f64::from(region.height) / f64::from(small.height()),
        );
        let corner = (
            f64::from(region.left) - f64::from(border.left) * scale.0,
            f64::from(region.top) - f64::from(border.top) * scale.1,
        );
        Self { corner, scale }
    }

    pub(super) fn face_box(&self, place: SearchedRect, neighbours: u32) -> FaceBox {
        FaceBox {
            x: (self.corner.0 + place.x * self.scale.0) as f32,
            y: (self.corner.1 + place.y * self.scale.1) as f32,
            width: (place.width * self.scale.0) as f32,
            height: (place.height * self.scale.1) as f32,
            score: neighbours as f32,
        }
    }
}

#[cfg(test)]
mod tests {
    use image::Luma;

    use super::*;
    use crate::haar::picture::turned;

    #[test]
    fn a_place_found_in_a_turned_picture_is_turned_back_to_where_it_was() {
        let mut gray = GrayImage::new(80, 60);
        for (x, y) in [(29, 19), (30, 19), (29, 20), (30, 20)] {
            gray.put_pixel(x, y, Luma([255]));
        }
        for clockwise in [-20.0, 0.0, 20.0, 45.0] {
            let upright = turned(&gray, -clockwise);
            let (x, y, _) =
                upright.enumerate_pixels().max_by_key(|(_, _, value)| value.0).expect("not empty");
            let place =
                SearchedRect { x: f64::from(x) - 5.0, y: f64::from(y) - 5.0, width: 10.0, height: 10.0 };
            let place = place.turned(gray.dimensions(), clockwise);
            let off = (place.x + 5.0 - 30.0).abs().max((place.y + 5.0 - 20.0).abs());
            assert!(off <= 1.0, "turned by {clockwise}: {place:?}");
        }
    }
}
