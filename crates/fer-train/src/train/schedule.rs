//! The learning rate over steps.
//! In: the schedule's config, steps an epoch and epochs. Out: Burn's module scheduler.

use std::sync::{Arc, Mutex};

use burn::optim::lr_scheduler::{
    LrScheduler, LrSchedulerConfig, LrSchedulerRecord,
    cosine::CosineAnnealingLrSchedulerConfig,
    linear::LinearLrSchedulerConfig,
    module_lr_scheduler::{ModuleLrScheduler, ModuleLrSchedulerConfig},
    sequential::SequentialLrSchedulerConfig,
};

use crate::config::{ScheduleConfig, ScheduleKind};

/// The schedule, and the handle through which a plateau is told the validation accuracy.
pub struct Schedule {
    /// Burn's scheduler, one step a batch.
    pub scheduler: ModuleLrScheduler,
    /// Takes the validation accuracy, where the kind is plateau.
    pub plateau: Option<PlateauSignal>,
}

impl Schedule {
    /// Tells a plateau the validation accuracies of the epochs before a resume, in their order.
    pub fn catch_up(&self, accuracies: impl Iterator<Item = f64>) {
        if let Some(plateau) = &self.plateau {
            accuracies.for_each(|accuracy| plateau.tell(accuracy));
        }
    }
}

/// Builds the schedule.
///
/// # Errors
/// Burn's sentence when a value is out of its range.
pub fn schedule(config: &ScheduleConfig, steps_per_epoch: usize, epochs: usize) -> Result<Schedule, String> {
    let warmup =
        ((config.warmup_epochs * steps_per_epoch as f64).round() as usize).min(steps_per_epoch * epochs);
    let rest = (steps_per_epoch * epochs - warmup).max(1);
    let peak = config.peak_rate;
    let after: LrSchedulerConfig = match config.kind {
        ScheduleKind::Constant => LrSchedulerConfig::Constant(peak),
        ScheduleKind::Cosine => {
            CosineAnnealingLrSchedulerConfig::new(peak, rest).with_min_lr(config.final_rate).into()
        }
        ScheduleKind::Plateau => {
            let signal = PlateauSignal::new(config);
            let scheduler = Plateau { signal: signal.clone(), warmup, step: 0 };
            let scheduler = ModuleLrScheduler::new(scheduler);
            return Ok(Schedule { scheduler, plateau: Some(signal) });
        }
    };
    let whole = if warmup == 0 {
        after
    } else {
        let rise = LinearLrSchedulerConfig::new(peak / 100.0, peak, warmup);
        SequentialLrSchedulerConfig::new(vec![rise.into(), after], vec![warmup]).into()
    };
    let scheduler = ModuleLrSchedulerConfig::new(whole).init()?;
    Ok(Schedule { scheduler, plateau: None })
}

/// Where the run tells the plateau each epoch's validation accuracy.
#[derive(Clone, Debug)]
pub struct PlateauSignal(Arc<Mutex<PlateauState>>);

#[derive(Clone, Debug)]
struct PlateauState {
    config: ScheduleConfig,
    rate: f64,
    best: f64,
    epochs_since: usize,
}

impl PlateauSignal {
    fn new(config: &ScheduleConfig) -> Self {
        let state =
            PlateauState { config: config.clone(), rate: config.peak_rate, best: 0.0, epochs_since: 0 };
        Self(Arc::new(Mutex::new(state)))
    }

    /// One epoch's validation accuracy, `0..=1`; may lower the rate of the next epoch.
    ///
    /// # Panics
    /// If another thread panicked while telling.
    pub fn tell(&self, accuracy: f64) {
        let mut state = self.0.lock().expect("no teller panics");
        if accuracy > state.best {
            state.best = accuracy;
            state.epochs_since = 0;
            return;
        }
        state.epochs_since += 1;
        if state.epochs_since > state.config.plateau_patience {
            state.rate = (state.rate * state.config.plateau_factor).max(state.config.final_rate);
            state.epochs_since = 0;
        }
    }

    fn rate(&self) -> f64 {
        self.0.lock().expect("no teller panics").rate
    }
}

/// Burn has no plateau schedule: this one is a warm-up, then the signal's rate.
///
/// The signal's state is rebuilt on resume by telling it the kept epochs again, so the record holds
/// the step alone.
#[derive(Clone)]
struct Plateau {
    signal: PlateauSignal,
    warmup: usize,
    step: usize,
}

impl LrScheduler for Plateau {
    fn step(&mut self) -> f64 {
        self.step += 1;
        let rise =
            if self.warmup == 0 { 1.0 } else { (self.step as f64 / self.warmup as f64).clamp(0.01, 1.0) };
        self.signal.rate() * rise
    }

    fn to_record(&self) -> LrSchedulerRecord {
        LrSchedulerRecord::new().with_scalar("step", self.step as u64)
    }

    fn load_record(&mut self, record: LrSchedulerRecord) {
        if let Some(step) = record.scalar::<u64>("step") {
            self.step = step as usize;
        }
    }
}
