//! Probability scores against tables worked by hand.

use fer_train::judge::probabilities::Scored;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 5e-7, "{found}, expected {expected}");
}

/// Four images of two classes: right at 0.9, wrong at 0.62, right at 0.7, right on a tie.
fn worked() -> Scored {
    let rows = [[0.9, 0.1], [0.62, 0.38], [0.3, 0.7], [0.5, 0.5]];
    Scored { probabilities: rows.map(Vec::from).to_vec(), labels: vec![0, 1, 1, 0] }
}

#[test]
fn nll_is_the_mean_of_four_logarithms() {
    // -(ln 0.9 + ln 0.38 + ln 0.7 + ln 0.5) / 4.
    close(worked().nll(), 0.530_691_65);
}

#[test]
fn the_loss_of_the_named_label_asks_only_whether_it_is_right() {
    let row = vec![0.6, 0.3, 0.1];
    let scored = Scored { probabilities: vec![row.clone(), row.clone(), row], labels: vec![0, 1, 2] };
    // -(ln 0.6 + ln 0.4 + ln 0.4) / 3: which of the others is true does not matter.
    close(scored.top_label_nll(), 0.781_135_7);
}

#[test]
fn brier_sums_over_classes() {
    // (2 · 0.1² + 2 · 0.62² + 2 · 0.3² + 2 · 0.5²) / 4 = (0.02 + 0.7688 + 0.18 + 0.5) / 4.
    close(worked().brier(), 0.3672);
}

#[test]
fn top_k_ranks_ties_by_label() {
    close(worked().top(1), 0.75);
    close(worked().top(2), 1.0);
    let tied = Scored { probabilities: vec![vec![0.4, 0.4, 0.2]; 2], labels: vec![0, 1] };
    close(tied.top(1), 0.5);
}

#[test]
fn calibration_error_weighs_each_bin_by_its_images() {
    // Each image alone in its bin: (0.1 + 0.62 + 0.3 + 0.5) / 4.
    close(worked().ece(), 0.38);
    // Two images in the bin (13/15, 14/15]: mean confidence 0.91, accuracy 0.5.
    let pair = Scored { probabilities: vec![vec![0.9, 0.1], vec![0.92, 0.08]], labels: vec![0, 1] };
    close(pair.ece(), 0.41);
    let bin = pair.reliability()[13];
    assert_eq!(bin.n, 2);
    close(bin.confidence, 0.91);
}

#[test]
fn a_perfectly_calibrated_model_has_the_error_that_chance_gives() {
    // Confidences 0.50, 0.51, …, 0.99, each of 40 images, and answers right as often as the confidence says.
    let mut random = StdRng::seed_from_u64(1);
    let mut errors = Vec::new();
    let mut by_chance = [0.0; 2];
    for _ in 0..300 {
        let confidences = (0..2_000).map(|idx| 0.5 + f64::from(idx % 50) / 100.0);
        let rows: Vec<Vec<f64>> = confidences.map(|p| vec![p, 1.0 - p]).collect();
        let labels = rows.iter().map(|row| usize::from(random.random::<f64>() >= row[0])).collect();
        let drawn = Scored { probabilities: rows, labels };
        errors.push(drawn.ece());
        by_chance = drawn.ece_by_chance();
    }
    let mean = errors.iter().sum::<f64>() / 300.0;
    let deviation = (errors.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / 299.0).sqrt();
    assert!((mean / by_chance[0] - 1.0).abs() < 0.05, "{mean}, expected {}", by_chance[0]);
    assert!((deviation / by_chance[1] - 1.0).abs() < 0.15, "{deviation}, expected {}", by_chance[1]);
    // Whoever is sure is never wrong by chance.
    assert_eq!(Scored { probabilities: vec![vec![1.0, 0.0]], labels: vec![0] }.ece_by_chance(), [0.0, 0.0]);
}

#[test]
fn full_confidence_falls_into_the_last_bin() {
    let sure = Scored { probabilities: vec![vec![1.0, 0.0]], labels: vec![0] };
    assert_eq!(sure.reliability()[14].n, 1);
    close(sure.ece(), 0.0);
}

#[test]
fn risk_falls_as_the_least_confident_are_left_out() {
    // By confidence: 0.9 right, 0.7 right, 0.62 wrong, 0.5 right.
    let points: Vec<(f64, f64)> = worked().risk_coverage().iter().map(|p| (p.coverage, p.risk)).collect();
    assert_eq!(points, [(0.25, 0.0), (0.5, 0.0), (0.75, 1.0 / 3.0), (1.0, 0.25)]);
}

#[test]
fn an_impossible_truth_gives_a_finite_loss() {
    let wrong = Scored { probabilities: vec![vec![1.0, 0.0]], labels: vec![1] };
    assert!(wrong.nll().is_finite() && wrong.nll() > 700.0);
}

#[test]
fn logits_become_probabilities_at_a_temperature() {
    // e^0 : e^ln5 = 1 : 5, and at temperature 0.5 their squares, 1 : 25.
    let logits = [vec![0.0, 5.0_f32.ln()]];
    close(Scored::from_logits(&logits, &[1], 1.0).probabilities[0][1], 5.0 / 6.0);
    close(Scored::from_logits(&logits, &[1], 0.5).probabilities[0][1], 25.0 / 26.0);
}
