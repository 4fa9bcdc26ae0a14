//! What one frame holds: [`Found`] before the network, [`Reading`] after it.
//! In: tracked faces; their probabilities. Out: what window, page, CSV and video show.

use std::time::Duration;

use fer_data::{Face, Labels};
use serde::{Serialize, Serializer};

use crate::detect::FaceBox;

/// One face of a frame, not yet read.
#[derive(Clone, Debug)]
pub struct FoundFace {
    /// Stable id of the face over frames, from 1.
    pub track: u64,
    /// Where it is, in the frame's pixels.
    pub face_box: FaceBox,
    /// Whether the detector itself is far from sure of it: the network then has to be.
    pub is_weak: bool,
    /// What the network shall see, or `None` when the face is only held by its track.
    pub crop: Option<Face>,
}

/// The faces of a frame, not yet read.
#[derive(Clone, Debug)]
pub struct Found {
    /// Position of the frame in its source, from 0.
    pub frame: u64,
    /// The frame's time since the start of its source.
    pub timestamp: Duration,
    /// The faces, by track id.
    pub faces: Vec<FoundFace>,
    /// Ids of all tracks that may be seen again.
    pub alive: Vec<u64>,
}

impl Found {
    /// What the network shall see: the crops of the faces that have one, in order.
    #[must_use]
    pub fn crops(&self) -> Vec<Face> {
        self.faces.iter().filter_map(|face| face.crop.clone()).collect()
    }
}

/// One face of one frame.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FaceReading {
    /// Stable id of the face over frames, from 1.
    pub track: u64,
    /// Where it is, in the frame's pixels.
    #[serde(rename = "box")]
    pub face_box: FaceBox,
    /// Whether the face was not found in this frame and only its track goes on: the box is where it
    /// is expected, the probabilities are its last ones. Records count such a frame as without it.
    pub held: bool,
    /// How much the face has looked like one, `0..=1`, smoothed over its track; `None` when the network does
    /// not say. Faces below the network's threshold are no faces, and not in a reading.
    pub face_score: Option<f32>,
    /// Raw probabilities of this frame, label order, summing to 1.
    pub probabilities: Vec<f32>,
    /// Probabilities smoothed over the track's past, label order, summing to 1.
    pub smooth: Vec<f32>,
    /// The shown label (after smoothing and hysteresis), or `None` when uncertain.
    pub label: Option<usize>,
    /// The smoothed probability of the shown label, or of the largest when uncertain.
    pub confidence: f32,
}

/// How long each stage took for one frame; whoever has the clock fills it in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Timings {
    /// Reading the frame from its source, in ms.
    pub capture_ms: f32,
    /// Finding faces, in ms.
    pub detect_ms: f32,
    /// Cropping and the network, all faces together, in ms.
    pub classify_ms: f32,
}

/// All faces of one frame.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reading {
    /// Position of the frame in its source, from 0.
    pub frame: u64,
    /// The frame's time since the start of its source; written as `timestamp_ms`.
    #[serde(rename = "timestamp_ms", serialize_with = "as_ms")]
    pub timestamp: Duration,
    /// The faces, by track id.
    pub faces: Vec<FaceReading>,
    /// Stage times.
    pub timings: Timings,
    /// Frames of a live source dropped so far because newer ones had come.
    pub n_dropped: u64,
}

impl Reading {
    /// The faces found in this very frame: all but the held ones.
    pub fn found(&self) -> impl Iterator<Item = &FaceReading> {
        self.faces.iter().filter(|face| !face.held)
    }
}

/// Names of a table's columns before the probabilities.
const FIRST_COLUMNS: [&str; 10] =
    ["input", "frame", "timestamp_ms", "success", "track", "x", "y", "w", "h", "score"];

/// The names of all columns of readings as a table: place and time, raw probabilities, smoothed ones, label and
/// confidence.
#[must_use]
pub fn columns(labels: &Labels) -> Vec<String> {
    let first = FIRST_COLUMNS.iter().map(|name| (*name).to_owned());
    let smooth = labels.names().iter().map(|name| format!("smooth_{name}"));
    let last = ["label".to_owned(), "confidence".to_owned()];
    first.chain(labels.names().iter().cloned()).chain(smooth).chain(last).collect()
}

/// A text as a cell of such a table. What begins like a formula would be run by spreadsheets: it gets a quote mark before it, as the
/// page writes it too, also behind a semicolon or a tab, which divide cells where a comma is the decimal sign. A dash alone
/// is standard input and no formula.
#[must_use]
pub fn recorded_name(text: &str) -> String {
    let cells = text.split_inclusive([';', '\t']);
    let is_run = |cell: &str| cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && text != "-";
    cells.map(|cell| if is_run(cell) { format!("'{cell}") } else { cell.to_owned() }).collect()
}

/// A duration in ms, with µs after the point.
#[must_use]
pub fn ms(time: Duration) -> f64 {
    time.as_micros() as f64 / 1000.0
}

fn as_ms<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(ms(*time))
}
