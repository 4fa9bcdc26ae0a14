//! Raw probabilities of every frame → steady ones, and a label that does not flicker.
//! In: [`Found`] faces with their probabilities. Out: a [`Reading`]; all state is per track.
//! Time is the frame's own.

use std::collections::HashMap;
use std::time::Duration;

use crate::reading::{FaceReading, Found, FoundFace, Reading, Timings, largest};

/// How readings are steadied.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SmoothOptions {
    /// After this time, half of a smoothed probability comes from what was seen since.
    pub half_life: Duration,
    /// Under this smoothed probability, `0..=1`, a face has no label.
    pub uncertain_below: f32,
    /// How much surer another label must be to replace the shown one, `0..=1`.
    pub margin: f32,
    /// Frames a face must have been read in before it gets a label.
    pub n_before_label: u32,
}

impl Default for SmoothOptions {
    fn default() -> Self {
        Self { half_life: Duration::from_millis(200), uncertain_below: 0.4, margin: 0.1, n_before_label: 3 }
    }
}

impl SmoothOptions {
    /// For one picture alone: no past to wait for, and no label that could flicker.
    #[must_use]
    pub fn photo(self) -> Self {
        Self { n_before_label: 1, margin: 0.0, ..self }
    }
}

/// Smooths every face of one source.
#[derive(Debug)]
pub struct Smoother {
    options: SmoothOptions,
    tracks: HashMap<u64, Past>,
}

impl Smoother {
    /// A smoother that has seen nothing.
    #[must_use]
    pub fn new(options: SmoothOptions) -> Self {
        Self { options, tracks: HashMap::new() }
    }

    /// Joins the faces of a frame with their probabilities, `[n_crops][n_labels]` in the order of
    /// [`Found::crops`], and forgets the tracks that are gone.
    pub fn settle(&mut self, found: Found, probabilities: Vec<Vec<f32>>) -> Reading {
        self.tracks.retain(|id, _| found.alive.contains(id));
        let mut rows = probabilities.into_iter();
        let faces = found.faces.iter().filter_map(|face| match face.crop {
            Some(_) => rows.next().map(|row| self.read(face, row, found.timestamp)),
            None => self.hold(face),
        });
        Reading {
            frame: found.frame,
            timestamp: found.timestamp,
            faces: faces.collect(),
            timings: Timings::default(),
            n_dropped: 0,
        }
    }

    fn read(&mut self, face: &FoundFace, row: Vec<f32>, time: Duration) -> FaceReading {
        let options = self.options;
        let past = self.tracks.entry(face.track).or_insert_with(|| Past::new(&row, time));
        past.take(row, time, options.half_life);
        past.choose(&options);
        past.reading(face, false)
    }

    fn hold(&self, face: &FoundFace) -> Option<FaceReading> {
        self.tracks.get(&face.track).map(|past| past.reading(face, true))
    }
}

/// What a face has shown so far.
#[derive(Clone, Debug)]
struct Past {
    raw: Vec<f32>,
    smooth: Vec<f32>,
    label: Option<usize>,
    read: Duration,
    n_read: u32,
}

impl Past {
    fn new(row: &[f32], time: Duration) -> Self {
        Self { raw: row.to_vec(), smooth: row.to_vec(), label: None, read: time, n_read: 0 }
    }

    fn take(&mut self, row: Vec<f32>, time: Duration, half_life: Duration) {
        let elapsed = time.saturating_sub(self.read).as_secs_f32();
        // The first frames are averaged evenly: an exponential mean would hang on to the very first.
        let even = 1.0 / (self.n_read + 1) as f32;
        let gain = if half_life.is_zero() {
            1.0
        } else {
            (1.0 - (-elapsed / half_life.as_secs_f32()).exp2()).max(even).min(1.0)
        };
        for (smooth, &raw) in self.smooth.iter_mut().zip(&row) {
            *smooth += gain * (raw - *smooth);
        }
        self.raw = row;
        self.read = time;
        self.n_read += 1;
    }

    /// Keeps the shown label until another is clearly surer, or none is sure enough.
    fn choose(&mut self, options: &SmoothOptions) {
        let (best, best_probability) = largest(&self.smooth);
        // Half a margin above the threshold to gain a label, half below it to lose it.
        let gain_at = options.uncertain_below + options.margin / 2.0;
        let lose_at = options.uncertain_below - options.margin / 2.0;
        let kept = self.label.filter(|&label| {
            self.smooth[label] >= lose_at && self.smooth[label] + options.margin > best_probability
        });
        let may_label = self.n_read >= options.n_before_label && best_probability >= gain_at;
        self.label = kept.or(may_label.then_some(best));
    }

    fn reading(&self, face: &FoundFace, held: bool) -> FaceReading {
        let confidence = self.label.map_or_else(|| largest(&self.smooth).1, |label| self.smooth[label]);
        FaceReading {
            track: face.track,
            face_box: face.face_box,
            held,
            probabilities: self.raw.clone(),
            smooth: self.smooth.clone(),
            label: self.label,
            confidence,
        }
    }
}
