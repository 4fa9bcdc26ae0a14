//! A person, an expression and a pose become a portrait.
//! In: [`Person`], [`Expression`], [`Pose`]. Out: pixels.

use image::{RgbImage, RgbaImage};
use tiny_skia::Pixmap;

use super::{
    canvas::{Canvas, Shape},
    expression::{Expression, Muscles},
    eyes, hair,
    head::{self, Sitter},
    mouth, nose,
    person::Person,
    placement::{Placement, Pose},
    worn,
};

/// A head-and-shoulders portrait on a transparent ground, `side` × `side` pixels, straight alpha.
///
/// The head is about 0.47 of the picture wide and its middle a little above the picture's.
#[must_use]
pub fn render(person: &Person, expression: &Expression, pose: &Pose, side: u32) -> RgbaImage {
    let mut canvas = Canvas::new(side, side);
    figure(&mut canvas, &sitter(person, expression, pose, side));
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
    figure(&mut canvas, &sitter(person, expression, pose, side));
    image::DynamicImage::ImageRgba8(rgba(canvas.into_pixmap())).to_rgb8()
}

fn sitter<'a>(person: &'a Person, expression: &Expression, pose: &Pose, side: u32) -> Sitter<'a> {
    let side = side as f32;
    let place = Placement { origin: [0.5 * side, 0.475 * side], unit: side / 4.25, pose: *pose };
    Sitter { person, muscles: person.muscles(expression), place, light: -1.0 }
}

/// Draws a whole figure, from the hair behind the head to the glasses in front.
pub(super) fn figure(canvas: &mut Canvas, s: &Sitter<'_>) {
    hair::back(canvas, s);
    head::body(canvas, s);
    head::ears(canvas, s);
    let skin = head::skin(canvas, s);
    eyes::sockets(canvas, s, &skin);
    nose::nose(canvas, s, &skin);
    worn::beard(canvas, s, &skin);
    mouth::mouth(canvas, s, &skin);
    worn::moustache(canvas, s, &skin);
    eyes::eyes(canvas, s, &skin);
    eyes::brows(canvas, s, &skin);
    hair::front(canvas, s, &skin);
    worn::glasses(canvas, s);
}

/// A figure with more than an expression on its face (slack, a blink, a gaze).
pub(super) fn sitter_with<'a>(
    person: &'a Person,
    expression: &Expression,
    more: &Muscles,
    place: Placement,
    light: f32,
) -> Sitter<'a> {
    let mut muscles = person.muscles(expression);
    muscles.add(more, 1.0);
    Sitter { person, muscles, place, light }
}

fn rgba(pixmap: Pixmap) -> RgbaImage {
    let (width, height) = (pixmap.width(), pixmap.height());
    RgbaImage::from_raw(width, height, pixmap.take_demultiplied()).expect("a pixmap holds four bytes a pixel")
}
