//! Logits → probabilities.
//! In: one number a label, or one alone. Out: the softmax, or the logistic function.

/// `softmax(logits / temperature)`, summing to 1, computed in f64; `temperature` above 0.
///
/// Logits that are not finite give probabilities that are NaN.
#[must_use]
pub fn softmax(logits: &[f32], temperature: f64) -> Vec<f64> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponential = |&logit: &f32| (f64::from(logit - largest) / temperature).exp();
    let exponentials: Vec<f64> = logits.iter().map(exponential).collect();
    let sum: f64 = exponentials.iter().sum();
    exponentials.into_iter().map(|e| e / sum).collect()
}

/// `1 / (1 + exp(-logit))`, `0..=1`; NaN for NaN.
#[must_use]
pub fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}
