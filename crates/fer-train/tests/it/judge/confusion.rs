//! Metrics against tables worked by hand.

use fer_train::judge::confusion::{ConfusionMatrix, wilson95};

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 5e-7, "{found}, expected {expected}");
}

/// Rows are labels, columns predictions:
///
/// ```text
///        a  b  c   support
///   a    5  1  1      7
///   b    0  4  1      5
///   c    3  0  1      4
/// predicted 8 5 3     16
/// ```
pub(crate) fn worked() -> ConfusionMatrix {
    let counts = [[5, 1, 1], [0, 4, 1], [3, 0, 1]];
    let mut pairs = Vec::new();
    for (label, row) in counts.iter().enumerate() {
        for (prediction, &count) in row.iter().enumerate() {
            pairs.extend(std::iter::repeat_n((label, prediction), count));
        }
    }
    ConfusionMatrix::from_pairs(3, pairs)
}

#[test]
fn rows_are_labels_and_columns_are_predictions() {
    let matrix = ConfusionMatrix::from_pairs(2, [(0, 1), (0, 1), (1, 1)]);
    assert_eq!(matrix.rows(), [[0, 2], [0, 1]]);
}

#[test]
fn accuracy_is_the_diagonal_over_all() {
    assert_eq!((worked().n(), worked().n_right()), (16, 10));
    close(worked().accuracy(), 0.625);
}

#[test]
fn class_figures_are_those_worked_by_hand() {
    // a: precision 5/8, recall 5/7, F1 10/15. b: 4/5 each. c: 1/3, 1/4, 2/7.
    let expected =
        [(5.0 / 8.0, 5.0 / 7.0, 2.0 / 3.0, 7), (0.8, 0.8, 0.8, 5), (1.0 / 3.0, 0.25, 2.0 / 7.0, 4)];
    for (class, (precision, recall, f1, support)) in worked().classes().iter().zip(expected) {
        close(class.precision, precision);
        close(class.recall, recall);
        close(class.f1, f1);
        assert_eq!(class.support, support);
    }
}

#[test]
fn averages_are_those_worked_by_hand() {
    // Macro-F1: (2/3 + 4/5 + 2/7) / 3. Weighted: (7 · 2/3 + 5 · 4/5 + 4 · 2/7) / 16.
    close(worked().macro_average().f1, 0.584_126_984);
    close(worked().macro_average().precision, 0.586_111_111);
    close(worked().weighted_average().f1, 0.613_095_238);
    // Weighted recall is accuracy.
    close(worked().weighted_average().recall, 0.625);
    // Mean recall: (5/7 + 4/5 + 1/4) / 3.
    close(worked().balanced_accuracy(), 0.588_095_238);
}

#[test]
fn a_class_without_images_counts_in_no_average_over_classes() {
    // Class 2 has no image and no prediction: both figures are over the other two.
    let matrix = ConfusionMatrix::from_pairs(3, [(0, 0), (0, 0), (1, 1), (1, 0)]);
    // F1: 4/5, 2/3, 0. Recall: 1, 1/2.
    close(matrix.macro_average().f1, (0.8 + 2.0 / 3.0) / 2.0);
    close(matrix.balanced_accuracy(), 0.75);
}

#[test]
fn nothing_judged_gives_zeros_and_the_whole_interval() {
    let matrix = ConfusionMatrix::from_pairs(2, []);
    assert_eq!((matrix.accuracy(), matrix.balanced_accuracy(), matrix.macro_average().f1), (0.0, 0.0, 0.0));
    assert_eq!(wilson95(0, 0), [0.0, 1.0]);
}

#[test]
fn wilsons_interval_is_the_one_worked_by_hand() {
    // 10 of 16, z² = 3.841459: centre (0.625 + z²/32) / (1 + z²/16) = 0.600799,
    // half width z √(0.625 · 0.375 / 16 + z²/1024) / (1 + z²/16) = 0.214390.
    let [low, high] = wilson95(10, 16);
    assert!((low - 0.386_41).abs() < 1e-5 && (high - 0.815_19).abs() < 1e-5, "{low} {high}");
    // At the ends it stays within 0..=1 and is not empty.
    close(wilson95(0, 10)[0], 0.0);
    close(wilson95(10, 10)[1], 1.0);
    assert!(wilson95(0, 10)[1] > 0.2);
}

#[test]
fn at_73_per_cent_of_3589_images_the_interval_is_about_1_45_points_each_way() {
    let [low, high] = wilson95(2620, 3589);
    assert!((100.0 * (high - low) / 2.0 - 1.45).abs() < 0.01);
}
