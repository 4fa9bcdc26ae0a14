//! One picture alone, and frames one after the other.

use std::sync::Arc;
use std::time::Duration;

use fer_vision::{Analyzer, Classify, Finder, FinderOptions, Frame, SmoothOptions};
use image::{Rgb, RgbImage};

use crate::fakes::{ByBrightness, RedSquares, picture};

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
