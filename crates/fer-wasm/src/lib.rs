//! Reading faces inside a web page: pixels of a canvas → readings, without a server.
//! In: a model's two files, then pictures as a canvas has them. Out: readings as JSON, as the server writes them.
//! One thread; the page runs it in a worker of its own.
//!
//! ```text
//! card, weights ─▶ PageReader ─┬─ stream ─▶ PageStream ─ frames ─▶ reading    a camera or a video
//!                              └─ photos ────────────────────────▶ reading    pictures, each alone
//! ```

mod error;
mod pixels;
mod reader;
#[cfg(target_family = "wasm")]
mod script;

pub use error::PageError;
pub use pixels::rgb;
pub use reader::{PageReader, PageStream};
