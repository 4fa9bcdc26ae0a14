//! Probability scores against tables worked by hand.

use fer_train::judge::probabilities::Scored;

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
