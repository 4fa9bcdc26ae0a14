//! fer-model's tests, one binary.

mod card;
mod checkpoint;
mod fixtures;
mod predict;
mod tta;
