//! A model's name or folder → a predictor.
//! In: `tiny`, `small`, or a folder. Out: a [`Predictor`] on the CPU.

use std::path::Path;

use fer_model::{ModelFiles, Predictor};

use crate::error::ReadError;

/// The models in the package.
const SHIPPED: [(&str, ModelFiles<'static>); 2] = [
    (
        "tiny",
        ModelFiles {
            card_json: include_bytes!("../../models/tiny/card.json"),
            weights: include_bytes!("../../models/tiny/weights.safetensors"),
        },
    ),
    (
        "small",
        ModelFiles {
            card_json: include_bytes!("../../models/small/card.json"),
            weights: include_bytes!("../../models/small/weights.safetensors"),
        },
    ),
];

/// The names of the models in the package.
pub(crate) fn names() -> Vec<&'static str> {
    SHIPPED.iter().map(|(name, _)| *name).collect()
}

/// Loads a model of the package, or else a model folder.
pub(crate) fn load(model: &str) -> Result<Predictor, ReadError> {
    let failed = |cause| ReadError::Model { folder: model.to_owned(), cause };
    match SHIPPED.iter().find(|(name, _)| *name == model) {
        Some((_, files)) => Predictor::from_bytes(*files).map_err(failed),
        None if Path::new(model).is_dir() => Predictor::load(Path::new(model)).map_err(failed),
        None => {
            let known = names().join(" or ");
            Err(ReadError::Option(format!("model: expected {known}, or a model's folder, found {model}")))
        }
    }
}
