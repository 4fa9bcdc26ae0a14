//! fer-eval: judges a model on one split, fits its temperature, writes it as ONNX.
//! In: a command line. Out: figures on stdout, progress on stderr, files where asked, an exit code.
//! The only program of this crate that can open the test split.

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{Args, Parser, Subcommand, ValueEnum};
use fer_base::{ExitCode as _, chain, exit};
use fer_data::{LabelSet, Split};
use fer_model::{DeviceChoice, Predictor, Tta, choose};
use fer_train::TrainError;
use fer_train::console::{note, say};
use fer_train::judge::job::{self, Inputs, Judging, Watcher};
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
    /// Write the model as ONNX: input `faces`, output `logits`, any batch size.
    Export(Export),
}

#[derive(Args)]
struct Judge {
    /// Which split to judge on.
    #[arg(long, value_enum)]
    split: SplitName,
    /// Whose labels are the truth: the data's own, or the majority of FER+'s raters (with --ferplus).
    #[arg(long, value_enum, default_value = "fer2013")]
    labels: LabelsName,
    /// What is read: all heads combined as fer-live shows them, or one of them.
    #[arg(long, value_enum, default_value = "combined")]
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

#[derive(Args)]
struct Calibrate {
    #[command(flatten)]
    source: SourceArgs,
    /// Only validation: a temperature fitted on test would be chosen by test.
    #[arg(long, value_enum, default_value = "validation")]
    split: SplitName,
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
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum LabelsName {
    Fer2013,
    Ferplus,
}

#[derive(Clone, Copy, ValueEnum)]
enum HeadName {
    Combined,
    Fer2013,
    Ferplus,
}

fn main() -> ExitCode {
    fer_train::allocator::keep_memory();
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
        (Some(Command::Export(args)), ..) => {
            job::export(&args.model, &args.onnx, &choose(DeviceChoice::Cpu)?.device)
        }
        (None, Some(source), Some(args)) => judge(&source, args),
        _ => Err(TrainError::Usage("nothing to do: see fer-eval --help".to_owned())),
    }
}

fn judge(source: &SourceArgs, args: Judge) -> Result<String, TrainError> {
    let split = match args.split {
        SplitName::Validation => Split::Validation,
        SplitName::Test => Split::Test,
    };
    let Judge { tta, json, csv, report, train_data, labels, head, split: _ } = args;
    let truth = match labels {
        LabelsName::Fer2013 => LabelSet::Fer2013,
        LabelsName::Ferplus => LabelSet::FerPlus,
    };
    let head = match head {
        HeadName::Combined => None,
        HeadName::Fer2013 => Some(LabelSet::Fer2013),
        HeadName::Ferplus => Some(LabelSet::FerPlus),
    };
    let judging = Judging { split, truth, head, tta, train_data, json, csv, report };
    let predictor = predictor(source)?;
    watched(|watcher| job::judge(&predictor, &source.inputs(), &judging, watcher))
}

fn calibrate(args: &Calibrate) -> Result<String, TrainError> {
    if matches!(args.split, SplitName::Test) {
        return Err(TrainError::Usage(
            "calibrate fits on the validation split only: a temperature fitted on test would be chosen by test"
                .to_owned(),
        ));
    }
    let predictor = predictor(&args.source)?;
    watched(|watcher| job::calibrate(&predictor, &args.source.inputs(), watcher))
}

impl SourceArgs {
    fn inputs(&self) -> Inputs {
        let Self { model, data, ferplus, skip_bad, validation_fraction, .. } = self.clone();
        Inputs { model, data, ferplus, skip_bad, validation_fraction }
    }
}

fn predictor(args: &SourceArgs) -> Result<Predictor, TrainError> {
    fer_kernels::set_threads(args.threads.into()).map_err(|e| TrainError::Usage(e.to_string()))?;
    let chosen = choose(args.device)?;
    note(&format!("device: {} ({})", chosen.description, chosen.reason));
    Ok(Predictor::load(&args.model, &chosen.device)?.with_batch_size(args.batch))
}

/// Runs a job with a progress bar (none when stderr is no terminal) that Ctrl-C stops.
fn watched(job: impl FnOnce(&mut Watcher<'_>) -> Result<String, TrainError>) -> Result<String, TrainError> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    if let Err(error) = ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed)) {
        note(&format!("Ctrl-C will end the program at once: {error}"));
    }
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new(0) } else { ProgressBar::hidden() };
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} images, {per_sec}");
    bar.set_style(style.expect("the template is valid"));
    let result = job(&mut Watcher {
        progress: &mut |n_done, n| {
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
