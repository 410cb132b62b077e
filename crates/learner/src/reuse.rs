//! How often a code will come back before its artifact is evicted: the λ of the cost function.
//!
//! A buy-till-you-die model, as marketing uses for the same question (Fader, Hardie & Lee 2005, "Counting your customers
//! the easy way"): after each run a code is dropped for good with a chance of its own, and until then returns at a rate of
//! its own. The chance has a beta distribution over codes, whose mean is learned from how many codes ever came back (the
//! chance that what was seen once is seen again; Good 1953); the rate has a gamma prior.

use forewarm_types::{Basis, Estimate, ReuseStatistics};

/// Second parameter of the beta distribution of the chance to return. At 2 a code that ran `n` times is expected to run as
/// many times more (the "Lindy" rule that follows from Gott 1993), and the sums below have closed forms.
const BETA: f64 = 2.0;

/// Before anything was seen: one code of three returns, which makes a first run's expectation one more run.
const PRIOR_RETURNED: f64 = 1.0;
const PRIOR_CODES: f64 = 3.0;

/// Weight of the prior rate, one run a day: it counts as one run over this many seconds.
const PRIOR_PERIOD_SECONDS: f64 = 86_400.0;

/// An artifact unused for longer counts as evicted: 30 days, systemd's default age for `/var/tmp` (tmpfiles.d).
const HORIZON_SECONDS: f64 = 30.0 * 86_400.0;

/// Runs of the code expected after the present one and before eviction.
///
/// The present run counts among `code_runs` or is the first. Grows with `code_runs`, and with the share of codes that
/// ever came back; falls with the age over which those runs are spread.
#[must_use]
pub fn expected_reuses(statistics: &ReuseStatistics) -> Estimate {
    let runs = statistics.code_runs.max(1) as f64;
    let returned = statistics.codes.saturating_sub(statistics.singletons) as f64;
    let share = (returned + PRIOR_RETURNED) / (statistics.codes as f64 + PRIOR_CODES);
    let alpha = BETA * share / (1.0 - share) + runs - 1.0;
    let age = statistics.code_age_seconds.unwrap_or(0.0).max(0.0);
    let most = HORIZON_SECONDS * runs / (age + PRIOR_PERIOD_SECONDS);
    // P(K >= k) = alpha (alpha + 1) / ((alpha + k)(alpha + k + 1)), whose sum up to `most` telescopes.
    let expected = alpha * most / (alpha + 1.0 + most);
    let quantile = |above: f64| (alpha * (alpha + 1.0) / above + 0.25).sqrt() - alpha - 0.5;
    let basis = if statistics.runs == 0 { Basis::Default } else { Basis::Observed };
    Estimate::new(quantile(0.95).clamp(0.0, most), expected, quantile(0.05).min(most), basis)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(codes: u64, singletons: u64, code_runs: u64, days: f64) -> f64 {
        let statistics = ReuseStatistics {
            codes,
            runs: 2 * codes,
            singletons,
            code_runs,
            code_age_seconds: Some(days * 86_400.0),
            code_idle_seconds: None,
        };
        expected_reuses(&statistics).expected
    }

    #[test]
    fn an_empty_database_expects_about_one_more() {
        let e = expected_reuses(&ReuseStatistics::default());
        assert!((0.5..1.5).contains(&e.expected) && e.low < 0.1 && e.high > 3.0, "{e:?}");
        assert_eq!(e.basis, Basis::Default);
    }

    #[test]
    fn a_daily_companion_expects_many_and_a_stranger_few() {
        assert!(check(10, 3, 1000, 10.0) > 500.0);
        assert!(check(10, 3, 2, 365.0) < 0.5, "two runs in a year");
        assert!(check(1000, 990, 1, 0.0) < 0.2, "where nothing ever comes back");
        assert!(check(1000, 10, 1, 0.0) > 10.0, "where everything does");
    }

    /// The closed forms against the sum and the tail they stand for.
    #[test]
    fn closed_forms_match_their_sums() {
        let e = expected_reuses(&ReuseStatistics { code_runs: 5, ..Default::default() });
        let (alpha, most) = (5.0, 150);
        let tail = |k: f64| alpha * (alpha + 1.0) / ((alpha + k) * (alpha + k + 1.0));
        let sum: f64 = (1..=most).map(|k| tail(f64::from(k))).sum();
        assert!((e.expected / sum - 1.0).abs() < 1e-9, "{} for {sum}", e.expected);
        assert!((tail(e.high) - 0.05).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn more_runs_never_expect_fewer(codes in 1_u64..1000, once in 0.0..1.0_f64, runs in 1_u64..5000, days in 0.0..1000.0_f64) {
            let singletons = (codes as f64 * once) as u64;
            let (less, more) = (check(codes, singletons, runs, days), check(codes, singletons, runs + 1, days));
            prop_assert!(more >= less && less >= 0.0 && more.is_finite());
        }
    }
}
