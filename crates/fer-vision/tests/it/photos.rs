//! One picture alone, and frames one after the other.

use std::sync::Arc;
use std::time::Duration;

use fer_data::{Face, Labels};
use fer_vision::{Analyzer, Classified, Classify, Finder, FinderOptions, Frame, SmoothOptions, VisionError};
use image::{Rgb, RgbImage};

use crate::fakes::{ByBrightness, RedSquares, picture, sure_of};

fn analyzer(classifier: Arc<dyn Classify>) -> Analyzer {
    let finder = Finder::new(Box::new(RedSquares), FinderOptions::default());
    Analyzer::new(finder, classifier, SmoothOptions::default())
}

#[test]
fn a_photo_is_read_alone_left_to_right() {
    let mut analyzer = analyzer(Arc::new(ByBrightness::new()));
    for _ in 0..2 {
        let reading = analyzer.analyze_photo(&picture(&[(4, 0), (1, 2)], 40)).unwrap();
        let places: Vec<(u64, f32)> =
            reading.faces.iter().map(|face| (face.track, face.face_box.x)).collect();
        assert_eq!(places, [(1, 16.0), (2, 64.0)]);
        assert!(reading.faces.iter().all(|face| face.label == Some(5)), "dark faces are sad to this network");
    }
}

/// Says of bright crops that they are no faces.
struct NoBrightFaces(ByBrightness);

impl Classify for NoBrightFaces {
    fn labels(&self) -> &Labels {
        self.0.labels()
    }

    fn face_threshold(&self) -> f32 {
        0.5
    }

    fn classify(&self, faces: &[Face]) -> Result<Vec<Classified>, VisionError> {
        let mut classified = self.0.classify(faces)?;
        classified.iter_mut().for_each(|face| face.face_score = Some(face.probabilities[5]));
        Ok(classified)
    }
}

/// Takes its time over photos: sad in a hurry, surprised on a second look.
struct Slow(ByBrightness);

impl Classify for Slow {
    fn labels(&self) -> &Labels {
        self.0.labels()
    }

    fn classify(&self, faces: &[Face]) -> Result<Vec<Classified>, VisionError> {
        self.0.classify(faces)
    }

    fn classify_photo(&self, faces: &[Face]) -> Result<Vec<Classified>, VisionError> {
        Ok(faces.iter().map(|_| sure_of(6, 0.9).into()).collect())
    }
}

#[test]
fn a_network_may_take_its_time_over_a_photo_and_not_over_a_frame() {
    let mut analyzer = analyzer(Arc::new(Slow(ByBrightness::new())));
    let picture = picture(&[(1, 1)], 40);
    assert_eq!(analyzer.analyze_photo(&picture).unwrap().faces[0].label, Some(6));
    let frame = Frame { picture, timestamp: Duration::ZERO, index: 0 };
    let probabilities = analyzer.analyze(&frame).unwrap().faces[0].probabilities.clone();
    assert_eq!(probabilities, sure_of(5, 0.9));
}

#[test]
fn the_faces_of_a_photo_are_numbered_without_a_gap_where_one_is_none() {
    let (dark, bright) = (picture(&[(1, 0), (5, 0)], 40), picture(&[(3, 0)], 250));
    let mixed =
        RgbImage::from_fn(96, 64, |x, y| *(if x / 16 == 3 { &bright } else { &dark }).get_pixel(x, y));
    let reading = analyzer(Arc::new(NoBrightFaces(ByBrightness::new()))).analyze_photo(&mixed).unwrap();
    let places: Vec<(u64, f32)> = reading.faces.iter().map(|face| (face.track, face.face_box.x)).collect();
    assert_eq!(places, [(1, 16.0), (2, 80.0)]);
}

#[test]
fn an_evenly_lit_wall_is_no_face_even_if_the_detector_says_so() {
    let wall = RgbImage::from_pixel(96, 64, Rgb([230, 230, 230]));
    let reading = analyzer(Arc::new(ByBrightness::new())).analyze_photo(&wall).unwrap();
    assert!(reading.faces.is_empty());
}

#[test]
fn all_faces_of_a_frame_are_read_in_one_batch_and_none_asks_the_network_nothing() {
    let classifier = Arc::new(ByBrightness::new());
    let mut analyzer = analyzer(Arc::clone(&classifier) as Arc<dyn Classify>);
    let cells: [&[(u32, u32)]; 3] = [&[(0, 0), (2, 0), (4, 0), (0, 2), (3, 2)], &[], &[(1, 1)]];
    for (index, cells) in (0..).zip(cells) {
        let frame = Frame { picture: picture(cells, 40), timestamp: Duration::from_secs(10 * index), index };
        let reading = analyzer.analyze(&frame).unwrap();
        assert_eq!((reading.frame, reading.faces.len()), (index, cells.len()));
    }
    assert_eq!(*classifier.batches.lock().unwrap(), [5, 1]);
}
