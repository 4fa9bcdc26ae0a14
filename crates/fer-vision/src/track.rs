//! Which face is which over frames.
//! In: the boxes of one frame after another. Out: [`Tracked`] faces with stable ids and steadied boxes.

use std::time::Duration;

use crate::detect::FaceBox;

/// How faces are followed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrackOptions {
    /// A face that is not found is held at its expected place for this long.
    pub hold: Duration,
    /// After that it is out of sight, but keeps its id when it is found at the same place within this time.
    pub remember: Duration,
    /// A face under the sure score is shown after being found in this many frames.
    pub n_confirm: u32,
    /// A face found with this score or more is shown at once.
    pub sure_score: f32,
    /// Half-life of the box's jitter; 0 takes every box as it is.
    pub steady: Duration,
}

impl Default for TrackOptions {
    fn default() -> Self {
        Self {
            hold: Duration::from_millis(250),
            remember: Duration::from_millis(2000),
            n_confirm: 3,
            sure_score: 12.0,
            steady: Duration::from_millis(25),
        }
    }
}

/// A face of this frame, with its id.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tracked {
    /// Stable id, from 1.
    pub id: u64,
    /// Its steadied box; the score is the detector's of this frame, or the last one when held.
    pub face_box: FaceBox,
    /// Whether it was not found in this frame.
    pub held: bool,
}

/// Follows every face of one source.
#[derive(Debug)]
pub struct Tracker {
    options: TrackOptions,
    tracks: Vec<Track>,
    n_tracks: u64,
}

impl Tracker {
    /// A tracker without faces.
    #[must_use]
    pub fn new(options: TrackOptions) -> Self {
        Self { options, tracks: Vec::new(), n_tracks: 0 }
    }

    /// Where the known faces are expected at a time, those out of sight included.
    #[must_use]
    pub fn expected(&self, time: Duration) -> Vec<FaceBox> {
        self.tracks.iter().map(|track| track.at(time)).collect()
    }

    /// Whether a shown face is missing from these boxes.
    #[must_use]
    pub fn misses(&self, boxes: &[FaceBox], time: Duration) -> bool {
        let shown = self.tracks.iter().filter(|track| track.id.is_some() && !self.is_lost(track, time));
        shown
            .map(|track| track.at(time))
            .any(|place| !boxes.iter().any(|found| fits(&place, found).is_some()))
    }

    /// Takes the boxes of a frame and gives the faces to show, by id.
    /// Times never go back within one source.
    pub fn update(&mut self, boxes: &[FaceBox], time: Duration) -> Vec<Tracked> {
        let mut is_new = vec![true; boxes.len()];
        for (track_idx, box_idx) in self.matches(boxes, time) {
            is_new[box_idx] = false;
            self.tracks[track_idx].follow(&boxes[box_idx], time, self.options.steady);
        }
        let new_boxes = boxes.iter().zip(is_new).filter_map(|(found, is_new)| is_new.then_some(found));
        self.tracks.extend(new_boxes.map(|found| Track::new(found, time)));
        self.confirm();
        self.forget(time);
        self.shown(time)
    }

    /// Ids of all faces that may still be shown again; any other id is gone for good.
    pub fn alive(&self) -> impl Iterator<Item = u64> {
        self.tracks.iter().filter_map(|track| track.id)
    }

    /// Pairs of track and box, best fit first, each used once.
    fn matches(&self, boxes: &[FaceBox], time: Duration) -> Vec<(usize, usize)> {
        let mut pairs = Vec::new();
        for (track_idx, track) in self.tracks.iter().enumerate() {
            let place = track.at(time);
            for (box_idx, found) in boxes.iter().enumerate() {
                if let Some(fit) = fits(&place, found) {
                    pairs.push((fit, track_idx, box_idx));
                }
            }
        }
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
        let (mut track_used, mut box_used) = (vec![false; self.tracks.len()], vec![false; boxes.len()]);
        pairs.retain(|&(_, track_idx, box_idx)| {
            let free = !track_used[track_idx] && !box_used[box_idx];
            if free {
                track_used[track_idx] = true;
                box_used[box_idx] = true;
            }
            free
        });
        pairs.into_iter().map(|(_, track_idx, box_idx)| (track_idx, box_idx)).collect()
    }

    fn confirm(&mut self) {
        for track in &mut self.tracks {
            let sure = track.score >= self.options.sure_score || track.n_found >= self.options.n_confirm;
            if track.id.is_none() && sure {
                self.n_tracks += 1;
                track.id = Some(self.n_tracks);
            }
        }
    }

    fn forget(&mut self, time: Duration) {
        let options = self.options;
        self.tracks.retain(|track| {
            let patience = if track.id.is_some() { options.remember } else { options.hold };
            time.saturating_sub(track.seen) <= patience
        });
    }

    fn is_lost(&self, track: &Track, time: Duration) -> bool {
        time.saturating_sub(track.seen) > self.options.hold
    }

    fn shown(&self, time: Duration) -> Vec<Tracked> {
        let in_sight = self.tracks.iter().filter(|track| !self.is_lost(track, time));
        let mut shown: Vec<Tracked> = in_sight
            .filter_map(|track| {
                let held = track.seen < time;
                track.id.map(|id| Tracked { id, face_box: track.at(time), held })
            })
            .collect();
        shown.sort_by_key(|tracked| tracked.id);
        shown
    }
}

/// One face's past: its box, how fast it moves, when it was last found.
#[derive(Clone, Debug)]
struct Track {
    /// Given when confirmed.
    id: Option<u64>,
    /// Centre x, centre y, width, height, in pixels.
    state: [f32; 4],
    /// Pixels per second of the same.
    speed: [f32; 4],
    score: f32,
    seen: Duration,
    n_found: u32,
}

/// Expected movement fades with this half-life, so that a face that stops being found does not fly off.
const SPEED_HALF_LIFE: Duration = Duration::from_millis(120);

impl Track {
    fn new(found: &FaceBox, time: Duration) -> Self {
        Self { id: None, state: measure(found), speed: [0.0; 4], score: found.score, seen: time, n_found: 1 }
    }

    /// The box expected at a time.
    fn at(&self, time: Duration) -> FaceBox {
        let travelled = travel(time.saturating_sub(self.seen));
        let [x, y, width, height] = std::array::from_fn(|i| self.state[i] + self.speed[i] * travelled);
        let (width, height) = (width.max(1.0), height.max(1.0));
        FaceBox { x: x - width / 2.0, y: y - height / 2.0, width, height, score: self.score }
    }

    /// Moves towards a found box: an alpha-beta filter whose gain follows from the elapsed time.
    fn follow(&mut self, found: &FaceBox, time: Duration, steady: Duration) {
        let elapsed = time.saturating_sub(self.seen).as_secs_f32();
        let gain = 1.0 - decay(elapsed, steady);
        let expected = measure(&self.at(time));
        let measured = measure(found);
        for i in 0..4 {
            let surprise = measured[i] - expected[i];
            self.state[i] = expected[i] + gain * surprise;
            // The size of a face hardly changes at a steady rate: only its place has a speed.
            if elapsed > 0.0 && i < 2 {
                self.speed[i] += 0.4 * gain * surprise / elapsed;
            }
        }
        self.score = found.score;
        self.seen = time;
        self.n_found += 1;
    }
}

/// How well a found box fits an expected one, or `None` when it cannot be the same face.
fn fits(expected: &FaceBox, found: &FaceBox) -> Option<f32> {
    let size = (expected.width / found.width).max(found.width / expected.width);
    let (ax, ay) = expected.center();
    let (bx, by) = found.center();
    let distance = (ax - bx).hypot(ay - by) / expected.width.max(found.width);
    // Two heads cannot share a centre: within half a box, and at most 1.7 times larger or smaller.
    (distance < 0.5 && size < 1.7).then(|| expected.iou(found) - distance)
}

fn measure(face_box: &FaceBox) -> [f32; 4] {
    let (x, y) = face_box.center();
    [x, y, face_box.width, face_box.height]
}

/// What is left after `elapsed` seconds of something with a half-life, `0..=1`.
fn decay(elapsed: f32, half_life: Duration) -> f32 {
    if half_life.is_zero() { 0.0 } else { (-elapsed / half_life.as_secs_f32()).exp2() }
}

/// Seconds a fading speed carries in a time.
fn travel(elapsed: Duration) -> f32 {
    let half_life = SPEED_HALF_LIFE.as_secs_f32();
    (1.0 - decay(elapsed.as_secs_f32(), SPEED_HALF_LIFE)) * half_life / std::f32::consts::LN_2
}
