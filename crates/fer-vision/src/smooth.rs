//! Raw probabilities of every frame → steady ones, and a label that does not flicker.
//! In: [`Found`] faces with what the network said of them. Out: a [`Reading`]; all state is per track.
//! Time is the frame's own.

use std::collections::HashMap;
use std::time::Duration;

use fer_data::argmax;

use crate::classify::Classified;
use crate::reading::{FaceReading, Found, FoundFace, Reading, Timings};

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
        // Measured together on clips of talking people: docs/LOG.md, "What people see".
        Self { half_life: Duration::from_millis(300), uncertain_below: 0.35, margin: 0.2, n_before_label: 3 }
    }
}

impl SmoothOptions {
    /// For one picture alone: no past to wait for, and no label that could flicker.
    #[must_use]
    pub fn photo(self) -> Self {
        Self { n_before_label: 1, margin: 0.0, ..self }
    }
}

/// From this face score on a box counts as a face where the detector itself is far from sure.
///
/// On 38 photographs and three networks the weak boxes of faces score 0.993 or more, those without a face 0.961
/// at most: docs/reports/live.md.
const WEAK_FACE_THRESHOLD: f32 = 0.98;

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

    /// Joins the faces of a frame with what the network said of them, in the order of [`Found::crops`],
    /// and forgets the tracks that are gone.
    ///
    /// Faces whose smoothed face score is below `face_threshold`, `0..=1`, are left out (weak ones need 0.98),
    /// unless it was not after as many frames as a label needs: the track of a face goes on being one.
    pub fn settle(&mut self, found: Found, classified: Vec<Classified>, face_threshold: f32) -> Reading {
        self.tracks.retain(|id, _| found.alive.contains(id));
        let mut rows = classified.into_iter();
        let faces = found.faces.iter().filter_map(|face| {
            let reading = match face.crop {
                Some(_) => rows.next().map(|row| self.read(face, row, found.timestamp)),
                None => self.hold(face),
            };
            let least = if face.is_weak { face_threshold.max(WEAK_FACE_THRESHOLD) } else { face_threshold };
            let past = self.tracks.get_mut(&face.track)?;
            let looks_like_one = past.face_score.is_none_or(|score| score >= least);
            // One frame that looks like a face is no face yet: a face is what a label could be shown for.
            past.is_face |= looks_like_one && past.n_read >= self.options.n_before_label;
            reading.filter(|_| looks_like_one || past.is_face)
        });
        Reading {
            frame: found.frame,
            timestamp: found.timestamp,
            faces: faces.collect(),
            timings: Timings::default(),
            n_dropped: 0,
        }
    }

    fn read(&mut self, face: &FoundFace, row: Classified, time: Duration) -> FaceReading {
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
    face_score: Option<f32>,
    /// Whether it has looked enough like a face, over the frames that a label needs.
    is_face: bool,
    label: Option<usize>,
    read: Duration,
    n_read: u32,
}

impl Past {
    fn new(row: &Classified, time: Duration) -> Self {
        let raw = row.probabilities.clone();
        Self {
            smooth: raw.clone(),
            raw,
            face_score: row.face_score,
            is_face: false,
            label: None,
            read: time,
            n_read: 0,
        }
    }

    fn take(&mut self, row: Classified, time: Duration, half_life: Duration) {
        let elapsed = time.saturating_sub(self.read).as_secs_f32();
        // The first frames are averaged evenly: an exponential mean would hang on to the very first.
        let even = 1.0 / (self.n_read + 1) as f32;
        let gain = if half_life.is_zero() {
            1.0
        } else {
            (1.0 - (-elapsed / half_life.as_secs_f32()).exp2()).max(even).min(1.0)
        };
        let blend = |smooth: f32, raw: f32| smooth + gain * (raw - smooth);
        for (smooth, &raw) in self.smooth.iter_mut().zip(&row.probabilities) {
            *smooth = blend(*smooth, raw);
        }
        self.face_score = match (self.face_score, row.face_score) {
            (Some(smooth), Some(raw)) => Some(blend(smooth, raw)),
            (_, raw) => raw,
        };
        self.raw = row.probabilities;
        self.read = time;
        self.n_read += 1;
    }

    /// Keeps the shown label until another is clearly surer, or none is sure enough.
    fn choose(&mut self, options: &SmoothOptions) {
        let Some(best) = argmax(&self.smooth) else {
            self.label = None;
            return;
        };
        let best_probability = self.smooth[best];
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
        let confidence = self.label.or_else(|| argmax(&self.smooth)).map_or(0.0, |label| self.smooth[label]);
        FaceReading {
            track: face.track,
            face_box: face.face_box,
            held,
            face_score: self.face_score,
            probabilities: self.raw.clone(),
            smooth: self.smooth.clone(),
            label: self.label,
            confidence,
        }
    }
}
