//! What fer-eval is asked to do, from files to files.
//! In: a model, data, and where results go. Out: the text of the result; files are written whole.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use fer_base::{atomic, refuse_overlaps};
use fer_data::{LabelSet, Labels, LoadOptions, Samples, Split, load_split};
use fer_model::card::TemperatureCard;
use fer_model::checkpoint::{self, CARD_FILE, PAGE_FILE};
use fer_model::{ModelCard, Predictor, Tta};

use crate::config::DataConfig;
use crate::error::TrainError;
use crate::judge::card_figures::{calibrated, temperature_of};
use crate::judge::evaluate::{Evaluation, evaluate};
use crate::judge::figures::{Figure, Temperature, of_probabilities};
use crate::judge::predictions_csv::predictions_csv;
use crate::judge::probabilities::Scored;
use crate::judge::summary::{Summary, protocol};
use crate::onnx::to_onnx;
use crate::report::report_html;
use crate::skipped::left_out;

/// The word for data that stands for faces drawn by fer itself.
const DRAWN: &str = "drawn";

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
}

/// What is judged, and which files say so.
#[derive(Clone, Debug)]
pub struct Judging {
    /// The split.
    pub split: Split,
    /// Whose labels are the truth: the data's own, or with [`LabelSet::FerPlus`] the majority of its raters.
    pub truth: LabelSet,
    /// The head that is read; `None`: all of them combined, as fer-live shows them.
    pub head: Option<LabelSet>,
    /// Views of each face.
    pub tta: Tta,
    /// Training data: images that stand in it are left out in a second accuracy.
    pub train_data: Option<PathBuf>,
    /// The figures as JSON; `-` is stdout, instead of the text.
    pub json: Option<PathBuf>,
    /// One row an image.
    pub csv: Option<PathBuf>,
    /// The HTML report.
    pub report: Option<PathBuf>,
}

/// Who hears how a job goes.
pub struct Watcher<'a> {
    /// How many images of how many are done; may stop.
    pub progress: &'a mut dyn FnMut(usize, usize) -> ControlFlow<()>,
    /// What a person should know.
    pub notice: &'a dyn Fn(&str),
}

/// Judges a model; returns what goes to stdout.
///
/// # Errors
/// [`TrainError`]: an output that is an input, data or model that cannot be used, a file not written.
pub fn judge(
    predictor: &Predictor,
    inputs: &Inputs,
    judging: &Judging,
    watcher: &mut Watcher<'_>,
) -> Result<String, TrainError> {
    let json = judging.json.as_deref().filter(|path| path.as_os_str() != "-");
    let outputs =
        [("--json", json), ("--csv", judging.csv.as_deref()), ("--report", judging.report.as_deref())];
    let outputs = outputs.iter().filter_map(|(option, path)| Some((*option, (*path)?)));
    let train_data = judging.train_data.as_deref();
    refuse_overwriting_inputs(
        &outputs.collect::<Vec<_>>(),
        &inputs.model,
        predictor.card(),
        &[
            ("--data", Some(&inputs.data)),
            ("--train-data", train_data),
            ("--ferplus", inputs.ferplus.as_deref()),
        ],
    )?;
    let card = predictor.card();
    let mut samples = load(inputs, &inputs.data, judging.split, card, watcher.notice)?;
    if judging.truth == LabelSet::FerPlus {
        samples = majority(samples, inputs, watcher.notice)?;
    }
    let predictor = &reading(predictor.clone(), judging.head, &samples.labels)?;
    let train = train_data.map(|path| load(inputs, path, Split::Train, card, watcher.notice)).transpose()?;
    let evaluation = run(predictor, &samples, judging.tta, watcher)?;
    let [model, data] = [&inputs.model, &inputs.data].map(|path| path.display().to_string());
    let line = protocol(card, &model, &data, &samples, judging.tta);
    let unseen = train.map(|train| evaluation.unseen(&samples, &train));
    let summary = Summary::new(&evaluation, line, unseen);
    if let Some(path) = &judging.csv {
        write(path, &predictions_csv(&evaluation, &samples)?)?;
    }
    if let Some(path) = &judging.report {
        write(path, report_html(&evaluation, &summary, &samples).as_bytes())?;
    }
    match (&judging.json, json) {
        (Some(_), None) => return Ok(summary.to_json()),
        (_, Some(path)) => write(path, summary.to_json().as_bytes())?,
        (None, None) => {}
    }
    Ok(summary.to_text())
}

/// The faces under FER+'s labels, by the majority of its raters.
fn majority(samples: Samples, inputs: &Inputs, notice: &dyn Fn(&str)) -> Result<Samples, TrainError> {
    if inputs.ferplus.is_none() {
        return Err(TrainError::Usage(
            "--labels ferplus needs the votes: --ferplus fer2013new.csv".to_owned(),
        ));
    }
    let n = samples.len();
    let (samples, n_without) = samples.by_ferplus_majority();
    notice(&format!(
        "FER+: {} of {n} faces are judged; {n_without} have no majority of its raters for one of the eight labels",
        samples.len()
    ));
    Ok(samples)
}

/// One head, or all; under the truth's labels where both know expressions: those that the head does not
/// score get probability 0.
fn reading(predictor: Predictor, head: Option<LabelSet>, labels: &Labels) -> Result<Predictor, TrainError> {
    let predictor = match head {
        Some(head) => predictor.of_head(head)?,
        None => predictor,
    };
    let expressions = |labels: &Labels| labels.set() != LabelSet::Own;
    if expressions(labels) && expressions(predictor.labels()) {
        return Ok(predictor.under(labels));
    }
    Ok(predictor)
}

/// Fits the model's temperature on the validation split and writes it into its card; returns what goes
/// to stdout.
///
/// # Errors
/// [`TrainError::Calibration`] when none fits; [`TrainError`] as [`judge`].
pub fn calibrate(
    predictor: &Predictor,
    inputs: &Inputs,
    watcher: &mut Watcher<'_>,
) -> Result<String, TrainError> {
    let samples = load(inputs, &inputs.data, Split::Validation, predictor.card(), watcher.notice)?;
    let evaluation = run(predictor, &samples, Tta::None, watcher)?;
    let mut card = calibrated(predictor.card(), &evaluation, &samples, &inputs.data.to_string_lossy())?;
    card.temperatures = other_temperatures(predictor, &samples, watcher)?;
    if card.foreign_calibration().is_some() {
        (watcher.notice)(&format!(
            "these {} images are not the validation split in the model's card: the temperature is fitted on them, the card's validation figures stay",
            samples.len()
        ));
    }
    checkpoint::save_card(&inputs.model, &card)?;
    let after = Scored::from_logits(&evaluation.logits(), &evaluation.truth, card.temperature.into());
    let words = |figures: [Figure; 3]| figures.map(|f| format!("{} {}", f.name, f.shown())).join("  ");
    Ok(format!(
        "temperature {:.4} written to {}\nbefore: {}\nafter:  {}\n",
        card.temperature,
        inputs.model.join(CARD_FILE).display(),
        words(of_probabilities(&evaluation.uncalibrated(), Temperature::One)),
        words(of_probabilities(&after, Temperature::One)),
    ))
}

/// The temperatures of all ways of reading but the plain one: more views, and single heads. FER+'s head is
/// fitted on the majority of its raters, where votes were joined.
fn other_temperatures(
    predictor: &Predictor,
    samples: &Samples,
    watcher: &mut Watcher<'_>,
) -> Result<Vec<TemperatureCard>, TrainError> {
    let single = predictor.card().heads.iter().map(|head| Some(head.set));
    let mut fitted = Vec::new();
    for head in std::iter::once(None).chain(single) {
        let truth = match head {
            Some(LabelSet::FerPlus) => samples.clone().by_ferplus_majority().0,
            _ => samples.clone(),
        };
        if truth.is_empty() {
            continue;
        }
        let reading = reading(predictor.clone(), head, &truth.labels)?;
        for tta in Tta::ALL.into_iter().filter(|tta| (head, *tta) != (None, Tta::None)) {
            let evaluation = run(&reading, &truth, tta, watcher)?;
            fitted.push(temperature_of(head, tta, &evaluation)?);
        }
    }
    Ok(fitted)
}

/// Writes a model as ONNX; returns what goes to stdout.
///
/// # Errors
/// [`TrainError::Usage`] for a file of the model itself, [`TrainError::Export`], [`TrainError::Write`].
pub fn export(model: &Path, onnx: &Path, device: &Device) -> Result<String, TrainError> {
    let card = checkpoint::load_card(model)?;
    refuse_overwriting_inputs(&[("--onnx", onnx)], model, &card, &[])?;
    let (net, card) = checkpoint::load(model, device)?;
    let bytes = to_onnx(&net, &card)?;
    write(onnx, &bytes)?;
    Ok(format!("{}: {} bytes\n", onnx.display(), bytes.len()))
}

fn refuse_overwriting_inputs(
    outputs: &[(&str, &Path)],
    model: &Path,
    card: &ModelCard,
    data: &[(&str, Option<&Path>)],
) -> Result<(), TrainError> {
    let files = [CARD_FILE, PAGE_FILE, &card.weights.file].map(|name| model.join(name));
    let model = files.iter().map(|file| ("the model's own file", file.as_path()));
    let data = data.iter().filter_map(|(option, path)| Some((*option, (*path)?)));
    Ok(refuse_overlaps(&model.chain(data).collect::<Vec<_>>(), outputs)?)
}

fn load(
    inputs: &Inputs,
    path: &Path,
    split: Split,
    card: &ModelCard,
    notice: &dyn Fn(&str),
) -> Result<Samples, TrainError> {
    let validation_fraction = validation_fraction(inputs.validation_fraction, card)?;
    if path.as_os_str() == DRAWN {
        return Ok(drawn_samples(split, card));
    }
    let options = LoadOptions {
        skip_bad: inputs.skip_bad,
        validation_fraction,
        seed: card.training.seed,
        labels: Some(own_labels(card)),
        ferplus: inputs.ferplus.clone(),
        ..LoadOptions::default()
    };
    let loaded = load_split(path, split, &options)?;
    let words = left_out(&loaded.skipped);
    if !words.is_empty() {
        notice(words.trim_end());
    }
    Ok(loaded.samples)
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

/// The drawn faces that the model was trained or selected on, or as many that chose nothing.
fn drawn_samples(split: Split, card: &ModelCard) -> Samples {
    let training = &card.training;
    let per_class = match split {
        _ if training.data != DRAWN => DataConfig::default().drawn_validation,
        Split::Train => training.n_train / card.labels.len(),
        _ => training.n_validation / card.labels.len(),
    };
    fer_drawn::samples(split, per_class, training.seed)
}

fn run(
    predictor: &Predictor,
    samples: &Samples,
    tta: Tta,
    watcher: &mut Watcher<'_>,
) -> Result<Evaluation, TrainError> {
    evaluate(predictor, samples, tta, |n_done| (watcher.progress)(n_done, samples.len()))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
    atomic::write(path, bytes).map_err(TrainError::writing(path))
}
