//! Cascades read and packed, and drawn faces found with the one that is built in.

use std::time::Duration;

use fer_drawn::{Scene, TruthFace};
use fer_vision::haar::{Cascade, CascadeSearch, HaarDetector, HaarOptions};
use fer_vision::{DetectFaces, FaceBox, VisionError};
use image::{RgbImage, imageops};
use proptest::prelude::*;

/// A cascade of one stage with two stumps.
const SMALL: &str = r#"<?xml version="1.0"?>
<!-- > a comment < -->
<opencv_storage>
<cascade type_id="opencv-cascade-classifier"><stageType>BOOST</stageType>
  <featureType>HAAR</featureType>
  <height>20</height>
  <width>24</width>
  <stageParams><maxWeakCount>2</maxWeakCount></stageParams>
  <stageNum>1</stageNum>
  <stages>
    <_>
      <maxWeakCount>2</maxWeakCount>
      <stageThreshold>-5.0425500869750977e+00</stageThreshold>
      <weakClassifiers>
        <_>
          <internalNodes>0 -1 1 -3.1511999666690826e-02</internalNodes>
          <leafValues>2.0875380039215088e+00 -2.2172100543975830e+00</leafValues></_>
        <_>
          <internalNodes>0 -1 0 1.2e-02</internalNodes>
          <leafValues>-1.5 1.25</leafValues></_></weakClassifiers></_></stages>
  <features>
    <_>
      <rects><_>6 4 12 9 -1.</_><_>6 7 12 3 3.</_></rects>
      <tilted>0</tilted></_>
    <_>
      <rects><_>0 0 24 20 -1.</_><_>0 0 12 10 2.</_><_>12 10 12 10 2.</_></rects></_></features></cascade>
</opencv_storage>
"#;

#[test]
fn opencvs_xml_is_read() {
    let cascade = Cascade::from_xml(SMALL).unwrap();
    assert_eq!((cascade.window(), cascade.n_stages(), cascade.n_stumps()), ((24, 20), 1, 2));
    let packed = cascade.to_packed().unwrap();
    assert_eq!(packed.len(), 12 + 6 + (1 + 3 * 5 + 12) + (1 + 2 * 5 + 12));
    assert_eq!(Cascade::from_packed(&packed).unwrap(), cascade);
}

#[test]
fn xml_that_is_no_such_cascade_is_refused_with_its_line() {
    for (from, to, said) in [
        ("<featureType>HAAR", "<featureType>LBP", "line 5: expected featureType HAAR, found LBP"),
        ("<stageType>BOOST</stageType>", "", "found none: a cascade in the old format of OpenCV 1"),
        ("<tilted>0", "<tilted>1", "line 24: expected an upright feature, found a tilted one"),
        ("0 -1 1 -3.15", "1 0 1 -3.15", "line 16: expected a stump"),
        ("0 -1 0 1.2e-02", "0 -1 2 1.2e-02", "expected one of 2 features, found feature 2"),
        ("0 -1 0 1.2e-02", "0 -1 0 much", "line 19: expected a number, found much"),
        ("-1.5 1.25", "-1.5 inf", "line 20: expected a number, found inf"),
        ("-1.5 1.25", "-1.5", "expected 2 numbers"),
        ("6 4 12 9 -1.", "6 4 19 9 -1.", "expected a rectangle inside the window of 24 × 20"),
        ("6 4 12 9 -1.", "6 -4 12 9 -1.", "expected a whole number in range, found -4"),
        ("<_>6 7 12 3 3.</_>", "", "expected 2 or 3 rectangles, found 1"),
        ("<width>24", "<width>129", "line 7: expected a window's side of 3 to 128, found 129"),
        ("</cascade>", "", "line 27: expected sound XML"),
        ("</features></cascade>\n</opencv_storage>", "", "expected sound XML"),
        ("<_>0 0 24 20 -1.</_>", "<_/>", "expected a rectangle: x, y, width, height, weight, found none"),
        ("-->", "", "expected sound XML"),
        (
            "<_>6 7 12 3 3.</_>",
            "<r>6 7 12 3 3.</r>",
            "line 23: expected an item _ of a list, found an element r",
        ),
        (
            "<tilted>0</tilted>",
            "<rect>0</rect>",
            "expected a Haar feature: rects, tilted, found an element rect",
        ),
    ] {
        assert!(SMALL.contains(from), "{from}");
        let error = Cascade::from_xml(&SMALL.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(said), "{from} → {to}: {error}");
    }
    for (text, said) in [
        ("", "line 1: expected sound XML"),
        ("\n<svg></svg>", "line 2: expected an element opencv_storage, found an element svg"),
        ("<opencv_storage></opencv_storage>", "line 1: expected a cascade, found none"),
    ] {
        let error = Cascade::from_xml(text).unwrap_err().to_string();
        assert!(error.contains(said), "{text}: {error}");
    }
}

#[test]
fn a_weight_that_is_no_small_whole_number_is_not_packed() {
    let cascade = Cascade::from_xml(&SMALL.replace("12 3 3.", "12 3 2.5")).unwrap();
    assert!(cascade.to_packed().unwrap_err().to_string().contains("found 2.5"));
}

#[test]
fn packed_bytes_that_are_cut_or_changed_are_refused_with_their_place() {
    let packed = Cascade::from_xml(SMALL).unwrap().to_packed().unwrap();
    for length in 0..packed.len() {
        let error = Cascade::from_packed(&packed[..length]).unwrap_err();
        assert!(error.place.starts_with("byte ") && error.found == "the end", "{length}: {error}");
    }
    let changed = |at: usize, byte: u8| {
        let mut bytes = packed.clone();
        bytes[at] = byte;
        Cascade::from_packed(&bytes).unwrap_err().to_string()
    };
    assert_eq!(changed(0, b'G'), "cascade, byte 0: expected the word FERHAAR1, found other bytes");
    assert!(changed(8, 2).contains("byte 8: expected a window with sides of 3 to 128, found 2 × 20"));
    assert!(changed(18, 4).contains("byte 18: expected 2 or 3 rectangles, found 4"));
    assert!(changed(21, 30).contains("expected a rectangle inside the window"));
    let longer = [packed.as_slice(), &[0]].concat();
    assert!(
        Cascade::from_packed(&longer)
            .unwrap_err()
            .to_string()
            .contains("expected the end, found 1 more bytes")
    );
}

proptest! {
    #[test]
    fn no_bytes_make_the_readers_panic(bytes: Vec<u8>, at in 0_usize..1_900, with in "[<>/_!?a-z0-9. \\-]{0,12}") {
        let _ = Cascade::from_packed(&bytes);
        let _ = Cascade::from_packed(&[b"FERHAAR1".as_slice(), &bytes].concat());
        let mut text = SMALL.to_owned();
        let at = at.min(text.len() - 20);
        text.replace_range(at..at + with.len(), &with);
        if let Ok(cascade) = Cascade::from_xml(&text) {
            prop_assert!(cascade.n_stumps() > 0);
        }
    }
}

#[test]
fn the_built_in_cascade_is_the_systems_packed() {
    let built_in = Cascade::frontal_face();
    assert_eq!((built_in.window(), built_in.n_stages(), built_in.n_stumps()), ((24, 24), 25, 2_913));
    let path = "/usr/share/opencv4/haarcascades/haarcascade_frontalface_default.xml";
    let Ok(text) = std::fs::read_to_string(path) else {
        eprintln!("skipped: no {path}");
        return;
    };
    let cascade = Cascade::from_xml(&text).unwrap();
    assert!(cascade == built_in, "the file of this system holds other numbers");
    let shipped = include_bytes!("../../src/haar/frontalface.cascade");
    assert!(cascade.to_packed().unwrap() == shipped, "packing gives other bytes than those that are shipped");
}

/// The drawn person's face as a box.
fn true_box(face: &TruthFace) -> FaceBox {
    FaceBox { x: face.x, y: face.y, width: face.width, height: face.height, score: 0.0 }
}

fn frames() -> impl Iterator<Item = (RgbImage, Vec<FaceBox>)> {
    (1..9).map(|seed| {
        let scene = Scene::new(seed, 2, 480, 360);
        let time = Duration::from_millis(700 * seed);
        (scene.frame(time), scene.truth(time).iter().map(true_box).collect())
    })
}

#[test]
fn drawn_faces_are_found_everywhere_and_near_where_they_were() {
    let mut detector = HaarDetector::new(HaarOptions::default()).unwrap();
    let (mut n_true, mut n_found, mut n_near) = (0, 0, 0);
    for (frame, truth) in frames() {
        let found = detector.detect(&frame).unwrap();
        let near = detector.detect_near(&frame, &truth).unwrap().unwrap();
        let is_found = |face: &&FaceBox, boxes: &[FaceBox]| boxes.iter().any(|found| found.iou(face) > 0.5);
        n_true += truth.len();
        n_found += truth.iter().filter(|face| is_found(face, &found)).count();
        n_near += truth.iter().filter(|face| is_found(face, &near)).count();
        assert!(found.len() <= truth.len(), "more faces than people: {found:?}");
    }
    assert!(n_found * 4 >= n_true * 3, "{n_found} of {n_true} found");
    assert!(n_near * 10 >= n_true * 9, "{n_near} of {n_true} found near their places");
}

#[test]
fn faces_in_the_dark_are_found_as_in_the_light() {
    let mut detector = HaarDetector::new(HaarOptions::default()).unwrap();
    let mut n_found = [0; 2];
    for (frame, truth) in frames() {
        let mut dark = frame.clone();
        dark.iter_mut().for_each(|value| *value /= 5);
        for (n_found, picture) in n_found.iter_mut().zip([&frame, &dark]) {
            let found = detector.detect(picture).unwrap();
            *n_found += truth.iter().filter(|face| found.iter().any(|found| found.iou(face) > 0.5)).count();
        }
    }
    let [light, dark] = n_found;
    assert!(light > 8 && dark * 10 >= light * 9, "{light} in the light, {dark} in the dark");
}

/// Frames cut so that an eighth of the face is beyond an edge, with the face's place.
fn cut_off() -> impl Iterator<Item = (RgbImage, FaceBox)> {
    frames().filter_map(|(frame, truth)| Some((frame, truth.first().copied()?))).zip([0, 1].repeat(99)).map(
        |((frame, face), edge)| {
            let beyond = face.width / 8.0;
            let (left, top) = if edge == 0 { (face.x + beyond, 0.0) } else { (0.0, face.y + beyond) };
            let (left, top) = (left.max(0.0) as u32, top.max(0.0) as u32);
            let rest = imageops::crop_imm(&frame, left, top, frame.width() - left, frame.height() - top);
            (rest.to_image(), FaceBox { x: face.x - left as f32, y: face.y - top as f32, ..face })
        },
    )
}

#[test]
fn a_border_finds_faces_that_reach_over_the_edge_of_the_picture() {
    let n_found = |border: f64| {
        let mut detector = HaarDetector::new(HaarOptions { border, ..HaarOptions::default() }).unwrap();
        let is_found = |(picture, face): &(RgbImage, FaceBox)| {
            detector.detect(picture).unwrap().iter().any(|found| found.iou(face) > 0.5)
        };
        cut_off().filter(is_found).count()
    };
    let (n, without, with) = (cut_off().count(), n_found(0.0), n_found(0.15));
    assert!(
        with >= without + n / 5 && 2 * with > n,
        "{without} of {n} are found without border, {with} with"
    );
}

#[test]
fn a_border_out_of_range_is_refused() {
    for border in [-0.1, 0.6, f64::NAN] {
        let refused = HaarDetector::new(HaarOptions { border, ..HaarOptions::default() });
        assert!(matches!(refused, Err(VisionError::Options(said)) if said.contains("expected 0 to 0.5")));
    }
}

#[test]
fn a_face_outside_the_picture_or_too_small_is_not_looked_for() {
    let mut detector = HaarDetector::new(HaarOptions::default()).unwrap();
    let picture = RgbImage::new(64, 48);
    for (x, width) in
        [(500.0, 40.0), (-500.0, 40.0), (10.0, 3.0), (f32::NAN, 40.0), (10.0, f32::NAN), (10.0, 1e30)]
    {
        let expected = FaceBox { x, y: 5.0, width, height: 40.0, score: 1.0 };
        assert_eq!(detector.detect_near(&picture, &[expected]).unwrap(), Some(Vec::new()), "{x}, {width}");
    }
    for (width, height) in [(0, 0), (0, 9), (1, 1), (1, 4_000)] {
        assert_eq!(detector.detect(&RgbImage::new(width, height)).unwrap(), []);
    }
}

#[test]
fn a_scale_factor_out_of_range_is_refused() {
    for scale_factor in [1.0, 2.1, f64::NAN] {
        let options = HaarOptions { scale_factor, ..HaarOptions::default() };
        let refused = HaarDetector::with(CascadeSearch::new(Cascade::frontal_face()), options);
        assert!(
            matches!(refused, Err(VisionError::Options(said)) if said.contains("expected above 1 and up to 2"))
        );
    }
}
