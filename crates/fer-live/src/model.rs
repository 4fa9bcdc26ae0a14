//! The shipped or chosen model, as the pipeline sees it.
//! In: a model folder, or the files built into the program. Out: a [`Classify`], its card, and where it came from.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fer_data::{Face, Labels};
use fer_model::{Chosen, DeviceChoice, ModelCard, ModelFiles, Predictor, Tta};

use crate::classify::Classify;
use crate::error::LiveError;

/// The model that is used unless another is asked for.
const SHIPPED: &str = "small";

/// A model that is ready to read faces.
pub struct Loaded {
    /// Reads faces.
    pub classifier: Arc<dyn Classify>,
    /// The model's card.
    pub card: ModelCard,
    /// Where it was found: a folder, or "built in".
    pub origin: String,
    /// What it runs on, and why.
    pub device: Chosen,
}

/// Loads a model folder, or without one the shipped model: beside the program, else built into it.
///
/// # Errors
/// [`LiveError::Device`] when the device is not there, [`LiveError::Model`] when there is no model or it is damaged.
pub fn load(folder: Option<&Path>, device: DeviceChoice) -> Result<Loaded, LiveError> {
    let chosen = fer_model::choose(device)
        .map_err(|error| LiveError::Device { device: device.to_string(), reason: error.to_string() })?;
    let failed = |error: fer_model::ModelError| LiveError::Model(error.to_string());
    let folder =
        folder.map(Path::to_owned).or_else(|| shipped_places().into_iter().find(|place| is_model(place)));
    let (predictor, origin) = match (&folder, built_in()) {
        (Some(folder), _) => {
            (Predictor::load(folder, &chosen.device).map_err(failed)?, folder.display().to_string())
        }
        (None, Some(files)) => {
            (Predictor::from_bytes(files, &chosen.device).map_err(failed)?, "built in".to_owned())
        }
        (None, None) => return Err(LiveError::Model(no_model())),
    };
    let card = predictor.card().clone();
    Ok(Loaded { classifier: Arc::new(Recognizer { predictor }), card, origin, device: chosen })
}

/// The folders the shipped model is looked for in, in this order.
#[must_use]
pub fn shipped_places() -> Vec<PathBuf> {
    let beside = std::env::current_exe().ok().and_then(|exe| exe.parent().map(Path::to_owned));
    // Beside the program, in an installation's share folder, or two folders above a fresh build.
    let tails = ["models", "../share/fer/models", "../../models"];
    beside.iter().flat_map(|folder| tails.map(|tail| folder.join(tail).join(SHIPPED))).collect()
}

fn is_model(folder: &Path) -> bool {
    folder.join(fer_model::checkpoint::CARD_FILE).is_file()
}

fn no_model() -> String {
    let places: Vec<String> = shipped_places().iter().map(|place| place.display().to_string()).collect();
    format!("none built in, none in {}: give its folder with --model", places.join(", "))
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

/// A predictor, as the pipeline sees it: one view a face.
struct Recognizer {
    predictor: Predictor,
}

impl Classify for Recognizer {
    fn labels(&self) -> &Labels {
        self.predictor.labels()
    }

    fn classify(&self, faces: &[Face]) -> Result<Vec<Vec<f32>>, LiveError> {
        let predictions = self.predictor.predict(faces, Tta::None);
        Ok(predictions.into_iter().map(|prediction| prediction.probabilities).collect())
    }
}
