//! Drawn faces: cartoon people whose apparent expression, pose and light are numbers.
//! In: seeds, [`Expression`]s, [`Pose`]s, times. Out: portraits, labelled [`crate::Face`]s and moving scenes.
//!
//! The same seed gives the same pixels. Everything is drawn as anti-aliased paths and soft blobs;
//! a face is a set of muscles (`expression.rs`) that move points on an ellipsoid head (`placement.rs`).

mod canvas;
mod casting;
mod curls;
mod dataset;
mod dice;
mod expression;
mod eyes;
mod hair;
mod hairlines;
mod head;
mod ink;
mod mouth;
mod nose;
mod person;
mod placement;
mod render;
mod room;
mod scarf;
mod scene;
mod worn;

pub use dataset::{face, samples};
pub use expression::Expression;
pub use person::Person;
pub use placement::Pose;
pub use render::{portrait, render};
pub use scene::{Scene, TruthFace};
