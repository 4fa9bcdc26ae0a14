//! Faces, labels, splits, loaders and augmentation.
//! In: files. Out: [`Samples`] of one split, and augmented [`Face`]s.

pub mod audit;
pub mod augment;
pub mod balance;
pub mod emotion;
pub mod error;
pub mod export;
pub mod face;
pub mod labels;
pub mod read;
pub mod sample;
pub mod split;

pub use augment::Augment;
pub use emotion::Emotion;
pub use error::{DataError, Reason, Skipped};
pub use face::{Face, picture};
pub use labels::{LabelSet, Labels};
pub use read::{Learning, LoadOptions, Loaded, ferplus, load_learning, load_split};
pub use sample::{Sample, Samples, Source};
pub use split::Split;
