//! The temperature that makes confidences honest.
//! In: logits and labels of the validation split. Out: the temperature whose confidences fit best.

use fer_model::card::TEMPERATURES;

use crate::error::TrainError;
use crate::judge::probabilities::Scored;

/// The temperature of least [`Scored::top_label_nll`], within [`TEMPERATURES`]; at either end of them the fit says
/// nothing reliable.
///
/// Temperature scaling is Guo et al. 2017, arXiv 1706.04599, section 4.2, who take the NLL of all labels. That leaves
/// our networks 0.5 to 1.7 points too sure of what they name (docs/LOG.md, "A temperature for what is named"), most
/// where faces have a label that a reading does not know. The minimum is sought along `ln temperature` by
/// golden-section search, to 1e-7.
///
/// # Errors
/// [`TrainError::Calibration`] when a logit is no number, when every prediction is right, so that no confidence is too high, or
/// when the minimum lies at an end of the range, as for predictions no better than chance.
pub fn fit_temperature(logits: &[Vec<f32>], labels: &[usize]) -> Result<f64, TrainError> {
    if let Some(row) = logits.iter().position(|row| row.iter().any(|logit| !logit.is_finite())) {
        let reason = format!("the logits of image {} of {} are not finite", row + 1, logits.len());
        return Err(TrainError::Calibration { reason });
    }
    if Scored::from_logits(logits, labels, 1.0).top(1) == 1.0 {
        return Err(TrainError::Calibration {
            reason: format!("all {} images are predicted right; take more or harder images", labels.len()),
        });
    }
    let loss = |ln_t: f64| Scored::from_logits(logits, labels, ln_t.exp()).top_label_nll();
    // To two digits, as the card's bounds are written: 0.05 in f32 is not 0.05 in f64.
    let [low, high] =
        [TEMPERATURES.start(), TEMPERATURES.end()].map(|end| (f64::from(*end) * 100.0).round() / 100.0);
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
