//! Faces by YuNet, a small network (Wu et al. 2023), without OpenCV.
//! In: the ONNX file's bytes and pictures. Out: boxes and landmarks, in the picture's pixels.
//!
//! ```text
//! ONNX ─ free_size ─ rten ─▶ YuNet
//! picture ─ scaled, padded ─▶ [1, 3, H, W] ─ YuNet ─▶ per stride: cls, obj, bbox, kps ─ decode ─▶ YuNetFace
//! ```

mod decode;
mod detector;
mod fields;
mod network;
mod picture;
mod size;

pub use decode::YuNetFace;
pub use detector::{YuNetDetector, YuNetOptions};
pub use network::{MOST_BYTES, YuNetError};
