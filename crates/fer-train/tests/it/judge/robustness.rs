//! Faces made worse, and what that costs.

use std::ops::ControlFlow;

use fer_data::augment::rng_for;
use fer_data::{Emotion, Face};
use fer_model::Tta;
use fer_train::TrainError;
use fer_train::judge::evaluate::evaluate;
use fer_train::judge::robustness::perturbation::{PERTURBATIONS, Perturbation, cover, rotated};
use fer_train::judge::robustness::probe;
use fer_train::judge::robustness::table::{Condition, RobustnessTable};
use insta::assert_snapshot;

use crate::fixtures::{card, net, pretend, samples};

fn face(index: usize) -> Face {
    fer_drawn::face(5, index, Emotion::FER2013[index % 7])
}

/// Mean difference of grey values within `margin` pixels of the border.
fn difference(a: &Face, b: &Face, margin: usize) -> f64 {
    let inside = |i: &usize| [i % 48, i / 48].iter().all(|at| (margin..48 - margin).contains(at));
    let places: Vec<usize> = (0..48 * 48).filter(inside).collect();
    let sum: u32 = places.iter().map(|&i| u32::from(a.pixels()[i].abs_diff(b.pixels()[i]))).sum();
    f64::from(sum) / places.len() as f64
}

fn named(name: &str) -> &'static Perturbation {
    PERTURBATIONS.iter().find(|row| row.name == name).unwrap()
}

#[test]
fn every_perturbation_changes_every_face_and_always_in_the_same_way() {
    let apply = |row: &Perturbation, idx: usize| (row.apply)(&face(idx), &mut rng_for(1, 0, idx as u64));
    for row in &PERTURBATIONS {
        for idx in 0..14 {
            let perturbed = apply(row, idx);
            assert!(difference(&perturbed, &face(idx), 0) > 0.3, "{} leaves face {idx} as it is", row.name);
            assert_eq!(perturbed, apply(row, idx), "{}", row.name);
        }
    }
    let mut names: Vec<&str> = PERTURBATIONS.iter().map(|row| row.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), PERTURBATIONS.len(), "each row has a name of its own");
}

#[test]
fn every_face_has_noise_and_a_direction_of_its_own_that_a_new_row_does_not_change() {
    let mut samples = samples(2);
    for sample in &mut samples.samples {
        sample.face = face(0);
    }
    for name in ["noise", "shifted"] {
        let perturbed = named(name).all(&samples);
        let first = &perturbed.samples[0].face;
        assert!(perturbed.samples.iter().any(|sample| sample.face != *first), "{name}");
    }
    // The generator is that of the seed and the position, whatever row it is.
    let expected = (named("noise").apply)(&face(0), &mut rng_for(1, 0, 3));
    assert_eq!(named("noise").all(&samples).samples[3].face, expected);
}

#[test]
fn opposites_undo_each_other() {
    for idx in 0..7 {
        let face = face(idx);
        for degrees in [15.0, 30.0] {
            let there = rotated(&face, degrees);
            let back = rotated(&there, -degrees);
            // Resampled twice, the face is softer; corners are lost.
            let (moved, left) = (difference(&there, &face, 12), difference(&back, &face, 12));
            assert!(left < 0.5 * moved, "{degrees}°: {left} of {moved}");
        }
        let apply = |name: &str, face: &Face| (named(name).apply)(face, &mut rng_for(1, 0, 0));
        assert_eq!(apply("turned −15°", &face), rotated(&face, -15.0));
        let there = apply("crop × 1.2", &face);
        let larger = apply("crop × 0.85", &there);
        assert!(difference(&larger, &face, 6) < difference(&there, &face, 6), "wider and tighter again");
    }
}

#[test]
fn light_and_size_go_the_way_their_names_say() {
    let mean = |face: &Face| face.pixels().iter().map(|&p| f64::from(p)).sum::<f64>() / 2304.0;
    let spread = |face: &Face| {
        let mean = mean(face);
        (face.pixels().iter().map(|&p| (f64::from(p) - mean).powi(2)).sum::<f64>() / 2304.0).sqrt()
    };
    // What neighbours differ by: fine detail.
    let detail = |face: &Face| {
        let rows = face.pixels().chunks(48);
        rows.flat_map(|row| row.windows(2)).map(|pair| f64::from(pair[0].abs_diff(pair[1]))).sum::<f64>()
    };
    for idx in 0..7 {
        let face = face(idx);
        let now = |name: &str| (named(name).apply)(&face, &mut rng_for(1, 0, 0));
        assert!(mean(&now("brighter")) > mean(&face) + 20.0 && mean(&now("darker")) < mean(&face) - 20.0);
        assert!(spread(&now("contrast up")) > spread(&face) && spread(&now("contrast down")) < spread(&face));
        assert!(detail(&now("blur")) < detail(&face) && detail(&now("noise")) > detail(&face));
        let [at24, at16] = ["24 px", "16 px"].map(|name| detail(&now(name)));
        assert!(at16 < at24 && at24 < detail(&face), "{at16} {at24}");
        let upper_half = |covered: &Face| (0..24 * 48).any(|i| covered.pixels()[i] != face.pixels()[i]);
        assert!(upper_half(&now("eyes covered")) && !upper_half(&now("mouth covered")));
    }
}

#[test]
fn noise_has_the_deviation_that_its_row_states() {
    let noisy = (named("noise").apply)(&Face::blank(128), &mut rng_for(1, 0, 0));
    let offsets: Vec<f64> = noisy.pixels().iter().map(|&p| f64::from(p) - 128.0).collect();
    let mean = offsets.iter().sum::<f64>() / 2304.0;
    let deviation = (offsets.iter().map(|offset| (offset - mean).powi(2)).sum::<f64>() / 2304.0).sqrt();
    // Four standard errors of 2304 numbers: 1.7 for the mean, 1.2 for the deviation.
    assert!(mean.abs() < 1.7 && (deviation - 20.0).abs() < 1.2, "{mean} {deviation}");
}

#[test]
fn a_cover_paints_its_part_and_nothing_else() {
    let covered = cover(&face(3), [0.25, 0.5, 0.75, 1.0]);
    for i in 0..48 * 48 {
        let (x, y) = (i % 48, i / 48);
        let expected = if (12..36).contains(&x) && y >= 24 { 129 } else { face(3).pixels()[i] };
        assert_eq!(covered.pixels()[i], expected, "{x}, {y}");
    }
}

#[test]
fn clean_faces_are_judged_as_ever_and_fully_covered_ones_at_chance() {
    const BLIND: [Perturbation; 2] = [
        Perturbation { name: "nothing", what: "nothing", apply: |face, _| face.clone() },
        Perturbation {
            name: "blind",
            what: "all covered",
            apply: |face, _| cover(face, [0.0, 0.0, 1.0, 1.0]),
        },
    ];
    let samples = samples(5);
    let predictor = fer_net::predictor(&net(), card());
    let mut heard = Vec::new();
    let table = probe(&predictor, &samples, Tta::None, "line".to_owned(), &BLIND, &mut |n_done, n| {
        heard.push((n_done, n));
        ControlFlow::Continue(())
    })
    .unwrap();
    let clean = evaluate(&predictor, &samples, Tta::None, |_| ControlFlow::Continue(())).unwrap();
    let clean = clean.confusion_matrix();
    assert_eq!((table.clean.accuracy, table.clean.drop), (clean.accuracy(), 0.0));
    assert_eq!(table.clean.macro_f1, clean.macro_average().f1);
    let by_name = |name| table.conditions.iter().find(|condition| condition.name == name).unwrap();
    assert_eq!(by_name("nothing").accuracy, clean.accuracy());
    // One answer for all: one class of seven is right.
    assert_eq!(by_name("blind").accuracy, 1.0 / 7.0);
    assert_eq!(heard, [(35, 105), (70, 105), (105, 105)]);

    let stopped = probe(&predictor, &samples, Tta::None, String::new(), &BLIND, &mut |n_done, _| {
        if n_done > 35 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert!(matches!(stopped, Err(TrainError::Interrupted { .. })));
}

#[test]
fn the_worst_condition_stands_first_and_is_marked() {
    let samples = samples(2);
    let right = |n: usize| pretend(&samples, move |idx, label| if idx < n { label } else { (label + 1) % 7 });
    let condition = |name, n| Condition::new(name, "…", &right(n), 12.0 / 14.0);
    let conditions =
        vec![condition("mild", 11), condition("better", 14), condition("harsh", 5), condition("as mild", 11)];
    let table = RobustnessTable::new("line".to_owned(), 14, condition("clean", 12), conditions);
    let order: Vec<&str> = table.conditions.iter().map(|condition| condition.name).collect();
    assert_eq!(order, ["harsh", "mild", "as mild", "better"]);
    let text: Vec<String> = table.to_text().lines().map(|line| line.trim_end().to_owned()).collect();
    assert_snapshot!(text.join("\n"), @r"
    line

    faces             top-1 %     drop  macro-F1 %   ECE %
    clean               85.71     0.00       85.24   30.37  …
    harsh               35.71    50.00       34.29   19.63  … ◀ worst
    mild                78.57     7.14       78.10   23.22  …
    as mild             78.57     7.14       78.10   23.22  …
    better             100.00   -14.29      100.00   44.65  …
    drop: percentage points of top-1 lost against clean faces; ECE after the card's temperature
    ");
    let markdown = table.to_markdown();
    assert_eq!(markdown.matches("◀ worst").count(), 1);
    assert!(markdown.contains("| harsh ◀ worst | … | 35.71 | 50.00 |"), "{markdown}");
    let json: serde_json::Value = serde_json::from_str(&table.to_json()).unwrap();
    assert_eq!(json["conditions"][0]["name"], "harsh");
    assert_eq!(json["conditions"][0]["drop"].as_f64(), Some(12.0 / 14.0 - 5.0 / 14.0));
}

#[test]
fn where_nothing_costs_anything_nothing_is_the_worst() {
    let samples = samples(1);
    let perfect = pretend(&samples, |_, label| label);
    let condition = |name| Condition::new(name, "…", &perfect, 1.0);
    let table = RobustnessTable::new(String::new(), 7, condition("clean"), vec![condition("same")]);
    assert!(!table.to_text().contains("worst") && !table.to_text().contains("-0.00"));
}
