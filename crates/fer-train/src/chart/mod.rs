//! Pictures of figures, with one search for round ticks.
//! In: points. Out: SVG text.

pub(crate) mod curves;
pub(crate) mod diagrams;
mod ticks;
