//! What a model looks at in one photograph.
//! In: a model and a picture. Out: a sentence, a picture of the occlusion map, its numbers.

pub mod heat_picture;
pub mod occlusion;

use std::io::Cursor;
use std::path::PathBuf;

use fer_base::chain;
use fer_data::picture::decode_upright;
use fer_data::{DataError, Face};
use fer_model::Predictor;
use fer_vision::FaceBox;
use image::{DynamicImage, ImageFormat};

use crate::error::TrainError;
use crate::judge::input::{Cutting, FaceFinder};
use crate::result_files::{refuse_overwriting_inputs, write};
use heat_picture::heat_picture;
use occlusion::{OcclusionMap, PATCH, STRIDE};

/// What is explained, and where the answer goes.
#[derive(Clone, Debug)]
pub struct Explaining {
    /// The model's folder.
    pub model: PathBuf,
    /// The picture.
    pub input: PathBuf,
    /// Whether the picture is the face, or a photograph to find the largest one in.
    pub cutting: Cutting,
    /// The label whose probability is explained; `None`: the prediction.
    pub label: Option<String>,
    /// The map over the face, as PNG.
    pub out: Option<PathBuf>,
    /// The numbers as JSON; `-` is stdout, instead of the text.
    pub json: Option<PathBuf>,
}

/// Explains a prediction; returns what goes to stdout.
///
/// # Errors
/// [`TrainError`]: an output that is an input, a picture or label that cannot be used, a file not written.
pub fn explain(predictor: &Predictor, explaining: &Explaining) -> Result<String, TrainError> {
    let json = explaining.json.as_deref().filter(|path| path.as_os_str() != "-");
    let outputs = [("--out", explaining.out.as_deref()), ("--json", json)];
    let outputs: Vec<_> = outputs.iter().filter_map(|(option, path)| Some((*option, (*path)?))).collect();
    let input = [("--input", Some(explaining.input.as_path()))];
    refuse_overwriting_inputs(&outputs, &explaining.model, predictor.card(), &input)?;

    let (face_box, face) = face(predictor, explaining)?;
    let label = label(predictor, &face, explaining)?;
    let map = OcclusionMap::new(predictor, &face, label);
    if !map.probability.is_finite() || map.drops.iter().flatten().any(|drop| !drop.is_finite()) {
        return Err(TrainError::NotFinite { sample: explaining.input.display().to_string() });
    }
    if let Some(path) = &explaining.out {
        write(path, &png(&face, &map))?;
    }
    let name = predictor.labels().name(label);
    match (&explaining.json, json) {
        (Some(_), None) => return Ok(numbers(explaining, name, &map, face_box)),
        (_, Some(path)) => write(path, numbers(explaining, name, &map, face_box).as_bytes())?,
        (None, None) => {}
    }
    Ok(sentence(name, &map))
}

/// The face to explain, with its box where it was found.
fn face(predictor: &Predictor, explaining: &Explaining) -> Result<(Option<FaceBox>, Face), TrainError> {
    let path = &explaining.input;
    let unusable = |found: String| DataError::Layout {
        path: path.clone(),
        found,
        expected: "a photograph with a face; --cut takes the whole picture as the face".to_owned(),
    };
    let bytes = fer_base::regular::read(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => DataError::NotFound { path: path.clone() },
        _ => DataError::Unreadable { path: path.clone(), source },
    })?;
    let picture =
        decode_upright(&bytes, None).map_err(|source| DataError::Picture { path: path.clone(), source })?;
    if explaining.cutting == Cutting::AsItIs {
        return Ok((None, Face::from_picture(&picture)));
    }
    let finder = FaceFinder::new(predictor.card().input.crop_factor);
    let found = finder.largest(&picture.to_rgb8()).map_err(|error| unusable(chain(&error)))?;
    let (face_box, face) = found.ok_or_else(|| unusable("no face".to_owned()))?;
    Ok((Some(face_box), face))
}

fn label(predictor: &Predictor, face: &Face, explaining: &Explaining) -> Result<usize, TrainError> {
    let labels = predictor.labels();
    match &explaining.label {
        Some(name) => labels.index_of(name).ok_or_else(|| {
            let known = labels.names().join(", ");
            TrainError::Usage(format!("--label {name}: the model has no such class, expected one of {known}"))
        }),
        None => Ok(predictor.predict(std::slice::from_ref(face), fer_model::Tta::None)[0].label()),
    }
}

fn sentence(name: &str, map: &OcclusionMap) -> String {
    let (drop, [x, y]) = map.peak();
    let probability = 100.0 * map.probability;
    let where_ = format!("{PATCH} × {PATCH} pixels about ({x}, {y}) of 48 × 48");
    match drop > 0.0 {
        true => format!(
            "{name} {probability:.1} %; it loses most, {:.1} points, where {where_} are covered\n",
            100.0 * drop
        ),
        false => format!(
            "{name} {probability:.1} %; it loses nothing wherever {PATCH} × {PATCH} pixels are covered\n"
        ),
    }
}

fn numbers(explaining: &Explaining, name: &str, map: &OcclusionMap, face_box: Option<FaceBox>) -> String {
    let numbers = serde_json::json!({
        "input": explaining.input,
        "face_box": face_box,
        "label": name,
        "probability": map.probability,
        "patch": PATCH,
        "stride": STRIDE,
        "drops": map.drops,
    });
    serde_json::to_string_pretty(&numbers).expect("strings and numbers") + "\n"
}

fn png(face: &Face, map: &OcclusionMap) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let picture = DynamicImage::ImageRgb8(heat_picture(face, map));
    picture.write_to(&mut bytes, ImageFormat::Png).expect("384 × 384 pixels encode into memory");
    bytes.into_inner()
}
