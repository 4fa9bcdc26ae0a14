//! What `--input` means, and the sources that need no OpenCV.
//! In: the user's words; bytes; a seed. Out: an [`Input`], frames.

mod camera_names;
mod drawn;
mod gif;
mod input;
mod jpeg_stream;
mod options;
mod photo;
mod raw_stream;

pub use camera_names::{Camera, cameras};
pub use drawn::DrawnSource;
pub use gif::GifSource;
pub use input::Input;
pub use jpeg_stream::JpegStream;
pub use options::SourceOptions;
pub use photo::{PhotoSource, read_photo};
pub use raw_stream::RawStream;
