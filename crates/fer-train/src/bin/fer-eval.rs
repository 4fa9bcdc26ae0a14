//! fer-eval: judges a model, explains it, fits its temperature, writes it as ONNX.
//! In: a command line. Out: figures on stdout, progress on stderr, files where asked, an exit code.
//! The only program of this crate that can open the test split.

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{Args, Parser, Subcommand, ValueEnum};
use fer_base::{ExitCode as _, chain, exit};
use fer_data::{ClassMap, ClassRule, LabelSet, Part, Split};
use fer_model::{DeviceChoice, Predictor, Tta, checkpoint};
use fer_net::{checkpoint::predictor_of, choose};
use fer_train::TrainError;
use fer_train::console::{Watcher, note, say};
use fer_train::judge::calibrate::{
    self,
    combine::{Combination, combine},
};
use fer_train::judge::explain::{Explaining, explain};
use fer_train::judge::eyes::Eyes;
use fer_train::judge::input::{Cutting, Inputs};
use fer_train::judge::job::{self, Judging};
use fer_train::judge::robustness::{Probing, robustness};
use fer_train::judge::verifier::{Verifying, verify};
use fer_train::signals;
use indicatif::{ProgressBar, ProgressStyle};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Judges a model on the validation or test split of a data set.
#[derive(Parser)]
#[command(version, after_help = exit::HELP, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    source: Option<SourceArgs>,
    #[command(flatten)]
    judge: Option<Judge>,
}

#[derive(Subcommand)]
enum Command {
    /// Fit the model's temperature on the validation split and write it into its card.
    Calibrate(Calibrate),
    /// Choose how a model's two heads become one reading.
    ///
    /// Shows what combinations give on the validation split, by both label sets; with --weight and --adjust one
    /// is written into the card, and the temperatures are fitted anew.
    Combine(Combine),
    /// Judge the model on faces made worse: darker, blurred, turned, covered, small and others.
    ///
    /// Prints a table with the top-1 lost under each condition, the worst first. Equal commands give equal
    /// tables: what is random depends on a fixed seed and on a face's position in the data.
    Robustness(Robustness),
    /// Judge how the model tells faces from what is none, or with --fit teach it to.
    ///
    /// Fitting adds one output to the network's last layer and writes the model: its expressions stay as they
    /// are. It learns from the training split, from the pictures of --scenery, and from what FER+ calls no
    /// face; its threshold is chosen on the validation split.
    Verifier(Verifier),
    /// Show which parts of a face a prediction hangs on.
    ///
    /// A grey patch is slid over the face as the network sees it; where the label's probability drops, the
    /// prediction hangs on what was covered. Red in the picture: it drops; blue: it rises.
    Explain(Explain),
    /// Write the model as ONNX: input `faces`, output `logits`, any batch size.
    Export(Export),
}

#[derive(Args)]
struct Judge {
    /// What to judge on: a split, or the whole of a folder of classes that has no splits.
    #[arg(long, value_enum)]
    split: SplitName,
    /// Whose labels are the truth: the data's own, or the majority of FER+'s raters (with --ferplus).
    #[arg(long, value_enum, default_value = "fer2013")]
    labels: LabelsName,
    /// What is read of a model with several heads: the one of the labels that are the truth, what fer-live
    /// shows (all heads combined), or one of them.
    #[arg(long, value_enum, default_value = "auto")]
    head: HeadName,
    /// Average over views of each face: none, flip or tencrop.
    #[arg(long, default_value_t)]
    tta: Tta,
    /// Write the figures as JSON to a file, or to stdout instead of the text with `-`.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write one row an image: where it came from, label, prediction, probabilities.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Write a self-contained HTML report with charts and the worst mistakes.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Training data: also gives the accuracy without images that stand in it.
    #[arg(long, value_name = "PATH")]
    train_data: Option<PathBuf>,
}

// Its arguments are Judge's once more: clap takes an optional group for absent when the group holds another one.
#[derive(Args)]
struct Robustness {
    #[command(flatten)]
    source: SourceArgs,
    /// What to judge on: a split, or the whole of a folder of classes that has no splits.
    #[arg(long, value_enum, default_value = "validation")]
    split: SplitName,
    /// Whose labels are the truth: the data's own, or the majority of FER+'s raters (with --ferplus).
    #[arg(long, value_enum, default_value = "fer2013")]
    labels: LabelsName,
    /// What is read of a model with several heads: the one of the labels that are the truth, what fer-live
    /// shows (all heads combined), or one of them.
    #[arg(long, value_enum, default_value = "auto")]
    head: HeadName,
    /// Average over views of each face: none, flip or tencrop.
    #[arg(long, default_value_t)]
    tta: Tta,
    /// Write the table as JSON to a file, or to stdout instead of the text with `-`.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the table as Markdown.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
}

#[derive(Args)]
struct Verifier {
    #[command(flatten)]
    source: SourceArgs,
    /// A folder of pictures without people; every fifth, by name, is held out to judge on.
    #[arg(long, value_name = "DIR")]
    scenery: PathBuf,
    /// Fit a verifier, in place of one that the model may have.
    #[arg(long)]
    fit: bool,
    /// Share of the validation split's faces that the threshold has to keep.
    #[arg(long, default_value_t = 0.99, value_parser = share, requires = "fit")]
    keep: f64,
    /// Write the model with its verifier into this folder instead of its own.
    #[arg(long, value_name = "DIR", requires = "fit")]
    out: Option<PathBuf>,
    /// Write the figures as JSON to a file, or to stdout instead of the text with `-`.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the ROC curve as SVG.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

#[derive(Args)]
struct Explain {
    /// Model folder, as fer-train writes it.
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// The picture: a photograph, in which the largest face is found.
    #[arg(long, value_name = "FILE")]
    input: PathBuf,
    /// Take the whole picture as the face, as it is cut in data sets.
    #[arg(long)]
    cut: bool,
    /// The expression to explain; without it, the one that the model predicts.
    #[arg(long, value_name = "NAME")]
    label: Option<String>,
    /// Write the map over the face, as PNG.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write the drop for each place of the patch as JSON, or to stdout instead of the text with `-`.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// auto, cpu, gpu or wgpu.
    #[arg(long, default_value_t)]
    device: DeviceChoice,
}

#[derive(Args)]
struct Calibrate {
    #[command(flatten)]
    source: SourceArgs,
    /// Only validation: a temperature fitted on test would be chosen by test.
    #[arg(long, value_enum, default_value = "validation")]
    split: SplitName,
}

#[derive(Args)]
struct Combine {
    #[command(flatten)]
    source: SourceArgs,
    /// Share of FER+'s head in the reading, 0 to 1.
    #[arg(long, value_parser = share, requires = "adjust")]
    weight: Option<f64>,
    /// How much rare labels are favoured, 0 to 1: 1 reads as if all were equally frequent.
    #[arg(long, value_parser = share, requires = "weight")]
    adjust: Option<f64>,
}

#[derive(Args)]
struct Export {
    /// Model folder, as fer-train writes it.
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// The ONNX file to write.
    #[arg(long, value_name = "FILE")]
    onnx: PathBuf,
}

#[derive(Args, Clone)]
struct SourceArgs {
    /// Model folder, as fer-train writes it.
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// FER-2013 CSV file (plain or compressed), folder of classes, or the word `drawn`.
    #[arg(long, value_name = "PATH")]
    data: PathBuf,
    /// FER+ votes on the faces of --data: Microsoft's fer2013new.csv.
    #[arg(long, value_name = "FILE")]
    ferplus: Option<PathBuf>,
    /// Leave damaged samples out and list them, instead of refusing the data.
    #[arg(long)]
    skip_bad: bool,
    /// Carve this share of the training split off as validation, where the data has none; a model that
    /// was trained so knows its share, and no other is taken.
    #[arg(long, value_name = "SHARE")]
    validation_fraction: Option<f32>,
    /// Read a class of a folder under another name: `--map grin=happy`; `--map contempt=-` leaves it out.
    /// Known synonyms (anger, happiness, …) need no map. May be given for each class.
    #[arg(long, value_name = "CLASS=NAME")]
    map: Vec<ClassRule>,
    /// The pictures of the folder are photographs: judge the largest face found in each. Those without one
    /// are listed, and a second accuracy counts them as wrong.
    #[arg(long)]
    detect: bool,
    /// auto, cpu, gpu or wgpu.
    #[arg(long, default_value_t)]
    device: DeviceChoice,
    /// CPU threads; 0 means one a core.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=256))]
    threads: u16,
    /// Faces that go through the network together.
    #[arg(long, default_value_t = fer_model::predict::DEFAULT_BATCH_SIZE, value_parser = at_least_one)]
    batch: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum SplitName {
    Validation,
    Test,
    Whole,
}

impl From<SplitName> for Part {
    fn from(name: SplitName) -> Self {
        match name {
            SplitName::Validation => Self::Split(Split::Validation),
            SplitName::Test => Self::Split(Split::Test),
            SplitName::Whole => Self::Whole,
        }
    }
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum LabelsName {
    Fer2013,
    Ferplus,
}

#[derive(Clone, Copy, ValueEnum)]
enum HeadName {
    Auto,
    Reading,
    Fer2013,
    Ferplus,
}

fn main() -> ExitCode {
    fer_kernels::memory::keep();
    signals::catch();
    match run(Cli::parse()).and_then(|text| say(&text)) {
        Ok(()) => ExitCode::from(exit::SUCCESS),
        Err(error) => {
            note(&format!("fer-eval: {}", chain(&error)));
            ExitCode::from(error.exit_code())
        }
    }
}

/// Does what is asked; what goes to stdout comes back.
fn run(cli: Cli) -> Result<String, TrainError> {
    match (cli.command, cli.source, cli.judge) {
        (Some(Command::Calibrate(args)), ..) => calibrate(&args),
        (Some(Command::Combine(args)), ..) => combine_heads(&args),
        (Some(Command::Robustness(args)), ..) => probe(args),
        (Some(Command::Verifier(args)), ..) => verify_faces(args),
        (Some(Command::Explain(args)), ..) => explain_one(args),
        (Some(Command::Export(args)), ..) => {
            job::export(&args.model, &args.onnx, &choose(DeviceChoice::Cpu)?.device)
        }
        (None, Some(source), Some(args)) => judge(&source, args),
        _ => Err(TrainError::Usage("nothing to do: see fer-eval --help".to_owned())),
    }
}

fn judge(source: &SourceArgs, args: Judge) -> Result<String, TrainError> {
    let Judge { split, labels, head, tta, json, csv, report, train_data } = args;
    let predictor = predictor(source)?;
    let judging = Judging {
        part: split.into(),
        eyes: eyes(labels, head, &predictor),
        tta,
        train_data,
        json,
        csv,
        report,
    };
    let inputs = source.inputs()?;
    watched(|watcher| job::judge(&predictor, &inputs, &judging, watcher))
}

fn calibrate(args: &Calibrate) -> Result<String, TrainError> {
    if !matches!(args.split, SplitName::Validation) {
        return Err(TrainError::Usage(
            "calibrate fits on the validation split only: a temperature fitted on test would be chosen by test, \
             and a whole folder is judged, not fitted on"
                .to_owned(),
        ));
    }
    let inputs = args.source.inputs()?;
    let predictor = predictor(&args.source)?;
    watched(|watcher| calibrate::calibrate(&predictor, &inputs, watcher))
}

fn combine_heads(args: &Combine) -> Result<String, TrainError> {
    let chosen = args.weight.zip(args.adjust);
    let chosen =
        chosen.map(|(ferplus, adjust)| Combination { ferplus: ferplus as f32, adjust: adjust as f32 });
    let inputs = args.source.inputs()?;
    let predictor = predictor(&args.source)?;
    watched(|watcher| combine(&predictor, &inputs, chosen, watcher))
}

fn probe(args: Robustness) -> Result<String, TrainError> {
    let Robustness { source, split, labels, head, tta, json, markdown } = args;
    let inputs = source.inputs()?;
    let predictor = predictor(&source)?;
    let probing = Probing { part: split.into(), eyes: eyes(labels, head, &predictor), tta, json, markdown };
    watched(|watcher| robustness(&predictor, &inputs, &probing, watcher))
}

fn verify_faces(args: Verifier) -> Result<String, TrainError> {
    let Verifier { source, scenery, fit, keep, out, json, svg } = args;
    let inputs = source.inputs()?;
    let predictor = predictor(&source)?;
    let command = std::env::args().collect::<Vec<_>>().join(" ");
    let verifying = Verifying { scenery, fit, keep, out, json, svg, command };
    watched(|watcher| verify(&predictor, &inputs, &verifying, watcher))
}

fn explain_one(args: Explain) -> Result<String, TrainError> {
    let Explain { model, input, cut, label, out, json, device } = args;
    let cutting = if cut { Cutting::AsItIs } else { Cutting::LargestFace };
    let predictor = loaded(&model, device)?;
    explain(&predictor, &Explaining { model, input, cutting, label, out, json })
}

fn eyes(labels: LabelsName, head: HeadName, predictor: &Predictor) -> Eyes {
    let truth = match labels {
        LabelsName::Fer2013 => LabelSet::Fer2013,
        LabelsName::Ferplus => LabelSet::FerPlus,
    };
    let head = match head {
        HeadName::Auto => predictor.card().heads.iter().map(|head| head.set).find(|set| *set == truth),
        HeadName::Reading => None,
        HeadName::Fer2013 => Some(LabelSet::Fer2013),
        HeadName::Ferplus => Some(LabelSet::FerPlus),
    };
    Eyes { truth, head }
}

impl SourceArgs {
    fn inputs(&self) -> Result<Inputs, TrainError> {
        let Self { model, data, ferplus, skip_bad, validation_fraction, map, detect, .. } = self.clone();
        let cutting = if detect { Cutting::LargestFace } else { Cutting::AsItIs };
        let map = ClassMap::new(map)?;
        Ok(Inputs { model, data, ferplus, skip_bad, validation_fraction, map, cutting })
    }
}

fn predictor(args: &SourceArgs) -> Result<Predictor, TrainError> {
    fer_kernels::set_threads(args.threads.into()).map_err(|e| TrainError::Usage(e.to_string()))?;
    Ok(loaded(&args.model, args.device)?.with_batch_size(args.batch))
}

fn loaded(model: &Path, device: DeviceChoice) -> Result<Predictor, TrainError> {
    let chosen = choose(device)?;
    note(&format!("device: {} ({})", chosen.place.description, chosen.place.reason));
    Ok(predictor_of(checkpoint::load(model)?, &chosen.device)?)
}

/// Runs a job with a progress bar (none when stderr is no terminal) that Ctrl-C stops.
fn watched(job: impl FnOnce(&mut Watcher<'_>) -> Result<String, TrainError>) -> Result<String, TrainError> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let mut has_begun = false;
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new(0) } else { ProgressBar::hidden() };
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} images, {per_sec}");
    bar.set_style(style.expect("the template is valid"));
    let result = job(&mut Watcher {
        progress: &mut |n_done, n| {
            if !std::mem::replace(&mut has_begun, true) {
                let flag = Arc::clone(&interrupted);
                signals::stop_with(move || flag.store(true, Ordering::Relaxed));
            }
            bar.set_length(n as u64);
            bar.set_position(n_done as u64);
            if interrupted.load(Ordering::Relaxed) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        },
        notice: &note,
    });
    bar.finish_and_clear();
    result
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n) if n > 0 => Ok(n),
        _ => Err(format!("\"{text}\" is no batch size, expected a whole number from 1")),
    }
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err(format!("\"{text}\" is no share, expected 0 to 1")),
    }
}
