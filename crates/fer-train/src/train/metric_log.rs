//! Burn's metric events, kept in memory by epoch.
//! In: every batch's metrics. Out: an epoch's metric, when Burn's event store asks.
//!
//! Burn's file logger panics on a full disk, and its in-memory one counts epochs from where the
//! process started, which a resumed run does not.

use std::collections::HashMap;

use burn_train::{
    logger::MetricLogger,
    metric::{
        MetricDefinition, MetricId, NumericEntry,
        store::{EpochSummary, MetricsUpdate, Split},
    },
};

/// An epoch's entries by metric name and split.
#[derive(Default)]
pub(crate) struct EpochLog {
    names: HashMap<MetricId, String>,
    entries: HashMap<(String, String), Vec<NumericEntry>>,
    epoch: usize,
}

impl MetricLogger for EpochLog {
    fn log(&mut self, update: MetricsUpdate, epoch: usize, split: &Split) {
        if epoch != self.epoch {
            self.entries.clear();
            self.epoch = epoch;
        }
        for metric in update.entries_numeric {
            let (Some(name), Some(entry)) = (self.names.get(&metric.entry.metric_id), metric.numeric_entry)
            else {
                continue;
            };
            self.entries.entry((name.clone(), split.to_string())).or_default().push(entry);
        }
    }

    fn read_numeric(&mut self, name: &str, epoch: usize, split: &Split) -> Result<Vec<NumericEntry>, String> {
        if epoch != self.epoch {
            return Ok(Vec::new());
        }
        Ok(self.entries.get(&(name.to_owned(), split.to_string())).cloned().unwrap_or_default())
    }

    fn log_metric_definition(&mut self, definition: MetricDefinition) {
        self.names.insert(definition.metric_id, definition.name.to_string());
    }

    fn log_epoch_summary(&mut self, _summary: EpochSummary) {}
}
