//! fer-eval: judges a model on one split, fits its temperature, writes it as ONNX.
//! In: a command line. Out: figures on stdout, progress on stderr, files where asked, an exit code.
//! The only program of this crate that can open the test split.
#![allow(clippy::print_stderr)]

use std::io::{IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, bail};
use clap::{Args, Parser, Subcommand, ValueEnum};
use fer_base::{ExitCode as _, atomic, exit};
use fer_data::{DataError, LoadOptions, Samples, Split, load_split};
use fer_model::{DeviceChoice, ModelCard, Predictor, Tta, checkpoint, choose};
use fer_train::error::{TrainError, chain, model_exit_code};
use fer_train::evaluate::{Evaluation, calibrated, evaluate};
use fer_train::export::to_onnx;
use fer_train::left_out::left_out;
use fer_train::predictions_csv::predictions_csv;
use fer_train::report::report_html;
use fer_train::scoring::Scored;
use fer_train::summary::{Summary, protocol};
use indicatif::{ProgressBar, ProgressStyle};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The word for `--data` that stands for faces drawn by fer itself.
const DRAWN: &str = "drawn";

/// Drawn faces per class for a model that was trained on other data; fer-train's default.
const DRAWN_PER_CLASS: usize = 60;

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

#[derive(Args)]
struct SourceArgs {
    /// Model folder, as fer-train writes it.
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// FER-2013 CSV file (plain or compressed), folder of classes, or the word `drawn`.
    #[arg(long, value_name = "PATH")]
    data: PathBuf,
    /// Leave damaged samples out and list them, instead of refusing the data.
    #[arg(long)]
    skip_bad: bool,
    /// Carve this share of the training split off as validation, where the data has none; use the
    /// value the model was trained with.
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

fn main() -> ExitCode {
    fer_kernels::keep_memory();
    match run(Cli::parse()) {
        Ok(()) => ExitCode::from(exit::SUCCESS),
        Err(error) => {
            eprintln!("fer-eval: {}", chain(error.as_ref()));
            ExitCode::from(exit_code(&error))
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    match (cli.command, cli.source, cli.judge) {
        (Some(Command::Calibrate(args)), ..) => calibrate(&args),
        (Some(Command::Export(args)), ..) => export(&args),
        (None, Some(source), Some(args)) => judge(&source, &args),
        _ => bail!("nothing to do: see fer-eval --help"),
    }
}

fn judge(source: &SourceArgs, args: &Judge) -> anyhow::Result<()> {
    let predictor = open(source)?;
    let split = match args.split {
        SplitName::Validation => Split::Validation,
        SplitName::Test => Split::Test,
    };
    let samples = load(&source.data, split, source, predictor.card())?;
    let train = match &args.train_data {
        Some(path) => Some(load(path, Split::Train, source, predictor.card())?),
        None => None,
    };
    let evaluation = run_network(&predictor, &samples, args.tta)?;
    let [model, data] = [&source.model, &source.data].map(|path| path.display().to_string());
    let line = protocol(predictor.card(), &model, &data, &samples, args.tta);
    let unseen = train.map(|train| evaluation.unseen(&samples, &train));
    let summary = Summary::new(&evaluation, line, unseen);
    if let Some(path) = &args.csv {
        write(path, &predictions_csv(&evaluation, &samples)?)?;
    }
    if let Some(path) = &args.report {
        write(path, report_html(&evaluation, &summary, &samples).as_bytes())?;
    }
    match &args.json {
        Some(path) if path.as_os_str() == "-" => return say(&summary.to_json()),
        Some(path) => write(path, summary.to_json().as_bytes())?,
        None => {}
    }
    say(&summary.to_text())
}

fn calibrate(args: &Calibrate) -> anyhow::Result<()> {
    if matches!(args.split, SplitName::Test) {
        return Err(Usage(
            "calibrate fits on the validation split only: a temperature fitted on test would be chosen by test"
                .to_owned(),
        )
        .into());
    }
    let predictor = open(&args.source)?;
    let samples = load(&args.source.data, Split::Validation, &args.source, predictor.card())?;
    let evaluation = run_network(&predictor, &samples, Tta::None)?;
    let card = calibrated(predictor.card(), &evaluation, &samples, &args.source.data.to_string_lossy())?;
    if card.foreign_calibration().is_some() {
        eprintln!(
            "these {} images are not the validation split in the model's card: the temperature is fitted on them, the card's validation figures stay",
            samples.len()
        );
    }
    checkpoint::save_card(&args.source.model, &card)?;
    let after = Scored::from_logits(&evaluation.logits(), &evaluation.truth, card.temperature.into());
    say(&format!(
        "temperature {:.4} written to {}\nbefore: {}\nafter:  {}\n",
        card.temperature,
        args.source.model.join(checkpoint::CARD_FILE).display(),
        evaluation.uncalibrated().calibration(),
        after.calibration()
    ))
}

fn export(args: &Export) -> anyhow::Result<()> {
    let device = choose(DeviceChoice::Cpu)?.device;
    let (net, card) = checkpoint::load(&args.model, &device)?;
    let onnx = to_onnx(&net, &card)?;
    write(&args.onnx, &onnx)?;
    say(&format!("{}: {} bytes\n", args.onnx.display(), onnx.len()))
}

fn open(args: &SourceArgs) -> anyhow::Result<Predictor> {
    fer_kernels::set_threads(args.threads.into()).map_err(|e| Usage(e.to_string()))?;
    let chosen = choose(args.device)?;
    eprintln!("device: {} ({})", chosen.description, chosen.reason);
    Ok(Predictor::load(&args.model, &chosen.device)?.with_batch_size(args.batch))
}

fn load(path: &Path, split: Split, args: &SourceArgs, card: &ModelCard) -> anyhow::Result<Samples> {
    if path.as_os_str() == DRAWN {
        return Ok(drawn_samples(split, card));
    }
    let options = LoadOptions {
        skip_bad: args.skip_bad,
        validation_fraction: args.validation_fraction,
        seed: card.training.seed,
        labels: Some(card.labels.clone()),
        ..LoadOptions::default()
    };
    let loaded = load_split(path, split, &options)?;
    eprint!("{}", left_out(&loaded.skipped));
    Ok(loaded.samples)
}

/// The drawn faces that the model was trained or selected on, or as many that chose nothing.
fn drawn_samples(split: Split, card: &ModelCard) -> Samples {
    let training = &card.training;
    let per_class = match split {
        _ if training.data != DRAWN => DRAWN_PER_CLASS,
        Split::Train => training.n_train / card.labels.len(),
        _ => training.n_validation / card.labels.len(),
    };
    fer_drawn::samples(split, per_class, training.seed)
}

/// Runs the network with a progress bar (none when stderr is no terminal) that Ctrl-C stops.
fn run_network(predictor: &Predictor, samples: &Samples, tta: Tta) -> anyhow::Result<Evaluation> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed)).context("Ctrl-C handler")?;
    let bar = if std::io::stderr().is_terminal() {
        ProgressBar::new(samples.len() as u64)
    } else {
        ProgressBar::hidden()
    };
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} images, {per_sec}")?);
    let evaluation = evaluate(predictor, samples, tta, |n_done| {
        bar.set_position(n_done as u64);
        if interrupted.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    bar.finish_and_clear();
    Ok(evaluation)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
    atomic::write(path, bytes).map_err(|cause| TrainError::Write { path: path.to_owned(), cause })
}

/// Prints a result; a reader that closed the pipe has had enough.
fn say(text: &str) -> anyhow::Result<()> {
    let written = std::io::stdout().write_all(text.as_bytes());
    match written.map_err(|cause| (cause.kind(), TrainError::Write { path: "stdout".into(), cause })) {
        Err((kind, error)) if kind != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n) if n > 0 => Ok(n),
        _ => Err(format!("\"{text}\" is no batch size, expected a whole number from 1")),
    }
}

/// A command line that parses but asks for something that is not done.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Usage(String);

fn exit_code(error: &anyhow::Error) -> u8 {
    let train = error.downcast_ref().map(TrainError::exit_code);
    let model = || error.downcast_ref().map(model_exit_code);
    let data = || error.downcast_ref().map(DataError::exit_code);
    train.or_else(model).or_else(data).unwrap_or(exit::USAGE)
}
