//! A model judged on faces that are worse than those of its data set.
//! In: a model and a part of a data set. Out: [`RobustnessTable`]: what each perturbation costs.

pub mod perturbation;
pub mod table;

use std::ops::ControlFlow;
use std::path::PathBuf;

use fer_base::terminal;
use fer_data::{Part, Samples};
use fer_model::{Predictor, Tta};

use crate::console::Watcher;
use crate::error::TrainError;
use crate::judge::evaluate::{Evaluation, evaluate};
use crate::judge::eyes::Eyes;
use crate::judge::input::Inputs;
use crate::judge::summary::protocol;
use crate::result_files::{refuse_overwriting_inputs, write};
use perturbation::{PERTURBATIONS, Perturbation};
use table::{Condition, RobustnessTable};

/// What is judged, and which files say so.
#[derive(Clone, Debug)]
pub struct Probing {
    /// The part of the data.
    pub part: Part,
    /// What is read, and what it is judged by.
    pub eyes: Eyes,
    /// Views of each face.
    pub tta: Tta,
    /// The table as JSON; `-` is stdout, instead of the text.
    pub json: Option<PathBuf>,
    /// The table as Markdown.
    pub markdown: Option<PathBuf>,
}

/// Judges a model under every perturbation; returns what goes to stdout.
///
/// # Errors
/// [`TrainError`]: an output that is an input, data or model that cannot be used, a file not written.
pub fn robustness(
    predictor: &Predictor,
    inputs: &Inputs,
    probing: &Probing,
    watcher: &mut Watcher<'_>,
) -> Result<String, TrainError> {
    let card = predictor.card();
    let json = probing.json.as_deref().filter(|path| path.as_os_str() != "-");
    let outputs = [("--json", json), ("--markdown", probing.markdown.as_deref())];
    let outputs: Vec<_> = outputs.iter().filter_map(|(option, path)| Some((*option, (*path)?))).collect();
    refuse_overwriting_inputs(&outputs, &inputs.model, card, &inputs.files())?;

    let input = inputs.load(probing.part, card, watcher.notice)?;
    let (predictor, samples) = &probing.eyes.on(predictor, input.samples, inputs, watcher.notice)?;
    let [model, data] = [&inputs.model, &inputs.data].map(|path| path.display().to_string());
    let line = protocol(card, &model, &data, samples, probing.part, probing.tta);
    let mut line = probing.eyes.told(line, card);
    if let Some(missing) = inputs.missing_classes(samples, card) {
        (watcher.notice)(&terminal::line(&missing));
        line = format!("{line}; {missing}");
    }
    let table = probe(predictor, samples, probing.tta, line, &PERTURBATIONS, watcher.progress)?;
    if let Some(path) = &probing.markdown {
        write(path, table.to_markdown().as_bytes())?;
    }
    match (&probing.json, json) {
        (Some(_), None) => return Ok(table.to_json()),
        (_, Some(path)) => write(path, table.to_json().as_bytes())?,
        (None, None) => {}
    }
    Ok(table.to_text())
}

/// The table of these perturbations; `progress` is told how many images of how many are done, and may stop.
///
/// # Errors
/// As [`evaluate`].
pub fn probe(
    predictor: &Predictor,
    samples: &Samples,
    tta: Tta,
    protocol: String,
    perturbations: &[Perturbation],
    progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<RobustnessTable, TrainError> {
    let n = samples.len() * (1 + perturbations.len());
    let mut n_before = 0;
    let mut judge = |samples: &Samples| -> Result<Evaluation, TrainError> {
        let evaluation = evaluate(predictor, samples, tta, |n_done| progress(n_before + n_done, n))?;
        n_before += samples.len();
        Ok(evaluation)
    };
    let clean = judge(samples)?;
    let accuracy = clean.confusion_matrix().accuracy();
    let clean = Condition::new("clean", "as they are", &clean, accuracy);
    let mut conditions = Vec::with_capacity(perturbations.len());
    for perturbation in perturbations {
        let evaluation = judge(&perturbation.all(samples))?;
        conditions.push(Condition::new(perturbation.name, perturbation.what, &evaluation, accuracy));
    }
    Ok(RobustnessTable::new(protocol, samples.len(), clean, conditions))
}
