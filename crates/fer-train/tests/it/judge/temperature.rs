//! The temperature: found where it is known, refused where there is none.

use fer_train::judge::calibrate::temperature::fit_temperature;
use fer_train::judge::probabilities::Scored;
use insta::assert_snapshot;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Logits that are `temperature` times too large: labels are drawn from the honest softmax.
fn overconfident(n: usize, temperature: f32, seed: u64) -> (Vec<Vec<f32>>, Vec<usize>) {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut draw = |_| {
        let honest: Vec<f32> = (0..7).map(|_| rng.random_range(-2.0..2.0)).collect();
        let probabilities = &Scored::from_logits(std::slice::from_ref(&honest), &[0], 1.0).probabilities[0];
        let mut left: f64 = rng.random_range(0.0..1.0);
        let is_reached = |p: &f64| {
            left -= p;
            left <= 0.0
        };
        let label = probabilities.iter().position(is_reached).unwrap_or(6);
        (honest.iter().map(|logit| logit * temperature).collect(), label)
    };
    (0..n).map(&mut draw).unzip()
}

#[test]
fn the_temperature_of_synthetic_logits_is_recovered() {
    for (temperature, seed) in [(0.5, 1), (1.0, 2), (2.0, 3), (3.5, 4)] {
        let (logits, labels) = overconfident(20_000, temperature, seed);
        let found = fit_temperature(&logits, &labels).unwrap();
        // Two per cent: about three standard errors of the estimate over 20,000 images.
        assert!((found / f64::from(temperature) - 1.0).abs() < 0.02, "{found}, expected {temperature}");
    }
}

#[test]
fn calibration_lowers_nll_and_calibration_error_and_keeps_every_prediction() {
    let (logits, labels) = overconfident(5_000, 2.5, 5);
    let temperature = fit_temperature(&logits, &labels).unwrap();
    let before = Scored::from_logits(&logits, &labels, 1.0);
    let after = Scored::from_logits(&logits, &labels, temperature);
    assert!(after.nll() < before.nll() && after.ece() < 0.5 * before.ece());
    assert_eq!(after.top(1), before.top(1));
}

#[test]
fn faces_with_a_label_that_is_not_known_make_less_sure() {
    // A tenth of the faces has an eighth label, to which no probability is ever given.
    let (mut logits, mut labels) = overconfident(20_000, 2.0, 6);
    logits.iter_mut().for_each(|row| row.push(-1e4));
    labels.iter_mut().step_by(10).for_each(|label| *label = 7);
    let temperature = fit_temperature(&logits, &labels).unwrap();
    let scored = Scored::from_logits(&logits, &labels, temperature);
    let confidence: f64 = scored.reliability().iter().map(|bin| bin.n as f64 * bin.confidence).sum();
    let gap = confidence / 20_000.0 - scored.top(1);
    assert!(gap.abs() < 0.01, "confidence is {gap} above accuracy at {temperature}");
    assert!(Scored::from_logits(&logits, &labels, 2.0).ece() > 2.0 * scored.ece());
}

#[test]
fn predictions_that_are_all_right_have_no_temperature() {
    let logits = vec![vec![3.0, 0.0], vec![0.0, 3.0]];
    let error = fit_temperature(&logits, &[0, 1]).unwrap_err().to_string();
    assert_snapshot!(error, @"no temperature fits: all 2 images are predicted right; take more or harder images; the card was left as it was");
}

#[test]
fn logits_that_are_no_numbers_have_no_temperature() {
    let logits = vec![vec![3.0, 0.0], vec![f32::NAN, 3.0]];
    let error = fit_temperature(&logits, &[1, 0]).unwrap_err().to_string();
    assert_snapshot!(error, @"no temperature fits: the logits of image 2 of 2 are not finite; the card was left as it was");
}

#[test]
fn predictions_that_are_worse_than_chance_have_no_temperature() {
    let logits = vec![vec![3.0, 0.0], vec![0.0, 3.0]];
    let error = fit_temperature(&logits, &[1, 0]).unwrap_err().to_string();
    assert_snapshot!(error, @"no temperature fits: the best one lies at 20.00, the end of the range 0.05 to 20, as for untrained weights; the card was left as it was");
}
