//! A frame → its faces: found, followed and cropped, ready for the network.
//! In: a frame. Out: [`Found`]: tracks, boxes and crops.

use std::time::Duration;

use fer_data::Face;
use image::RgbImage;

use crate::crop::{crop, crop_turned, has_contrast};
use crate::detect::{DetectFaces, FaceBox, keep_best};
use crate::error::VisionError;
use crate::reading::{Found, FoundFace};
use crate::track::{TrackOptions, Tracked, Tracker};

/// One picture of a source, with its place in time.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The picture, 8-bit RGB, never drawn on: overlays work on a copy.
    pub picture: RgbImage,
    /// Time since the start of the source: the container's own for files, the clock's for live sources.
    pub timestamp: Duration,
    /// Position in the source, from 0; a live source counts dropped frames too.
    pub index: u64,
}

/// While all known faces are found, the search for others goes on by a part in every frame, and by one more
/// for each such time where frames are further apart.
const PART_TIME: Duration = Duration::from_millis(33);

/// At most this many parts in one frame: a search costs as much as ten looks near a known face, and frames
/// that come rarely, as when many clients share a server, would otherwise all be searches.
const MOST_PARTS: u128 = 3;

/// However rarely frames come, a search that began so long ago is ended in one frame.
const LONGEST_PATIENCE: Duration = Duration::from_secs(1);

/// How faces are found and cut out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FinderOptions {
    /// The whole picture is searched this often, in parts, beside the places of known faces.
    /// Zero searches it in every frame.
    pub scan_every: Duration,
    /// Side of the network's crop relative to the detector's box: a fact of the model, in its card; 1 cuts
    /// the box itself.
    pub crop_factor: f32,
    /// Turns the crop so that the eyes are level, where the detector finds eyes; not known to read better.
    pub align: bool,
    /// How faces are followed; its sure score is replaced by the detector's.
    pub tracking: TrackOptions,
}

impl Default for FinderOptions {
    fn default() -> Self {
        Self {
            scan_every: Duration::from_millis(250),
            crop_factor: 1.0,
            align: false,
            tracking: TrackOptions::default(),
        }
    }
}

/// Finds and follows the faces of one source.
pub struct Finder {
    detector: Box<dyn DetectFaces>,
    tracker: Tracker,
    options: FinderOptions,
    /// When the last search of the whole picture began.
    scanned: Option<Duration>,
    /// Whether it still goes on, in parts.
    is_scanning: bool,
    /// The last frame's time.
    time: Duration,
}

impl Finder {
    /// A finder that has seen nothing.
    #[must_use]
    pub fn new(detector: Box<dyn DetectFaces>, options: FinderOptions) -> Self {
        let tracking = TrackOptions { sure_score: detector.sure_score(), ..options.tracking };
        Self {
            detector,
            tracker: Tracker::new(tracking),
            options,
            scanned: None,
            is_scanning: false,
            time: Duration::ZERO,
        }
    }

    /// The faces of the source's next frame.
    ///
    /// # Errors
    /// [`VisionError::Detect`] when the detector itself failed.
    pub fn find(&mut self, frame: &Frame) -> Result<Found, VisionError> {
        let boxes = self.look(&frame.picture, frame.timestamp)?;
        let tracked = self.tracker.update(&boxes, frame.timestamp);
        let faces = tracked.iter().map(|face| self.cut(&frame.picture, face)).filter(is_plausible).collect();
        Ok(Found {
            frame: frame.index,
            timestamp: frame.timestamp,
            faces,
            alive: self.tracker.alive().collect(),
        })
    }

    /// The faces of one picture alone, left to right; tracks are numbered from 1 and not remembered.
    ///
    /// # Errors
    /// [`VisionError::Detect`] when the detector itself failed.
    pub fn find_photo(&mut self, picture: &RgbImage) -> Result<Found, VisionError> {
        let mut boxes = self.detector.detect(picture)?;
        boxes.sort_by(|a, b| a.x.total_cmp(&b.x));
        let tracked = boxes.into_iter().zip(1..).map(|(face_box, id)| Tracked { id, face_box, held: false });
        let faces: Vec<FoundFace> =
            tracked.map(|face| self.cut_from_photo(picture, &face)).filter(is_plausible).collect();
        Ok(Found {
            frame: 0,
            timestamp: Duration::ZERO,
            alive: faces.iter().map(|face| face.track).collect(),
            faces,
        })
    }

    /// Near the known faces when there are any; everywhere when there are none or one is missing; else
    /// everywhere too, but a part of it in every frame.
    fn look(&mut self, picture: &RgbImage, time: Duration) -> Result<Vec<FaceBox>, VisionError> {
        let since = time.saturating_sub(std::mem::replace(&mut self.time, time));
        let expected = self.tracker.expected(time);
        if expected.is_empty() {
            return self.scan(picture, time);
        }
        let Some(near) = self.detector.detect_near(picture, &expected)? else {
            return self.detector.detect(picture);
        };
        let every = self.options.scan_every;
        let is_missing = self.tracker.misses(&near, time);
        let near = keep_best(near);
        if (is_missing || every.is_zero()) && self.has_waited(every / 4, time) {
            let everywhere = self.scan(picture, time)?;
            return Ok(join(near, everywhere));
        }
        self.scan_on(picture, near, time, since)
    }

    fn has_waited(&self, patience: Duration, time: Duration) -> bool {
        self.scanned.is_none_or(|scanned| time.saturating_sub(scanned) >= patience)
    }

    /// Searches the whole picture at once.
    fn scan(&mut self, picture: &RgbImage, time: Duration) -> Result<Vec<FaceBox>, VisionError> {
        (self.scanned, self.is_scanning) = (Some(time), false);
        self.detector.detect(picture)
    }

    /// Goes on with a search in parts, or begins one when it is time, `since` after the last frame.
    fn scan_on(
        &mut self,
        picture: &RgbImage,
        near: Vec<FaceBox>,
        time: Duration,
        since: Duration,
    ) -> Result<Vec<FaceBox>, VisionError> {
        let mut all = near;
        let n_parts = (since.as_nanos() / PART_TIME.as_nanos()).clamp(1, MOST_PARTS);
        let n_parts = if self.has_waited(LONGEST_PATIENCE, time) { u128::MAX } else { n_parts };
        for _ in 0..n_parts {
            if !self.is_scanning && !self.has_waited(self.options.scan_every, time) {
                break;
            }
            if !self.is_scanning {
                self.scanned = Some(time);
            }
            let part = self.detector.detect_part(picture, &all)?;
            self.is_scanning = !part.is_last;
            all = join(all, part.boxes);
            if part.is_last {
                break;
            }
        }
        Ok(all)
    }

    fn cut(&self, picture: &RgbImage, face: &Tracked) -> FoundFace {
        let crop = (!face.held).then(|| self.crop(picture, &face.face_box));
        // A followed face is searched with less evidence, so its score says little: its track vouches for it.
        FoundFace { track: face.id, face_box: face.face_box, is_weak: false, crop }
    }

    /// A photo's face has no track to vouch for it.
    fn cut_from_photo(&self, picture: &RgbImage, face: &Tracked) -> FoundFace {
        let is_weak = face.face_box.score < self.detector.sure_score() / 2.0;
        FoundFace { is_weak, ..self.cut(picture, face) }
    }

    fn crop(&self, picture: &RgbImage, face_box: &FaceBox) -> Face {
        let factor = self.options.crop_factor;
        let landmarks = self.options.align.then(|| self.detector.landmarks(face_box)).flatten();
        match landmarks {
            Some(landmarks) => crop_turned(picture, face_box, factor, landmarks.tilt()),
            None => crop(picture, face_box, factor),
        }
    }
}

/// The boxes found near known faces, and those found elsewhere.
fn join(near: Vec<FaceBox>, everywhere: Vec<FaceBox>) -> Vec<FaceBox> {
    let elsewhere: Vec<FaceBox> = everywhere.into_iter().filter(|found| found.is_apart(&near)).collect();
    near.into_iter().chain(elsewhere).collect()
}

fn is_plausible(face: &FoundFace) -> bool {
    face.crop.as_ref().is_none_or(has_contrast)
}
