//! A whole figure, part by part.
//! In: a [`Sitter`]. Out: its pixels on a canvas.

mod bust;
mod curls;
mod eyes;
mod hair;
mod hairlines;
mod mouth;
mod nose;
mod placement;
mod sitter;
mod worn;

use crate::brush::Canvas;

pub(crate) use placement::Placement;
pub use placement::Pose;
pub(crate) use sitter::Sitter;

/// Draws a whole figure, from the hair behind the head to the glasses in front.
pub(crate) fn draw(canvas: &mut Canvas, s: &Sitter<'_>) {
    hair::back(canvas, s);
    bust::body(canvas, s);
    bust::ears(canvas, s);
    let skin = bust::skin(canvas, s);
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
