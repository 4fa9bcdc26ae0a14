//! What fer-eval is asked to do, from files to files.
//! In: a model, data, and where results go. Out: the text of the result; files are written whole.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use fer_data::{LabelSet, Labels, Part, Samples};
use fer_model::card::HeadCard;
use fer_model::checkpoint;
use fer_model::predict::reading_net;
use fer_model::{ModelCard, Predictor, Tta};

use crate::console::Watcher;
use crate::error::TrainError;
use crate::judge::evaluate::{Evaluation, evaluate};
use crate::judge::figures;
use crate::judge::input::Inputs;
use crate::judge::predictions_csv::predictions_csv;
use crate::judge::summary::{Summary, protocol};
use crate::onnx::to_onnx;
use crate::outputs::{refuse_overwriting_inputs, write};
use crate::report::report_html;

/// What is judged, and which files say so.
#[derive(Clone, Debug)]
pub struct Judging {
    /// The part of the data.
    pub part: Part,
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
    let input = inputs.load(judging.part, card, watcher.notice)?;
    let mut samples = input.samples;
    if judging.truth == LabelSet::FerPlus {
        samples = majority(samples, inputs, watcher.notice)?;
    }
    let predictor = &reading(predictor.clone(), judging.head, &samples.labels)?;
    let train = train_data.map(|path| inputs.load_train(path, card, watcher.notice)).transpose()?;
    let evaluation = Evaluation { part: judging.part, ..run(predictor, &samples, judging.tta, watcher)? };
    let [model, data] = [&inputs.model, &inputs.data].map(|path| path.display().to_string());
    let mut line = protocol(card, &model, &data, &samples, judging.part, judging.tta);
    if let Some(words) = what_is_read(card, judging.head) {
        line = format!("{line}; {words}");
    }
    if let Some(missing) = inputs.missing_classes(&samples, card) {
        (watcher.notice)(&missing);
        line = format!("{line}; {missing}");
    }
    let unseen = train.map(|train| evaluation.unseen(&samples, &train));
    let mut summary = Summary::new(&evaluation, line, unseen);
    if input.n_without_face > 0 {
        summary = summary.with(figures::with_unfound(&evaluation, input.n_without_face));
    }
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

/// Which of several heads, in words.
fn what_is_read(card: &ModelCard, head: Option<LabelSet>) -> Option<String> {
    let weight = |head: &HeadCard| format!("{} x {}", head.weight, head.set);
    match head {
        _ if card.heads.is_empty() => None,
        Some(head) => Some(format!("its {head} head alone")),
        None => {
            let parts: Vec<String> = card.heads.iter().map(weight).collect();
            Some(format!("its reading, the logits {}", parts.join(" + ")))
        }
    }
}

/// One head, or all; under the truth's labels where both know expressions: those that the head does not
/// score get probability 0.
pub(super) fn reading(
    predictor: Predictor,
    head: Option<LabelSet>,
    labels: &Labels,
) -> Result<Predictor, TrainError> {
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

/// Writes a model as ONNX; returns what goes to stdout.
///
/// # Errors
/// [`TrainError::Usage`] for a file of the model itself, [`TrainError::Export`], [`TrainError::Write`].
pub fn export(model: &Path, onnx: &Path, device: &Device) -> Result<String, TrainError> {
    let card = checkpoint::load_card(model)?;
    refuse_overwriting_inputs(&[("--onnx", onnx)], model, &card, &[])?;
    let (net, card) = checkpoint::load(model, device)?;
    let bytes = to_onnx(&reading_net(&net, &card), &card)?;
    write(onnx, &bytes)?;
    Ok(format!("{}: {} bytes\n", onnx.display(), bytes.len()))
}

pub(super) fn run(
    predictor: &Predictor,
    samples: &Samples,
    tta: Tta,
    watcher: &mut Watcher<'_>,
) -> Result<Evaluation, TrainError> {
    evaluate(predictor, samples, tta, |n_done| (watcher.progress)(n_done, samples.len()))
}
