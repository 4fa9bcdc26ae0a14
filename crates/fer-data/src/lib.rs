//! Faces, labels, splits, loaders, drawn faces and augmentation.
//! In: files, or a seed. Out: [`Samples`] of one split, and augmented [`Face`]s.

pub mod atomic;
pub mod audit;
pub mod augment;
pub mod balance;
mod carve;
mod compressed;
mod csv;
pub mod drawn;
pub mod emotion;
pub mod error;
pub mod exit;
pub mod export;
pub mod face;
pub mod ferplus;
mod folder;
pub mod labels;
pub mod load;
mod natural;
pub mod output;
pub mod picture;
pub mod sample;
pub mod split;
mod tree;

pub use augment::Augment;
pub use emotion::Emotion;
pub use error::{DataError, Reason, Skipped};
pub use face::Face;
pub use labels::{LabelSet, Labels};
pub use load::{Learning, LoadOptions, Loaded, load_learning, load_split};
pub use output::{OutputError, write_atomically};
pub use sample::{Sample, Samples, Source};
pub use split::Split;
