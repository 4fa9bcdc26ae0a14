//! Filled and framed rectangles on a picture.
//! In: a picture and rectangles that may reach over its border. Out: the picture, painted.

use image::{Rgb, RgbImage};

/// A rectangle in pixels; may reach over the border.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rect {
    pub(super) left: i32,
    pub(super) top: i32,
    pub(super) width: i32,
    pub(super) height: i32,
}

impl Rect {
    pub(super) fn new(left: i32, top: i32, width: i32, height: i32) -> Self {
        Self { left, top, width: width.max(0), height: height.max(0) }
    }

    /// Columns and rows that lie in a picture of this size.
    pub(super) fn within(&self, (width, height): (u32, u32)) -> [std::ops::Range<u32>; 2] {
        [clip(self.left, self.width, width), clip(self.top, self.height, height)]
    }

    /// Pixels that lie in both rectangles.
    pub(super) fn shared_area(&self, other: &Self) -> i64 {
        let right = self.left.saturating_add(self.width).min(other.left.saturating_add(other.width));
        let bottom = self.top.saturating_add(self.height).min(other.top.saturating_add(other.height));
        let width = right.saturating_sub(self.left.max(other.left)).max(0);
        let height = bottom.saturating_sub(self.top.max(other.top)).max(0);
        i64::from(width) * i64::from(height)
    }
}

/// Paints a rectangle with an opacity, `0..=1`.
pub(super) fn blend(picture: &mut RgbImage, rect: Rect, color: Rgb<u8>, opacity: f32) {
    let [columns, rows] = rect.within(picture.dimensions());
    let weight = (opacity.clamp(0.0, 1.0) * 256.0) as u32;
    for y in rows {
        for x in columns.clone() {
            mix(picture.get_pixel_mut(x, y), color, weight);
        }
    }
}

/// Paints the outline of a rectangle, inwards; a `faint` one is half transparent.
pub(super) fn frame_rect(picture: &mut RgbImage, rect: Rect, thick: i32, color: Rgb<u8>, faint: bool) {
    let opacity = if faint { 0.45 } else { 1.0 };
    let Rect { left, top, width, height } = rect;
    let sides = [
        Rect::new(left, top, width, thick),
        Rect::new(left, top + height - thick, width, thick),
        Rect::new(left, top + thick, thick, height - 2 * thick),
        Rect::new(left + width - thick, top + thick, thick, height - 2 * thick),
    ];
    for side in sides {
        blend(picture, side, color, opacity);
    }
}

/// Mixes a colour into a pixel, `weight` of 256.
pub(super) fn mix(pixel: &mut Rgb<u8>, color: Rgb<u8>, weight: u32) {
    for (value, new) in pixel.0.iter_mut().zip(color.0) {
        *value = ((u32::from(*value) * (256 - weight) + u32::from(new) * weight) >> 8) as u8;
    }
}

fn clip(start: i32, length: i32, size: u32) -> std::ops::Range<u32> {
    let end = start.saturating_add(length).clamp(0, size as i32);
    start.clamp(0, end) as u32..end as u32
}
