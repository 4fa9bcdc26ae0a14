//! Text on a picture, in a font that comes with the program.
//! In: a picture, a place, a size, a colour, a text. Out: the picture with the text.
//! Characters the font lacks become boxes: it holds Latin, Greek and Cyrillic.

use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, Glyph, PxScale, ScaleFont, point};
use image::{Rgb, RgbImage};

use super::paint::mix;

/// DejaVu Sans, a subset; its licence lies beside it.
static FONT: LazyLock<FontRef<'static>> = LazyLock::new(|| {
    FontRef::try_from_slice(include_bytes!("../../assets/DejaVuSans-latin-greek-cyrillic.ttf"))
        .expect("the font in assets is one that ab_glyph reads")
});

/// Width of a text of a height, in pixels.
pub(super) fn text_width(text: &str, height: f32) -> f32 {
    glyphs(text, height).1
}

/// Draws a text whose line begins at the top left `(x, y)` and is `height` pixels high.
pub(super) fn draw_text(picture: &mut RgbImage, x: f32, y: f32, height: f32, color: Rgb<u8>, text: &str) {
    let baseline = y + FONT.as_scaled(PxScale::from(height)).ascent();
    for mut glyph in glyphs(text, height).0 {
        glyph.position = point(glyph.position.x + x, baseline);
        if let Some(outline) = FONT.outline_glyph(glyph) {
            let corner = outline.px_bounds().min;
            outline.draw(|dx, dy, cover| {
                let (px, py) = (corner.x as i32 + dx as i32, corner.y as i32 + dy as i32);
                let is_inside =
                    px >= 0 && py >= 0 && px < picture.width() as i32 && py < picture.height() as i32;
                if is_inside {
                    mix(
                        picture.get_pixel_mut(px as u32, py as u32),
                        color,
                        (cover.clamp(0.0, 1.0) * 256.0) as u32,
                    );
                }
            });
        }
    }
}

/// The glyphs of a text from `x = 0` on, and its width.
fn glyphs(text: &str, height: f32) -> (Vec<Glyph>, f32) {
    let font = FONT.as_scaled(PxScale::from(height));
    let mut x = 0.0;
    let mut previous = None;
    let mut placed = Vec::with_capacity(text.len());
    for character in text.chars() {
        let id = font.glyph_id(character);
        x += previous.map_or(0.0, |previous| font.kern(previous, id));
        placed.push(id.with_scale_and_position(PxScale::from(height), point(x, 0.0)));
        x += font.h_advance(id);
        previous = Some(id);
    }
    (placed, x)
}
