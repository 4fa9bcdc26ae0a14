//! How good probabilities are: NLL, Brier, calibration error, top-k, risk and coverage.
//! In: rows of probabilities and the true labels. Out: figures, and the points of two diagrams.

use std::f64::consts::FRAC_2_PI;

use fer_data::argmax;
use fer_model::softmax;

/// Bins of the calibration error and of the reliability diagram.
pub const N_BINS: usize = 15;

/// Probabilities with their true label: what every figure here is made of.
///
/// Rows are `[n][n_labels]`, each summing to 1 over labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// Probabilities in label order, one row an image.
    pub probabilities: Vec<Vec<f64>>,
    /// The true label of each row.
    pub labels: Vec<usize>,
}

/// One bin of the reliability diagram: images whose confidence lies in `(lower, lower + 1/15]`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bin {
    /// Images in the bin.
    pub n: usize,
    /// Their mean confidence, `0..=1`.
    pub confidence: f64,
    /// Their accuracy, `0..=1`.
    pub accuracy: f64,
}

/// One point of the risk–coverage curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RiskPoint {
    /// Share of images kept, the most confident first, `0..=1`.
    pub coverage: f64,
    /// Share of wrong predictions among them, `0..=1`.
    pub risk: f64,
}

impl Scored {
    /// Probabilities `softmax(logits / temperature)`, computed in f64.
    #[must_use]
    pub fn from_logits(logits: &[Vec<f32>], labels: &[usize], temperature: f64) -> Self {
        let probabilities = logits.iter().map(|row| softmax(row, temperature)).collect();
        Self { probabilities, labels: labels.to_vec() }
    }

    /// How many images there are.
    #[must_use]
    pub fn n(&self) -> usize {
        self.labels.len()
    }

    /// Mean negative logarithm of the true label's probability, in nats.
    #[must_use]
    pub fn nll(&self) -> f64 {
        // The smallest positive f64 keeps an underflowed probability finite.
        self.mean(|row, label| -row[label].max(f64::MIN_POSITIVE).ln())
    }

    /// Mean negative logarithm of the probability given to what came true of the prediction, that it is right or
    /// that it is wrong, in nats: how good the confidences alone are, whatever the other labels were given.
    ///
    /// The top-label loss of Gupta and Ramdas 2022, arXiv 2107.08353.
    #[must_use]
    pub fn top_label_nll(&self) -> f64 {
        self.mean(|row, label| {
            let prediction = named(row);
            let share = if prediction == label {
                row[prediction]
            } else {
                // Not 1 - p, which is 0 long before the others are.
                row.iter().enumerate().filter(|(other, _)| *other != prediction).map(|(_, p)| p).sum()
            };
            -share.max(f64::MIN_POSITIVE).ln()
        })
    }

    /// Mean squared distance to the true label's unit vector, summed over labels, `0..=2`.
    #[must_use]
    pub fn brier(&self) -> f64 {
        self.mean(|row, label| {
            let term = |(c, p): (usize, &f64)| (p - f64::from(u8::from(c == label))).powi(2);
            row.iter().enumerate().map(term).sum()
        })
    }

    /// Share of images whose true label is among the `k` most probable, `0..=1`.
    ///
    /// Equal probabilities rank by label index.
    #[must_use]
    pub fn top(&self, k: usize) -> f64 {
        self.mean(|row, label| {
            let better =
                row.iter().enumerate().filter(|(c, p)| **p > row[label] || (**p == row[label] && *c < label));
            f64::from(u8::from(better.count() < k))
        })
    }

    /// Expected calibration error over [`N_BINS`] bins of equal width, `0..=1`.
    ///
    /// Guo et al. 2017, arXiv 1706.04599, equation 3.
    #[must_use]
    pub fn ece(&self) -> f64 {
        let n = self.n().max(1) as f64;
        let gap = |bin: &Bin| bin.n as f64 / n * (bin.accuracy - bin.confidence).abs();
        self.reliability().iter().map(gap).sum()
    }

    /// What [`Self::ece`] would be of these confidences if each were exactly right: its mean and its deviation over
    /// answers drawn from them, `0..=1`. An error of this size says nothing against a model.
    ///
    /// A bin's gap `Σ (right − p) / n` is then about normal with the variance `Σ p (1 − p) / n²`, and the absolute
    /// value of such a number has the mean `√(2/π)` of its deviation.
    #[must_use]
    pub fn ece_by_chance(&self) -> [f64; 2] {
        let mut variances = [0.0; N_BINS];
        for (confidence, _) in self.judged() {
            variances[bin_of(confidence)] += confidence * (1.0 - confidence);
        }
        let n = self.n().max(1) as f64;
        let mean = FRAC_2_PI.sqrt() * variances.iter().map(|v| v.sqrt()).sum::<f64>() / n;
        let deviation = ((1.0 - FRAC_2_PI) * variances.iter().sum::<f64>()).sqrt() / n;
        [mean, deviation]
    }

    /// The bins of the reliability diagram, from confidence 0 to 1.
    #[must_use]
    pub fn reliability(&self) -> [Bin; N_BINS] {
        let mut bins = [Bin::default(); N_BINS];
        for (confidence, right) in self.judged() {
            let bin = &mut bins[bin_of(confidence)];
            bin.n += 1;
            bin.confidence += confidence;
            bin.accuracy += f64::from(u8::from(right));
        }
        for bin in bins.iter_mut().filter(|bin| bin.n > 0) {
            bin.confidence /= bin.n as f64;
            bin.accuracy /= bin.n as f64;
        }
        bins
    }

    /// Risk at every coverage, from the most confident image to all of them.
    #[must_use]
    pub fn risk_coverage(&self) -> Vec<RiskPoint> {
        let mut judged = self.judged();
        judged.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut n_wrong = 0;
        let mut points = Vec::with_capacity(judged.len());
        for (idx, (_, right)) in judged.iter().enumerate() {
            n_wrong += usize::from(!right);
            let n_kept = (idx + 1) as f64;
            points.push(RiskPoint { coverage: n_kept / self.n() as f64, risk: n_wrong as f64 / n_kept });
        }
        points
    }

    /// Confidence and rightness of each image's prediction.
    fn judged(&self) -> Vec<(f64, bool)> {
        let judge = |(row, &label): (&Vec<f64>, &usize)| {
            let prediction = named(row);
            (row[prediction], prediction == label)
        };
        self.probabilities.iter().zip(&self.labels).map(judge).collect()
    }

    fn mean(&self, term: impl Fn(&[f64], usize) -> f64) -> f64 {
        let sum: f64 =
            self.probabilities.iter().zip(&self.labels).map(|(row, &label)| term(row, label)).sum();
        sum / self.n().max(1) as f64
    }
}

/// The label that a row names. Rows are probabilities of finite logits: `evaluate` lets no others through.
fn named(row: &[f64]) -> usize {
    argmax(row).unwrap_or(0)
}

/// The bin of a confidence. Bins are closed above, so that confidence 1 falls into the last one.
fn bin_of(confidence: f64) -> usize {
    ((confidence * N_BINS as f64).ceil() as usize).clamp(1, N_BINS) - 1
}
