//! What fer-eval judges on, loaded.
//! In: a path, a part, a card. Out: samples, and what is to be said of them.

mod classes;
mod face_finder;

use std::path::{Path, PathBuf};

use fer_base::terminal;
use fer_data::{
    ClassMap, DataError, LabelSet, Labels, LoadOptions, Loaded, Part, Reason, Samples, Split, load_judged,
};
use fer_drawn::Data;
use fer_model::ModelCard;

pub use face_finder::{Cutting, FaceFinder};

use crate::config::DataConfig;
use crate::error::TrainError;
use crate::skipped::{left_out, n_damaged};

/// The model and the data of a job.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// The model's folder.
    pub model: PathBuf,
    /// FER-2013 CSV file, folder of classes, or `drawn`.
    pub data: PathBuf,
    /// FER+ votes on the faces of the CSV file.
    pub ferplus: Option<PathBuf>,
    /// Damaged samples are left out, not refused.
    pub skip_bad: bool,
    /// The share of training faces to validate on, where the model's card states none.
    pub validation_fraction: Option<f32>,
    /// What becomes of classes that the model has under another name, or not at all.
    pub map: ClassMap,
    /// Whether the pictures of a folder are faces, or photographs to find them in.
    pub cutting: Cutting,
}

/// What was loaded.
#[derive(Clone, Debug)]
pub(super) struct JudgedSamples {
    /// The faces.
    pub(super) samples: Samples,
    /// Photographs in which no face was found; they are not among the samples.
    pub(super) n_without_face: usize,
    /// Damaged samples that were left out, as `--skip-bad` asks.
    pub(super) n_left_out: usize,
}

impl Inputs {
    /// What is read besides the model, each with its option.
    pub(super) fn files(&self) -> [(&'static str, Option<&Path>); 2] {
        [("--data", on_disk(&self.data)), ("--ferplus", self.ferplus.as_deref())]
    }

    /// What is judged, with a notice of everything left out.
    pub(super) fn load(
        &self,
        part: Part,
        card: &ModelCard,
        notice: &dyn Fn(&str),
    ) -> Result<JudgedSamples, TrainError> {
        self.load_from(&self.data, part, card, notice)
    }

    /// Refuses to go on without FER+'s votes; `reason` says what they are for.
    pub(super) fn expect_votes(&self, reason: &str) -> Result<(), TrainError> {
        self.ferplus.as_ref().map(|_| ()).ok_or_else(|| TrainError::Usage(reason.to_owned()))
    }

    /// The training faces at another path, in one form with what is judged.
    pub(super) fn load_train(
        &self,
        path: &Path,
        card: &ModelCard,
        notice: &dyn Fn(&str),
    ) -> Result<Samples, TrainError> {
        // The map and the detector are for what is judged.
        let plain = Self { map: ClassMap::default(), cutting: Cutting::AsItIs, ..self.clone() };
        Ok(plain.load_from(path, Part::Split(Split::Train), card, notice)?.samples)
    }

    fn load_from(
        &self,
        path: &Path,
        part: Part,
        card: &ModelCard,
        notice: &dyn Fn(&str),
    ) -> Result<JudgedSamples, TrainError> {
        let validation_fraction = validation_fraction(self.validation_fraction, card)?;
        if path.as_os_str() == Data::DRAWN {
            return Ok(JudgedSamples { samples: self.drawn(part, card)?, n_without_face: 0, n_left_out: 0 });
        }
        let options = LoadOptions {
            skip_bad: self.skip_bad,
            validation_fraction,
            seed: card.training.seed,
            labels: Some(own_labels(card)),
            ferplus: self.ferplus.clone(),
            map: self.map.clone(),
            ..LoadOptions::default()
        };
        let loaded = match self.read(path, part, &options, card) {
            // A folder may have FER+'s eighth class.
            Err(DataError::Labels { .. }) if card.labels.set() == LabelSet::FerPlus => {
                let options = LoadOptions { labels: Some(Labels::ferplus()), ..options };
                self.read(path, part, &options, card)
            }
            read => read,
        };
        let loaded = loaded.inspect_err(|error| {
            if let DataError::Labels { found, .. } = error {
                let found = terminal::line(found);
                notice(&format!(
                    "--map {found}=<class> gives it another name, --map {found}=- leaves it out"
                ));
            }
        })?;
        let words = left_out(&loaded.skipped);
        if !words.is_empty() {
            notice(words.trim_end());
        }
        let n_without_face = loaded.skipped.iter().filter(|skipped| skipped.reason == Reason::NoFace).count();
        let n_left_out = n_damaged(&loaded.skipped);
        Ok(JudgedSamples { samples: loaded.samples, n_without_face, n_left_out })
    }

    fn read(
        &self,
        path: &Path,
        part: Part,
        options: &LoadOptions,
        card: &ModelCard,
    ) -> Result<Loaded, DataError> {
        match self.cutting {
            Cutting::AsItIs => load_judged(path, part, options, None),
            Cutting::LargestFace => {
                let finder = FaceFinder::new(card.input.crop_factor);
                load_judged(path, part, options, Some(&|picture| finder.cut(picture)))
            }
        }
    }

    /// The drawn faces that the model was trained or selected on, or as many that chose nothing.
    fn drawn(&self, part: Part, card: &ModelCard) -> Result<Samples, TrainError> {
        let refused = |reason: &str| Err(TrainError::Usage(format!("--data {}: {reason}", Data::DRAWN)));
        let Part::Split(split) = part else { return refused("drawn faces have splits; name one") };
        if self.cutting != Cutting::AsItIs {
            return refused("drawn faces are cut; leave --detect out");
        }
        if !self.map.is_empty() {
            return refused("drawn faces have FER-2013's classes; leave --map out");
        }
        let training = &card.training;
        let per_class = match split {
            _ if training.data != Data::DRAWN => DataConfig::default().drawn_validation,
            Split::Train => training.n_train / card.labels.len(),
            _ => training.n_validation / card.labels.len(),
        };
        Ok(fer_drawn::samples(split, per_class, training.seed))
    }

    /// Which classes are missing on either side, and over which macro figures are taken then.
    pub(super) fn missing_classes(&self, samples: &Samples, card: &ModelCard) -> Option<String> {
        classes::missing(samples, &self.map.left_out(), card)
    }
}

/// The path of data, but for the word that stands for drawn faces.
pub(super) fn on_disk(path: &Path) -> Option<&Path> {
    (path.as_os_str() != Data::DRAWN).then_some(path)
}

/// The labels of the data itself: FER+'s are joined to FER-2013's seven.
fn own_labels(card: &ModelCard) -> Labels {
    match card.labels.set() {
        LabelSet::FerPlus => Labels::fer2013(),
        LabelSet::Fer2013 | LabelSet::Own => card.labels.clone(),
    }
}

/// The share that the model was trained with, where its card states one: with another, images that
/// fitted the weights would be judged as if they had not.
fn validation_fraction(asked: Option<f32>, card: &ModelCard) -> Result<Option<f32>, TrainError> {
    let config: Option<toml::Table> = toml::from_str(&card.training.config).ok();
    let stated =
        config.as_ref().and_then(|config| config.get("data")?.get("validation_fraction")?.as_float());
    let stated = stated.map(|share| share as f32).filter(|share| *share > 0.0);
    match (asked, stated) {
        (Some(asked), Some(stated)) if asked != stated => Err(TrainError::Usage(format!(
            "--validation-fraction {asked}: the model was trained with {stated}, and with another share its training faces would be judged; leave the option out"
        ))),
        _ => Ok(stated.or(asked)),
    }
}
