//! Logits → probabilities, and a row of numbers → the label it speaks for.
//! In: one number a label. Out: the softmax, or the place of the largest.

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

/// The index of the largest value, the first of equals.
///
/// `None` for an empty row, and for one that holds a NaN: what is larger than NaN is not known.
#[must_use]
pub fn argmax<T: PartialOrd>(row: &[T]) -> Option<usize> {
    let mut best = 0;
    for (idx, value) in row.iter().enumerate() {
        match value.partial_cmp(&row[best])? {
            std::cmp::Ordering::Greater => best = idx,
            std::cmp::Ordering::Equal | std::cmp::Ordering::Less => {}
        }
    }
    (!row.is_empty()).then_some(best)
}
