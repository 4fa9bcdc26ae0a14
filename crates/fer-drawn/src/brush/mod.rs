//! What drawings are made with.
//! In: points, colours, seeds. Out: anti-aliased pixels, and numbers that are the same everywhere.

mod canvas;
mod dice;
mod ink;

pub(crate) use canvas::{Canvas, P, Shape};
pub(crate) use dice::Dice;
pub(crate) use ink::Ink;
