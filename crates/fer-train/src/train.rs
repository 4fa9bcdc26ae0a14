//! A training run, top to bottom: data → model → learner → launch → card.
//! In: a checked config. Out: a run folder with a model in it.
//! Knows nothing of test samples: [`fer_data::load_learning`] is the only door to data used here.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Instant,
};

use burn::{
    module::{Module, ParamGroup},
    optim::{AdamWConfig, ModuleOptimizer, SgdConfig, decay::WeightDecayConfig, momentum::MomentumConfig},
    store::ModuleRecord,
    tensor::Device,
};
use burn_train::{
    ExecutionStrategy, Interrupter, Learner, MultiDeviceOptim, SupervisedTraining,
    checkpoint::Checkpointer,
    metric::{AccuracyMetric, LearningRateMetric, LossMetric},
    renderer::MetricsRenderer,
};
use fer_data::{Learning, LoadOptions, Samples, Split, balance, drawn};
use fer_model::{
    Chosen, Net,
    card::{ModelCard, TrainingCard, sha256_hex},
    checkpoint,
    device::several,
};

use crate::{
    config::{Config, OptimizerKind, Strategy},
    epoch_log::EpochLog,
    error::TrainError,
    evaluate::measured,
    history::{EpochRow, History},
    keeper::{AtomicCheckpointer, Keeper, Patience, Report, newest_checkpoint},
    loader::{FaceLoader, Recipe},
    run_folder::{Environment, RunFolder, processor},
    schedule::schedule,
    trainee::Trainee,
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
            train: drawn::samples(Split::Train, data.drawn_train, config.train.seed),
            validation: drawn::samples(Split::Validation, data.drawn_validation, config.train.seed),
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
    Ok(fer_data::load_learning(Path::new(&data.path), &options)?)
}

/// Runs a config on loaded data and leaves a run folder.
///
/// # Errors
/// [`TrainError`] when the folder, the schedule or a write fails; what was finished stays on disk.
pub fn train(config: &Config, data: Learning, session: Session) -> Result<Outcome, TrainError> {
    let folder = if session.resume {
        RunFolder::resume(&session.out, config)?
    } else {
        RunFolder::create(&session.out)?
    };
    let environment = environment(&data, &session);
    let done = if session.resume { newest_checkpoint(&folder.checkpoints())? } else { 0 };
    let history =
        if session.resume { History::resume(folder.path(), done)? } else { History::new(folder.path()) };
    folder.describe(config, &environment)?;

    let devices = several(&session.device, config.execution.n_devices)?;
    let device = devices[0].clone().autodiff();
    let (train, validation) = (Arc::new(data.train), Arc::new(data.validation));
    let loaders = loaders(config, &train, &validation, &device, done);
    let steps = loaders.0.n_steps();
    let refuse = |reason| TrainError::RunFolder { path: session.out.clone(), reason };
    let schedule = schedule(&config.schedule, steps, config.train.epochs).map_err(refuse)?;
    if let Some(plateau) = &schedule.plateau {
        history.rows().iter().for_each(|row| plateau.tell(row.validation_accuracy));
    }

    let weights =
        if config.train.class_weights { balance::class_weights(&train.counts()) } else { Vec::new() };
    let start = start(config, &train)?;
    let trainee = Trainee::new(config, train.labels.len(), weights, done * steps, &device, start.as_ref());
    let learner = Learner::new(trainee.clone(), optimizer(config), schedule.scheduler);

    let history = Arc::new(Mutex::new(history));
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
        .with_custom_checkpointers(model.clone(), optimizer, scheduler)
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
    if done > 0 {
        training = training.checkpoint(done);
    }
    let result = training.launch(learner);

    let history = history.lock().expect("the learner's threads have ended").clone();
    let n_epochs = history.rows().len();
    if let Some(error) = result.error {
        return Err(TrainError::Stopped { epoch: n_epochs + 1, reason: error.to_string() });
    }
    let Some(best) = history.best().cloned() else {
        return Err(TrainError::Stopped {
            epoch: 1,
            reason: "interrupted before an epoch was done".to_owned(),
        });
    };
    let card = card(config, &environment, &train, &validation, &best);
    let trainee = restored(trainee, &model, best.epoch)?;
    let trainee = trainee.valid();
    let card = measured(card, trainee.judged(), &validation)?;
    checkpoint::save(&folder.model(), trainee.judged(), &card)?;
    Ok(Outcome { best, n_epochs, interrupted: result.interrupted.is_some(), model: folder.model() })
}

/// The network of `model.init`, where there is one.
fn start(config: &Config, train: &Samples) -> Result<Option<Net>, TrainError> {
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
    if card.labels != train.labels {
        let list = |labels: &fer_data::Labels| labels.names().join(", ");
        return refuse("labels", &list(&train.labels), &list(&card.labels));
    }
    Ok(Some(net))
}

fn environment(data: &Learning, session: &Session) -> Environment {
    Environment {
        fer_version: env!("CARGO_PKG_VERSION"),
        command: session.command.clone(),
        started: session.started.clone(),
        device: format!("{}: {}", session.device.description, session.device.reason),
        system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        processor: processor(),
        threads: fer_kernels::threads(),
        n_faces: [data.train.len(), data.validation.len()],
        data_sha256: [data.train.hash(), data.validation.hash()],
        n_skipped: data.skipped.len(),
    }
}

fn loaders(
    config: &Config,
    train: &Arc<Samples>,
    validation: &Arc<Samples>,
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
    };
    let plain = Recipe { augment: None, balanced: false, mixup: 0.0, ..recipe.clone() };
    (
        FaceLoader::new(Arc::clone(train), recipe, device.clone(), done + 1),
        FaceLoader::new(Arc::clone(validation), plain, device.clone(), done + 1),
    )
}

/// The optimizer: decay on convolution and head weights alone.
fn optimizer(config: &Config) -> ModuleOptimizer {
    let config = &config.optimizer;
    // Convolutions and the head name their weights `weight`; norms are `gamma` and `beta`.
    let weights = ParamGroup::from_predicate("weight");
    match config.kind {
        OptimizerKind::Sgd => {
            let momentum =
                MomentumConfig { momentum: f64::from(config.momentum), dampening: 0.0, nesterov: true };
            let plain = SgdConfig::new().with_momentum(Some(momentum));
            let decayed =
                plain.clone().with_weight_decay(Some(WeightDecayConfig { penalty: config.weight_decay }));
            ModuleOptimizer::from(plain.build()).with_group(weights, decayed.build(), None)
        }
        OptimizerKind::AdamW => {
            let adam = AdamWConfig::new().with_beta_1(config.momentum).with_epsilon(1e-8);
            let plain = adam.clone().with_weight_decay(0.0);
            let decayed = adam.with_weight_decay(config.weight_decay);
            ModuleOptimizer::from(plain.build()).with_group(weights, decayed.build(), None)
        }
    }
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
    let record: ModuleRecord = checkpointer.restore(epoch).map_err(|cause| TrainError::RunFolder {
        path: checkpointer.path(epoch),
        reason: cause.to_string(),
    })?;
    Ok(trainee.load_record(record))
}

fn card(
    config: &Config,
    environment: &Environment,
    train: &Samples,
    validation: &Samples,
    best: &EpochRow,
) -> ModelCard {
    let created = environment.started.get(..10).unwrap_or_default();
    let toml = config.to_toml();
    let [train_sha256, validation_sha256] = environment.data_sha256.clone();
    let mut card = ModelCard::new(config.model.architecture, train.labels.clone(), created);
    card.training = TrainingCard {
        command: environment.command.clone(),
        config_sha256: sha256_hex(toml.as_bytes()),
        config: toml,
        data: config.data.path.clone(),
        n_train: train.len(),
        n_validation: validation.len(),
        train_sha256,
        validation_sha256,
        seed: config.train.seed,
        n_epochs: config.train.epochs,
        epoch: best.epoch,
    };
    let which = if config.average.ema_decay > 0.0 { "averaged (EMA) weights" } else { "raw weights" };
    card.selection =
        format!("highest validation accuracy, epoch {} of {}, {which}", best.epoch, config.train.epochs);
    card
}
