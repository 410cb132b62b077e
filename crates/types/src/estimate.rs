//! An uncertain number: what is expected, a 90 % interval, and what it is based on.
//!
//! Arithmetic is conservative in the direction stated at each method. Unknown is `Option::None`, never a made-up value.

use serde::{Deserialize, Serialize};

/// What an estimate rests on, from weakest to strongest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// A sourced default that stands in until something is measured.
    Default,
    /// Derived from the code without running it.
    Static,
    /// Counted or timed in a bounded trial.
    Emulated,
    /// Measured on real runs or by calibration on this machine.
    Observed,
}

/// An uncertain quantity: what is expected, 5th and 95th percentile, and its basis.
///
/// Invariant: `low <= expected <= high`, all finite, `coverage` in (0, 1]. The unit is that of the key holding it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// 5th percentile.
    pub low: f64,
    /// Mean; of static analysis one without the sixteenth of scenarios at either end, which would drown the others, and of
    /// what a prior over programs has a say in the median, since such a mean is that of the longest run there may be.
    pub expected: f64,
    /// 95th percentile.
    pub high: f64,
    /// Probability that the truth lies in `[low, high]`; 0.9 unless stated, 1.0 for an exact value.
    pub coverage: f64,
    /// What the estimate rests on.
    pub basis: Basis,
}

/// The coverage of an interval from the 5th to the 95th percentile.
pub const COVERAGE: f64 = 0.9;

/// The 95th percentile of the standard normal distribution.
pub const Z95: f64 = 1.644_853_626_951_472_2;

impl Estimate {
    /// A value known without error: a constant trip count, a limit.
    #[must_use]
    pub fn exact(value: f64, basis: Basis) -> Self {
        Self { low: value, expected: value, high: value, coverage: 1.0, basis }
    }

    /// An estimate from its three points, put in order where rounding broke it.
    #[must_use]
    pub fn new(low: f64, expected: f64, high: f64, basis: Basis) -> Self {
        let clean = |value: f64| if value.is_finite() { value } else { f64::MAX.sqrt() };
        let (low, expected, high) = (clean(low), clean(expected), clean(high));
        Self { low: low.min(expected), expected, high: high.max(expected), coverage: COVERAGE, basis }
    }

    /// A log-normal quantity whose median and 95 %/50 % ratio (`spread` >= 1) are known.
    ///
    /// The mean of a log-normal is `median * exp(sigma^2 / 2)` with `sigma = ln(spread) / 1.645`; it is capped at the
    /// 95th percentile so that the invariant holds for very wide spreads.
    #[must_use]
    pub fn log_normal(median: f64, spread: f64, basis: Basis) -> Self {
        let sigma = spread.max(1.0).ln() / Z95;
        let high = median * spread.max(1.0);
        Self::new(median / spread.max(1.0), (median * (sigma * sigma / 2.0).exp()).min(high), high, basis)
    }

    /// From a sample's count, mean and standard deviation of single values: a prediction interval under normality.
    ///
    /// The half-width is `1.645 * deviation * sqrt(1 + 1/n)`; the low end is kept at or above zero.
    #[must_use]
    pub fn from_sample(count: u64, mean: f64, deviation: f64, basis: Basis) -> Self {
        let half = Z95 * deviation * (1.0 + 1.0 / count.max(1) as f64).sqrt();
        Self::new((mean - half).max(0.0), mean, mean + half, basis)
    }

    /// The estimate times an exact, non-negative factor.
    #[must_use]
    pub fn scale(self, factor: f64) -> Self {
        debug_assert!(factor >= 0.0);
        Self { low: self.low * factor, expected: self.expected * factor, high: self.high * factor, ..self }
    }

    /// The sum of two quantities that share their source of error (fully correlated): end points add.
    #[must_use]
    pub fn add_correlated(self, other: Self) -> Self {
        self.combine(other, self.low + other.low, self.high + other.high)
    }

    /// The sum of two independent quantities: half-widths add in quadrature about the sum of the means.
    #[must_use]
    pub fn add_independent(self, other: Self) -> Self {
        let expected = self.expected + other.expected;
        let down = (self.expected - self.low).hypot(other.expected - other.low);
        let up = (self.high - self.expected).hypot(other.high - other.expected);
        self.combine(other, expected - down, expected + up)
    }

    /// The product of two independent non-negative quantities; spreads combine in quadrature on the log scale.
    #[must_use]
    pub fn mul_independent(self, other: Self) -> Self {
        let expected = self.expected * other.expected;
        if expected <= 0.0 {
            let product = Self::new(self.low * other.low, expected, self.high * other.high, self.weaker(other));
            return Self { coverage: self.coverage.min(other.coverage), ..product };
        }
        let ratio = |part: f64, whole: f64| (part.max(whole * 1e-12) / whole).ln();
        let down = ratio(self.low, self.expected).hypot(ratio(other.low, other.expected));
        let up = ratio(self.high, self.expected).hypot(ratio(other.high, other.expected));
        let coverage = self.coverage.min(other.coverage);
        Self { coverage, ..Self::new(expected * (-down).exp(), expected, expected * up.exp(), self.weaker(other)) }
    }

    /// The same means with each end moved out by a further factor (>= 1) on the log scale.
    #[must_use]
    pub fn widen(self, factor: f64) -> Self {
        Self { low: self.low / factor, high: self.high * factor, coverage: self.coverage.min(COVERAGE), ..self }
    }

    /// The same value resting on another basis.
    #[must_use]
    pub fn with_basis(self, basis: Basis) -> Self {
        Self { basis, ..self }
    }

    /// Width of the interval as `high / low`; 1 for an exact value, infinite where the low end is zero.
    #[must_use]
    pub fn width_ratio(self) -> f64 {
        if self.high == self.low { 1.0 } else { self.high / self.low }
    }

    /// Whether a measured value lies inside the interval.
    #[must_use]
    pub fn contains(self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    fn weaker(self, other: Self) -> Basis {
        self.basis.min(other.basis)
    }

    fn combine(self, other: Self, low: f64, high: f64) -> Self {
        let coverage = self.coverage.min(other.coverage);
        Self { coverage, ..Self::new(low, self.expected + other.expected, high, self.weaker(other)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correlated_sum_is_wider_than_independent_sum() {
        let one = Estimate::new(1.0, 2.0, 4.0, Basis::Static);
        let (together, apart) = (one.add_correlated(one), one.add_independent(one));
        assert_eq!((together.low, together.expected, together.high), (2.0, 4.0, 8.0));
        assert!(apart.low > together.low && apart.high < together.high);
    }

    #[test]
    fn weakest_basis_wins() {
        let sum = Estimate::exact(1.0, Basis::Observed).add_independent(Estimate::exact(1.0, Basis::Default));
        assert_eq!(sum.basis, Basis::Default);
    }

    #[test]
    fn log_normal_keeps_its_order_for_any_spread() {
        for spread in [1.0, 2.0, 10.0, 1e3, 1e6] {
            let e = Estimate::log_normal(5.0, spread, Basis::Default);
            assert!(e.low <= e.expected && e.expected <= e.high, "{e:?}");
        }
    }
}
