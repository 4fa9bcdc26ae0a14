//! Which face is which over frames.

use std::collections::BTreeSet;
use std::time::Duration;

use fer_vision::{FaceBox, TrackOptions, Tracked, Tracker, keep_best};
use proptest::prelude::*;

use crate::fakes::face_box;

const SURE: f32 = 50.0;

fn at(frame: u64) -> Duration {
    Duration::from_millis(33 * frame)
}

fn tracker() -> Tracker {
    Tracker::new(TrackOptions { sure_score: 20.0, ..TrackOptions::default() })
}

fn ids(tracked: &[Tracked]) -> Vec<u64> {
    tracked.iter().map(|face| face.id).collect()
}

#[test]
fn a_moving_face_keeps_its_id_and_its_box_follows() {
    let mut tracker = tracker();
    for frame in 0..60 {
        let place = face_box(10.0 + 4.0 * frame as f32, 50.0, 80.0, SURE);
        let tracked = tracker.update(&[place], at(frame));
        assert_eq!(ids(&tracked), [1], "frame {frame}");
        // Once its speed is learned, the steadied box is less than a tenth of a face behind.
        if frame > 10 {
            assert!((tracked[0].face_box.x - place.x).abs() < 8.0, "{:?} {place:?}", tracked[0].face_box);
        }
    }
}

#[test]
fn a_face_that_is_missed_for_two_frames_is_held_where_it_is_expected() {
    let mut tracker = tracker();
    for frame in 0..30 {
        tracker.update(&[face_box(10.0 + 3.0 * frame as f32, 50.0, 80.0, SURE)], at(frame));
    }
    for frame in 30..32 {
        let held = tracker.update(&[], at(frame));
        assert_eq!(ids(&held), [1]);
        assert!(held[0].held);
        assert!((held[0].face_box.x - (10.0 + 3.0 * frame as f32)).abs() < 8.0);
    }
    let again = tracker.update(&[face_box(106.0, 50.0, 80.0, SURE)], at(32));
    assert_eq!((ids(&again), again[0].held), (vec![1], false));
}

#[test]
fn a_face_that_stays_away_goes_and_a_later_one_is_another() {
    let mut tracker = tracker();
    tracker.update(&[face_box(10.0, 50.0, 80.0, SURE)], at(0));
    assert!(tracker.update(&[], Duration::from_millis(300)).is_empty(), "held no longer than 250 ms");
    assert_eq!(tracker.alive().collect::<Vec<_>>(), [1], "remembered for two seconds");
    assert!(tracker.update(&[], Duration::from_millis(2100)).is_empty());
    let later = tracker.update(&[face_box(10.0, 50.0, 80.0, SURE)], Duration::from_millis(2200));
    assert_eq!(ids(&later), [2]);
}

#[test]
fn a_face_that_comes_back_to_its_place_is_the_same() {
    let mut tracker = tracker();
    tracker.update(&[face_box(10.0, 50.0, 80.0, SURE)], at(0));
    tracker.update(&[], Duration::from_millis(600));
    let back = tracker.update(&[face_box(14.0, 52.0, 80.0, SURE)], Duration::from_millis(1200));
    assert_eq!(ids(&back), [1]);
}

#[test]
fn a_weak_face_is_shown_only_after_three_frames_and_a_sure_one_at_once() {
    let mut tracker = tracker();
    let weak = face_box(10.0, 50.0, 80.0, 5.0);
    let sure = face_box(300.0, 50.0, 80.0, SURE);
    assert_eq!(ids(&tracker.update(&[weak, sure], at(0))), [1]);
    assert_eq!(ids(&tracker.update(&[weak, sure], at(1))), [1]);
    assert_eq!(ids(&tracker.update(&[weak, sure], at(2))), [1, 2]);
}

#[test]
fn neighbours_keep_their_ids_when_the_detector_changes_their_order() {
    let mut tracker = tracker();
    for frame in 0..40 {
        let left = face_box(50.0, 60.0 + (frame as f32).sin() * 5.0, 90.0, SURE);
        let right = face_box(160.0, 60.0, 90.0, SURE);
        let boxes = if frame % 2 == 0 { [left, right] } else { [right, left] };
        let tracked = tracker.update(&boxes, at(frame));
        assert_eq!(ids(&tracked).len(), 2);
        let leftmost = tracked.iter().min_by(|a, b| a.face_box.x.total_cmp(&b.face_box.x)).unwrap();
        assert_eq!(leftmost.id, if frame == 0 { leftmost.id } else { 1 });
    }
}

#[test]
fn people_who_walk_past_each_other_keep_their_ids() {
    let mut tracker = tracker();
    for frame in 0..60 {
        // One passes half a head above the other.
        let a = face_box(20.0 + 6.0 * frame as f32, 40.0, 90.0, SURE);
        let b = face_box(380.0 - 6.0 * frame as f32, 100.0, 90.0, SURE);
        let tracked = tracker.update(&[a, b], at(frame));
        assert_eq!(ids(&tracked), [1, 2], "frame {frame}");
        let first = tracked.iter().find(|face| face.id == 1).unwrap();
        assert!((first.face_box.y - 40.0).abs() < 15.0, "frame {frame}: {:?}", first.face_box);
    }
}

#[test]
fn of_boxes_inside_each_other_the_surest_stays() {
    let boxes = vec![
        face_box(0.0, 0.0, 100.0, 30.0),
        face_box(30.0, 40.0, 40.0, 6.0),
        face_box(200.0, 0.0, 90.0, 9.0),
    ];
    let kept: Vec<f32> = keep_best(boxes).iter().map(|face: &FaceBox| face.score).collect();
    assert_eq!(kept, [30.0, 9.0]);
}

fn boxes() -> impl Strategy<Value = Vec<FaceBox>> {
    let one = (0.0f32..600.0, 0.0f32..400.0, 20.0f32..200.0, 1.0f32..60.0);
    prop::collection::vec(one.prop_map(|(x, y, side, score)| face_box(x, y, side, score)), 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, rng_seed: proptest::test_runner::RngSeed::Fixed(7), ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_found_ids_differ_boxes_are_finite_and_old_ids_never_return(frames in prop::collection::vec(boxes(), 1..40)) {
        let mut tracker = tracker();
        let (mut gone, mut seen) = (BTreeSet::new(), BTreeSet::new());
        for (frame, boxes) in frames.iter().enumerate() {
            let shown = tracker.update(boxes, at(frame as u64 * 5));
            let now: BTreeSet<u64> = ids(&shown).into_iter().collect();
            prop_assert_eq!(now.len(), shown.len());
            prop_assert!(now.is_disjoint(&gone));
            let is_box = |face: &Tracked| {
                let b = face.face_box;
                b.x.is_finite() && b.y.is_finite() && b.width >= 1.0 && b.height >= 1.0
            };
            prop_assert!(shown.iter().all(is_box));
            seen.extend(now);
            let alive: BTreeSet<u64> = tracker.alive().collect();
            gone.extend(seen.difference(&alive));
        }
    }
}
