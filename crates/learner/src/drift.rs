//! Changes of regime: when a code's behaviour has shifted, older runs stop speaking for the next.

use std::collections::BTreeMap;

use forewarm_types::PastRun;

use crate::estimator::log;
use crate::statistics::median;

/// Tolerated drift per run, in deviations: half the shift to be found (Page 1954; Montgomery, "Statistical Quality
/// Control", section 9.1, takes one deviation as the shift that matters).
const SLACK: f64 = 0.5;

/// Alarm threshold, in deviations. At 5 a chart whose mean is known gives a false alarm every 465 runs (Montgomery, table
/// 9.3); 8 leaves room for mean and deviation being estimated from the same few runs.
const THRESHOLD: f64 = 8.0;

/// Least deviation of `ln` time assumed, so that steps of a percent on a quiet machine are no regime: twice the 0.5 %
/// repeatability of CPU time measured on the machines of the design (section 8).
const LEAST_DEVIATION: f64 = 0.01;

/// Fewer runs than this have no deviation worth the name.
const LEAST_RUNS: usize = 10;

/// A change this many runs ago or less is recent.
const RECENT: usize = 8;

/// Index at which the latest regime of a series (oldest first) begins, by the two-sided Page-Hinkley test (Page 1954,
/// Hinkley 1971) with the deviation taken from successive differences, which a change of level hardly touches.
#[must_use]
pub fn change_point(series: &[f64]) -> Option<usize> {
    let mut start = 0;
    while let Some(at) = series.get(start..).and_then(first_change) {
        start += at;
    }
    (start > 0).then_some(start)
}

fn first_change(series: &[f64]) -> Option<usize> {
    if series.len() < LEAST_RUNS {
        return None;
    }
    let steps: Vec<f64> = series.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
    // The median of |N(0, 2)| is 0.954.
    let deviation = (median(&steps)? / 0.954).max(LEAST_DEVIATION);
    let mut mean = 0.0;
    let (mut up, mut down, mut up_since, mut down_since) = (0.0_f64, 0.0_f64, 1, 1);
    for (index, value) in series.iter().enumerate() {
        // One wild run alone must not pass for a regime: none moves a sum by more than half the threshold.
        let limit = if index == 0 { f64::INFINITY } else { THRESHOLD / 2.0 * deviation };
        let excess = (value - mean).clamp(-limit, limit);
        mean += excess / (index + 1) as f64;
        if index > 0 {
            (up, up_since) = climb(up + excess / deviation - SLACK, up_since, index);
            (down, down_since) = climb(down - excess / deviation - SLACK, down_since, index);
        }
        if up > THRESHOLD {
            return Some(up_since);
        }
        if down > THRESHOLD {
            return Some(down_since);
        }
    }
    None
}

/// A sum that fell to zero begins anew with the next run.
fn climb(sum: f64, since: usize, index: usize) -> (f64, usize) {
    if sum <= 0.0 { (0.0, index + 1) } else { (sum, since) }
}

/// Whether a code's CPU time (runs newest first) changed regime within its last few runs, on any configuration
/// and input it is run with.
#[must_use]
pub fn drift(past: &[PastRun]) -> bool {
    let mut series: BTreeMap<(&str, u64), Vec<f64>> = BTreeMap::new();
    for run in past.iter().rev().filter(|run| !run.censored) {
        series.entry((&run.configuration_class, run.features.input_hash)).or_default().push(log(run.run_cpu_seconds));
    }
    series.values().any(|values| change_point(values).is_some_and(|at| values.len() - at <= RECENT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Normal, run};

    fn series(seed: u64, before: usize, after: usize, shift: f64) -> Vec<f64> {
        let mut normal = Normal::new(seed);
        (0..before + after).map(|n| 0.03 * normal.next() + if n >= before { shift } else { 0.0 }).collect()
    }

    #[test]
    fn a_real_shift_is_found_near_its_place() {
        for (seed, shift) in (0..50).flat_map(|seed| [(seed, 0.5), (seed, -0.5)]) {
            let at = change_point(&series(seed, 25, 8, shift)).unwrap_or(0);
            assert!((22..=26).contains(&at), "seed {seed}, shift {shift}: {at}");
        }
    }

    #[test]
    fn steady_runs_seldom_alarm() {
        let alarms = (0..500).filter(|seed| change_point(&series(*seed, 32, 0, 0.0)).is_some()).count();
        assert!(alarms <= 40, "{alarms} false alarms in 500 series of 32 runs");
    }

    #[test]
    fn one_wild_run_is_no_regime() {
        let mut values = series(3, 20, 0, 0.0);
        values[12] = 2.0;
        assert_eq!(change_point(&values), None);
    }

    #[test]
    fn drift_is_told_per_input() {
        let runs = |level: &dyn Fn(u64) -> f64| {
            (0..20).rev().map(|n| run("winch/native", n % 2, level(n))).collect::<Vec<_>>()
        };
        assert!(!drift(&runs(&|n| if n % 2 == 0 { 1.0 } else { 5.0 })), "two inputs are not two regimes");
        assert!(drift(&runs(&|n| if n >= 14 { 2.0 } else { 1.0 })));
    }
}
