//! The web app: a page that opens the camera and reads faces, and an HTTP interface for programs.
//! In: a model, detectors, perhaps an input. Out: a server until it is asked to stop.
//! The only part of fer that listens on a socket; without OpenCV: whoever starts it says how a video file is opened.
//!
//! ```text
//! browser's camera ─▶ live/camera ─┐                              ┌─▶ live/camera ─▶ page
//! photos ─▶ read/analyze ──────────┴▶ read/: queue, finders, network ─▶ read/analyze ─▶ JSON, CSV
//! video ─▶ videos/routes ─▶ videos/: store, shelf, reader ─ the pipeline ─▶ videos/routes
//! --input ───────────────────────▶ the pipeline ─▶ live/hub ─▶ live/streams ─▶ MJPEG, events
//! ```

mod app;
mod error;
mod limits;
mod live;
mod page;
mod problem;
mod random;
mod read;
mod server;
mod stop;
mod videos;

pub use error::WebError;
pub use limits::Limits;
pub use read::{MakeFinder, engine::GiveBack};
pub use server::{Access, Server, ServerParts, page_address};
pub use videos::OpenVideo;
