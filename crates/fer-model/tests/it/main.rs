//! fer-model's tests, one binary.

mod card;
mod checkpoint;
mod fixtures;
#[cfg(feature = "ndarray")]
mod ndarray;
mod predict;
mod tta;
