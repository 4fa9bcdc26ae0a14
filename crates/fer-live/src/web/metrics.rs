//! Counters of the web app, for Prometheus.
//! In: what happened, as it happens. Out: text in the exposition format 0.0.4.

use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    },
};

/// Why a camera frame was not read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Drop {
    /// A newer frame of the same client came first.
    Replaced,
    /// Too many pictures of other clients waited.
    QueueFull,
    /// The client left before its frame was read.
    ClientGone,
}

/// A number of things that are open at the moment; counts itself down when dropped.
pub(super) struct Open(Arc<AtomicI64>);

impl std::ops::Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// Upper bounds of the time histograms, in ms.
const MS_BOUNDS: [f32; 10] = [1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0];

/// Upper bounds of the batch histogram, in faces.
const FACE_BOUNDS: [f32; 7] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];

/// How often a value fell under each bound.
struct Histogram<const N: usize> {
    bounds: [f32; N],
    counts: [AtomicU64; N],
    n: AtomicU64,
    /// Sum in thousandths, so that it can be atomic.
    sum_thousandths: AtomicU64,
}

impl<const N: usize> Histogram<N> {
    fn new(bounds: [f32; N]) -> Self {
        let counts = std::array::from_fn(|_| AtomicU64::new(0));
        Self { bounds, counts, n: AtomicU64::new(0), sum_thousandths: AtomicU64::new(0) }
    }

    fn add(&self, value: f32) {
        for (bound, count) in self.bounds.iter().zip(&self.counts) {
            if value <= *bound {
                count.fetch_add(1, Relaxed);
            }
        }
        self.n.fetch_add(1, Relaxed);
        self.sum_thousandths.fetch_add((value.max(0.0) * 1e3) as u64, Relaxed);
    }

    /// Writes the series of a histogram; `unit` scales bounds and sum (ms to seconds).
    fn write(&self, text: &mut String, name: &str, label: &str, unit: f64) {
        let comma = if label.is_empty() { "" } else { "," };
        let braces = if label.is_empty() { String::new() } else { format!("{{{label}}}") };
        for (bound, count) in self.bounds.iter().zip(&self.counts) {
            let bound = f64::from(*bound) * unit;
            line(text, &format!("{name}_bucket{{{label}{comma}le=\"{bound}\"}}"), count.load(Relaxed));
        }
        let n = self.n.load(Relaxed);
        line(text, &format!("{name}_bucket{{{label}{comma}le=\"+Inf\"}}"), n);
        let sum = self.sum_thousandths.load(Relaxed) as f64 / 1e3 * unit;
        line(text, &format!("{name}_sum{braces}"), sum);
        line(text, &format!("{name}_count{braces}"), n);
    }
}

/// Everything the web app counts.
pub(super) struct Metrics {
    frames: AtomicU64,
    pictures: AtomicU64,
    faces: AtomicU64,
    dropped: [AtomicU64; 3],
    connections: Arc<AtomicI64>,
    live_clients: Arc<AtomicI64>,
    refused_connections: AtomicU64,
    responses: Mutex<BTreeMap<(String, u16), u64>>,
    batch: Histogram<7>,
    stages: [Histogram<10>; 4],
}

/// A stage whose time is measured.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stage {
    /// Waiting for a detector.
    Queue,
    /// Bytes to pixels.
    Decode,
    /// Pixels to boxes.
    Detect,
    /// A pass of the network.
    Classify,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            frames: AtomicU64::new(0),
            pictures: AtomicU64::new(0),
            faces: AtomicU64::new(0),
            dropped: std::array::from_fn(|_| AtomicU64::new(0)),
            connections: Arc::default(),
            live_clients: Arc::default(),
            refused_connections: AtomicU64::new(0),
            responses: Mutex::default(),
            batch: Histogram::new(FACE_BOUNDS),
            stages: std::array::from_fn(|_| Histogram::new(MS_BOUNDS)),
        }
    }
}

impl Metrics {
    /// A frame of a camera was read.
    pub(super) fn frame(&self) {
        self.frames.fetch_add(1, Relaxed);
    }

    /// A picture of the HTTP interface was read.
    pub(super) fn picture(&self) {
        self.pictures.fetch_add(1, Relaxed);
    }

    /// A frame was dropped.
    pub(super) fn drop_frame(&self, why: Drop) {
        self.dropped[why as usize].fetch_add(1, Relaxed);
    }

    /// A stage took this long.
    pub(super) fn stage(&self, stage: Stage, ms: f32) {
        self.stages[stage as usize].add(ms);
    }

    /// The network read `n_faces` in one pass.
    pub(super) fn batch(&self, n_faces: usize, ms: f32) {
        if n_faces > 0 {
            self.faces.fetch_add(n_faces as u64, Relaxed);
            self.batch.add(n_faces as f32);
            self.stage(Stage::Classify, ms);
        }
    }

    /// A request of a route was answered with a status.
    pub(super) fn response(&self, route: &str, status: u16) {
        let mut responses = self.responses.lock().unwrap_or_else(PoisonError::into_inner);
        *responses.entry((route.to_owned(), status)).or_default() += 1;
    }

    /// A connection was opened; it is counted until the value is dropped.
    pub(super) fn connection(&self) -> Open {
        self.connections.fetch_add(1, Relaxed);
        Open(self.connections.clone())
    }

    /// A connection was refused because there were too many.
    pub(super) fn refuse_connection(&self) {
        self.refused_connections.fetch_add(1, Relaxed);
    }

    /// A browser started to send frames; it is counted until the value is dropped.
    pub(super) fn live_client(&self) -> Open {
        self.live_clients.fetch_add(1, Relaxed);
        Open(self.live_clients.clone())
    }

    /// How many browsers send frames.
    #[must_use]
    pub(super) fn n_live_clients(&self) -> usize {
        usize::try_from(self.live_clients.load(Relaxed)).unwrap_or(0)
    }

    /// All counters as Prometheus text, with the number of pictures that wait now.
    #[must_use]
    pub(super) fn text(&self, n_waiting: usize) -> String {
        let mut text = String::new();
        self.write_counts(&mut text);
        help(&mut text, "fer_pictures_waiting", "gauge", "Pictures that wait for a detector");
        line(&mut text, "fer_pictures_waiting", n_waiting);
        help(&mut text, "fer_batch_faces", "histogram", "Faces in one pass of the network");
        self.batch.write(&mut text, "fer_batch_faces", "", 1.0);
        help(&mut text, "fer_stage_seconds", "histogram", "Time of each stage");
        for (name, stage) in ["queue", "decode", "detect", "classify"].iter().zip(&self.stages) {
            stage.write(&mut text, "fer_stage_seconds", &format!("stage=\"{name}\""), 1e-3);
        }
        if let Some(bytes) = resident_bytes() {
            help(&mut text, "process_resident_memory_bytes", "gauge", "Memory in use");
            line(&mut text, "process_resident_memory_bytes", bytes);
        }
        text
    }

    fn write_counts(&self, text: &mut String) {
        help(text, "fer_pictures_read_total", "counter", "Pictures read, by the way they came");
        line(text, "fer_pictures_read_total{via=\"camera\"}", self.frames.load(Relaxed));
        line(text, "fer_pictures_read_total{via=\"http\"}", self.pictures.load(Relaxed));
        help(text, "fer_faces_read_total", "counter", "Faces read by the network");
        line(text, "fer_faces_read_total", self.faces.load(Relaxed));
        help(text, "fer_frames_dropped_total", "counter", "Camera frames not read, by reason");
        for (why, count) in ["replaced", "queue_full", "client_gone"].iter().zip(&self.dropped) {
            line(text, &format!("fer_frames_dropped_total{{reason=\"{why}\"}}"), count.load(Relaxed));
        }
        help(text, "fer_connections", "gauge", "Open connections");
        line(text, "fer_connections", self.connections.load(Relaxed));
        help(text, "fer_connections_refused_total", "counter", "Connections over the limit");
        line(text, "fer_connections_refused_total", self.refused_connections.load(Relaxed));
        help(text, "fer_live_clients", "gauge", "Browsers that send camera frames");
        line(text, "fer_live_clients", self.live_clients.load(Relaxed));
        help(text, "fer_http_responses_total", "counter", "Answers, by route and status");
        for ((route, status), n) in &*self.responses.lock().unwrap_or_else(PoisonError::into_inner) {
            let labels = format!("{{route=\"{route}\",status=\"{status}\"}}");
            line(text, &format!("fer_http_responses_total{labels}"), n);
        }
    }
}

fn help(text: &mut String, name: &str, kind: &str, what: &str) {
    writeln!(text, "# HELP {name} {what}.\n# TYPE {name} {kind}").expect("a string takes all");
}

fn line(text: &mut String, name: &str, value: impl std::fmt::Display) {
    writeln!(text, "{name} {value}").expect("a string takes all");
}

/// Resident memory, where the system tells it (Linux: `/proc/self/status`, kB).
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = kilobytes.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_appear_under_their_names() {
        let metrics = Metrics::default();
        metrics.frame();
        metrics.drop_frame(Drop::Replaced);
        metrics.batch(3, 4.0);
        metrics.response("/v1/analyze", 503);
        let open = metrics.connection();
        let text = metrics.text(5);
        for expected in [
            "fer_pictures_read_total{via=\"camera\"} 1\n",
            "fer_frames_dropped_total{reason=\"replaced\"} 1\n",
            "fer_faces_read_total 3\n",
            "fer_batch_faces_bucket{le=\"2\"} 0\n",
            "fer_batch_faces_bucket{le=\"4\"} 1\n",
            "fer_batch_faces_sum 3\n",
            "fer_stage_seconds_bucket{stage=\"classify\",le=\"0.005\"} 1\n",
            "fer_http_responses_total{route=\"/v1/analyze\",status=\"503\"} 1\n",
            "fer_pictures_waiting 5\n",
            "fer_connections 1\n",
        ] {
            assert!(text.contains(expected), "{expected} is missing in\n{text}");
        }
        drop(open);
        assert!(metrics.text(0).contains("fer_connections 0\n"));
    }
}
