//! Judging.

mod combine;
mod confusion;
mod cross_data;
mod evaluate;
mod explain;
mod probabilities;
mod program;
mod report;
mod robustness;
mod temperature;
mod text_tables;
mod verifier;
