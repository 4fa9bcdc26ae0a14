//! Runs small enough for a test, and what they leave.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::tensor::{Device, Tensor};
use burn_train::Interrupter;
use fer_data::{LabelSet, Labels, Learning, Samples, Split};
use fer_model::DeviceChoice;
use fer_model::card::HeadCard;
use fer_net::{Chosen, choose};
use fer_train::{
    TrainError,
    config::Config,
    run::folder::RunPlace,
    run::history::EpochRow,
    train::heads::heads,
    train::loader::Recipe,
    train::progress::BarRenderer,
    train::step::Trainee,
    train::{RunOutcome, RunSetup, load, train},
};
use indicatif::ProgressBar;

/// Two steps an epoch of `tiny` on drawn faces, with everything random switched on.
pub(crate) fn config(overrides: &[&str]) -> Config {
    let text = "
        [model]
        architecture = 'tiny'
        dropout = 0.2
        [data]
        path = 'drawn'
        drawn_train = 4
        drawn_validation = 2
        [train]
        epochs = 3
        batch_size = 16
        seed = 5
        mixup = 0.2
        cutmix = 0.2
        label_smoothing = 0.1
        [schedule]
        peak_rate = 0.05
        warmup_epochs = 0.5
        [augment]
        flip = 0.5
        rotation_degrees = 10.0
        shift = 0.1
        erase = 0.3
    ";
    let overrides: Vec<String> = overrides.iter().map(|line| (*line).to_owned()).collect();
    Config::parse(text, &overrides).unwrap()
}

/// The head of FER-2013's labels.
pub(crate) fn seven() -> Vec<HeadCard> {
    vec![HeadCard::new(LabelSet::Fer2013, Labels::fer2013(), 1.0)]
}

/// Faces as they are, in their own order.
pub(crate) fn plain_recipe(batch_size: usize, n_devices: usize, heads: Vec<HeadCard>) -> Recipe {
    Recipe { batch_size, n_devices, seed: 1, augment: None, balanced: false, mixup: 0.0, cutmix: 0.0, heads }
}

/// A fresh network for drawn faces.
pub(crate) fn fresh(config: &Config, device: &Device) -> Trainee {
    fresh_after(0, config, device)
}

/// The same, `n_steps` into a run.
pub(crate) fn fresh_after(n_steps: usize, config: &Config, device: &Device) -> Trainee {
    let samples = fer_drawn::samples(Split::Train, 1, 3);
    Trainee::new(config, heads(config, &samples), None, Vec::new(), n_steps, device, None)
}

/// Dropout draws from the process's one generator, so tests that compare runs take turns.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) struct Run {
    pub(crate) config: Config,
    pub(crate) data: Learning,
    pub(crate) out: PathBuf,
    pub(crate) resume: bool,
    /// Stops the run at the end of this epoch.
    pub(crate) stop_after: Option<usize>,
    pub(crate) device: DeviceChoice,
}

impl Run {
    pub(crate) fn new(config: Config, out: &Path) -> Self {
        let data = load(&config).unwrap();
        let device = DeviceChoice::Cpu;
        Self { config, data, out: out.to_owned(), resume: false, stop_after: None, device }
    }

    pub(crate) fn go(self) -> (Result<RunOutcome, TrainError>, Vec<EpochRow>) {
        let interrupter = Interrupter::new();
        let rows = Arc::new(Mutex::new(Vec::new()));
        let (stop, stop_after, seen) = (interrupter.clone(), self.stop_after, Arc::clone(&rows));
        let report = move |row: &EpochRow, _: &EpochRow| {
            seen.lock().unwrap().push(row.clone());
            if Some(row.epoch) == stop_after {
                stop.stop(Some("the test says so"));
            }
        };
        let place = match self.resume {
            true => RunPlace::standing(&self.out, &self.config),
            false => RunPlace::vacant(&self.out),
        };
        let setup = RunSetup {
            place: place.unwrap(),
            device: chosen(self.device),
            command: "fer-train".to_owned(),
            started: "2026-01-31T00:00:00Z".to_owned(),
            interrupter,
            renderer: Some(Box::new(BarRenderer::new(ProgressBar::hidden()))),
            report: Box::new(report),
            notice: Box::new(|_| {}),
        };
        let outcome = train(&self.config, self.data, setup);
        let rows = rows.lock().unwrap().clone();
        (outcome, rows)
    }
}

pub(crate) fn chosen(choice: DeviceChoice) -> Chosen {
    choose(choice).unwrap()
}

/// Rows without their clock readings.
pub(crate) fn timeless(rows: &[EpochRow]) -> Vec<EpochRow> {
    let timeless = |row: &EpochRow| EpochRow { seconds: 0.0, images_per_second: 0.0, ..row.clone() };
    rows.iter().map(timeless).collect()
}

/// Normalised faces of a split as one batch, `[N, 1, 48, 48]`.
pub(crate) fn images(samples: &Samples) -> Tensor<4> {
    use fer_data::face::{PIXELS, SIDE, normalize};
    let mut pixels = vec![0.0; samples.len() * PIXELS];
    for (sample, input) in samples.samples.iter().zip(pixels.as_chunks_mut::<PIXELS>().0) {
        normalize(&sample.face, input);
    }
    let device = chosen(DeviceChoice::Cpu).device;
    Tensor::<1>::from_floats(pixels.as_slice(), &device).reshape([samples.len(), 1, SIDE, SIDE])
}
