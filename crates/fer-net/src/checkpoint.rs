//! Networks from model folders, and back: fer-model's folder, with Burn's names and encoding of the weights.
//! In: a network and its card, or a folder. Out: the folder; a network on a device.

use std::path::Path;

use burn::store::{ModuleSnapshot, SafetensorsStore, SafetensorsStoreError};
use burn::tensor::Device;
use fer_model::checkpoint::{self, WEIGHTS_FILE};
use fer_model::{Model, ModelCard, ModelError, Predictor};

use crate::frozen::Frozen;
use crate::net::Net;

/// Writes a model folder, as [`fer_model::checkpoint::save`].
///
/// # Errors
/// As there; [`ModelError::Weights`] when the network cannot be encoded.
pub fn save(folder: &Path, net: &Net, card: &ModelCard) -> Result<ModelCard, ModelError> {
    checkpoint::save(folder, &weights_to_bytes(net)?, card)
}

/// Reads a model folder onto a device.
///
/// Dropout is off; the weights are exactly those that were saved.
///
/// # Errors
/// As [`fer_model::checkpoint::load`].
pub fn load(folder: &Path, device: &Device) -> Result<(Net, ModelCard), ModelError> {
    let model = checkpoint::load(folder)?;
    let card = model.card.clone();
    Ok((net_of(model, device)?, card))
}

fn net_of(Model { card, weights, .. }: Model, device: &Device) -> Result<Net, ModelError> {
    let mut net = Net::of_plan(&card.plan()?, card.n_logits(), 0.0, device);
    let mut store = SafetensorsStore::from_bytes(Some(weights)).skip_enum_variants(true);
    // What differs from the card was found when the model was read.
    let loaded = net.load_from(&mut store);
    loaded.map_err(|error| ModelError::Weights {
        origin: card.weights.file,
        reason: "Burn does not take its tensors".to_owned(),
        source: Some(error.into()),
    })?;
    Ok(net)
}

/// Reads a model folder for reading alone: on the CPU as it was folded when it was checked.
///
/// # Errors
/// As [`load`].
pub fn load_frozen(folder: &Path, device: &Device) -> Result<(Frozen, ModelCard), ModelError> {
    frozen(checkpoint::load(folder)?, device)
}

/// A predictor of a model that was read, on a device.
///
/// # Errors
/// [`ModelError::Weights`] when Burn reads the weights otherwise.
pub fn predictor_of(model: Model, device: &Device) -> Result<Predictor, ModelError> {
    frozen(model, device).map(|(net, card)| Predictor::new(net, card))
}

fn frozen(model: Model, device: &Device) -> Result<(Frozen, ModelCard), ModelError> {
    if *device == Device::flex() {
        return Ok((Frozen::Folded(model.net), model.card));
    }
    let card = model.card.clone();
    Ok((Frozen::Unfolded(net_of(model, device)?), card))
}

/// The weights as safetensors; equal weights give equal bytes.
fn weights_to_bytes(net: &Net) -> Result<Vec<u8>, ModelError> {
    let failed = |error: SafetensorsStoreError| ModelError::Weights {
        origin: WEIGHTS_FILE.to_owned(),
        reason: "cannot be encoded".to_owned(),
        source: Some(error.into()),
    };
    // One metadata key, because safetensors writes several in the random order of a hash map.
    let mut store = SafetensorsStore::from_bytes(None)
        .clear_metadata()
        .metadata("producer", "fer")
        .skip_enum_variants(true);
    net.save_into(&mut store).map_err(failed)?;
    store.get_bytes().map_err(failed)
}
