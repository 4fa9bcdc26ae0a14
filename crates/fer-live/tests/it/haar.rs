//! Our evaluation of the Haar cascade and OpenCV's give the same places, counts and order.

use std::time::Duration;

use fer_drawn::Scene;
use fer_live::face_detector::{DetectorKind, DetectorOptions};
use fer_live::opencv::{OpenCvCascade, find_cascade, use_threads};
use fer_vision::haar::{Cascade, CascadeSearch, Search, SearchCascade};
use image::imageops::grayscale;

use crate::program::refused;

/// Both evaluations of the system's frontal face, or `None` where there is none.
fn both() -> Option<(CascadeSearch, OpenCvCascade)> {
    let Some(path) = find_cascade() else {
        eprintln!("skipped: OpenCV's cascades are not installed");
        return None;
    };
    use_threads(1).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let ours = CascadeSearch::new(Cascade::from_xml(&text).unwrap());
    Some((ours, OpenCvCascade::new(Some(&path)).unwrap()))
}

#[test]
fn drawn_scenes_are_searched_as_opencv_searches_them() {
    let Some((mut ours, mut theirs)) = both() else { return };
    assert_eq!(SearchCascade::window(&ours), theirs.window());
    let mut n_places = 0;
    for (seed, (width, height)) in
        [(320, 240), (321, 239), (160, 200), (97, 75), (24, 60), (640, 480), (233, 25)]
            .into_iter()
            .enumerate()
    {
        for n_people in [0, 1, 3] {
            let scene = Scene::new(seed as u64, n_people, width, height);
            let gray = grayscale(&scene.frame(Duration::from_millis(1_100 * (seed as u64 + 1))));
            for (scale_factor, min_neighbours, min, max) in
                [(1.1, 2, 24, 0), (1.1, 0, 0, 0), (1.07, 4, 31, 64), (1.3, 1, 50, 51), (1.5, 1, 70, 60)]
            {
                let search =
                    Search { scale_factor, min_neighbours, min_size: (min, min), max_size: (max, max) };
                let expected = theirs.search(&gray, &search).unwrap();
                let found = ours.search(&gray, &search).unwrap();
                assert_eq!(found, expected, "{width}×{height}, {n_people} people, {search:?}");
                n_places += found.len();
            }
        }
    }
    assert!(n_places > 100, "only {n_places} places were found in all");
}

#[test]
fn both_detectors_give_the_same_boxes() {
    if both().is_none() {
        return;
    }
    let kinds = [DetectorKind::Haar, DetectorKind::OpenCv];
    let [mut ours, mut theirs] =
        kinds.map(|kind| DetectorOptions { kind, ..DetectorOptions::default() }.build().unwrap());
    let mut n_faces = 0;
    for seed in 1..7 {
        let scene = Scene::new(seed, 2, 640, 480);
        let mut known = Vec::new();
        for time in [1_000, 1_200] {
            let frame = scene.frame(Duration::from_millis(time * seed));
            let near = ours.detect_near(&frame, &known).unwrap();
            assert_eq!(near, theirs.detect_near(&frame, &known).unwrap());
            known = ours.detect(&frame).unwrap();
            assert_eq!(known, theirs.detect(&frame).unwrap());
            n_faces += known.len();
        }
    }
    assert!(n_faces > 12, "only {n_faces} faces were found in all");
}

#[test]
fn each_detector_is_chosen_by_its_name_and_reads_its_cascade() {
    for detector in ["haar", "opencv"] {
        let options = ["--input", "drawn", "--headless", "--detector", detector, "--cascade", file!()];
        let (code, said) = refused(&options);
        assert_eq!(code, 2);
        assert!(said.contains("not a cascade") || said.contains("OpenCV's cascade"), "{detector}: {said}");
    }
}
