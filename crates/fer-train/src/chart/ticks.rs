//! Round numbers along an axis.
//! In: the range of the values. Out: [`Ticks`] around it, at 1, 2 or 5 times a power of ten.

/// Round numbers from at or below the lowest value to at or above the highest.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ticks {
    /// The numbers, rising; two at least.
    pub(crate) values: Vec<f64>,
    /// Decimals that tell them apart.
    pub(crate) decimals: usize,
}

impl Ticks {
    /// Ticks around a range, about five of them.
    #[must_use]
    pub(crate) fn around(low: f64, high: f64) -> Self {
        let (low, high) = if low < high { (low, high) } else { (low - 1.0, low + 1.0) };
        let step = round_step((high - low) / 5.0);
        let (first, last) = ((low / step + 1e-9).floor() as i64, (high / step - 1e-9).ceil() as i64);
        let values = (first..=last).map(|n| n as f64 * step).collect();
        Self { values, decimals: (-step.log10() - 1e-9).ceil().max(0.0) as usize }
    }

    /// The lowest tick.
    #[must_use]
    pub(crate) fn low(&self) -> f64 {
        self.values.first().copied().unwrap_or_default()
    }

    /// The highest tick.
    #[must_use]
    pub(crate) fn high(&self) -> f64 {
        self.values.last().copied().unwrap_or_default()
    }
}

/// The smallest of 1, 2 and 5 times a power of ten that is not below `least`.
fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let step = [1.0, 2.0, 5.0].into_iter().map(|n| n * power).find(|step| *step >= least * (1.0 - 1e-9));
    step.unwrap_or(10.0 * power)
}
