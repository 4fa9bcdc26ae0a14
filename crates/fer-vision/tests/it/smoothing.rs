//! Steady readings from unsteady ones.

use std::time::Duration;

use fer_data::Face;
use fer_vision::{Classified, FaceReading, Found, FoundFace, Reading, SmoothOptions, Smoother};
use proptest::prelude::*;

use crate::fakes::{face_box, sure_of};

const HAPPY: usize = 3;
const SAD: usize = 5;

fn found(track: u64, time: Duration, is_held: bool) -> Found {
    let crop = (!is_held).then(|| Face::blank(0));
    let face = FoundFace { track, face_box: face_box(0.0, 0.0, 10.0, 1.0), is_weak: false, crop };
    Found { frame: 0, timestamp: time, faces: vec![face], alive: vec![track] }
}

fn settle(smoother: &mut Smoother, time: Duration, row: Vec<f32>) -> FaceReading {
    smoother.settle(found(1, time, false), vec![row.into()], 0.0).faces.remove(0)
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn options() -> SmoothOptions {
    SmoothOptions { half_life: ms(200), uncertain_below: 0.4, margin: 0.1, n_before_label: 3 }
}

/// The smoothed probability of sad, `after` ms after a happy face turned sad.
fn sad_after(step: u64, after: u64) -> f32 {
    let mut smoother = Smoother::new(options());
    for time in (0..=3000).step_by(step as usize) {
        settle(&mut smoother, ms(time), sure_of(HAPPY, 1.0));
    }
    let turned = (step..=after)
        .step_by(step as usize)
        .map(|later| settle(&mut smoother, ms(3000 + later), sure_of(SAD, 1.0)));
    turned.last().unwrap().smooth[SAD]
}

#[test]
fn after_a_half_life_half_of_the_probability_is_new() {
    assert!((sad_after(20, 200) - 0.5).abs() < 1e-4);
    assert!((sad_after(20, 400) - 0.75).abs() < 1e-4);
}

#[test]
fn smoothing_depends_on_time_and_not_on_the_frame_rate() {
    assert!((sad_after(10, 200) - sad_after(50, 200)).abs() < 1e-4);
    assert!((sad_after(10, 200) - sad_after(200, 200)).abs() < 1e-4);
}

#[test]
fn raw_probabilities_are_kept_as_they_were() {
    let mut smoother = Smoother::new(options());
    settle(&mut smoother, ms(0), sure_of(HAPPY, 0.8));
    let reading = settle(&mut smoother, ms(33), sure_of(SAD, 0.7));
    assert_eq!(reading.probabilities, sure_of(SAD, 0.7));
}

#[test]
fn a_label_does_not_flicker_between_two_that_are_nearly_equal() {
    let mut smoother = Smoother::new(SmoothOptions { half_life: ms(0), ..options() });
    let row = |a: usize, b: usize| {
        let mut row = vec![0.01; 7];
        (row[a], row[b]) = (0.50, 0.45);
        row
    };
    let mut labels = Vec::new();
    for frame in 0..90 {
        let row = if frame % 2 == 0 { row(HAPPY, SAD) } else { row(SAD, HAPPY) };
        labels.push(settle(&mut smoother, ms(33 * frame), row).label);
    }
    // Raw, the largest probability changes 89 times.
    assert!(labels[3..].iter().all(|label| *label == labels[3] && label.is_some()), "{labels:?}");
}

#[test]
fn a_face_is_uncertain_below_the_threshold_and_says_how_sure_it_would_be() {
    let mut smoother = Smoother::new(options());
    let readings: Vec<_> =
        (0..30).map(|frame| settle(&mut smoother, ms(33 * frame), sure_of(HAPPY, 0.3))).collect();
    assert!(readings.iter().all(|reading| reading.label.is_none()));
    assert!((readings[29].confidence - 0.3).abs() < 1e-5);
}

#[test]
fn a_label_is_lost_only_clearly_below_the_threshold_that_gave_it() {
    let mut smoother = Smoother::new(SmoothOptions { half_life: ms(0), ..options() });
    let label = |smoother: &mut Smoother, frame: u64, sureness| {
        settle(smoother, ms(33 * frame), sure_of(HAPPY, sureness)).label
    };
    let shown: Vec<_> = [0.40, 0.40, 0.40, 0.44, 0.46, 0.40, 0.36, 0.34, 0.40]
        .iter()
        .zip(0..)
        .map(|(&sureness, frame)| label(&mut smoother, frame, sureness).is_some())
        .collect();
    assert_eq!(shown, [false, false, false, false, true, true, true, false, false]);
}

#[test]
fn a_face_gets_its_first_label_in_its_third_frame() {
    let mut smoother = Smoother::new(options());
    let labels: Vec<_> =
        (0..4).map(|frame| settle(&mut smoother, ms(33 * frame), sure_of(HAPPY, 0.9)).label).collect();
    assert_eq!(labels, [None, None, Some(HAPPY), Some(HAPPY)]);
    let mut photo = Smoother::new(options().photo());
    assert_eq!(
        settle(&mut photo, ms(0), sure_of(HAPPY, 0.9)).label,
        Some(HAPPY),
        "a photo has no third frame"
    );
}

#[test]
fn a_photo_has_a_label_from_the_limit_on_and_none_below() {
    let label = |sureness| {
        let mut photo = Smoother::new(SmoothOptions { uncertain_below: 0.4, ..options() }.photo());
        settle(&mut photo, ms(0), sure_of(HAPPY, sureness)).label
    };
    assert_eq!((label(0.399), label(0.401)), (None, Some(HAPPY)));
}

#[test]
fn two_faces_share_nothing() {
    let mut smoother = Smoother::new(options());
    for frame in 0..10 {
        let one = |track| FoundFace {
            track,
            face_box: face_box(0.0, 0.0, 10.0, 1.0),
            is_weak: false,
            crop: Some(Face::blank(0)),
        };
        let found =
            Found { frame, timestamp: ms(33 * frame), faces: vec![one(1), one(2)], alive: vec![1, 2] };
        let reading = smoother.settle(found, vec![sure_of(HAPPY, 0.9).into(), sure_of(SAD, 0.9).into()], 0.0);
        for (face, expected) in reading.faces.iter().zip([sure_of(HAPPY, 0.9), sure_of(SAD, 0.9)]) {
            assert!(face.smooth.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5));
        }
    }
}

#[test]
fn a_held_face_keeps_its_last_reading_and_takes_no_row() {
    let mut smoother = Smoother::new(options());
    let read = settle(&mut smoother, ms(0), sure_of(HAPPY, 0.9));
    let held = smoother.settle(found(1, ms(33), true), Vec::new(), 0.0).faces.remove(0);
    assert_eq!(held, FaceReading { held: true, ..read });
}

#[test]
fn a_track_that_is_gone_is_forgotten() {
    let mut smoother = Smoother::new(options());
    settle(&mut smoother, ms(0), sure_of(HAPPY, 0.9));
    let nobody = Found { frame: 1, timestamp: ms(33), faces: vec![], alive: vec![] };
    smoother.settle(nobody, Vec::new(), 0.0);
    let fresh = settle(&mut smoother, ms(66), sure_of(SAD, 0.9));
    assert_eq!(fresh.smooth, sure_of(SAD, 0.9), "nothing of the first face is left");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, rng_seed: proptest::test_runner::RngSeed::Fixed(7), ..ProptestConfig::default() })]

    #[test]
    fn smoothed_probabilities_sum_to_one(labels in prop::collection::vec((0usize..7, 0.2f32..1.0, 1u64..500), 1..50)) {
        let mut smoother = Smoother::new(options());
        let mut time = 0;
        for (label, sureness, step) in labels {
            time += step;
            let reading = settle(&mut smoother, ms(time), sure_of(label, sureness));
            prop_assert!((reading.smooth.iter().sum::<f32>() - 1.0).abs() < 1e-4);
            prop_assert!(reading.smooth.iter().all(|p| (-1e-6..=1.0 + 1e-6).contains(p)));
        }
    }
}

fn scored(face_score: f32) -> Vec<Classified> {
    vec![Classified { probabilities: sure_of(HAPPY, 0.9), face_score: Some(face_score) }]
}

#[test]
fn what_the_network_calls_no_face_is_in_no_reading() {
    let mut smoother = Smoother::new(SmoothOptions::default());
    let faces = |reading: Reading| reading.faces.iter().map(|face| face.face_score).collect::<Vec<_>>();
    assert_eq!(faces(smoother.settle(found(1, ms(0), false), scored(0.29), 0.3)), []);
    // Held by its track alone, it is none either.
    assert_eq!(faces(smoother.settle(found(1, ms(33), true), Vec::new(), 0.3)), []);
    assert_eq!(faces(smoother.settle(found(2, ms(66), false), scored(0.3), 0.3)), [Some(0.3)]);
}

#[test]
fn a_track_that_was_a_face_stays_one_and_one_that_never_was_is_never_shown() {
    let mut smoother = Smoother::new(SmoothOptions::default());
    let mut n_faces =
        |track, time, score| smoother.settle(found(track, ms(time), false), scored(score), 0.3).faces.len();
    for frame in 0..3 {
        assert_eq!(n_faces(1, 33 * frame, 0.95), 1, "frame {frame}");
    }
    for frame in 3..40 {
        assert_eq!(n_faces(1, 33 * frame, 0.0), 1, "frame {frame}");
    }
    for frame in 40..80 {
        assert_eq!(n_faces(2, 33 * frame, 0.29), 0, "frame {frame}");
    }
    // One good frame makes no face of a track: it is gone as soon as the mean over three is below.
    assert_eq!(n_faces(3, 0, 0.95), 1);
    let later: Vec<usize> = (1..40).map(|frame| n_faces(3, 330 * frame, 0.0)).collect();
    assert_eq!(later[1..], [0; 38]);
}

#[test]
fn where_the_detector_is_far_from_sure_the_network_has_to_be() {
    let mut smoother = Smoother::new(SmoothOptions::default().photo());
    let mut is_shown = |track, is_weak, score| {
        let mut found = found(track, ms(0), false);
        found.faces[0].is_weak = is_weak;
        !smoother.settle(found, scored(score), 0.3).faces.is_empty()
    };
    assert!(is_shown(1, false, 0.5) && !is_shown(2, true, 0.97) && is_shown(3, true, 0.99));
    // Without a verifier every box counts.
    let mut weak = found(4, ms(0), false);
    weak.faces[0].is_weak = true;
    assert_eq!(smoother.settle(weak, vec![sure_of(HAPPY, 0.9).into()], 0.0).faces.len(), 1);
}
