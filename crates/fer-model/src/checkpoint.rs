//! A model folder: weights, card and a page to read.
//! In: weights and their card. Out: the folder, whole or untouched; and back, checked.
//!
//! The weights are safetensors. Card and weights are two files, so a kill between their two writes
//! must not leave a card beside weights it does not describe: new weights go to the one of two
//! names that the standing card does not use, then the card is replaced, then the old weights go.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use fer_base::{
    atomic::{self, Staged},
    regular,
};

use crate::card::{ModelCard, WeightsCard, sha256_hex};
use crate::card_page::card_page;
use crate::error::ModelError;
use crate::net::FoldedNet;
use crate::weights::Weights;

/// File name of the card.
pub const CARD_FILE: &str = "card.json";

/// File name of the page for people.
pub const PAGE_FILE: &str = "MODEL_CARD.md";

/// File name of the weights in a fresh folder.
pub const WEIGHTS_FILE: &str = "weights.safetensors";

/// File name of the weights when [`WEIGHTS_FILE`] belongs to the card being replaced.
const OTHER_WEIGHTS_FILE: &str = "weights-b.safetensors";

/// A model's two files in memory, for programs that embed one with `include_bytes!`.
#[derive(Clone, Copy, Debug)]
pub struct ModelFiles<'a> {
    /// Contents of `card.json`.
    pub card_json: &'a [u8],
    /// Contents of the weights file.
    pub weights: &'a [u8],
}

/// Writes a model folder, replacing the model in it if there is one; returns the card as written,
/// with name, size and hash of the weights filled in. `weights` is a safetensors file.
///
/// # Errors
/// [`ModelError::Write`] with the file that could not be written, [`ModelError::Mismatch`] for a card
/// that could not be read back; the folder still holds the model it held before.
pub fn save(folder: &Path, weights: &[u8], card: &ModelCard) -> Result<ModelCard, ModelError> {
    fs::create_dir_all(folder).map_err(|cause| cannot_write(folder, cause))?;
    let standing = standing_weights(folder);
    let file = if standing.as_deref() == Some(WEIGHTS_FILE) { OTHER_WEIGHTS_FILE } else { WEIGHTS_FILE };
    let mut card = card.clone();
    card.weights = WeightsCard { file: file.to_owned(), n_bytes: weights.len(), sha256: sha256_hex(weights) };
    card.check(&folder.join(CARD_FILE).display().to_string())?;
    replace(&[
        (folder.join(file), weights),
        (folder.join(PAGE_FILE), card_page(&card).as_bytes()),
        (folder.join(CARD_FILE), card.to_json().as_bytes()),
    ])?;
    if let Some(old) = standing {
        let old = folder.join(old);
        fs::remove_file(&old).or_else(ignore_missing).map_err(|e| cannot_write(&old, e))?;
    }
    Ok(card)
}

/// Replaces the card of a model folder, and its page; the weights stay.
///
/// # Errors
/// [`ModelError::Write`] with the file that could not be written, [`ModelError::Mismatch`] for a card
/// that could not be read back; the old card then stays.
pub fn save_card(folder: &Path, card: &ModelCard) -> Result<(), ModelError> {
    card.check(&folder.join(CARD_FILE).display().to_string())?;
    replace(&[
        (folder.join(PAGE_FILE), card_page(card).as_bytes()),
        (folder.join(CARD_FILE), card.to_json().as_bytes()),
    ])
}

/// Reads a model folder.
///
/// # Errors
/// [`ModelError`], with the difference named, when the folder is no model, the card does not fit
/// this build, or the weights are not the ones the card describes.
pub fn load(folder: &Path) -> Result<Model, ModelError> {
    let card = load_card(folder)?;
    let path = folder.join(&card.weights.file);
    let weights = regular::read(&path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => {
            ModelError::NoWeights { folder: folder.to_owned(), file: card.weights.file.clone() }
        }
        _ => ModelError::Read { path: path.clone(), source },
    })?;
    Model::new(weights, card, &path.display().to_string())
}

/// Reads and checks only the card of a model folder.
///
/// # Errors
/// As [`load`], as far as the card goes.
pub fn load_card(folder: &Path) -> Result<ModelCard, ModelError> {
    let path = folder.join(CARD_FILE);
    let json = regular::read(&path).map_err(|source| match source.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => ModelError::NoCard { folder: folder.to_owned() },
        _ => ModelError::Read { path: path.clone(), source },
    })?;
    ModelCard::from_json(&json, &path.display().to_string())
}

/// Reads a model from its two files in memory.
///
/// # Errors
/// As [`load`].
pub fn from_files(files: ModelFiles<'_>) -> Result<Model, ModelError> {
    let card = ModelCard::from_json(files.card_json, "embedded model card")?;
    Model::new(files.weights.to_vec(), card, "embedded weights")
}

/// A model that was read and found sound.
#[derive(Clone, Debug)]
pub struct Model {
    /// What describes it.
    pub card: ModelCard,
    /// Its network in inference form.
    pub net: FoldedNet,
    /// Its weights, a safetensors file.
    pub weights: Vec<u8>,
}

impl Model {
    fn new(weights: Vec<u8>, card: ModelCard, origin: &str) -> Result<Self, ModelError> {
        check_hash(&weights, &card.weights, origin)?;
        let damaged = |reason| ModelError::weights(origin, reason);
        let tensors = Weights::from_safetensors(&weights, origin)?;
        let impossible = tensors.first_impossible();
        let net = FoldedNet::new(&card.plan()?, card.n_logits(), tensors).map_err(|difference| {
            let (architecture, n_logits) = (&card.architecture, card.n_logits());
            damaged(format!(
                "the weights do not fit architecture {architecture} with {n_logits} labels: {difference}"
            ))
        })?;
        match impossible {
            Some(what) => Err(damaged(format!("{what}: take another checkpoint, or train again"))),
            None => Ok(Self { card, net, weights }),
        }
    }
}

fn check_hash(weights: &[u8], expected: &WeightsCard, origin: &str) -> Result<(), ModelError> {
    let damaged = |reason| Err(ModelError::weights(origin, reason));
    if weights.len() != expected.n_bytes {
        return damaged(format!(
            "{} bytes, expected {} as the card says: the file is truncated or belongs to another model, copy the folder again",
            weights.len(),
            expected.n_bytes
        ));
    }
    let found = sha256_hex(weights);
    if found != expected.sha256 {
        return damaged(format!(
            "SHA-256 {found}, expected {} as the card says: the file is damaged or belongs to another model, copy the folder again",
            expected.sha256
        ));
    }
    Ok(())
}

/// The weights file that the standing card names, if there is a readable card.
fn standing_weights(folder: &Path) -> Option<String> {
    let card: serde_json::Value =
        serde_json::from_slice(&regular::read(&folder.join(CARD_FILE)).ok()?).ok()?;
    let file = card.get("weights")?.get("file")?.as_str()?;
    [WEIGHTS_FILE, OTHER_WEIGHTS_FILE].contains(&file).then(|| file.to_owned())
}

/// Replaces files in the given order, once all of them are on the disk under temporary names.
fn replace(files: &[(PathBuf, &[u8])]) -> Result<(), ModelError> {
    let stage = |(path, bytes): &(PathBuf, &[u8])| {
        atomic::stage(path, bytes).map_err(|cause| cannot_write(path, cause))
    };
    let staged: Vec<Staged> = files.iter().map(stage).collect::<Result<_, _>>()?;
    for file in staged {
        let path = file.path().to_owned();
        file.commit().map_err(|cause| cannot_write(&path, cause))?;
    }
    Ok(())
}

fn cannot_write(path: &Path, source: std::io::Error) -> ModelError {
    ModelError::Write { path: path.to_owned(), source }
}

fn ignore_missing(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) }
}
