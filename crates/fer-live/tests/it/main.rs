//! fer-live as a whole: from frames to readings, and what shows them.

#[cfg(feature = "web")]
mod web;
