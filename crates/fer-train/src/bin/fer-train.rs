//! `fer-train`: a config → a run folder with a trained model.
//! In: a TOML config, data. Out: checkpoints, curves, `model/` with weights and card.

use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use burn_train::{Interrupter, renderer::MetricsRenderer};
use clap::{Args, Parser, Subcommand, ValueEnum};
use fer_base::{ExitCode as _, chain, exit, terminal};
use fer_data::Learning;
use fer_model::DeviceChoice;
use fer_net::choose;
use fer_train::{
    TrainError,
    config::Config,
    console::{note, say},
    run::folder::RunPlace,
    run::history::EpochRow,
    run::initial::with_blocks_of_init,
    run::summary::summarize,
    signals,
    skipped::left_out,
    train::epoch_end::OnEpoch,
    train::heads::heads,
    train::progress::{BarRenderer, line},
    train::{Ending, RunOutcome, RunSetup, load, train},
};
use indicatif::{ProgressBar, ProgressDrawTarget};

// Flex frees and asks for megabytes at every operation; glibc gives them back to the kernel each
// time, and page faults take up to half of a step (docs/reports/speed.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Trains a network that reads apparent expressions, and leaves a run folder.
#[derive(Parser)]
#[command(version, after_help = exit::HELP, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
struct Arguments {
    /// What to do other than training.
    #[command(subcommand)]
    command: Option<Command>,
    /// The experiment, a TOML file.
    #[arg(long, required = true)]
    config: Option<PathBuf>,
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

#[derive(Subcommand)]
enum Command {
    /// Mean and standard deviation of the finished runs of each setting: runs that differ in their seed alone.
    Summary(SummaryArguments),
}

#[derive(Args)]
struct SummaryArguments {
    /// Run folders: `runs/*`.
    #[arg(required = true)]
    folders: Vec<PathBuf>,
    /// CSV instead of a table: one row a setting.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// JSON instead of a table, each run's values included.
    #[arg(long)]
    json: bool,
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
            note(&format!("fer-train: {}", chain(&error)));
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(arguments: &Arguments) -> Result<u8, TrainError> {
    if let Some(Command::Summary(arguments)) = &arguments.command {
        return summary(arguments);
    }
    let config = config(arguments)?;
    if arguments.print_config {
        say(&config.to_toml())?;
        return Ok(exit::SUCCESS);
    }
    stay_on_cpu(arguments);
    signals::catch();
    // Found fit before the data is loaded, which may take a minute.
    let out = out(arguments);
    let place = if arguments.resume { RunPlace::standing(&out, &config)? } else { RunPlace::vacant(&out)? };
    fer_kernels::memory::keep();
    fer_kernels::set_threads(arguments.threads.into()).expect("no tensor operation has run yet");
    let device = choose(arguments.device)?;
    note(&format!("device: {} ({})", device.place.description, device.place.reason));
    let data = load(&config)?;
    describe(&config, &data);
    let interrupter = Interrupter::new();
    let stopped = interrupter.clone();
    signals::stop_with(move || {
        note("stopping after this step; finished epochs are kept, once more ends at once");
        stopped.stop(Some("Ctrl-C"));
    });
    let (renderer, report) = progress(arguments.progress, config.train.epochs);
    let setup = RunSetup {
        place,
        device,
        command: std::env::args().collect::<Vec<_>>().join(" "),
        started: jiff::Timestamp::now().to_string(),
        interrupter,
        renderer,
        report,
        notice: Box::new(note),
    };
    conclude(&config, &train(&config, data, setup)?)
}

fn summary(arguments: &SummaryArguments) -> Result<u8, TrainError> {
    let summary = summarize(&arguments.folders)?;
    for folder in &summary.left_out {
        note(&format!("{}: no finished run, left out", folder.display()));
    }
    say(&match (arguments.csv, arguments.json) {
        (true, _) => summary.csv(),
        (_, true) => summary.json(),
        _ => summary.text(),
    })?;
    Ok(exit::SUCCESS)
}

/// Burn 0.22 reads a resumed optimizer onto its default device, which in a build with the GPU is the GPU,
/// however the run's own device was chosen. `BURN_DEVICE` names another default, and can be set safely
/// only before a program's first line: the program starts itself once more.
#[cfg(unix)]
fn stay_on_cpu(arguments: &Arguments) {
    use std::os::unix::process::CommandExt;
    let has_gpu = cfg!(feature = "gpu") && std::env::var_os("BURN_DEVICE").is_none();
    if !(has_gpu && arguments.resume && matches!(arguments.device, DeviceChoice::Cpu)) {
        return;
    }
    if let Ok(program) = std::env::current_exe() {
        let error = std::process::Command::new(program)
            .args(std::env::args_os().skip(1))
            .env("BURN_DEVICE", "flex")
            .exec();
        note(&format!("the optimizer's state takes a detour over the GPU: {error}"));
    }
}

#[cfg(not(unix))]
fn stay_on_cpu(_arguments: &Arguments) {}

fn config(arguments: &Arguments) -> Result<Config, TrainError> {
    let mut overrides = arguments.overrides.clone();
    if let Some(data) = &arguments.data {
        overrides.push(format!("data.path={data:?}"));
    }
    if arguments.skip_bad {
        overrides.push("data.skip_bad=true".to_owned());
    }
    with_blocks_of_init(Config::read(config_path(arguments), &overrides)?)
}

fn config_path(arguments: &Arguments) -> &Path {
    arguments.config.as_deref().expect("clap asks for --config where no command is given")
}

fn out(arguments: &Arguments) -> PathBuf {
    let stem = config_path(arguments).file_stem().unwrap_or_default();
    arguments.out.clone().unwrap_or_else(|| PathBuf::from("runs").join(stem))
}

fn describe(config: &Config, data: &Learning) {
    let architecture = config.model.architecture;
    let heads = heads(config, &data.train);
    let size = config.model.plan().size(heads.iter().map(|head| head.card.labels.len()).sum());
    note(&format!(
        "network: {architecture}, {} parameters, {:.1} M multiply-accumulates a face",
        size.parameters,
        size.macs as f64 / 1e6
    ));
    note(&format!(
        "data: {}, {} faces to train, {} to validate",
        config.data.path,
        data.train.len(),
        data.validation.len()
    ));
    for (label, (train, validation)) in
        data.train.labels.names().iter().zip(data.train.counts().iter().zip(data.validation.counts()))
    {
        note(&format!("  {:<12} {train:>7} {validation:>7}", terminal::line(label)));
    }
    let words = left_out(&data.skipped);
    if !words.is_empty() {
        note(words.trim_end());
    }
}

fn progress(progress: Progress, epochs: usize) -> (Option<Box<dyn MetricsRenderer>>, OnEpoch) {
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
        note("--progress dashboard needs a terminal: one line an epoch instead");
    }
    let printer = bar.clone();
    let report = move |row: &EpochRow, best: &EpochRow| {
        let line = line(row, best, epochs);
        printer.suspend(|| note(&line));
    };
    (Some(Box::new(BarRenderer::new(bar))), Box::new(report))
}

/// Says how the run ended; the exit code comes back.
fn conclude(config: &Config, outcome: &RunOutcome) -> Result<u8, TrainError> {
    let RunOutcome { best, n_epochs, ending, chance, model } = outcome;
    say(&format!(
        "validation top-1 {:.2} % at epoch {} of {n_epochs} done; model in {}\n",
        100.0 * best.validation_accuracy,
        best.epoch,
        model.display()
    ))?;
    if outcome.is_no_better_than_chance() {
        note(&format!(
            "that is no better than chance: always naming the most frequent label is right for {:.2} %; \
             are the labels right? else try more epochs or a lower schedule.peak_rate",
            100.0 * chance
        ));
    }
    match ending {
        Ending::Complete => return Ok(exit::SUCCESS),
        Ending::Patience => note(&format!(
            "stopped before epoch {}: validation accuracy has not risen for {} epochs (train.patience)",
            n_epochs + 1,
            config.train.patience
        )),
        Ending::Interrupted => {
            note(&format!("interrupted: --resume goes on after epoch {n_epochs}"));
            return Ok(exit::INTERRUPTED);
        }
    }
    Ok(exit::SUCCESS)
}
