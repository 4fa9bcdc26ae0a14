//! Pictures of figures.
//! In: points. Out: SVG text.

pub mod curves;
pub(crate) mod diagrams;
pub mod ticks;
