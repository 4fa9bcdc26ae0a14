//! Drawn faces and scenes: repeatable, distinct, continuous, and apart between splits.

use std::{collections::HashSet, time::Duration};

use fer_data::{Emotion, Source, Split};
use fer_drawn::{self as drawn, Expression, Person, Pose, Scene};
use image::RgbaImage;
use proptest::prelude::*;

/// Mean absolute difference of two pictures' bytes, `0..=255`.
fn difference(one: &[u8], other: &[u8]) -> f64 {
    assert_eq!(one.len(), other.len());
    let sum: u64 = one.iter().zip(other).map(|(&a, &b)| u64::from(a.abs_diff(b))).sum();
    sum as f64 / one.len() as f64
}

fn shown(seed: u64, emotion: Emotion) -> RgbaImage {
    drawn::render(&Person::new(seed), &Expression::of(emotion, 1.0), &Pose::default(), 96)
}

#[test]
fn the_same_seed_draws_the_same_pixels_and_another_seed_another_person() {
    assert_eq!(shown(5, Emotion::Happy), shown(5, Emotion::Happy));
    assert_eq!(drawn::face(5, 3, Emotion::Sad), drawn::face(5, 3, Emotion::Sad));
    let (one, other) = (shown(5, Emotion::Happy), shown(6, Emotion::Happy));
    assert!(difference(&one, &other) > 5.0, "two people look alike: {}", difference(&one, &other));
}

#[test]
fn every_two_expressions_of_a_person_differ_in_the_face() {
    for seed in 0..8 {
        let all = Emotion::ALL.map(|emotion| shown(seed, emotion));
        for (i, one) in all.iter().enumerate() {
            for other in &all[..i] {
                // Equal faces differ by 0, and the least of these pairs by 0.47 (much of the picture is ground).
                assert!(difference(one, other) > 0.3, "person {seed}: {}", difference(one, other));
            }
        }
    }
}

#[test]
fn an_expression_grows_steadily_with_its_intensity() {
    let person = Person::new(11);
    let at = |intensity| {
        let happy = Expression::of(Emotion::Happy, intensity);
        drawn::render(&person, &happy, &Pose::default(), 128)
    };
    let (rest, half, full) = (at(0.0), at(0.5), at(1.0));
    assert!(difference(&rest, &half) > 0.0);
    assert!(difference(&rest, &full) > difference(&rest, &half));
}

#[test]
fn weights_are_kept_between_nothing_and_one_together() {
    let expression = Expression::from_weights([2.0, -1.0, f32::NAN, 0.0, 0.0, 0.0, 2.0, 0.0]);
    assert_eq!(expression.weights(), &[0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 0.0]);
}

#[test]
fn a_neutral_face_is_the_resting_face() {
    let person = Person::new(3);
    let neutral = drawn::render(&person, &Expression::of(Emotion::Neutral, 1.0), &Pose::default(), 64);
    assert_eq!(neutral, drawn::render(&person, &Expression::default(), &Pose::default(), 64));
}

#[test]
fn splits_share_no_person_and_hold_every_label_equally() {
    let mut seen = HashSet::new();
    for split in Split::ALL {
        let samples = drawn::samples(split, 6, 9);
        assert_eq!(samples.counts(), vec![6; Emotion::FER2013.len()]);
        let people: HashSet<usize> = samples
            .samples
            .iter()
            .map(|sample| match sample.source {
                Source::Drawn { seed: 9, index } => index,
                ref source => panic!("{source} is no drawn face of seed 9"),
            })
            .collect();
        assert_eq!(people.len(), 6);
        for person in people {
            assert!(seen.insert(person), "{split} shares person {person}");
        }
    }
}

#[test]
fn a_sample_can_be_drawn_again_from_its_source() {
    for sample in drawn::samples(Split::Validation, 2, 4).samples {
        let Source::Drawn { seed, index } = sample.source else { panic!("not drawn") };
        let emotion = Emotion::from_index(sample.label).expect("a drawn label is an expression");
        assert_eq!(sample.face, drawn::face(seed, index, emotion));
    }
}

#[test]
fn brightness_alone_tells_no_expression() {
    let samples = drawn::samples(Split::Train, 60, 1).samples;
    let mean = |label: Option<usize>| {
        let faces = samples.iter().filter(|sample| label.is_none_or(|label| label == sample.label));
        let pixels: Vec<f64> = faces.flat_map(|sample| sample.face.pixels().map(f64::from)).collect();
        pixels.iter().sum::<f64>() / pixels.len() as f64
    };
    let all = mean(None);
    // FER-2013's training split has mean grey 129.5, and its classes lie up to 15 from that.
    assert!((110.0..150.0).contains(&all), "mean grey {all}");
    for emotion in Emotion::FER2013 {
        let own = mean(Some(emotion.index()));
        assert!((own - all).abs() < 15.0, "{emotion}: mean grey {own} of {all}");
    }
}

#[test]
fn a_scene_is_repeatable_and_its_room_is_empty_without_people() {
    let time = Duration::from_millis(4_321);
    let (one, again) = (Scene::new(2, 2, 320, 240), Scene::new(2, 2, 320, 240));
    assert_eq!(one.frame(time), again.frame(time));
    assert_eq!(one.truth(time), again.truth(time));
    let empty = Scene::empty(2, 320, 240);
    assert!(empty.truth(time).is_empty());
    assert_eq!(empty.frame(time), empty.frame(Duration::ZERO));
}

#[test]
fn a_scene_moves_a_little_in_a_little_time_and_much_in_much() {
    let scene = Scene::new(7, 1, 320, 240);
    let mut largest = 0.0f64;
    for i in 0..200 {
        let time = Duration::from_millis(100 * i);
        let soon = scene.frame(time + Duration::from_millis(5));
        largest = largest.max(difference(&scene.frame(time), &soon));
    }
    let later = difference(&scene.frame(Duration::ZERO), &scene.frame(Duration::from_millis(4_000)));
    // 0.14 was measured, in the middle of a blink; a jump of one feature would be above 0.5.
    assert!(largest < 0.3, "5 ms change {largest} of 255");
    assert!(later > largest, "4 s change {later}, 5 ms change {largest}");
}

#[test]
fn a_person_in_a_scene_shows_all_seven_expressions_in_turn() {
    let scene = Scene::new(1, 1, 160, 120);
    let mut seen = HashSet::new();
    for i in 0..250 {
        let face = scene.truth(Duration::from_millis(100 * i))[0];
        assert!((0.0..=1.0).contains(&face.intensity));
        if face.intensity > 0.95 {
            seen.insert(face.emotion);
        }
    }
    assert_eq!(seen.len(), Emotion::FER2013.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, rng_seed: proptest::test_runner::RngSeed::Fixed(7), ..ProptestConfig::default() })]

    #[test]
    fn true_boxes_are_inside_the_frame_and_apart(seed in 0u64..1000, n_people in 1usize..6, millis in 0u64..600_000, wide in any::<bool>()) {
        let (width, height) = if wide { (1280, 720) } else { (640, 480) };
        let faces = Scene::new(seed, n_people, width, height).truth(Duration::from_millis(millis));
        prop_assert_eq!(faces.len(), n_people);
        for (i, face) in faces.iter().enumerate() {
            prop_assert_eq!(face.id, i);
            prop_assert!(face.width > 0.0 && face.height > 0.0);
            prop_assert!(face.x >= 0.0 && face.x + face.width <= width as f32, "{:?}", face);
            prop_assert!(face.y >= 0.0 && face.y + face.height <= height as f32, "{:?}", face);
            for other in &faces[..i] {
                // Boxes hold some hair and ground, so neighbours' may touch; their inner halves may not.
                prop_assert!((face.x - other.x).abs() > 0.5 * face.width, "{:?} and {:?}", face, other);
            }
        }
    }

    #[test]
    fn any_size_pose_and_blend_can_be_drawn(seed in any::<u64>(), side in 1u32..64, tilt in -1.5f32..1.5, turn in -1.5f32..1.5, nod in -1.5f32..1.5, weights in prop::array::uniform8(-0.5f32..2.0)) {
        let pose = Pose { tilt, turn, nod };
        let picture = drawn::render(&Person::new(seed), &Expression::from_weights(weights), &pose, side);
        prop_assert_eq!(picture.dimensions(), (side, side));
    }
}
