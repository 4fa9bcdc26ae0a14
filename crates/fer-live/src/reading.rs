//! What one frame said: every face with its track, probabilities and label.
//! In: tracked, classified and smoothed faces. Out: [`Reading`], which window, page, CSV and video show.

use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::detect::FaceBox;

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
    /// Raw probabilities of this frame, label order, summing to 1.
    pub probabilities: Vec<f32>,
    /// Probabilities smoothed over the track's past, label order, summing to 1.
    pub smooth: Vec<f32>,
    /// The shown label (after smoothing and hysteresis), or `None` when uncertain.
    pub label: Option<usize>,
    /// The smoothed probability of the shown label, or of the largest when uncertain.
    pub confidence: f32,
}

/// How long each stage took for one frame.
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

/// A duration in ms, with µs after the point.
#[must_use]
pub fn ms(time: Duration) -> f64 {
    time.as_micros() as f64 / 1000.0
}

fn as_ms<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(ms(*time))
}
