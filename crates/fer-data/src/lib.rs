//! Faces, labels, splits, loaders and augmentation.
//! In: files. Out: [`Samples`] of one split, and augmented [`Face`]s.
//!
//! Without the feature `files` it reads none and compiles for wasm32: expressions, labels, faces, augmentation.

#[cfg(feature = "files")]
pub mod audit;
pub mod augment;
pub mod balance;
mod emotion;
#[cfg(feature = "files")]
mod error;
#[cfg(feature = "files")]
pub mod export;
pub mod face;
mod labels;
#[cfg(feature = "files")]
mod read;
mod sample;
mod split;
mod votes;

pub use augment::Augment;
pub use emotion::Emotion;
#[cfg(feature = "files")]
pub use error::{DataError, Reason, Skipped};
pub use face::{Face, jpeg, picture};
pub use labels::{LabelSet, Labels, argmax};
#[cfg(feature = "files")]
pub use read::{
    ClassMap, ClassRule, Cut, Learning, LoadOptions, Loaded, Part, ferplus, load_judged, load_learning,
    load_split,
};
pub use sample::{Sample, Samples, Source};
pub use split::Split;
pub use votes::Votes;
