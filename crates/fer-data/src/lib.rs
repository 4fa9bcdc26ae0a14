//! Faces, labels, splits, loaders, drawn faces and augmentation.
//! In: files, or a seed. Out: [`Samples`] of one split, and augmented [`Face`]s.
//! Knows nothing of Burn, OpenCV or the screen.

pub mod emotion;
pub mod face;
pub mod labels;
pub mod sample;
pub mod split;

pub use emotion::Emotion;
pub use face::Face;
pub use labels::Labels;
pub use sample::{Sample, Samples, Source};
pub use split::Split;
