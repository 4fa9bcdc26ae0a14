//! A person, an expression and a pose become a portrait.
//! In: [`Person`], [`Expression`], [`Pose`]. Out: pixels.

use image::{RgbImage, RgbaImage};
use tiny_skia::Pixmap;

use crate::{
    anatomy::{self, Placement, Pose, Sitter},
    brush::{Canvas, Shape},
    person::{Expression, Muscles, Person},
};

/// A head-and-shoulders portrait on a transparent ground, `side` × `side` pixels, straight alpha.
///
/// The head is about 0.47 of the picture wide and its middle a little above the picture's.
#[must_use]
pub fn render(person: &Person, expression: &Expression, pose: &Pose, side: u32) -> RgbaImage {
    let mut canvas = Canvas::new(side, side);
    anatomy::draw(&mut canvas, &sitter(person, expression, pose, side));
    rgba(canvas.into_pixmap())
}

/// The same portrait on a soft ground in the person's own colour.
#[must_use]
pub fn portrait(person: &Person, expression: &Expression, pose: &Pose, side: u32) -> RgbImage {
    let mut canvas = Canvas::new(side, side);
    let size = side as f32;
    let ground = person.backdrop;
    let all = Shape::rect(0.0, 0.0, size, size);
    canvas.fill_between(
        &all,
        ([0.0, 0.0], ground.light(0.35).at(1.0)),
        ([0.0, size], ground.times(0.86).at(1.0)),
        None,
    );
    anatomy::draw(&mut canvas, &sitter(person, expression, pose, side));
    image::DynamicImage::ImageRgba8(rgba(canvas.into_pixmap())).to_rgb8()
}

fn sitter<'a>(person: &'a Person, expression: &Expression, pose: &Pose, side: u32) -> Sitter<'a> {
    let side = side as f32;
    let place = Placement { origin: [0.5 * side, 0.475 * side], unit: side / 4.25, pose: *pose };
    Sitter::new(person, expression, &Muscles::default(), place, -1.0)
}

fn rgba(pixmap: Pixmap) -> RgbaImage {
    let (width, height) = (pixmap.width(), pixmap.height());
    RgbaImage::from_raw(width, height, pixmap.take_demultiplied()).expect("a pixmap holds four bytes a pixel")
}
