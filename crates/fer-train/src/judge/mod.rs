//! A model judged on one split.
//! In: a model and samples. Out: figures, tables, a temperature.

pub mod calibrate;
pub mod confusion;
pub mod evaluate;
pub mod explain;
pub mod eyes;
pub mod figures;
pub mod input;
pub mod job;
pub mod predictions_csv;
pub mod probabilities;
pub mod robustness;
pub mod summary;
pub mod text_tables;
pub mod verifier;
