//! The verifier: one more output of a network, of whether a crop shows a face at all.
//! In: a model, a data set, pictures without people. Out: its weights and threshold, and [`VerifierReport`].
//!
//! The network's features stay as they are, and so do its expressions: only a column is added to its last
//! layer. It learns from the training split and the scenery that is not held out; threshold and figures
//! come from the validation split and the rest.

mod fit;
mod framing;
pub mod report;
mod scenery;

use std::path::PathBuf;

use fer_data::{Face, Part, Split};
use fer_model::card::VerifierCard;
use fer_model::{ModelCard, Predictor, Tta};
use fer_net::{Device, Net, checkpoint, frozen::fold};

use self::fit::{Crops, Fitted};
use self::framing::{badly_framed, varied};
use self::report::VerifierReport;
use self::scenery::Scenery;
use crate::console::Watcher;
use crate::error::TrainError;
use crate::judge::input::Inputs;
use crate::result_files::{refuse_overwriting_inputs, write};

/// What is fitted or judged, and which files say so.
#[derive(Clone, Debug)]
pub struct Verifying {
    /// A folder of pictures without people.
    pub scenery: PathBuf,
    /// Fits a verifier and writes the model with it; else the model's own is judged.
    pub fit: bool,
    /// Share of the validation split's faces that the threshold has to keep, `0..=1`.
    pub keep: f64,
    /// Where the model with its verifier goes; `None`: into its own folder.
    pub out: Option<PathBuf>,
    /// The figures as JSON; `-` is stdout, instead of the text.
    pub json: Option<PathBuf>,
    /// The ROC curve as SVG.
    pub svg: Option<PathBuf>,
    /// The command line, for the card.
    pub command: String,
}

/// Seed of everything random here.
const SEED: u64 = 1;

/// How often each training face is varied.
const VARIATIONS: u64 = 1;

/// Drawn faces of each class.
const DRAWN_PER_CLASS: usize = 300;

/// How often each false find is varied.
const FIND_VARIATIONS: u64 = 4;

/// How often each face that FER+'s raters called none is varied.
const NON_FACE_VARIATIONS: u64 = 20;

/// Fits or judges a verifier; returns what goes to stdout.
///
/// # Errors
/// [`TrainError`]: an output that is an input, data, pictures or a model that cannot be used, a model without
/// a verifier to judge, a file not written.
pub fn verify(
    predictor: &Predictor,
    inputs: &Inputs,
    verifying: &Verifying,
    watcher: &mut Watcher<'_>,
) -> Result<String, TrainError> {
    let json = verifying.json.as_deref().filter(|path| path.as_os_str() != "-");
    let outputs: Vec<_> = [("--json", json), ("--svg", verifying.svg.as_deref())]
        .into_iter()
        .filter_map(|(option, path)| Some((option, path?)))
        .collect();
    let card = predictor.card();
    let [data, ferplus] = inputs.files();
    let data = [data, ferplus, ("--scenery", Some(verifying.scenery.as_path()))];
    refuse_overwriting_inputs(&outputs, &inputs.model, card, &data)?;
    if !verifying.fit && card.verifier.is_none() {
        let reason = "the model has no verifier to judge: --fit fits one and writes it into the model";
        return Err(TrainError::Usage(reason.to_owned()));
    }
    let scenery = Scenery::read(&verifying.scenery, card.input.crop_factor, verifying.fit, watcher)?;
    let (report, predictor) = if verifying.fit {
        fitted(predictor, inputs, verifying, &scenery, watcher)?
    } else {
        (measured(predictor, inputs, &scenery, watcher)?, predictor.clone())
    };
    if let Some(path) = &verifying.svg {
        write(path, report.to_svg().as_bytes())?;
    }
    if let Some(path) = json {
        write(path, report.to_json().as_bytes())?;
    }
    let to_stdout = verifying.json.is_some() && json.is_none();
    let threshold = predictor.face_threshold();
    Ok(if to_stdout { report.to_json() } else { report.to_text(threshold) })
}

/// Fits a verifier, chooses its threshold on the validation split, and saves the model.
fn fitted(
    read_by: &Predictor,
    inputs: &Inputs,
    verifying: &Verifying,
    scenery: &Scenery,
    watcher: &mut Watcher<'_>,
) -> Result<(VerifierReport, Predictor), TrainError> {
    let card = read_by.card();
    let (net, _) = checkpoint::load(&inputs.model, &Device::flex())?;
    let bare = ModelCard { verifier: None, ..card.clone() };
    let net = net.with_outputs(0..bare.n_logits());
    let train = inputs.load_train(&inputs.data, card, watcher.notice)?;
    let is_none = |sample: &&fer_data::Sample| sample.votes.as_ref().is_some_and(|votes| votes.is_non_face());
    let (none, faces): (Vec<_>, Vec<_>) = train.samples.iter().partition(is_none);
    let faces: Vec<&Face> = faces.into_iter().map(|sample| &sample.face).collect();
    let none: Vec<&Face> = none.into_iter().map(|sample| &sample.face).collect();
    let scenery_finds = varied(&scenery.finds.iter().collect::<Vec<_>>(), FIND_VARIATIONS, SEED);
    // What demo and tests show counts as faces too.
    let drawn = fer_drawn::samples(Split::Train, DRAWN_PER_CLASS, SEED);
    let drawn =
        varied(&drawn.samples.iter().map(|sample| &sample.face).collect::<Vec<_>>(), VARIATIONS, SEED);
    let near_finds = varied(&scenery.near_finds.iter().collect::<Vec<_>>(), 1, SEED);
    let crops = [
        Crops { what: "faces", are_faces: true, share: 0.9, crops: varied(&faces, VARIATIONS, SEED) },
        Crops { what: "drawn faces", are_faces: true, share: 0.1, crops: drawn },
        Crops { what: "of scenery, found", are_faces: false, share: 0.35, crops: scenery_finds },
        Crops { what: "of scenery, nearly found", are_faces: false, share: 0.3, crops: near_finds },
        Crops {
            what: "faces badly framed",
            are_faces: false,
            share: 0.25,
            crops: badly_framed(&faces, SEED),
        },
        Crops {
            what: "none by FER+",
            are_faces: false,
            share: 0.1,
            crops: varied(&none, NON_FACE_VARIATIONS, SEED),
        },
    ];
    let words: Vec<String> =
        crops.iter().map(|group| format!("{} {}", group.crops.len(), group.what)).collect();
    (watcher.notice)(&format!("crops to learn from: {}", words.join(", ")));
    let folded = fold(&net);
    let Fitted { weights, bias } = fit::fit(&folded, &crops, watcher)?;
    let net = net.with_output(&weights, bias);
    let placeholder = VerifierCard {
        threshold: 0.0,
        faces_kept: 1.0,
        false_finds_refused: 0.0,
        n: [0, 0],
        command: verifying.command.clone(),
    };
    let with_output = bare.with_verifier(Some(placeholder.clone()))?;
    let judged = fer_net::predictor(&net, with_output.clone()).with_batch_size(read_by.batch_size());
    let report = measured(&judged, inputs, scenery, watcher)?;
    let threshold = report.threshold_that_keeps(verifying.keep);
    let verifier = VerifierCard {
        threshold,
        faces_kept: 1.0 - report.faces.share_below(threshold),
        false_finds_refused: report.false_finds.share_below(threshold),
        n: [report.faces.len(), report.false_finds.len()],
        ..placeholder
    };
    let card = with_output.with_verifier(Some(verifier))?;
    save(&net, &card, inputs, verifying)?;
    Ok((report, fer_net::predictor(&net, card)))
}

fn save(net: &Net, card: &ModelCard, inputs: &Inputs, verifying: &Verifying) -> Result<(), TrainError> {
    let folder = verifying.out.as_ref().unwrap_or(&inputs.model);
    std::fs::create_dir_all(folder).map_err(TrainError::writing(folder))?;
    checkpoint::save(folder, net, card)?;
    Ok(())
}

/// The face scores of the validation split's faces and of the held-out scenery.
fn measured(
    predictor: &Predictor,
    inputs: &Inputs,
    scenery: &Scenery,
    watcher: &mut Watcher<'_>,
) -> Result<VerifierReport, TrainError> {
    let validation = Part::Split(Split::Validation);
    let samples = inputs.load(validation, predictor.card(), watcher.notice)?.samples;
    let is_face = |sample: &&fer_data::Sample| sample.votes.as_ref().is_none_or(|votes| !votes.is_non_face());
    let faces: Vec<&Face> = samples.samples.iter().filter(is_face).map(|sample| &sample.face).collect();
    let framed = badly_framed(&faces, SEED + 1);
    let n = faces.len() + framed.len() + scenery.held_out.len();
    let mut n_done = 0;
    let mut scores = |faces: &mut dyn ExactSizeIterator<Item = &Face>| -> Result<Vec<f32>, TrainError> {
        let faces: Vec<&Face> = faces.collect();
        let mut scores = Vec::with_capacity(faces.len());
        for chunk in faces.chunks(16 * predictor.batch_size()) {
            let said = predictor.predict_each(chunk.iter().copied(), Tta::None);
            scores.extend(said.into_iter().map(|said| said.face_score.unwrap_or(1.0)));
            n_done += chunk.len();
            if (watcher.progress)(n_done, n).is_break() {
                return Err(TrainError::Interrupted { n_done, n });
            }
        }
        Ok(scores)
    };
    Ok(VerifierReport {
        faces: scores(&mut faces.iter().copied())?.into(),
        badly_framed: scores(&mut framed.iter())?.into(),
        false_finds: scores(&mut scenery.held_out.iter())?.into(),
        n_pictures: scenery.n_held_out,
    })
}
