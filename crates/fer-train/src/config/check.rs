//! Which values a config may have.
//! In: a config of the right types. Out: nothing, or a sentence naming the first key refused.

use fer_drawn::Data;
use fer_model::net::NetPlan;

use super::{Config, LabelChoice, Strategy};

/// The most of anything that is counted: beyond, a slip of the keyboard would fill the memory or never end.
const MOST: usize = 1_000_000;

impl Config {
    /// Checks every value; the error names the key, the range and the value.
    ///
    /// # Errors
    /// A sentence naming the first key out of range.
    pub fn validate(&self) -> Result<(), String> {
        self.validate_numbers()?;
        self.validate_data()?;
        self.validate_execution()?;
        self.augment.validate()
    }

    fn validate_numbers(&self) -> Result<(), String> {
        let unit = 0.0..1.0;
        within("model.dropout", self.model.dropout, unit.clone())?;
        within("data.validation_fraction", f64::from(self.data.validation_fraction), unit.clone())?;
        within("train.label_smoothing", f64::from(self.train.label_smoothing), unit.clone())?;
        let closed = 0.0..1.000_001;
        within("train.logit_adjustment", f64::from(self.train.logit_adjustment), 0.0..4.0)?;
        within("train.ferplus_weight", f64::from(self.train.ferplus_weight), closed.clone())?;
        within("teacher.weight", f64::from(self.teacher.weight), closed)?;
        within("teacher.temperature", f64::from(self.teacher.temperature), 0.1..20.0)?;
        within("train.mixup", f64::from(self.train.mixup), 0.0..10.0)?;
        within("train.cutmix", f64::from(self.train.cutmix), 0.0..10.0)?;
        within("optimizer.momentum", f64::from(self.optimizer.momentum), unit.clone())?;
        within("optimizer.weight_decay", f64::from(self.optimizer.weight_decay), unit.clone())?;
        within("optimizer.clip_norm", f64::from(self.optimizer.clip_norm), 0.0..1e6)?;
        above_zero("schedule.peak_rate", self.schedule.peak_rate)?;
        within("schedule.peak_rate", self.schedule.peak_rate, 0.0..1.000_001)?;
        within("schedule.warmup_epochs", self.schedule.warmup_epochs, 0.0..1e4)?;
        within("schedule.final_rate", self.schedule.final_rate, 0.0..self.schedule.peak_rate)?;
        within("schedule.plateau_factor", self.schedule.plateau_factor, unit.clone())?;
        within("average.ema_decay", self.average.ema_decay, unit)?;
        above_zero("train.epochs", self.train.epochs as f64)?;
        above_zero("train.batch_size", self.train.batch_size as f64)?;
        at_least("checkpoint.keep_last", self.checkpoint.keep_last, 2)?;
        at_least("execution.n_devices", self.execution.n_devices, 1)?;
        at_least("model.n_trunks", self.model.n_trunks, 1)?;
        at_most("model.n_trunks", self.model.n_trunks, NetPlan::MOST_TRUNKS)?;
        self.model
            .plan()
            .check()
            .map_err(|(expected, found)| format!("model.blocks: expected {expected}, found {found}"))?;
        above_zero("data.drawn_train", self.data.drawn_train as f64)?;
        above_zero("data.drawn_validation", self.data.drawn_validation as f64)?;
        for (key, value) in [
            ("train.epochs", self.train.epochs),
            ("train.batch_size", self.train.batch_size),
            ("data.drawn_train", self.data.drawn_train),
            ("data.drawn_validation", self.data.drawn_validation),
            ("execution.n_devices", self.execution.n_devices),
        ] {
            at_most(key, value, MOST)?;
        }
        let (warmup, epochs) = (self.schedule.warmup_epochs, self.train.epochs);
        if warmup >= epochs as f64 {
            return Err(format!(
                "schedule.warmup_epochs: expected fewer than train.epochs, which is {epochs}, found {warmup}"
            ));
        }
        if !self.model.beside.is_empty() && self.model.init.is_empty() {
            return Err(
                "model.beside: expected model.init to name the first of the models, found nothing".to_owned()
            );
        }
        Ok(())
    }

    fn validate_data(&self) -> Result<(), String> {
        let data = &self.data;
        let refuse = |reason: &str| Err(reason.to_owned());
        if data.path.is_empty() {
            return refuse("data.path: expected drawn, a CSV file or a folder, found nothing");
        }
        if data.path == Data::DRAWN && !data.ferplus.is_empty() {
            return refuse("data.ferplus: drawn faces have no FER+ votes; leave it empty, or set data.path");
        }
        if data.labels != LabelChoice::Fer2013 && data.ferplus.is_empty() {
            return refuse("data.labels: FER+ labels need its votes: set data.ferplus to fer2013new.csv");
        }
        if data.drop_non_faces && data.ferplus.is_empty() {
            return refuse(
                "data.drop_non_faces: expected data.ferplus to name fer2013new.csv, whose votes say what is no face",
            );
        }
        Ok(())
    }

    fn validate_execution(&self) -> Result<(), String> {
        let n_devices = self.execution.n_devices;
        match self.execution.strategy {
            Strategy::Single if n_devices > 1 => Err(format!(
                "execution.n_devices: strategy single uses one device, found {n_devices}; set execution.strategy=multi"
            )),
            Strategy::Multi if n_devices > self.train.batch_size => Err(format!(
                "execution.n_devices: expected at most train.batch_size, which is {}, found {n_devices}",
                self.train.batch_size
            )),
            Strategy::Single | Strategy::Multi => Ok(()),
        }
    }
}

fn within(key: &str, value: f64, range: std::ops::Range<f64>) -> Result<(), String> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(format!("{key}: expected {} ≤ value < {}, found {value}", range.start, range.end))
}

fn above_zero(key: &str, value: f64) -> Result<(), String> {
    if value > 0.0 { Ok(()) } else { Err(format!("{key}: expected a value above 0, found {value}")) }
}

fn at_least(key: &str, value: usize, least: usize) -> Result<(), String> {
    if value >= least { Ok(()) } else { Err(format!("{key}: expected {least} or more, found {value}")) }
}

fn at_most(key: &str, value: usize, most: usize) -> Result<(), String> {
    if value <= most { Ok(()) } else { Err(format!("{key}: expected at most {most}, found {value}")) }
}
