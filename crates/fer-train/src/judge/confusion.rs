//! What a confusion matrix says: accuracy and its interval, recall, precision, F1.
//! In: pairs of label and prediction. Out: [`ConfusionMatrix`] and figures derived from it.
//!
//! Burn's own metrics serve training; evaluation has these because Burn has no confusion matrix
//! and no calibration.

use serde::Serialize;

/// Counts of labelled images by prediction: row = label, column = prediction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfusionMatrix {
    rows: Vec<Vec<u64>>,
}

/// Precision, recall and F1, of one class or averaged over classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ClassMetrics {
    /// Share of predictions of the class that are right, `0..=1`; 0 when there are none.
    pub precision: f64,
    /// Share of images of the class that are found, `0..=1`; 0 when there are none.
    pub recall: f64,
    /// Harmonic mean of precision and recall, `0..=1`; 0 when both are.
    pub f1: f64,
    /// Images of the class.
    pub support: u64,
}

impl ConfusionMatrix {
    /// Counts pairs of `(label, prediction)`, both below `n_labels`.
    ///
    /// # Panics
    /// If a label or prediction is not below `n_labels`.
    #[must_use]
    pub fn from_pairs(n_labels: usize, pairs: impl IntoIterator<Item = (usize, usize)>) -> Self {
        let mut rows = vec![vec![0; n_labels]; n_labels];
        for (label, prediction) in pairs {
            rows[label][prediction] += 1;
        }
        Self { rows }
    }

    /// The counts, `[n_labels][n_labels]`: row = label, column = prediction.
    #[must_use]
    pub fn rows(&self) -> &[Vec<u64>] {
        &self.rows
    }

    /// How many classes there are.
    #[must_use]
    pub fn n_labels(&self) -> usize {
        self.rows.len()
    }

    /// How many classes have images.
    #[must_use]
    pub fn n_present(&self) -> usize {
        self.classes().iter().filter(|class| class.support > 0).count()
    }

    /// How many images were counted.
    #[must_use]
    pub fn n(&self) -> u64 {
        self.rows.iter().flatten().sum()
    }

    /// How many predictions are right.
    #[must_use]
    pub fn n_right(&self) -> u64 {
        (0..self.n_labels()).map(|c| self.rows[c][c]).sum()
    }

    /// Share of right predictions (top-1), `0..=1`.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        ratio(self.n_right(), self.n())
    }

    /// The figures of one class.
    #[must_use]
    pub fn class(&self, label: usize) -> ClassMetrics {
        let right = self.rows[label][label];
        let support: u64 = self.rows[label].iter().sum();
        let predicted: u64 = self.rows.iter().map(|row| row[label]).sum();
        ClassMetrics {
            precision: ratio(right, predicted),
            recall: ratio(right, support),
            f1: ratio(2 * right, predicted + support),
            support,
        }
    }

    /// The figures of every class, in label order.
    #[must_use]
    pub fn classes(&self) -> Vec<ClassMetrics> {
        (0..self.n_labels()).map(|label| self.class(label)).collect()
    }

    /// Every class that has images counted equally; its F1 is macro-F1.
    #[must_use]
    pub fn macro_average(&self) -> ClassMetrics {
        self.average(|class| f64::from(u8::from(class.support > 0)))
    }

    /// Every class counted by its images.
    #[must_use]
    pub fn weighted_average(&self) -> ClassMetrics {
        self.average(|class| class.support as f64)
    }

    /// Mean recall over the classes that have images, as scikit-learn's `balanced_accuracy_score`.
    #[must_use]
    pub fn balanced_accuracy(&self) -> f64 {
        let recalls: Vec<f64> = self.classes().iter().filter(|c| c.support > 0).map(|c| c.recall).collect();
        if recalls.is_empty() { 0.0 } else { recalls.iter().sum::<f64>() / recalls.len() as f64 }
    }

    fn average(&self, weight: impl Fn(&ClassMetrics) -> f64) -> ClassMetrics {
        let classes = self.classes();
        let total: f64 = classes.iter().map(&weight).sum();
        if total == 0.0 {
            return ClassMetrics::default();
        }
        let mean = |value: fn(&ClassMetrics) -> f64| {
            classes.iter().map(|c| weight(c) * value(c)).sum::<f64>() / total
        };
        ClassMetrics {
            precision: mean(|c| c.precision),
            recall: mean(|c| c.recall),
            f1: mean(|c| c.f1),
            support: self.n(),
        }
    }
}

/// Wilson's 95 % interval of a share, `n_right` of `n`: lower and upper bound, `0..=1`.
///
/// Wilson 1927, doi 10.1080/01621459.1927.10502953; with no images it is the whole range.
#[must_use]
pub fn wilson95(n_right: u64, n: u64) -> [f64; 2] {
    // The 97.5 % quantile of the normal distribution.
    const Z: f64 = 1.959_963_984_540_054;
    if n == 0 {
        return [0.0, 1.0];
    }
    let (share, n) = (n_right as f64 / n as f64, n as f64);
    let spread = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let centre = share + Z * Z / (2.0 * n);
    let scale = 1.0 + Z * Z / n;
    [((centre - spread) / scale).max(0.0), ((centre + spread) / scale).min(1.0)]
}

/// `part / whole`, and 0 when the whole is, as scikit-learn's `zero_division=0`.
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
