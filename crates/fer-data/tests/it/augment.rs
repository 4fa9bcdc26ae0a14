//! Variation of training faces.

use fer_data::{
    Augment, Face,
    augment::{Warp, blurred, compressed, erase, noisy, resample, rng_for, through, tone},
    face::{DEVIATION, MEAN, SIDE},
};
use proptest::prelude::*;

use crate::{
    fixtures::{noise, shaded},
    slow,
};

#[test]
fn the_default_changes_nothing() {
    let face = noise(1);
    assert_eq!(Augment::default().apply(&face, &mut rng_for(1, 2, 3)), face);
}

#[test]
fn flipping_twice_gives_the_same_face() {
    let face = noise(2);
    for flip in [Warp::FLIP, Warp::VERTICAL_FLIP] {
        let once = resample(&face, &flip);
        assert_ne!(once, face);
        assert_eq!(resample(&once, &flip), face);
    }
}

#[test]
fn a_flip_is_the_exact_mirror_image() {
    let face = noise(3);
    let always = Augment { flip: 1.0, ..Augment::default() };
    let flipped = always.apply(&face, &mut rng_for(1, 1, 1));
    for (row, mirrored) in face.pixels().chunks(SIDE).zip(flipped.pixels().chunks(SIDE)) {
        assert!(row.iter().eq(mirrored.iter().rev()));
    }
}

#[test]
fn shifting_by_whole_pixels_moves_them_and_repeats_the_edge() {
    let face = noise(4);
    let moved = resample(&face, &Warp::shift(2.0 / 48.0, -1.0 / 48.0));
    let at = |face: &Face, x: usize, y: usize| face.pixels()[y * SIDE + x];
    for y in 0..SIDE {
        for x in 0..SIDE {
            let (from_x, from_y) = (x.saturating_sub(2), (y + 1).min(SIDE - 1));
            assert_eq!(at(&moved, x, y), at(&face, from_x, from_y), "{x}, {y}");
        }
    }
}

#[test]
fn a_quarter_turn_is_exact_and_clockwise() {
    let mut face = Face::blank(0);
    face.pixels_mut()[..SIDE].fill(255); // the top row is white
    let turned = resample(&face, &Warp::rotate(90.0));
    let right_column = turned.pixels().iter().skip(SIDE - 1).step_by(SIDE);
    assert!(right_column.into_iter().all(|&pixel| pixel == 255));
}

#[test]
fn magnifying_makes_the_middle_larger() {
    let mut face = Face::blank(0);
    for row in face.pixels_mut().chunks_mut(SIDE).skip(16).take(16) {
        row[16..32].fill(255);
    }
    let white = |face: &Face| face.pixels().iter().filter(|&&p| p > 127).count();
    assert_eq!(white(&face), 16 * 16);
    assert_eq!(white(&resample(&face, &Warp::magnify(2.0))), 32 * 32);
    assert_eq!(white(&resample(&face, &Warp::magnify(0.5))), 8 * 8);
}

#[test]
fn joined_maps_do_what_they_do_one_after_the_other() {
    let (a, b) = (Warp::rotate(20.0), Warp::shift(0.1, -0.2));
    let apply = |map: &Warp, p: [f32; 2]| {
        [0, 1].map(|i| map.matrix[i][0] * p[0] + map.matrix[i][1] * p[1] + map.offset[i])
    };
    let point = [3.0, -7.0];
    let (joined, one_by_one) = (apply(&a.then(&b), point), apply(&b, apply(&a, point)));
    assert!((joined[0] - one_by_one[0]).abs() < 1e-4 && (joined[1] - one_by_one[1]).abs() < 1e-4);
}

#[test]
fn contrast_and_brightness_count_in_deviations_from_the_mean() {
    let grey = |value: u8, contrast: f32, brightness: f32| {
        let mut face = Face::blank(value);
        tone(&mut face, contrast, brightness);
        f32::from(face.pixels()[0])
    };
    assert!((grey(100, 1.0, 0.3) - (100.0 + 0.3 * DEVIATION)).abs() <= 0.5);
    assert!((grey(160, 1.3, 0.0) - (MEAN + 1.3 * (160.0 - MEAN))).abs() <= 0.5);
    assert_eq!(grey(250, 2.0, 1.0), 255.0);
    assert_eq!(grey(5, 2.0, -1.0), 0.0);
}

#[test]
fn an_erased_rectangle_has_an_area_in_its_range() {
    for seed in 0..200 {
        let mut face = Face::blank(0);
        erase(&mut face, [0.05, 0.25], &mut rng_for(seed, 0, 0));
        let rows = face.pixels().chunks(SIDE).filter(|row| row.iter().any(|&p| p > 0)).count();
        let painted = face.pixels().iter().filter(|&&p| f32::from(p) == MEAN.round()).count();
        assert_eq!(painted % rows, 0, "not a rectangle");
        // Sides are rounded to whole pixels: up to half a pixel on each.
        let share = painted as f32 / (SIDE * SIDE) as f32;
        assert!((0.04..=0.27).contains(&share), "{share}");
    }
}

/// Mean square of the differences of pixels that lie side by side: what noise raises and blur lowers.
fn roughness(face: &Face) -> f32 {
    let rows = face.pixels().chunks(SIDE);
    let squares =
        rows.flat_map(|row| row.windows(2).map(|pair| f32::from(pair[0].abs_diff(pair[1])).powi(2)));
    squares.sum::<f32>() / (SIDE * (SIDE - 1)) as f32
}

#[test]
fn noise_has_the_deviation_that_was_asked_for() {
    let grey = noisy(&Face::blank(128), 10.0, &mut rng_for(1, 0, 0));
    let n = (SIDE * SIDE) as f32;
    let mean = grey.pixels().iter().map(|&p| f32::from(p)).sum::<f32>() / n;
    let variance = grey.pixels().iter().map(|&p| (f32::from(p) - mean).powi(2)).sum::<f32>() / n;
    // Four standard errors of 2,304 normal numbers: 0.83 of the mean, 0.59 of the deviation.
    assert!((mean - 128.0).abs() < 0.84, "{mean}");
    assert!((variance.sqrt() - 10.0).abs() < 0.6, "{}", variance.sqrt());
}

#[test]
fn the_stronger_blur_fewer_pixels_and_compression_are_the_less_of_the_face_is_left() {
    let face = noise(4);
    let lost = |other: &Face| {
        let pairs = face.pixels().iter().zip(other.pixels());
        pairs.map(|(&a, &b)| f32::from(a.abs_diff(b))).sum::<f32>() / (SIDE * SIDE) as f32
    };
    for (weak, strong) in [
        (blurred(&face, 0.6), blurred(&face, 2.0)),
        (through(&face, 40), through(&face, 12)),
        (compressed(&face, 60), compressed(&face, 10)),
    ] {
        let [weak, strong] = [&weak, &strong].map(lost);
        assert!(1.0 < weak && 1.3 * weak < strong, "{weak} {strong}");
    }
    let grey = Face::blank(77);
    assert_eq!([blurred(&grey, 2.0), through(&grey, 12)], [grey.clone(), grey]);
}

#[test]
fn a_degraded_face_is_rougher_in_a_quarter_of_cases() {
    // Of the four kinds noise alone makes a smooth face rougher by much.
    let face = Face::blank(90);
    let always = Augment { degrade: 1.0, ..Augment::default() };
    let n = 1000;
    let rougher = (0..n).filter(|&i| roughness(&always.apply(&face, &mut rng_for(0, 0, i))) > 1.0).count();
    // Four standard deviations of a binomial with n = 1000 and p = 0.25 are 55.
    assert!(rougher.abs_diff(250) < 55, "{rougher}");
}

#[test]
fn seed_epoch_and_index_fix_the_variation_and_each_of_them_changes_it() {
    let face = shaded();
    let vary = |seed, epoch, index| Augment::fer2013().apply(&face, &mut rng_for(seed, epoch, index));
    assert_eq!(vary(1, 2, 3), vary(1, 2, 3));
    assert_ne!(vary(1, 2, 3), vary(9, 2, 3));
    assert_ne!(vary(1, 2, 3), vary(1, 9, 3));
    assert_ne!(vary(1, 2, 3), vary(1, 2, 9));
}

#[test]
fn every_step_happens_as_often_as_its_probability_says() {
    let face = noise(5);
    let n = 4000;
    let sometimes = Augment { flip: 0.3, ..Augment::default() };
    let flips = (0..n).filter(|&i| sometimes.apply(&face, &mut rng_for(0, 0, i)) != face).count();
    // Four standard deviations of a binomial with n = 4000 and p = 0.3 are 116.
    assert!(flips.abs_diff(1200) < 116, "{flips}");
}

#[test]
fn a_varied_face_keeps_its_mean_grey_about() {
    let face = shaded();
    let mean = |face: &Face| face.pixels().iter().map(|&p| f64::from(p)).sum::<f64>() / 2304.0;
    let geometric = Augment { brightness: 0.0, contrast: 0.0, erase: 0.0, ..Augment::fer2013() };
    let varied: f64 =
        (0..200).map(|i| mean(&geometric.apply(&face, &mut rng_for(0, 0, i)))).sum::<f64>() / 200.0;
    assert!((varied - mean(&face)).abs() < 12.0, "{varied} against {}", mean(&face));
}

#[test]
fn values_out_of_range_are_refused_by_name() {
    assert_eq!(Augment::fer2013().validate(), Ok(()));
    let refused = |augment: Augment| augment.validate().expect_err("out of range");
    let off = Augment::default;
    insta::assert_snapshot!(refused(Augment { flip: 1.5, ..off() }), @"augment.flip is 1.5, expected 0 to 1");
    insta::assert_snapshot!(refused(Augment { rotation_degrees: -15.0, ..off() }), @"augment.rotation_degrees is -15, expected 0 to 180");
    insta::assert_snapshot!(refused(Augment { scale: f32::NAN, ..off() }), @"augment.scale is NaN, expected 0 to 0.9");
    insta::assert_snapshot!(refused(Augment { degrade: -0.1, ..off() }), @"augment.degrade is -0.1, expected 0 to 1");
    insta::assert_snapshot!(refused(Augment { erase_area: [0.5, 0.2], ..off() }), @"augment.erase_area is [0.5, 0.2], expected shares 0 < least ≤ most ≤ 1");
}

#[test]
fn settings_that_are_left_out_are_off_and_unknown_ones_are_refused() {
    let parsed: Augment = serde_json::from_str(r#"{"flip": 0.5}"#).expect("one setting");
    assert_eq!(parsed, Augment { flip: 0.5, ..Augment::default() });
    let error = serde_json::from_str::<Augment>(r#"{"flips": 0.5}"#).expect_err("a typo");
    assert!(error.to_string().contains("unknown field `flips`, expected one of `flip`"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn fast_resample_equals_slow_resample(
        seed in any::<u64>(), degrees in -180.0_f32..180.0, factor in 0.1_f32..1.9,
        right in -1.0_f32..1.0, down in -1.0_f32..1.0, flip in any::<bool>(),
    ) {
        let mut map = Warp::shift(right, down).then(&Warp::magnify(factor)).then(&Warp::rotate(degrees));
        if flip {
            map = map.then(&Warp::FLIP);
        }
        let face = noise(seed);
        let (fast, slow) = (resample(&face, &map), slow::resample(&face, &map));
        for (fast, slow) in fast.pixels().iter().zip(slow.pixels()) {
            prop_assert!(fast.abs_diff(*slow) <= 1, "{fast} against {slow}");
        }
    }
}
