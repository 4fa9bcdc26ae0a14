//! Drawn faces: cartoon people whose apparent expression, pose and light are numbers.
//! In: seeds, [`Expression`]s, [`Pose`]s, times. Out: portraits, labelled [`fer_data::Face`]s and moving scenes.
//!
//! The same seed gives the same pixels. Everything is drawn as anti-aliased paths and soft blobs;
//! a face is a set of muscles (`person/expression.rs`) that move points on an ellipsoid head (`anatomy/placement.rs`).

mod anatomy;
mod brush;
mod data;
mod dataset;
mod person;
mod portrait;
mod scene;

pub use anatomy::Pose;
pub use data::Data;
pub use dataset::{face, samples};
pub use person::{Expression, Person};
pub use portrait::{portrait, render};
pub use scene::{Scene, TruthFace};
