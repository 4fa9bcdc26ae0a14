//! Judging.

mod confusion;
mod evaluate;
mod probabilities;
mod program;
mod report;
mod temperature;
mod text_tables;
