//! The shipped or chosen model, ready to read faces.
//! In: a model folder, or the files built into the program. Out: a [`Classify`], its card, and where it came from.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fer_model::device::Place;
use fer_model::{DeviceChoice, Model, ModelCard, ModelError, ModelFiles, Predictor, checkpoint};
use fer_vision::Classify;

use crate::error::LiveError;

/// The model that is used unless another is asked for.
const SHIPPED: &str = "small";

/// A model that is ready to read faces.
pub struct ReadyModel {
    /// Reads faces.
    pub classifier: Arc<dyn Classify>,
    /// The model's card.
    pub card: ModelCard,
    /// Where it was found: a folder, or "built in".
    pub origin: String,
    /// What it runs on, and why.
    pub place: Place,
}

impl ReadyModel {
    /// Side of the crops the network was trained on, relative to the detector's box.
    #[must_use]
    pub fn crop_factor(&self) -> f32 {
        self.card.input.crop_factor
    }
}

/// Loads a model folder, or without one the shipped model: beside the program, else built into it.
///
/// # Errors
/// [`LiveError::Compute`] when the device is not there, [`LiveError::Model`] when the model is damaged,
/// [`LiveError::NoModel`] when there is none.
pub fn load(folder: Option<&Path>, device: DeviceChoice) -> Result<ReadyModel, LiveError> {
    let computer = Computer::choose(device).map_err(LiveError::Compute)?;
    let (model, origin) = match (folder_of(folder), built_in()) {
        (Some(folder), _) => (checkpoint::load(&folder), folder.display().to_string()),
        (None, Some(files)) => (checkpoint::from_files(files), "built in".to_owned()),
        (None, None) => return Err(LiveError::NoModel(places_told())),
    };
    let predictor = model.and_then(|model| computer.predictor(model));
    let predictor = predictor.map_err(|cause| LiveError::Model { folder: origin.clone(), cause })?;
    let card = predictor.card().clone();
    Ok(ReadyModel { classifier: Arc::new(predictor), card, origin, place: computer.place })
}

/// The folder a model is loaded from, or `None` for the one built into the program.
#[must_use]
pub fn folder_of(asked: Option<&Path>) -> Option<PathBuf> {
    asked.map(Path::to_owned).or_else(|| shipped_places().into_iter().find(|place| is_model(place)))
}

/// The folders the shipped model is looked for in, in this order.
fn shipped_places() -> Vec<PathBuf> {
    let beside = std::env::current_exe().ok().and_then(|exe| exe.parent().map(Path::to_owned));
    // Beside the program, in an installation's share folder, or two folders above a fresh build.
    let tails = ["models", "../share/fer/models", "../../models"];
    beside.iter().flat_map(|folder| tails.map(|tail| folder.join(tail).join(SHIPPED))).collect()
}

fn is_model(folder: &Path) -> bool {
    folder.join(checkpoint::CARD_FILE).is_file()
}

fn places_told() -> String {
    let places: Vec<String> = shipped_places().iter().map(|place| place.display().to_string()).collect();
    format!("none built in, none in {}; give its folder with --model", places.join(", "))
}

/// What reads the faces: the CPU, or a GPU where it is compiled in.
struct Computer {
    place: Place,
    #[cfg(feature = "gpu")]
    device: fer_net::Device,
}

#[cfg(feature = "gpu")]
impl Computer {
    fn choose(device: DeviceChoice) -> Result<Self, ModelError> {
        let fer_net::Chosen { device, place } = fer_net::choose(device)?;
        Ok(Self { place, device })
    }

    fn predictor(&self, model: Model) -> Result<Predictor, ModelError> {
        fer_net::checkpoint::predictor_of(model, &self.device)
    }
}

#[cfg(not(feature = "gpu"))]
impl Computer {
    fn choose(device: DeviceChoice) -> Result<Self, ModelError> {
        fer_model::device::cpu_alone(device).map(|place| Self { place })
    }

    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "with a GPU it matters who loads, and may fail"
    )]
    fn predictor(&self, model: Model) -> Result<Predictor, ModelError> {
        Ok(model.into())
    }
}

#[cfg(built_in_model)]
fn built_in() -> Option<ModelFiles<'static>> {
    Some(ModelFiles {
        card_json: include_bytes!(concat!(env!("OUT_DIR"), "/model/card.json")),
        weights: include_bytes!(concat!(env!("OUT_DIR"), "/model/weights.safetensors")),
    })
}

#[cfg(not(built_in_model))]
fn built_in() -> Option<ModelFiles<'static>> {
    None
}
