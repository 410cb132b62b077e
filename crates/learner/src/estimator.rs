//! The estimator of one quantity for one input, from repeated runs with that input, some of them cut short.
//!
//! Everything is done on logarithms: times vary by factors. The predictive distribution is Student's t, from a normal
//! likelihood with a weak prior on its variance (Gelman et al., "Bayesian Data Analysis", 3rd ed., section 3.3), so few
//! runs give a wide interval by themselves. Runs cut short enter by the Kaplan-Meier estimate (Kaplan & Meier 1958).

use forewarm_types::{Basis, Estimate, PastRun};

use crate::drift::change_point;
use crate::statistics::{Summary, student_t95, summarise};

/// Deviation of `ln` CPU time between runs of one input before two have been seen: ten times the 0.5 % repeatability
/// measured on the machines of the design (section 8), since cold and warm page caches still mix in the first runs.
pub(crate) const REPEATABILITY: f64 = 0.05;

/// Runs that the prior on the variance between runs is worth: as little as gives one run an interval at all.
const PRIOR_RUNS: f64 = 1.0;

/// Each older run counts this much less; its half-life is 16 runs, within the usual range of forgetting factors for
/// slowly changing systems (0.95-0.995; Ljung, "System Identification", section 11.2).
const FORGETTING: f64 = 0.957;

/// One measured value with what is known of the input that gave it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    /// Hash of the input.
    pub input: u64,
    /// The input's features.
    pub vector: Vec<f64>,
    /// The value.
    pub value: f64,
    /// Whether the run was cut short, so that the value is a lower bound.
    pub censored: bool,
}

impl Sample {
    pub fn new(run: &PastRun, value: f64) -> Self {
        Self { input: run.features.input_hash, vector: run.features.vector(), value, censored: run.censored }
    }
}

/// Values below this are taken for it before their logarithm: a microsecond, about the cost of reading the CPU clock
/// twice; for counts and bytes it is nothing.
const SMALLEST: f64 = 1e-6;

/// Logarithm of a value, kept finite.
pub(crate) fn log(value: f64) -> f64 {
    if value.is_finite() { value.max(SMALLEST).ln() } else { f64::MAX.sqrt().ln() }
}

/// Median, deviation of the predictive distribution and its degrees of freedom, on the log scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Predictive {
    pub median: f64,
    /// Deviation of single values.
    pub deviation: f64,
    /// Deviation of a value to come, the uncertainty of the median included.
    pub scale: f64,
    pub freedom: f64,
}

impl Predictive {
    /// From a sample's summary and a prior deviation worth this many values.
    pub fn new(summary: Summary, prior: f64, worth: f64) -> Self {
        let freedom = worth + (summary.size - 1.0).max(0.0);
        let variance = (worth * prior * prior + summary.size * summary.variance) / freedom;
        let scale = (variance * (1.0 + 1.0 / summary.size)).sqrt();
        Self { median: summary.mean, deviation: variance.sqrt(), scale, freedom }
    }

    /// As an estimate; its mean is that of a log-normal, kept inside the interval.
    pub fn estimate(&self) -> Estimate {
        let factor = (student_t95(self.freedom) * self.scale).exp();
        let median = self.median.exp();
        let mean = (median * (self.deviation * self.deviation / 2.0).exp()).min(median * factor);
        Estimate::new(median / factor, mean, median * factor, Basis::Observed)
    }
}

/// What runs of one input (newest first) say about its next: `None` where there are none.
pub(crate) fn same_input(samples: &[&Sample]) -> Option<Estimate> {
    let weighted = |censored: bool| {
        let chosen = samples.iter().zip(0..).filter(move |(sample, _)| sample.censored == censored);
        chosen.map(|(sample, age)| (sample.value, FORGETTING.powi(age))).collect::<Vec<_>>()
    };
    let (mut complete, cut) = (current_regime(weighted(false)), weighted(true));
    if complete.is_empty() {
        return cut.iter().map(|(bound, _)| *bound).reduce(f64::max).map(outlasting);
    }
    let beyond = redistribute(&mut complete, cut);
    let first = complete.first()?.0;
    if beyond.is_none() && complete.len() > 1 && complete.iter().all(|(value, _)| *value == first) && first >= 1.0 {
        // Counts and sizes that never varied. (Times in seconds never repeat to the last bit.)
        return Some(Estimate::exact(first, Basis::Observed));
    }
    let logs: Vec<_> = complete.iter().map(|(value, weight)| (log(*value), *weight)).collect();
    let estimate = Predictive::new(summarise(&logs)?, REPEATABILITY, PRIOR_RUNS).estimate();
    Some(match beyond {
        Some(tail) => with_tail(estimate, tail),
        None => estimate,
    })
}

/// The runs since the last change of regime, newest first; with few of them the interval is wide again by itself.
fn current_regime(newest_first: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    let oldest_first: Vec<f64> = newest_first.iter().rev().map(|(value, _)| log(*value)).collect();
    let keep = change_point(&oldest_first).map_or(newest_first.len(), |at| oldest_first.len() - at);
    newest_first.into_iter().take(keep.max(1)).collect()
}

/// Probability mass known only to lie above a bound.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Tail {
    bound: f64,
    mass: f64,
}

/// Hands the weight of each run cut short to the complete runs that lasted longer, in proportion to their weights
/// (Efron 1967: this is the Kaplan-Meier estimate); what none outlasted is left as a tail.
fn redistribute(complete: &mut [(f64, f64)], mut cut: Vec<(f64, f64)>) -> Option<Tail> {
    cut.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = complete.iter().chain(&cut).map(|(_, weight)| weight).sum();
    let mut tail = Tail { bound: 0.0, mass: 0.0 };
    for (bound, weight) in cut {
        let longer: f64 = complete.iter().filter(|(value, _)| *value > bound).map(|(_, w)| w).sum();
        if longer > 0.0 {
            let gain = 1.0 + weight / longer;
            complete.iter_mut().filter(|(value, _)| *value > bound).for_each(|(_, w)| *w *= gain);
        } else {
            tail = Tail { bound: tail.bound.max(bound), mass: tail.mass + weight / total };
        }
    }
    (tail.mass > 0.0).then_some(tail)
}

/// What lasted `bound` and was then cut short, all else unknown: the chance that it would last `x` times as long is
/// `1/x` (Gott 1993, "Implications of the Copernican principle"), which makes the median twice the bound. That stands for
/// the mean, which does not exist.
fn outlasting(bound: f64) -> Estimate {
    Estimate::new(bound / 0.95, bound * 2.0, bound * 20.0, Basis::Observed)
}

/// Mixes an estimate with a tail of which only a lower bound is known.
fn with_tail(estimate: Estimate, tail: Tail) -> Estimate {
    let beyond = outlasting(tail.bound);
    let expected = (1.0 - tail.mass) * estimate.expected + tail.mass * beyond.expected.max(estimate.expected);
    // P(T > x) is at least mass * bound / x, which falls to 5 % at 20 * mass * bound.
    let high = estimate.high.max(tail.bound * (20.0 * tail.mass).max(1.0));
    Estimate::new(estimate.low.min(expected), expected, high, Basis::Observed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(rows: &[(f64, bool)]) -> Vec<Sample> {
        rows.iter()
            .map(|(value, censored)| Sample { input: 1, vector: vec![], value: *value, censored: *censored })
            .collect()
    }

    fn check(rows: &[(f64, bool)]) -> Estimate {
        let samples = samples(rows);
        same_input(&samples.iter().collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn one_run_is_believed_loosely_and_many_tightly() {
        let (one, many) = (check(&[(2.0, false)]), check(&[(2.0, false), (2.01, false)].repeat(10)));
        assert!(one.contains(2.0) && one.width_ratio() > 1.4, "{one:?}");
        assert!(many.contains(2.005) && many.width_ratio() < 1.1, "{many:?}");
    }

    #[test]
    fn a_count_that_never_varied_is_exact() {
        assert_eq!(check(&[(1e6, false), (1e6, false)]), Estimate::exact(1e6, Basis::Observed));
    }

    #[test]
    fn only_cut_short_runs_bound_from_below() {
        let e = check(&[(3.0, true), (1.0, true)]);
        assert!(e.low >= 3.0 && e.expected > e.low && e.high > 10.0, "{e:?}");
    }

    #[test]
    fn a_run_cut_short_beyond_all_raises_the_estimate() {
        let plain = check(&[(1.0, false), (1.02, false), (0.99, false)]);
        let raised = check(&[(5.0, true), (1.0, false), (1.02, false), (0.99, false)]);
        assert!(raised.expected > plain.expected + 1.0 && raised.high >= 5.0, "{raised:?}");
    }

    #[test]
    fn a_run_cut_short_early_is_not_averaged_in() {
        let plain = check(&[(1.0, false), (1.02, false), (0.99, false)]);
        let same = check(&[(1.0, false), (1.02, false), (0.99, false), (0.01, true)]);
        assert!((same.expected / plain.expected - 1.0).abs() < 1e-9, "{same:?}");
    }

    #[test]
    fn a_run_cut_short_in_between_favours_those_that_outlasted_it() {
        let rows = [(1.0, false), (2.0, false), (1.0, false), (2.0, false)];
        let with_cut = [rows.as_slice(), &[(1.5, true)]].concat();
        assert!(check(&with_cut).expected > check(&rows).expected);
    }

    #[test]
    fn a_new_regime_replaces_the_old() {
        let wobble = |base: f64, n: usize| (0..n).map(move |i| (base * (1.0 + 0.01 * (i % 3) as f64), false));
        let rows: Vec<_> = wobble(3.0, 6).chain(wobble(1.0, 20)).collect();
        let e = check(&rows);
        assert!((2.8..3.2).contains(&e.expected), "{e:?}");
    }
}
