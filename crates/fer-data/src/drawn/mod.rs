//! Drawn faces: cartoon people whose apparent expression, pose and light are numbers.
//! In: seeds, [`Expression`]s, [`Pose`]s, times. Out: portraits, labelled [`crate::Face`]s and moving scenes.
//! Knows nothing of files, networks or detectors.
//!
//! The same seed gives the same pixels. Everything is drawn as anti-aliased paths and soft blobs;
//! a face is a set of muscles ([`expression`]) that move points on an ellipsoid head ([`placement`]).

mod canvas;
mod dataset;
mod dice;
mod expression;
mod eyes;
mod hair;
mod head;
mod ink;
mod mouth;
mod nose;
mod person;
mod placement;
mod render;
mod room;
mod scene;
mod worn;

pub use dataset::{face, samples};
pub use expression::Expression;
pub use person::Person;
pub use placement::Pose;
pub use render::{portrait, render};
pub use scene::{Scene, TruthFace};

fn tune(i: usize, usual: f32) -> f32 {
    static T: std::sync::OnceLock<Vec<f32>> = std::sync::OnceLock::new();
    let t = T.get_or_init(|| std::env::var("DRAWN_TUNE").unwrap_or_default().split(',').map(|x| x.trim().parse().unwrap_or(f32::NAN)).collect());
    t.get(i).copied().filter(|v| !v.is_nan()).unwrap_or(usual)
}
