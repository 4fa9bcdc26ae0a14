//! Frames in, readings out, stages side by side.
//! In: a [`Feed`](crate::Feed), an [`Analyzer`](fer_vision::Analyzer). Out: every [`Shot`] to a [`Sink`], in order.

mod capture;
mod file;
mod newest;
mod run;

pub use capture::{Captured, LiveOptions};
pub use run::{Shot, Sink, run};
