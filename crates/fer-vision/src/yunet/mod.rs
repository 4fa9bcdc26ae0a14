//! Faces by YuNet, a small network (Wu et al. 2023), without OpenCV.
//! In: the ONNX file's bytes and pictures. Out: boxes and landmarks, in the picture's pixels.
//!
//! ```text
//! ONNX ─ free_size ─ rten ─▶ YuNet
//! picture ─ scaled, padded ─▶ [1, 3, H, W] ─ YuNet ─▶ per stride: cls, obj, bbox, kps ─ decode ─▶ YuNetFace
//! ```

#[cfg(feature = "yunet")]
mod decode;
#[cfg(feature = "yunet")]
mod detector;
#[cfg(feature = "yunet")]
mod fields;
mod file;
#[cfg(feature = "yunet")]
mod network;
#[cfg(feature = "yunet")]
mod picture;
#[cfg(feature = "yunet")]
mod size;

#[cfg(feature = "yunet")]
pub use decode::YuNetFace;
#[cfg(feature = "yunet")]
pub use detector::{YuNetDetector, YuNetOptions};
pub use file::{BYTES, FILE, MOST_BYTES, SHA256, WHERE};
#[cfg(feature = "yunet")]
pub use network::YuNetError;
