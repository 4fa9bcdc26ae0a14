//! `fer-train`: a config → a run folder with a trained model.
//! In: a TOML config, data. Out: checkpoints, curves, `model/` with weights and card.
#![allow(clippy::print_stdout, clippy::print_stderr)] // Programs speak; libraries do not.

use std::{
    io::IsTerminal,
    path::PathBuf,
    process::ExitCode,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use burn_train::{Interrupter, renderer::MetricsRenderer};
use clap::{Parser, ValueEnum};
use fer_base::exit;
use fer_data::Learning;
use fer_model::{DeviceChoice, choose, net::size_of};
use fer_train::{
    TrainError,
    config::Config,
    error::chain,
    run::folder::RunFolder,
    run::history::EpochRow,
    skipped::left_out,
    train::epoch_end::Report,
    train::heads::heads,
    train::progress::{BarRenderer, line},
    train::{Outcome, Session, load, train},
};
use indicatif::{ProgressBar, ProgressDrawTarget};

// Flex frees and asks for megabytes at every operation; glibc gives them back to the kernel each
// time, and page faults take up to half of a step (docs/reports/speed.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Trains a network that reads apparent expressions, and leaves a run folder.
#[derive(Parser)]
#[command(version, after_help = exit::HELP)]
struct Arguments {
    /// The experiment, a TOML file.
    #[arg(long)]
    config: PathBuf,
    /// Overrides data.path: `drawn`, a FER-2013 CSV file, or a folder of class folders.
    #[arg(long)]
    data: Option<String>,
    /// Overrides data.skip_bad: damaged samples are left out and listed, instead of refused.
    #[arg(long)]
    skip_bad: bool,
    /// Overrides one value: `--set train.epochs=5`; may be repeated.
    #[arg(long = "set", value_name = "TABLE.KEY=VALUE")]
    overrides: Vec<String>,
    /// Shows the whole config, defaults included, and stops.
    #[arg(long)]
    print_config: bool,
    /// The run folder; default `runs/<config's name>`.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Goes on after the newest finished epoch of the run folder, as if never stopped.
    #[arg(long)]
    resume: bool,
    /// auto, cpu, gpu, or wgpu (any adapter, software ones too).
    #[arg(long, default_value = "auto")]
    device: DeviceChoice,
    /// Threads of the CPU kernels; 0: one per core.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=256))]
    threads: u16,
    /// How progress is shown.
    #[arg(long, value_enum, default_value = "auto")]
    progress: Progress,
}

#[derive(Clone, Copy, ValueEnum)]
enum Progress {
    /// A bar and a line an epoch in a terminal, lines alone when piped; a star marks the best epoch so far.
    Auto,
    /// Burn's dashboard; lines when piped.
    Dashboard,
    /// One line an epoch.
    Lines,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("fer-train: {}", chain(&error));
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(arguments: &Arguments) -> Result<u8, TrainError> {
    let config = config(arguments)?;
    if arguments.print_config {
        print!("{}", config.to_toml());
        return Ok(exit::SUCCESS);
    }
    let out = out(arguments);
    // Known before the data is loaded, which may take a minute.
    if arguments.resume {
        RunFolder::resume(&out, &config)?;
    } else {
        RunFolder::expect_vacant(&out)?;
    }
    fer_train::allocator::keep_memory();
    fer_kernels::set_threads(arguments.threads.into()).expect("no tensor operation has run yet");
    let device = choose(arguments.device)?;
    eprintln!("device: {} ({})", device.description, device.reason);
    let data = load(&config)?;
    describe(&config, &data);
    let interrupter = Interrupter::new();
    stop_on_signals(interrupter.clone());
    let (renderer, report) = progress(arguments.progress, config.train.epochs);
    let session = Session {
        out,
        resume: arguments.resume,
        device,
        command: std::env::args().collect::<Vec<_>>().join(" "),
        started: jiff::Timestamp::now().to_string(),
        interrupter,
        renderer,
        report,
        notice: Box::new(|words| eprintln!("{words}")),
    };
    Ok(conclude(&train(&config, data, session)?))
}

fn config(arguments: &Arguments) -> Result<Config, TrainError> {
    let mut overrides = arguments.overrides.clone();
    if let Some(data) = &arguments.data {
        overrides.push(format!("data.path={data:?}"));
    }
    if arguments.skip_bad {
        overrides.push("data.skip_bad=true".to_owned());
    }
    Config::read(&arguments.config, &overrides)
}

fn out(arguments: &Arguments) -> PathBuf {
    let stem = arguments.config.file_stem().unwrap_or_default();
    arguments.out.clone().unwrap_or_else(|| PathBuf::from("runs").join(stem))
}

fn describe(config: &Config, data: &Learning) {
    let architecture = config.model.architecture;
    let heads = heads(config, &data.train);
    let size = size_of(config.model.plan(), heads.iter().map(|head| head.card.labels.len()).sum());
    eprintln!(
        "network: {architecture}, {} parameters, {:.1} M multiply-accumulates a face",
        size.parameters,
        size.macs as f64 / 1e6
    );
    eprintln!(
        "data: {}, {} faces to train, {} to validate",
        config.data.path,
        data.train.len(),
        data.validation.len()
    );
    for (label, (train, validation)) in
        data.train.labels.names().iter().zip(data.train.counts().iter().zip(data.validation.counts()))
    {
        eprintln!("  {label:<12} {train:>7} {validation:>7}");
    }
    eprint!("{}", left_out(&data.skipped));
}

/// The first Ctrl-C or SIGTERM stops after the current step; the second ends at once.
fn stop_on_signals(interrupter: Interrupter) {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let handler = move || {
        if ASKED.fetch_add(1, Ordering::SeqCst) > 0 {
            std::process::exit(i32::from(exit::INTERRUPTED));
        }
        eprintln!("stopping after this step; finished epochs are kept, once more ends at once");
        interrupter.stop(Some("Ctrl-C"));
    };
    if let Err(error) = ctrlc::set_handler(handler) {
        eprintln!("Ctrl-C will end the run at once: {error}");
    }
}

fn progress(progress: Progress, epochs: usize) -> (Option<Box<dyn MetricsRenderer>>, Report) {
    let terminal = std::io::stderr().is_terminal();
    let show_bar = terminal && matches!(progress, Progress::Auto);
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.set_style(BarRenderer::style());
    if show_bar {
        bar.enable_steady_tick(Duration::from_millis(500));
    } else {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if matches!(progress, Progress::Dashboard) {
        // The dashboard draws on stdout.
        if std::io::stdout().is_terminal() {
            return (None, Box::new(|_, _| {}));
        }
        eprintln!("--progress dashboard needs a terminal: one line an epoch instead");
    }
    let printer = bar.clone();
    let report = move |row: &EpochRow, best: &EpochRow| {
        let line = line(row, best, epochs);
        printer.suspend(|| eprintln!("{line}"));
    };
    (Some(Box::new(BarRenderer::new(bar))), Box::new(report))
}

fn conclude(outcome: &Outcome) -> u8 {
    println!(
        "validation top-1 {:.2} % at epoch {} of {} done; model in {}",
        100.0 * outcome.best.validation_accuracy,
        outcome.best.epoch,
        outcome.n_epochs,
        outcome.model.display()
    );
    if outcome.interrupted {
        eprintln!("interrupted: --resume goes on after epoch {}", outcome.n_epochs);
        return exit::INTERRUPTED;
    }
    exit::SUCCESS
}
