//! What fer-eval is asked to do, from files to files.
//! In: a model, data, and where results go. Out: the text of the result; files are written whole.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use fer_base::terminal;
use fer_data::Part;
use fer_model::checkpoint;
use fer_model::{Predictor, Tta};
use fer_net::frozen::reading_net;

use crate::console::Watcher;
use crate::error::TrainError;
use crate::judge::evaluate::Evaluation;
use crate::judge::eyes::{Eyes, run};
use crate::judge::figures;
use crate::judge::input::{Inputs, on_disk};
use crate::judge::predictions_csv::predictions_csv;
use crate::judge::summary::{Summary, protocol};
use crate::onnx::to_onnx;
use crate::report::report_html;
use crate::result_files::{refuse_overwriting_inputs, write};

/// What is judged, and which files say so.
#[derive(Clone, Debug)]
pub struct Judging {
    /// The part of the data.
    pub part: Part,
    /// What is read, and what it is judged by.
    pub eyes: Eyes,
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
    let outputs: Vec<_> = outputs.iter().filter_map(|(option, path)| Some((*option, (*path)?))).collect();
    let (card, train_data) = (predictor.card(), judging.train_data.as_deref());
    let [data, ferplus] = inputs.files();
    let data = [data, ("--train-data", train_data.and_then(on_disk)), ferplus];
    refuse_overwriting_inputs(&outputs, &inputs.model, card, &data)?;
    let input = inputs.load(judging.part, card, watcher.notice)?;
    let (predictor, samples) = &judging.eyes.on(predictor, input.samples, inputs, watcher.notice)?;
    let train = train_data.map(|path| inputs.load_train(path, card, watcher.notice)).transpose()?;
    let evaluation = Evaluation { part: judging.part, ..run(predictor, samples, judging.tta, watcher)? };
    let [model, data] = [&inputs.model, &inputs.data].map(|path| path.display().to_string());
    let line = protocol(card, &model, &data, samples, judging.part, judging.tta);
    let mut line = judging.eyes.told(line, card);
    if let Some(missing) = inputs.missing_classes(samples, card) {
        (watcher.notice)(&terminal::line(&missing));
        line = format!("{line}; {missing}");
    }
    let unseen = train.map(|train| evaluation.unseen(samples, &train));
    let mut summary = Summary::new(&evaluation, line, unseen).leaving_out(input.n_left_out);
    if input.n_without_face > 0 {
        summary = summary.with(figures::with_unfound(&evaluation, input.n_without_face));
    }
    if let Some(path) = &judging.csv {
        write(path, &predictions_csv(&evaluation, samples)?)?;
    }
    if let Some(path) = &judging.report {
        write(path, report_html(&evaluation, &summary, samples).as_bytes())?;
    }
    match (&judging.json, json) {
        (Some(_), None) => return Ok(summary.to_json()),
        (_, Some(path)) => write(path, summary.to_json().as_bytes())?,
        (None, None) => {}
    }
    Ok(summary.to_text())
}

/// Writes a model as ONNX; returns what goes to stdout.
///
/// # Errors
/// [`TrainError::Usage`] for a file of the model itself, [`TrainError::Export`], [`TrainError::Write`].
pub fn export(model: &Path, onnx: &Path, device: &Device) -> Result<String, TrainError> {
    let card = checkpoint::load_card(model)?;
    refuse_overwriting_inputs(&[("--onnx", onnx)], model, &card, &[])?;
    let (net, card) = fer_net::checkpoint::load(model, device)?;
    let bytes = to_onnx(&reading_net(&net, &card), &card)?;
    write(onnx, &bytes)?;
    Ok(format!("{}: {} bytes\n", onnx.display(), bytes.len()))
}
