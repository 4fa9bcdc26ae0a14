//! The web app: a page that opens the camera and reads faces, and an HTTP interface for programs.
//! In: a model, detectors, perhaps an input. Out: a server until it is asked to stop.
//! The only part of fer that listens on a socket.
//!
//! ```text
//! camera ─▶ live ─┐                                    ┌─▶ live ─▶ smoother of the client ─▶ page
//! photo ─▶ analyze ┼─▶ queue ─▶ engine's finders ─▶ inference ─▶ analyze ─▶ JSON, CSV
//! video ─▶ uploads ─▶ videos ─▶ pipeline ───────────────┤
//! --input ────────────────────▶ pipeline ───────────────┴─▶ source ─▶ MJPEG, events
//! ```

mod analyze;
mod assets;
mod connections;
mod engine;
mod inference;
mod limits;
mod live;
mod metrics;
mod options;
mod picture;
mod problem;
mod queue;
mod routes;
mod security;
mod server;
mod source;
mod state;
mod uploads;
mod video_reader;
mod videos;

pub use limits::Limits;
pub use options::{ServeOptions, page_address};
pub use security::Access;
pub use server::{Input, Parts, Server};
