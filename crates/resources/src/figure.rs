//! A number of the model together with where it comes from.

use serde::{Deserialize, Serialize};

use forewarm_types::{Basis, Estimate};

/// A number of the model with where it comes from.
///
/// A default has no samples and a source in words; a measurement has samples and loses its default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// The value, in the unit of the key that holds it.
    pub value: f64,
    /// Standard deviation of single measurements (for a default: as the source states or implies it).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub deviation: f64,
    /// Measurements behind it; 0 for a default.
    #[serde(default, skip_serializing_if = "is_none")]
    pub samples: u64,
    /// Where it comes from: a citation for a default, how it was timed for a measurement; either in words or as a key
    /// of [`crate::sources`], which keeps the stored model small.
    pub source: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_none(samples: &u64) -> bool {
    *samples == 0
}

impl Figure {
    /// A sourced default.
    #[must_use]
    pub fn sourced(value: f64, deviation: f64, source: &str) -> Self {
        Self { value, deviation, samples: 0, source: source.to_owned() }
    }

    /// A measurement: mean and standard deviation of `samples` single values.
    #[must_use]
    pub fn measured(value: f64, deviation: f64, samples: u64, source: &str) -> Self {
        Self { value, deviation, samples, source: source.to_owned() }
    }

    /// Whether it still rests on a source alone.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.samples == 0
    }

    /// What it rests on.
    #[must_use]
    pub fn basis(&self) -> Basis {
        if self.is_default() { Basis::Default } else { Basis::Observed }
    }

    /// Its source in words: a citation or how it was timed.
    #[must_use]
    pub fn source_in_words(&self) -> &str {
        crate::sources::words(&self.source)
    }

    /// The figure as an estimate of a single value, log-normal.
    ///
    /// With `s` the standard deviation of `ln(value)`, the median is taken at the value and the ends at
    /// `value * exp(±1.645 s)`, where `s² = ln(1 + (deviation / value)²)` (moments of the log-normal, Aitchison and
    /// Brown 1957, 2.3).
    #[must_use]
    pub fn estimate(&self) -> Estimate {
        if self.deviation == 0.0 {
            return Estimate::exact(self.value, self.basis());
        }
        Estimate::log_normal(self.value, (Z95 * self.log_deviation()).exp(), self.basis())
    }

    /// Standard deviation of `ln(value)`, from the moments of the log-normal; 0 where nothing is known of it.
    #[must_use]
    pub fn log_deviation(&self) -> f64 {
        let relative = self.deviation / self.value;
        if relative.is_finite() { (relative * relative).ln_1p().max(0.0).sqrt() } else { 0.0 }
    }
}

/// The 95th percentile of the standard normal distribution.
pub(crate) const Z95: f64 = 1.644_853_626_951_472_2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deviation_widens_the_estimate_evenly_on_the_log_scale() {
        let figure = Figure::sourced(2.0, 1.0, "test");
        let e = figure.estimate();
        assert!((e.low * e.high - 4.0).abs() < 1e-9, "{e:?}");
        assert_eq!(e.basis, Basis::Default);
        assert_eq!(Figure::measured(2.0, 0.0, 3, "test").estimate(), Estimate::exact(2.0, Basis::Observed));
    }

    #[test]
    fn a_figure_of_nothing_has_no_deviation() {
        assert_eq!(Figure::sourced(0.0, 0.0, "test").log_deviation(), 0.0);
        assert_eq!(Figure::sourced(0.0, 1.0, "test").log_deviation(), 0.0);
    }
}
