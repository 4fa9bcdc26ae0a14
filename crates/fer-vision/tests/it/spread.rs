//! A search of the whole picture that is spread over frames.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fer_drawn::Scene;
use fer_vision::haar::{HaarDetector, HaarOptions};
use fer_vision::{DetectFaces, FaceBox, Finder, FinderOptions, Frame, SearchPart, VisionError, keep_best};
use image::{Rgb, RgbImage};

fn frame(seed: u64) -> RgbImage {
    Scene::new(seed, 2, 480, 360).frame(Duration::from_millis(700 * seed))
}

/// Every part of one search, on a picture that stays as it is.
fn in_parts(detector: &mut HaarDetector, picture: &RgbImage, known: &[FaceBox]) -> Vec<Vec<FaceBox>> {
    let mut parts = Vec::new();
    loop {
        let SearchPart { boxes, is_last } = detector.detect_part(picture, known).unwrap();
        parts.push(boxes);
        assert!(parts.len() < 30, "no end");
        if is_last {
            return parts;
        }
    }
}

#[test]
fn all_parts_together_find_what_one_search_finds() {
    let mut detector = HaarDetector::new(HaarOptions::default()).unwrap();
    let mut n_found = 0;
    for seed in 1..9 {
        let picture = frame(seed);
        let at_once = detector.detect(&picture).unwrap();
        let parts = in_parts(&mut detector, &picture, &[]);
        assert!(parts.len() >= 8, "{} parts", parts.len());
        assert!(parts.iter().all(|boxes| boxes.len() <= 1), "one face is decided on in a frame");
        assert_eq!(keep_best(parts.concat()), at_once, "picture {seed}");
        n_found += at_once.len();
    }
    assert!(n_found > 8, "only {n_found} faces");
}

#[test]
fn known_faces_are_not_found_again() {
    let mut detector = HaarDetector::new(HaarOptions::default()).unwrap();
    let picture = frame(1);
    let known = detector.detect(&picture).unwrap();
    assert!(!known.is_empty());
    assert!(in_parts(&mut detector, &picture, &known).concat().is_empty());
}

#[test]
fn a_search_of_another_picture_gives_up_the_one_that_was_begun() {
    let mut detector = HaarDetector::new(HaarOptions::default()).unwrap();
    let empty = RgbImage::from_pixel(480, 360, Rgb([90; 3]));
    detector.detect_part(&empty, &[]).unwrap();
    let found = detector.detect(&frame(1)).unwrap();
    assert_eq!(keep_best(in_parts(&mut detector, &frame(1), &[]).concat()), found);
}

#[test]
fn a_picture_without_room_for_a_face_is_one_part() {
    let mut detector = HaarDetector::new(HaarOptions::default()).unwrap();
    for (width, height) in [(0, 0), (0, 9), (9, 9)] {
        let part = detector.detect_part(&RgbImage::new(width, height), &[]).unwrap();
        assert_eq!(part, SearchPart { boxes: Vec::new(), is_last: true });
    }
}

/// Counts the searches of the whole picture at once, and the parts.
struct Counted {
    detector: HaarDetector,
    n_whole: Arc<AtomicUsize>,
    n_parts: Arc<AtomicUsize>,
}

impl DetectFaces for Counted {
    fn detect(&mut self, picture: &RgbImage) -> Result<Vec<FaceBox>, VisionError> {
        self.n_whole.fetch_add(1, Ordering::Relaxed);
        self.detector.detect(picture)
    }

    fn detect_near(
        &mut self,
        picture: &RgbImage,
        expected: &[FaceBox],
    ) -> Result<Option<Vec<FaceBox>>, VisionError> {
        self.detector.detect_near(picture, expected)
    }

    fn detect_part(&mut self, picture: &RgbImage, known: &[FaceBox]) -> Result<SearchPart, VisionError> {
        self.n_parts.fetch_add(1, Ordering::Relaxed);
        self.detector.detect_part(picture, known)
    }

    fn sure_score(&self) -> f32 {
        self.detector.sure_score()
    }
}

/// The picture with all but the surroundings of one face covered.
fn covered(picture: &RgbImage, face: &FaceBox) -> RgbImage {
    let mut picture = picture.clone();
    let margin = face.width * 0.5;
    for (x, y, pixel) in picture.enumerate_pixels_mut() {
        let right = x as f32 - face.x;
        let down = y as f32 - face.y;
        let is_near = |at: f32, side: f32| at > -margin && at < side + margin;
        if !(is_near(right, face.width) && is_near(down, face.height)) {
            *pixel = Rgb([90; 3]);
        }
    }
    picture
}

#[test]
fn a_face_that_comes_is_found_in_parts_while_another_is_followed() {
    let (picture, found) = (1..40)
        .map(|seed| (frame(seed), HaarDetector::new(HaarOptions::default()).unwrap()))
        .find_map(|(picture, mut detector)| {
            let found = detector.detect(&picture).unwrap();
            (found.len() == 2 && found[1].score >= detector.sure_score()).then_some((picture, found))
        })
        .unwrap();
    let alone = covered(&picture, &found[0]);
    for (frame_ms, most_frames) in [(33, 20), (100, 8)] {
        let (n_whole, n_parts) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let detector = HaarDetector::new(HaarOptions::default()).unwrap();
        let counted = Counted { detector, n_whole: Arc::clone(&n_whole), n_parts: Arc::clone(&n_parts) };
        let mut finder = Finder::new(Box::new(counted), FinderOptions::default());
        let mut find = |index: u64, picture: &RgbImage| {
            let timestamp = Duration::from_millis(frame_ms * index);
            finder.find(&Frame { picture: picture.clone(), timestamp, index }).unwrap().faces.len()
        };
        for index in 0..12 {
            assert_eq!(find(index, &alone), 1, "frame {index} of one each {frame_ms} ms");
        }
        let came = (12..).position(|index| find(index, &picture) == 2 || index > 60).unwrap();
        assert!(came < most_frames, "found after {came} frames of one each {frame_ms} ms");
        assert_eq!(n_whole.load(Ordering::Relaxed), 1, "only the first frame is searched at once");
        assert!(n_parts.load(Ordering::Relaxed) > 8);
    }
}

#[test]
fn frames_that_come_once_a_second_are_searched_to_the_end_each() {
    let (n_whole, n_parts) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let detector = HaarDetector::new(HaarOptions::default()).unwrap();
    let counted = Counted { detector, n_whole: Arc::clone(&n_whole), n_parts: Arc::clone(&n_parts) };
    let mut finder = Finder::new(Box::new(counted), FinderOptions::default());
    for index in 0..4 {
        let frame = Frame { picture: frame(1), timestamp: Duration::from_secs(index), index };
        assert!(!finder.find(&frame).unwrap().faces.is_empty());
        let n_searched = n_parts.swap(0, Ordering::Relaxed);
        assert!(index == 0 || n_searched >= 8, "{n_searched} parts in frame {index}");
    }
    assert_eq!(n_whole.load(Ordering::Relaxed), 1);
}
