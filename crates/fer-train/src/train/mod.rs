//! A training run, top to bottom: data → model → learner → launch → card.
//! In: a checked config. Out: a run folder with a model in it.
//! Test samples are out of reach: [`fer_data::load_learning`] is the only door to data used here.

pub mod epoch_end;
pub mod heads;
pub mod loader;
pub mod metric_log;
pub mod optimizer;
pub mod progress;
pub mod schedule;
pub mod step;
pub mod teacher;
pub mod weight_average;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Instant,
};

use burn::{module::Module, store::ModuleRecord, tensor::Device};
use burn_train::{
    ExecutionStrategy, Interrupter, Learner, MultiDeviceOptim, SupervisedTraining,
    checkpoint::Checkpointer,
    metric::{AccuracyMetric, LearningRateMetric, LossMetric},
    renderer::MetricsRenderer,
};
use fer_data::{Learning, LoadOptions, Samples, Split, balance};
use fer_model::{Chosen, Net, checkpoint, device::several};

use crate::{
    config::{Config, LabelChoice, Strategy},
    error::TrainError,
    judge::evaluate::measured,
    run::card::card,
    run::checkpointer::AtomicCheckpointer,
    run::environment::{Environment, processor},
    run::folder::RunFolder,
    run::history::{EpochRow, History},
    run::resume::{Origin, origin},
    train::epoch_end::{Keeper, Patience, Report},
    train::heads::{Head, heads},
    train::loader::{FaceLoader, Recipe},
    train::metric_log::EpochLog,
    train::optimizer::optimizer,
    train::schedule::schedule,
    train::step::Trainee,
    train::teacher::Teacher,
};

/// What a run needs beside its config.
pub struct Session {
    /// The run folder.
    pub out: PathBuf,
    /// Go on with the folder's newest checkpoint.
    pub resume: bool,
    /// The device.
    pub device: Chosen,
    /// The command line, for the card.
    pub command: String,
    /// The moment it starts, RFC 3339, UTC.
    pub started: String,
    /// Stops the run between two steps.
    pub interrupter: Interrupter,
    /// Shows progress within an epoch; `None`: Burn's dashboard.
    pub renderer: Option<Box<dyn MetricsRenderer>>,
    /// Told of each epoch.
    pub report: Report,
    /// Told what a person should know when a run goes on: what was damaged, where it starts.
    pub notice: Box<dyn Fn(&str)>,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The best epoch.
    pub best: EpochRow,
    /// Epochs done.
    pub n_epochs: usize,
    /// Whether it was interrupted before its last epoch.
    pub interrupted: bool,
    /// The model's folder.
    pub model: PathBuf,
}

/// Loads the train and validation splits of a config. Test samples are not reachable from here.
///
/// # Errors
/// [`TrainError::Data`] with the row or file.
pub fn load(config: &Config) -> Result<Learning, TrainError> {
    let data = &config.data;
    if data.path == "drawn" {
        return Ok(Learning {
            train: fer_drawn::samples(Split::Train, data.drawn_train, config.train.seed),
            validation: fer_drawn::samples(Split::Validation, data.drawn_validation, config.train.seed),
            skipped: Vec::new(),
        });
    }
    let options = LoadOptions {
        skip_bad: data.skip_bad,
        ferplus: (!data.ferplus.is_empty()).then(|| PathBuf::from(&data.ferplus)),
        drop_non_faces: data.drop_non_faces,
        validation_fraction: (data.validation_fraction > 0.0).then_some(data.validation_fraction),
        seed: config.train.seed,
        labels: None,
    };
    let Learning { train, validation, skipped } = fer_data::load_learning(Path::new(&data.path), &options)?;
    if data.labels != LabelChoice::FerPlus {
        return Ok(Learning { train, validation, skipped });
    }
    // Faces without a majority teach what their raters saw; validation keeps to those that have one.
    let train = train.by_ferplus_votes();
    let (validation, _) = validation.by_ferplus_majority();
    Ok(Learning { train, validation, skipped })
}

/// Runs a config on loaded data and leaves a run folder.
///
/// # Errors
/// [`TrainError`] when the folder, the schedule or a write fails; what was finished stays on disk.
/// A start that is refused leaves no folder.
pub fn train(config: &Config, data: Learning, session: Session) -> Result<Outcome, TrainError> {
    let origin = begin(config, &data, &session)?;
    let devices = several(&session.device, config.execution.n_devices)?;
    let device = devices[0].clone().autodiff();
    let (train, validation) = (Arc::new(data.train), Arc::new(data.validation));
    let heads = heads(config, &train);
    let loaders = loaders(config, (&train, &validation), &heads, &device, origin.done);
    let steps = loaders.0.n_steps();
    let refuse = |reason| TrainError::RunFolder { path: session.out.clone(), reason };
    let schedule = schedule(&config.schedule, steps, config.train.epochs).map_err(refuse)?;
    schedule.catch_up(origin.history.rows().iter().map(|row| row.validation_accuracy));
    let start = start(config, &heads)?;
    let teacher = Teacher::load(&config.teacher, &heads, &devices[0])?;
    let folder = open(config, &origin, &session)?;
    let class_weights =
        if config.train.class_weights { balance::class_weights(&train.counts()) } else { Vec::new() };
    let done = origin.done * steps;
    let trainee = Trainee::new(config, heads.clone(), teacher, class_weights, done, &device, start.as_ref());
    let learner = Learner::new(trainee.clone(), optimizer(&config.optimizer), schedule.scheduler);

    let history = Arc::new(Mutex::new(origin.history));
    let keeper = Keeper {
        history: Arc::clone(&history),
        keep_last: config.checkpoint.keep_last,
        n_faces: train.len(),
        plateau: schedule.plateau,
        interrupter: session.interrupter.clone(),
        report: session.report,
        since: Instant::now(),
    };
    let [model, optimizer, scheduler] = AtomicCheckpointer::all(&folder.checkpoints());
    let mut training = SupervisedTraining::new(folder.path(), Arc::new(loaders.0), Arc::new(loaders.1))
        .metrics((AccuracyMetric::new(), LossMetric::new()))
        .metric_train_numeric(LearningRateMetric::new())
        .with_metric_logger(EpochLog::default())
        .with_custom_checkpointers(model, optimizer, scheduler)
        .with_checkpointing_strategy(keeper)
        .with_interrupter(session.interrupter)
        .with_application_logger(None)
        .with_training_strategy(execution(config, devices).into())
        .num_epochs(config.train.epochs);
    if config.train.patience > 0 {
        training = training
            .early_stopping(Patience { history: Arc::clone(&history), patience: config.train.patience });
    }
    if let Some(renderer) = session.renderer {
        training = training.renderer(renderer);
    }
    if origin.done > 0 {
        training = training.checkpoint(origin.done);
    }
    let result = training.launch(learner);

    let history = history.lock().expect("the learner's threads have ended").clone();
    let n_epochs = history.rows().len();
    if let Some(error) = result.error {
        return Err(TrainError::Stopped { epoch: n_epochs + 1, reason: error.to_string() });
    }
    let best = history.best().cloned().ok_or(TrainError::BeforeFirstEpoch { path: session.out })?;
    let trainee = restored(trainee, &AtomicCheckpointer::all(&folder.checkpoints())[0], best.epoch)?.valid();
    let card = card(config, &origin.environment, (&train, &validation), &heads, &best);
    let card = measured(card, trainee.judged(), &validation)?;
    checkpoint::save(&folder.model(), trainee.judged(), &card)?;
    Ok(Outcome { best, n_epochs, interrupted: result.interrupted.is_some(), model: folder.model() })
}

/// Where the run begins or goes on; makes no folder yet.
fn begin(config: &Config, data: &Learning, session: &Session) -> Result<Origin, TrainError> {
    let environment = environment(data, session);
    if session.resume {
        return origin(RunFolder::resume(&session.out, config)?, environment, &*session.notice);
    }
    RunFolder::expect_vacant(&session.out)?;
    Ok(Origin { folder: None, done: 0, history: History::new(&session.out), environment })
}

/// The run's folder: made now that nothing can be refused any more, or the one that is gone on with.
fn open(config: &Config, origin: &Origin, session: &Session) -> Result<RunFolder, TrainError> {
    let Some(folder) = &origin.folder else {
        return RunFolder::create(&session.out, config, &origin.environment);
    };
    folder.write_environment(&origin.environment)?;
    Ok(folder.clone())
}

/// The network of `model.init`, where there is one.
fn start(config: &Config, heads: &[Head]) -> Result<Option<Net>, TrainError> {
    if config.model.init.is_empty() {
        return Ok(None);
    }
    let folder = Path::new(&config.model.init);
    let (net, card) = checkpoint::load(folder, &Device::flex())?;
    let refuse = |what: &str, expected: &str, found: &str| {
        let reason = format!("model.init: {what}: expected {expected}, found {found}");
        Err(TrainError::Config { path: folder.to_owned(), reason })
    };
    if card.architecture != config.model.architecture.name() {
        return refuse("architecture", config.model.architecture.name(), &card.architecture);
    }
    if card.plan()? != config.model.plan() {
        return refuse("blocks", "those of model.blocks", "others");
    }
    let list = |labels: &[&fer_data::Labels]| {
        labels.iter().map(|labels| labels.names().join(", ")).collect::<Vec<_>>().join("; ")
    };
    let expected: Vec<_> = heads.iter().map(|head| &head.card.labels).collect();
    let known = card.all_heads();
    let found: Vec<_> = known.iter().map(|head| &head.labels).collect();
    if expected != found {
        return refuse("labels", &list(&expected), &list(&found));
    }
    Ok(Some(net))
}

fn environment(data: &Learning, session: &Session) -> Environment {
    Environment {
        fer_version: env!("CARGO_PKG_VERSION").to_owned(),
        command: session.command.clone(),
        started: session.started.clone(),
        device: format!("{}: {}", session.device.description, session.device.reason),
        system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        processor: processor(),
        threads: fer_kernels::threads(),
        n_faces: [data.train.len(), data.validation.len()],
        data_sha256: [data.train.hash(), data.validation.hash()],
        n_skipped: data.skipped.len(),
        resumed: Vec::new(),
    }
}

fn loaders(
    config: &Config,
    (train, validation): (&Arc<Samples>, &Arc<Samples>),
    heads: &[Head],
    device: &Device,
    done: usize,
) -> (FaceLoader, FaceLoader) {
    let recipe = Recipe {
        batch_size: config.train.batch_size,
        n_devices: config.execution.n_devices,
        seed: config.train.seed,
        augment: Some(config.augment.clone()),
        balanced: config.train.balanced_sampling,
        mixup: config.train.mixup,
        heads: heads.iter().map(|head| head.card.clone()).collect(),
    };
    let plain = Recipe { augment: None, balanced: false, mixup: 0.0, ..recipe.clone() };
    (
        FaceLoader::new(Arc::clone(train), recipe, device.clone(), done + 1),
        FaceLoader::new(Arc::clone(validation), plain, device.clone(), done + 1),
    )
}

fn execution(config: &Config, mut devices: Vec<Device>) -> ExecutionStrategy {
    match config.execution.strategy {
        Strategy::Single => ExecutionStrategy::single(devices.remove(0)),
        Strategy::Multi => ExecutionStrategy::multi(devices, MultiDeviceOptim::OptimMainDevice),
        Strategy::Ddp => unreachable!("Config::validate refuses ddp"),
    }
}

/// The trainee as it was after an epoch.
fn restored(
    trainee: Trainee,
    checkpointer: &AtomicCheckpointer,
    epoch: usize,
) -> Result<Trainee, TrainError> {
    checkpointer.verify(epoch)?;
    let record: ModuleRecord = checkpointer.restore(epoch).map_err(|cause| TrainError::Checkpoint {
        path: checkpointer.path(epoch),
        reason: cause.to_string(),
    })?;
    Ok(trainee.load_record(record))
}
