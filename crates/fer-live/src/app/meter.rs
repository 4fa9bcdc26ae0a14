//! Frame rate and latency of what is shown.
//! In: when frames were shown. Out: a line for the picture, and a summary.

use std::time::{Duration, Instant};

/// Counts what is shown.
pub(super) struct Meter {
    started: Instant,
    last: Option<Instant>,
    /// Smoothed seconds between two shots.
    step: f64,
    n_shots: u64,
    n_faces: u64,
    n_dropped: u64,
}

impl Meter {
    pub(super) fn new(now: Instant) -> Self {
        Self { started: now, last: None, step: 0.0, n_shots: 0, n_faces: 0, n_dropped: 0 }
    }

    pub(super) fn count(&mut self, now: Instant, n_faces: usize, n_dropped: u64) {
        if let Some(last) = self.last {
            let step = now.duration_since(last).as_secs_f64();
            let weight = if self.n_shots < 10 { 0.5 } else { 0.05 };
            self.step += weight * (step - self.step);
        }
        self.last = Some(now);
        self.n_shots += 1;
        self.n_faces += n_faces as u64;
        self.n_dropped = n_dropped;
    }

    pub(super) fn n_shots(&self) -> u64 {
        self.n_shots
    }

    /// `30 fps  18 ms`, with what was dropped if anything was.
    pub(super) fn line(&self, latency: Option<Duration>) -> String {
        let rate = if self.step > 0.0 { 1.0 / self.step } else { 0.0 };
        let latency = latency.map_or_else(String::new, |latency| format!("  {} ms", latency.as_millis()));
        let dropped =
            if self.n_dropped > 0 { format!("  {} dropped", self.n_dropped) } else { String::new() };
        format!("{rate:.0} fps{latency}{dropped}")
    }

    pub(super) fn summary(&self, now: Instant) -> String {
        let seconds = now.duration_since(self.started).as_secs_f64();
        let rate = self.n_shots as f64 / seconds.max(1e-9);
        format!(
            "{} frames in {seconds:.1} s ({rate:.1} a second), {} faces read, {} frames dropped",
            self.n_shots, self.n_faces, self.n_dropped
        )
    }
}
