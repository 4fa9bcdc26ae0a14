//! A training run, top to bottom: data → model → learner → launch → card.
//! In: a checked config. Out: a run folder with a model in it.
//! Test samples are out of reach: [`fer_data::load_learning`] is the only door to data used here.

pub mod epoch_end;
pub mod failure;
pub mod heads;
pub mod loader;
mod metric_log;
mod optimizer;
pub mod progress;
pub mod schedule;
pub mod step;
pub mod teacher;
pub(crate) mod weight_average;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use burn::{module::Module, store::ModuleRecord, tensor::Device};
use burn_train::{
    ExecutionStrategy, Interrupter, Learner, MultiDeviceOptim, SupervisedTraining,
    checkpoint::Checkpointer,
    metric::{AccuracyMetric, LearningRateMetric, LossMetric},
    renderer::MetricsRenderer,
};
use fer_base::Cause;
use fer_data::{Learning, LoadOptions, Samples, Split, balance};
use fer_drawn::Data;
use fer_net::{Chosen, checkpoint, device::several};

use crate::{
    config::{Config, LabelChoice, Strategy},
    error::TrainError,
    judge::calibrate::card_figures::measured,
    run::card::card,
    run::checkpointer::AtomicCheckpointer,
    run::environment::{Environment, processor},
    run::folder::RunPlace,
    run::history::EpochRow,
    run::initial::initial_net,
    run::start::Start,
    train::epoch_end::{EpochEnd, OnEpoch, Patience, now},
    train::failure::Failure,
    train::heads::{Head, heads},
    train::loader::{FaceLoader, Recipe},
    train::metric_log::EpochLog,
    train::optimizer::optimizer,
    train::schedule::{Schedule, schedule},
    train::step::Trainee,
    train::teacher::Teacher,
};

/// What a run needs beside its config.
pub struct RunSetup {
    /// Where it is written, or resumed.
    pub place: RunPlace,
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
    pub report: OnEpoch,
    /// Told what a person should know when a run goes on: what was damaged, where it starts.
    pub notice: Box<dyn Fn(&str)>,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct RunOutcome {
    /// The best epoch.
    pub best: EpochRow,
    /// Epochs done.
    pub n_epochs: usize,
    /// Why there are no more of them.
    pub ending: Ending,
    /// Validation accuracy of always naming the most frequent label, `0..=1`.
    pub chance: f64,
    /// The model's folder.
    pub model: PathBuf,
}

impl RunOutcome {
    /// Whether the best epoch learned nothing that the counts of the labels do not tell.
    #[must_use]
    pub fn is_no_better_than_chance(&self) -> bool {
        // Burn's accuracy is an f32 in per cent: a millionth is less than one image.
        self.best.validation_accuracy <= self.chance + 1e-6
    }
}

/// Why a run has no further epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It was the last one.
    Complete,
    /// Validation accuracy had not risen for `train.patience` epochs.
    Patience,
    /// Somebody stopped it.
    Interrupted,
}

/// Loads the train and validation splits of a config. Test samples are not reachable from here.
///
/// # Errors
/// [`TrainError::Data`] with the row or file.
pub fn load(config: &Config) -> Result<Learning, TrainError> {
    let data = &config.data;
    if data.path == Data::DRAWN {
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
        drop_contradictory: data.drop_contradictory,
        validation_fraction: (data.validation_fraction > 0.0).then_some(data.validation_fraction),
        seed: config.train.seed,
        labels: None,
        ..LoadOptions::default()
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
/// [`TrainError`] when the folder, the schedule or a write fails, or the loss is no number; what was
/// finished stays on disk. A start that is refused leaves no folder.
pub fn train(config: &Config, data: Learning, setup: RunSetup) -> Result<RunOutcome, TrainError> {
    let environment = environment(&data, &setup);
    let start = Start::of(setup.place, environment, &*setup.notice)?;
    let devices = several(&setup.device, config.execution.n_devices)?;
    let device = devices[0].clone().autodiff();
    let (train, validation) = (Arc::new(data.train), Arc::new(data.validation));
    let heads = heads(config, &train);
    let loaders = loaders(config, (&train, &validation), &heads, &device, start.done);
    let steps = loaders.0.n_steps();
    let schedule = schedule_after(&start, config, steps)?;
    let failure = Failure::new(setup.interrupter.clone());
    let trainee =
        trainee(config, &train, &heads, start.done * steps, &devices[0])?.watched_by(failure.clone(), steps);
    let folder = start.folder(config)?;

    let history = Arc::new(Mutex::new(start.history));
    let epoch_end = EpochEnd {
        history: Arc::clone(&history),
        keep_last: config.checkpoint.keep_last,
        n_faces: train.len(),
        n_steps: steps,
        plateau: schedule.plateau,
        failure: failure.clone(),
        report: setup.report,
        since: now(),
    };
    let [model, optim, scheduler] = AtomicCheckpointer::writing(&folder.checkpoints(), &failure);
    let mut training = SupervisedTraining::new(folder.path(), Arc::new(loaders.0), Arc::new(loaders.1))
        .metrics((AccuracyMetric::new(), LossMetric::new()))
        .metric_train_numeric(LearningRateMetric::new())
        .with_metric_logger(EpochLog::default())
        .with_custom_checkpointers(model.clone(), optim, scheduler)
        .with_checkpointing_strategy(epoch_end)
        .with_interrupter(setup.interrupter)
        .with_application_logger(None)
        .with_training_strategy(execution(config, devices).into())
        .num_epochs(config.train.epochs);
    if config.train.patience > 0 {
        training = training
            .early_stopping(Patience { history: Arc::clone(&history), patience: config.train.patience });
    }
    if let Some(renderer) = setup.renderer {
        training = training.renderer(renderer);
    }
    if start.done > 0 {
        training = training.checkpoint(start.done);
    }
    let learner = Learner::new(trainee.clone(), optimizer(&config.optimizer), schedule.scheduler);
    let result = training.launch(learner);

    let history = history.lock().expect("the learner's threads have ended").clone();
    let n_epochs = history.rows().len();
    refuse_stopped(&failure, result.error, n_epochs)?;
    let path = folder.path().to_owned();
    let best = history.best().cloned().ok_or(TrainError::BeforeFirstEpoch { path })?;
    let trainee = restored(trainee, &model, best.epoch)?.valid();
    let card = card(config, &start.environment, (&train, &validation), &heads, &best);
    checkpoint::save(&folder.model(), trainee.judged(), &measured(card, trainee.judged(), &validation)?)?;
    let ending = ending(config, n_epochs, result.interrupted.is_some());
    Ok(RunOutcome { best, n_epochs, ending, chance: chance(&validation), model: folder.model() })
}

/// The network to be trained, its heads and its teachers; `device` is the one that computes, without autodiff.
fn trainee(
    config: &Config,
    train: &Samples,
    heads: &[Head],
    steps_done: usize,
    device: &Device,
) -> Result<Trainee, TrainError> {
    let initial = initial_net(config, heads)?;
    let teacher = Teacher::load(&config.teacher, heads, device)?;
    let weights = class_weights(config, train);
    let device = device.clone().autodiff();
    Ok(Trainee::new(config, heads.to_vec(), teacher, weights, steps_done, &device, initial.as_ref()))
}

/// Loss weight per label, where the config asks for it.
fn class_weights(config: &Config, train: &Samples) -> Vec<f32> {
    if config.train.class_weights { balance::class_weights(&train.counts()) } else { Vec::new() }
}

/// The schedule, told of the epochs that are done.
fn schedule_after(start: &Start, config: &Config, steps: usize) -> Result<Schedule, TrainError> {
    let refuse = |reason| TrainError::RunFolder { path: start.path(), reason };
    let schedule = schedule(&config.schedule, steps, config.train.epochs).map_err(refuse)?;
    schedule.catch_up(start.history.rows().iter().map(|row| row.validation_accuracy));
    Ok(schedule)
}

/// The error that stopped the run, ours before Burn's, which is mostly its echo.
fn refuse_stopped(
    failure: &Failure,
    error: Option<impl std::fmt::Display>,
    n_epochs: usize,
) -> Result<(), TrainError> {
    if let Some(error) = failure.take() {
        return Err(error);
    }
    error.map_or(Ok(()), |error| {
        Err(TrainError::Stopped { epoch: n_epochs + 1, source: error.to_string().into() })
    })
}

fn ending(config: &Config, n_epochs: usize, was_interrupted: bool) -> Ending {
    if was_interrupted {
        return Ending::Interrupted;
    }
    if n_epochs < config.train.epochs { Ending::Patience } else { Ending::Complete }
}

/// The accuracy of always naming the most frequent label, `0..=1`.
fn chance(samples: &Samples) -> f64 {
    samples.counts().into_iter().max().unwrap_or(0) as f64 / samples.len().max(1) as f64
}

fn environment(data: &Learning, setup: &RunSetup) -> Environment {
    Environment {
        fer_version: env!("CARGO_PKG_VERSION").to_owned(),
        command: setup.command.clone(),
        started: setup.started.clone(),
        device: format!("{}: {}", setup.device.place.description, setup.device.place.reason),
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
        cutmix: config.train.cutmix,
        heads: heads.iter().map(|head| head.card.clone()).collect(),
    };
    let plain = Recipe { augment: None, balanced: false, mixup: 0.0, cutmix: 0.0, ..recipe.clone() };
    (
        FaceLoader::new(Arc::clone(train), recipe, device.clone(), done + 1),
        FaceLoader::new(Arc::clone(validation), plain, device.clone(), done + 1),
    )
}

fn execution(config: &Config, mut devices: Vec<Device>) -> ExecutionStrategy {
    match config.execution.strategy {
        Strategy::Single => ExecutionStrategy::single(devices.remove(0)),
        Strategy::Multi => ExecutionStrategy::multi(devices, MultiDeviceOptim::OptimMainDevice),
    }
}

/// The trainee as it was after an epoch.
fn restored(
    trainee: Trainee,
    checkpointer: &AtomicCheckpointer,
    epoch: usize,
) -> Result<Trainee, TrainError> {
    checkpointer.verify(epoch)?;
    let refuse = |cause: Cause| TrainError::Checkpoint {
        path: checkpointer.path(epoch),
        reason: "cannot be read back".to_owned(),
        source: Some(cause),
    };
    let record: ModuleRecord = checkpointer.restore(epoch).map_err(|cause| refuse(cause.into()))?;
    trainee.try_load_record(record).map_err(|cause| refuse(cause.into()))
}
