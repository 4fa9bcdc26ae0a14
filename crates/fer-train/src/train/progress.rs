//! What a run shows while it works: bars in a terminal, lines when piped.
//! In: Burn's progress events and epoch rows. Out: bars, or text lines to a writer.
//!
//! Burn's own dashboard is the third way: `fer-train --progress dashboard`.

use std::{fmt::Write, sync::Mutex};

use burn_train::{
    logger::{EvaluationProgressLogger, TrainingProgressLogger},
    metric::MetricDefinition,
    renderer::{
        EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation, MetricsRendererTraining,
    },
};
use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use crate::run::history::EpochRow;

/// A bar over the current epoch's faces; silent when hidden (piped output).
pub struct BarRenderer {
    bar: ProgressBar,
    epochs: Mutex<(usize, usize)>,
}

impl BarRenderer {
    /// A renderer that moves the given bar.
    #[must_use]
    pub fn new(bar: ProgressBar) -> Self {
        Self { bar, epochs: Mutex::new((1, 1)) }
    }

    /// The bar's look: what, bar, faces, rate, time left.
    ///
    /// # Panics
    /// Never: the template is fixed.
    #[must_use]
    pub fn style() -> ProgressStyle {
        ProgressStyle::with_template("{msg:24} [{wide_bar}] {pos}/{len} faces {rate} {eta} left")
            .expect("the template is valid")
            .with_key("rate", |state: &ProgressState, text: &mut dyn Write| {
                // A bar that cannot be drawn is no reason to stop a run.
                write!(text, "{:.0}/s", state.per_sec()).unwrap_or_default();
            })
            .progress_chars("━╸─")
    }
}

impl TrainingProgressLogger for BarRenderer {
    fn start(
        &mut self,
        total_epochs: usize,
        starting_epoch: usize,
        _items: Option<usize>,
        _label: Option<&str>,
    ) {
        *self.epochs.lock().expect("no holder panics") = (starting_epoch, total_epochs);
    }

    fn update_epoch(&mut self, epoch: usize) {
        self.epochs.lock().expect("no holder panics").0 = epoch + 1;
    }

    fn start_split(&mut self, split: &str, total_items: usize) {
        let (epoch, total) = *self.epochs.lock().expect("no holder panics");
        let split = if split == "valid" { "validation" } else { split };
        self.bar.reset();
        self.bar.set_length(total_items as u64);
        self.bar.set_message(format!("epoch {epoch}/{total} {split}"));
    }

    fn update_split(&mut self, items_processed: usize) {
        self.bar.set_position(items_processed as u64);
    }

    fn end_split(&mut self) {}

    fn end(&mut self) {
        self.bar.finish_and_clear();
    }

    /// Burn's only event is "Iteration", once a step: the bar has moved already.
    fn log_event_training(&mut self, _event: String) {}
}

impl EvaluationProgressLogger for BarRenderer {
    fn start_global_progress(&mut self, _total_tests: usize) {}
    fn start_test(&mut self, _name: &str, _total_items: usize) {}
    fn update_test_progress(&mut self, _items_processed: usize) {}
    fn end_test(&mut self) {}
    fn end_global_progress(&mut self) {}
    fn log_event_evaluation(&mut self, _event: String) {}
}

impl MetricsRendererTraining for BarRenderer {
    fn update_train(&mut self, _state: MetricState) {}
    fn update_valid(&mut self, _state: MetricState) {}
}

impl MetricsRendererEvaluation for BarRenderer {
    fn update_test(&mut self, _name: EvaluationName, _state: MetricState) {}
}

impl MetricsRenderer for BarRenderer {
    fn manual_close(&mut self) {}
    fn register_metric(&mut self, _definition: MetricDefinition) {}
}

/// An epoch as one line that fits 80 columns in the usual case; `val` figures are those of the
/// validation split, a star marks the best epoch so far.
#[must_use]
pub fn line(row: &EpochRow, best: &EpochRow, epochs: usize) -> String {
    format!(
        "epoch {:>3}/{epochs}  rate {:.4}  loss {:.3} val {:.3}  top-1 {:.1} val {:.2} %  {:.0} s{}",
        row.epoch,
        row.rate,
        row.train_loss,
        row.validation_loss,
        100.0 * row.train_accuracy,
        100.0 * row.validation_accuracy,
        row.seconds,
        if row.epoch == best.epoch { " *" } else { "" },
    )
}
