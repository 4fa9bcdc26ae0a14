//! The temperature that makes confidences honest.
//! In: logits and labels of the validation split. Out: the temperature of least NLL.

use crate::error::TrainError;
use crate::judge::probabilities::Scored;

/// The range in which a temperature is looked for. At either end the fit says nothing reliable.
pub const RANGE: [f64; 2] = [0.05, 20.0];

/// The temperature of least mean negative log-likelihood, within [`RANGE`].
///
/// Guo et al. 2017, arXiv 1706.04599, section 4.2. The loss is convex in `1 / temperature`, so it
/// has one minimum along `ln temperature`, which golden-section search encloses to 1e-7.
///
/// # Errors
/// [`TrainError::Calibration`] when every prediction is right, so that no confidence is too high, or
/// when the minimum lies at an end of [`RANGE`], as for predictions no better than chance.
pub fn fit_temperature(logits: &[Vec<f32>], labels: &[usize]) -> Result<f64, TrainError> {
    if Scored::from_logits(logits, labels, 1.0).top(1) == 1.0 {
        return Err(TrainError::Calibration {
            reason: format!("all {} images are predicted right; take more or harder images", labels.len()),
        });
    }
    let loss = |ln_t: f64| Scored::from_logits(logits, labels, ln_t.exp()).nll();
    let [low, high] = RANGE;
    let temperature = golden_section(loss, low.ln(), high.ln(), 1e-7).exp();
    if temperature > 1.001 * low && temperature < 0.999 * high {
        return Ok(temperature);
    }
    Err(TrainError::Calibration {
        reason: format!(
            "the best one lies at {temperature:.2}, the end of the range {low} to {high}, as for untrained weights"
        ),
    })
}

/// The place of the minimum of a function with one minimum in `[low, high]`, within `tolerance`.
fn golden_section(loss: impl Fn(f64) -> f64, mut low: f64, mut high: f64, tolerance: f64) -> f64 {
    let golden = (5.0_f64.sqrt() - 1.0) / 2.0;
    let (mut left, mut right) = (high - golden * (high - low), low + golden * (high - low));
    let (mut loss_left, mut loss_right) = (loss(left), loss(right));
    while high - low > tolerance {
        if loss_left < loss_right {
            (high, right, loss_right) = (right, left, loss_left);
            left = high - golden * (high - low);
            loss_left = loss(left);
        } else {
            (low, left, loss_left) = (left, right, loss_right);
            right = low + golden * (high - low);
            loss_right = loss(right);
        }
    }
    f64::midpoint(low, high)
}
