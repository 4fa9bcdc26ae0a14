//! Many run folders → what each setting came to.
//! In: run folders. Out: mean and standard deviation of the finished runs of each setting, as text, CSV and JSON.
//!
//! A setting is the resolved config without its seed; it is named by the keys in which the settings differ.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fer_base::{Cause, regular};
use fer_model::card::MetricsCard;
use fer_model::checkpoint::load_card;
use serde_json::{Map, Value, json};

use crate::error::TrainError;
use crate::run::history::EpochRow;

/// What is told of a run besides the figures of its card: the epoch that was chosen, and how long the run took.
const MORE: [&str; 2] = ["best_epoch", "minutes"];

/// The runs of one setting.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Keys in which the settings differ, with this one's values.
    pub differing: BTreeMap<String, String>,
    /// Seeds of the finished runs, in the order of the folders.
    pub seeds: Vec<i64>,
    /// For each figure, by its key and in the card's order, a value a run.
    values: Vec<(String, Vec<f64>)>,
}

/// Mean and standard deviation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeanAndDeviation {
    /// The mean.
    pub mean: f64,
    /// The sample's standard deviation (n − 1), or `None` of a single run.
    pub deviation: Option<f64>,
}

impl MeanAndDeviation {
    /// Of at least one value.
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Self { mean, deviation: (values.len() > 1).then(|| (squares / (n - 1.0)).sqrt()) }
    }
}

impl Setting {
    /// A figure's spread, by its key; `None` of what is not told.
    #[must_use]
    pub fn spread(&self, figure: &str) -> Option<MeanAndDeviation> {
        let (_, values) = self.values.iter().find(|(key, _)| key == figure)?;
        Some(MeanAndDeviation::of(values))
    }

    /// The setting's name: `augment.mixup=0.2 train.epochs=30`.
    #[must_use]
    pub fn name(&self) -> String {
        let parts: Vec<String> = self.differing.iter().map(|(key, value)| format!("{key}={value}")).collect();
        if parts.is_empty() { "all runs".to_owned() } else { parts.join(" ") }
    }
}

/// What many runs came to.
#[derive(Clone, Debug, PartialEq)]
pub struct RunsSummary {
    /// The settings, in the order of their first run.
    pub settings: Vec<Setting>,
    /// Folders of runs that are not finished, and of no run: they are left out.
    pub left_out: Vec<PathBuf>,
}

/// Collects run folders; files beside them, as in `runs/*`, are passed over.
///
/// # Errors
/// [`TrainError::RunFolder`] when no folder holds a finished run, [`TrainError::Damaged`] or
/// [`TrainError::Model`] when one holds a file that fer-train did not write.
pub fn summarize(folders: &[PathBuf]) -> Result<RunsSummary, TrainError> {
    let mut groups: Vec<(ConfigValues, Vec<Run>)> = Vec::new();
    let mut left_out = Vec::new();
    for folder in folders.iter().filter(|path| !path.is_file()) {
        let Some(run) = read(folder)? else {
            left_out.push(folder.clone());
            continue;
        };
        match groups.iter_mut().find(|(config, _)| *config == run.config) {
            Some((_, runs)) => runs.push(run),
            None => groups.push((run.config.clone(), vec![run])),
        }
    }
    if groups.is_empty() {
        return Err(TrainError::RunFolder {
            path: folders.first().cloned().unwrap_or_default(),
            reason:
                "no finished run there: expected folders that fer-train wrote, with config.toml, epochs.csv \
                     and model/card.json"
                    .to_owned(),
        });
    }
    let keys = differing_keys(&groups);
    let settings = groups.into_iter().map(|(config, runs)| setting(&config, &keys, &runs)).collect();
    Ok(RunsSummary { settings, left_out })
}

/// A config's values by `table.key`, without the seed.
type ConfigValues = BTreeMap<String, String>;

/// One finished run.
struct Run {
    config: ConfigValues,
    seed: i64,
    /// What is told of it, by its key; nothing twice.
    values: Vec<(String, f64)>,
}

impl Run {
    fn value(&self, figure: &str) -> Option<f64> {
        self.values.iter().find(|(key, _)| key == figure).map(|(_, value)| *value)
    }
}

/// Reads a run folder; `None` when there is no finished run in it.
fn read(folder: &Path) -> Result<Option<Run>, TrainError> {
    let (config, epochs, model) =
        (folder.join("config.toml"), folder.join("epochs.csv"), folder.join("model"));
    if !(config.is_file() && epochs.is_file() && model.join("card.json").is_file()) {
        return Ok(None);
    }
    let (config, seed) = read_config(&config)?;
    let rows = read_epochs(&epochs)?;
    let card = load_card(&model)?;
    let figures = card.validation.iter().flat_map(MetricsCard::figures);
    let mut values: Vec<(String, f64)> = figures.map(|(key, value)| (key.to_owned(), value)).collect();
    let own = card.heads.iter().filter_map(|head| Some((format!("accuracy_{}", head.set), head.accuracy?)));
    values.extend(own);
    let best = rows.iter().map(|row| row.validation_accuracy).fold(f64::NEG_INFINITY, f64::max);
    let chosen = rows.iter().find(|row| row.validation_accuracy == best);
    let best_epoch = chosen.map_or(f64::NAN, |row| row.epoch as f64);
    let minutes = rows.iter().map(|row| row.seconds).sum::<f64>() / 60.0;
    values.extend(MORE.map(str::to_owned).into_iter().zip([best_epoch, minutes]));
    Ok(Some(Run { config, seed, values }))
}

fn read_config(path: &Path) -> Result<(ConfigValues, i64), TrainError> {
    let damaged = |source: Cause| TrainError::Damaged { path: path.to_owned(), source };
    let text = regular::read_to_string(path).map_err(|cause| damaged(cause.into()))?;
    let tables: toml::Table = text.parse().map_err(|cause: toml::de::Error| damaged(cause.into()))?;
    let mut config = ConfigValues::new();
    let mut seed = None;
    for (table, keys) in &tables {
        for (key, value) in keys.as_table().into_iter().flatten() {
            match (table.as_str(), key.as_str()) {
                ("train", "seed") => seed = value.as_integer(),
                _ => drop(config.insert(format!("{table}.{key}"), value.to_string())),
            }
        }
    }
    let seed = seed.ok_or_else(|| damaged("no train.seed, which every resolved config has".into()))?;
    Ok((config, seed))
}

fn read_epochs(path: &Path) -> Result<Vec<EpochRow>, TrainError> {
    let damaged = |cause: csv::Error| TrainError::Damaged { path: path.to_owned(), source: cause.into() };
    csv::Reader::from_path(path)
        .map_err(damaged)?
        .into_deserialize()
        .map(|row| row.map_err(damaged))
        .collect()
}

/// The keys whose value is not the same in all settings; a key that is missing is a value too.
fn differing_keys(groups: &[(ConfigValues, Vec<Run>)]) -> Vec<String> {
    let all: std::collections::BTreeSet<&String> =
        groups.iter().flat_map(|(config, _)| config.keys()).collect();
    let differs = |key: &&String| groups.iter().any(|(config, _)| config.get(*key) != groups[0].0.get(*key));
    all.into_iter().filter(differs).cloned().collect()
}

fn setting(config: &ConfigValues, keys: &[String], runs: &[Run]) -> Setting {
    let value = |key: &String| config.get(key).cloned().unwrap_or_else(|| "-".to_owned());
    let of_all = |(key, _): &(String, f64)| {
        let values: Option<Vec<f64>> = runs.iter().map(|run| run.value(key)).collect();
        Some((key.clone(), values?))
    };
    Setting {
        differing: keys.iter().map(|key| (key.clone(), value(key))).collect(),
        seeds: runs.iter().map(|run| run.seed).collect(),
        values: runs.iter().take(1).flat_map(|run| &run.values).filter_map(of_all).collect(),
    }
}

impl RunsSummary {
    /// A table for a terminal; what is not told stays out.
    #[must_use]
    pub fn text(&self) -> String {
        let keys = self.keys();
        let head = ["runs", "setting"].iter().chain(&keys).map(|word| (*word).to_owned());
        let mut table: Vec<Vec<String>> = vec![head.collect()];
        for setting in &self.settings {
            let mut row = vec![setting.seeds.len().to_string(), setting.name()];
            row.extend(keys.iter().map(|key| setting.spread(key).map_or_else(String::new, |s| told(key, s))));
            table.push(row);
        }
        let widths: Vec<usize> = (0..table[0].len())
            .map(|column| table.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
            .collect();
        let mut text = String::from(
            "validation split, which chose each run's epoch: optimistic; mean ± standard deviation over seeds\n",
        );
        for row in &table {
            let cells: Vec<String> =
                row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}")).collect();
            text += cells.join("  ").trim_end();
            text.push('\n');
        }
        text
    }

    /// A row a setting: the differing keys, the number of runs, mean and deviation of each figure.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut table = csv::Writer::from_writer(Vec::new());
        let named: Vec<&String> = self.settings.iter().take(1).flat_map(|s| s.differing.keys()).collect();
        let keys = self.keys();
        let spreads = keys.iter().flat_map(|key| [format!("{key}_mean"), format!("{key}_sd")]);
        let head = named.iter().map(|name| (*name).clone()).chain(["runs".to_owned()]).chain(spreads);
        let mut rows = vec![head.collect::<Vec<String>>()];
        for setting in &self.settings {
            let mut row: Vec<String> = named.iter().map(|&name| setting.differing[name].clone()).collect();
            row.push(setting.seeds.len().to_string());
            for spread in keys.iter().map(|key| setting.spread(key)) {
                row.push(spread.map_or_else(String::new, |spread| spread.mean.to_string()));
                row.push(spread.and_then(|s| s.deviation).map_or_else(String::new, |sd| sd.to_string()));
            }
            rows.push(row);
        }
        for row in rows {
            table.write_record(row).expect("memory takes every row, and all are of one length");
        }
        let bytes = table.into_inner().expect("memory needs no flush");
        String::from_utf8(bytes).expect("it was made of text")
    }

    /// A list with an object a setting, each run's values included.
    #[must_use]
    pub fn json(&self) -> String {
        let settings = self.settings.iter().map(|setting| {
            let figures: Map<String, Value> = setting
                .values
                .iter()
                .map(|(key, values)| {
                    let MeanAndDeviation { mean, deviation } = MeanAndDeviation::of(values);
                    (key.clone(), json!({ "mean": mean, "sd": deviation, "values": values }))
                })
                .collect();
            json!({ "setting": setting.differing, "seeds": setting.seeds, "figures": figures })
        });
        format!("{:#}\n", Value::Array(settings.collect()))
    }

    /// The figures that some setting has, in order.
    fn keys(&self) -> Vec<&str> {
        let fullest = self.settings.iter().max_by_key(|setting| setting.values.len());
        fullest.into_iter().flat_map(|setting| &setting.values).map(|(key, _)| key.as_str()).collect()
    }
}

/// A spread as a person reads it: shares in percent, times and epochs plain.
fn told(key: &str, spread: MeanAndDeviation) -> String {
    let (factor, digits) = match key {
        "nll" => (1.0, 4),
        _ if MORE.contains(&key) => (1.0, 1),
        _ => (100.0, 2),
    };
    let mean = format!("{:.digits$}", factor * spread.mean);
    spread.deviation.map_or(mean.clone(), |sd| format!("{mean} ± {:.digits$}", factor * sd))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_the_samples() {
        let spread = MeanAndDeviation::of(&[0.65, 0.66, 0.70]);
        assert!((spread.mean - 0.67).abs() < 1e-12);
        assert!(spread.deviation.is_some_and(|sd| (sd - 0.026_457_513_110_645_9).abs() < 1e-12));
        assert_eq!(MeanAndDeviation::of(&[0.5]), MeanAndDeviation { mean: 0.5, deviation: None });
    }

    #[test]
    fn a_setting_is_named_by_what_differs() {
        let config = |mixup: &str, peak: &str| {
            let keys = [("train.mixup", mixup), ("schedule.peak_rate", peak), ("train.epochs", "9")];
            keys.map(|(key, value)| (key.to_owned(), value.to_owned())).into_iter().collect::<ConfigValues>()
        };
        let run = |seed: i64, accuracy: f64| Run {
            config: ConfigValues::new(),
            seed,
            values: vec![("accuracy".to_owned(), accuracy)],
        };
        let groups = vec![
            (config("0", "0.1"), vec![run(1, 0.6), run(2, 0.62)]),
            (config("0.2", "0.1"), vec![run(1, 0.7)]),
        ];
        let keys = differing_keys(&groups);
        let settings: Vec<Setting> =
            groups.into_iter().map(|(config, runs)| setting(&config, &keys, &runs)).collect();
        let summary = RunsSummary { settings, left_out: Vec::new() };
        insta::assert_snapshot!(summary.text(), @"
        validation split, which chose each run's epoch: optimistic; mean ± standard deviation over seeds
        runs  setting          accuracy
        2     train.mixup=0    61.00 ± 1.41
        1     train.mixup=0.2  70.00
        ");
        let csv = summary.csv();
        assert!(csv.starts_with("train.mixup,runs,accuracy_mean,accuracy_sd\n0,2,0.61,0.01414"), "{csv}");
        let json: Value = serde_json::from_str(&summary.json()).expect("it is JSON");
        assert_eq!(json[1]["setting"]["train.mixup"], "0.2");
        assert_eq!(json[0]["figures"]["accuracy"]["values"], json!([0.6, 0.62]));
        assert_eq!(json[1]["figures"]["accuracy"]["sd"], Value::Null);
    }
}
