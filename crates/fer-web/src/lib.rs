//! The web app: a page that opens the camera and reads faces, and an HTTP interface for programs.
//! In: a model, detectors, perhaps an input. Out: a server until it is asked to stop.
//! The only part of fer that listens on a socket; without OpenCV: whoever starts it says how a video file is opened.
//!
//! ```text
//! browser's camera ─▶ live/camera ─┐                              ┌─▶ live/camera ─▶ page
//! photos ─▶ read/analyze_route ────┴▶ read/: queue, finders, network ─▶ read/analyze_route ─▶ JSON, CSV
//! video ─▶ uploaded_videos/routes ─▶ uploaded_videos/: store, shelf, reader ─ the pipeline ─▶ its routes
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
mod uploaded_videos;

pub use error::WebError;
pub use limits::Limits;
pub use read::{MakeFinder, engine::GiveBack};
pub use server::{Access, Server, ServerParts, page_address};
pub use uploaded_videos::OpenVideo;
