//! Prediction across inputs: what runs with other inputs say about this one.
//!
//! An input seen before speaks for itself. Otherwise, where at least three inputs differ in a number or size, growth with
//! it is fitted; where nothing explains the differences, the spread between inputs becomes the interval, and growth is what it is
//! over programs as far as these inputs do not tell ([`crate::pooling`]). Runs cut short stand at twice their bound, their median by Gott (1993), where an input has no complete run.

use std::collections::BTreeMap;

use forewarm_resources::defaults::EXTRAPOLATION_LOG_DEVIATION;
use forewarm_types::{Estimate, Features};

use crate::estimator::{Predictive, REPEATABILITY, Sample, log, same_input};
use crate::intervals::nonconformity;
use crate::pooling::{Group, Spread, pool};
use crate::statistics::summarise;

/// Deviation of `ln` value between inputs of one code before two inputs were seen: the 95th percentile at three times the
/// median, as in Azure Functions, where half of the functions run under 1 s on average and half have a maximum under 3 s
/// (Shahrad et al. 2020, "Serverless in the Wild", section 3.4). It comes from many programs, so it may weigh as much as the
/// first two inputs, and makes one seen input a factor of 16 either way.
const BETWEEN_INPUTS: Spread =
    Spread { deviation: 1.098_612_288_668_109_8 / forewarm_types::estimate::Z95, worth: 2.0 };

/// Distinct values of a feature from which growth is fitted: two coefficients and one to check them by.
const LEAST_POINTS: usize = 3;

/// Exponents of the square root of `x`, and of `log2 x`, of the growth family: one term and a constant, half powers up to the
/// third, as Extra-P's default (Calotoiu et al. 2013, "Using automated performance modeling to find scalability bugs", section 3:
/// the performance model normal form).
const GROWTH: [(i32, i32); 13] =
    [(0, 1), (1, 0), (1, 1), (2, 0), (2, 1), (3, 0), (3, 1), (4, 0), (4, 1), (5, 0), (5, 1), (6, 0), (6, 1)];

/// Past runs that are predicted again from those before them, to learn how far such predictions are off; fewer where
/// each prediction is a fit, but as many as a 90 % interval needs.
const BACKTESTS: usize = 24;
const BACKTESTS_OF_FITS: usize = 10;

/// The input to predict for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Target {
    pub input: u64,
    pub vector: Vec<f64>,
}

impl Target {
    pub fn new(features: &Features) -> Self {
        Self { input: features.input_hash, vector: features.vector() }
    }
}

/// What a prediction rests on; errors are comparable within a kind only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Runs of the same input.
    Repeated,
    /// Growth fitted over other inputs.
    Growth,
    /// The spread between other inputs.
    Pooled,
}

/// Predicts a value from past ones, newest first: `None` where there are none.
pub(crate) fn predict(past: &[Sample], target: &Target) -> Option<(Estimate, Kind)> {
    let (same, others): (Vec<&Sample>, Vec<&Sample>) = past.iter().partition(|sample| sample.input == target.input);
    let repeated = same_input(&same).map(|estimate| (estimate, Kind::Repeated));
    if same.iter().any(|sample| !sample.censored) || others.is_empty() {
        return repeated;
    }
    let groups = by_input(&others);
    let guess = match grown(&groups, target) {
        Some(growth) => (growth.estimate(), Kind::Growth),
        None => (pool(&groups, &target.vector, BETWEEN_INPUTS)?.estimate(), Kind::Pooled),
    };
    Some(match repeated {
        Some((bound, _)) => (above(guess.0, bound), guess.1),
        None => guess,
    })
}

/// A guess from other inputs, raised by what this input's own runs lasted before they were cut short.
fn above(guess: Estimate, bound: Estimate) -> Estimate {
    let expected = if guess.expected > bound.low { guess.expected } else { bound.expected };
    Estimate::new(guess.low.max(bound.low).min(expected), expected, guess.high.max(bound.high), guess.basis)
}

/// How far past runs fell from what runs before them would have predicted in the same way (prequentially: Dawid 1984).
///
/// The newer half is predicted from the older, so that every prediction rests on half as much as the one to be
/// calibrated or more: scores of predictions from next to nothing are not exchangeable with it.
pub(crate) fn backtest(past: &[Sample], kind: Kind) -> Vec<f64> {
    let most = if kind == Kind::Repeated { BACKTESTS } else { BACKTESTS_OF_FITS };
    let predicted = (0..(past.len() / 2).min(most)).filter_map(|index| {
        let (sample, older) = (past.get(index)?, past.get(index + 1..)?);
        let repeated = older.iter().any(|other| other.input == sample.input && !other.censored);
        if sample.censored || repeated != (kind == Kind::Repeated) {
            return None;
        }
        let target = Target { input: sample.input, vector: sample.vector.clone() };
        let (estimate, of_kind) = predict(older, &target)?;
        (of_kind == kind).then(|| nonconformity(&estimate, sample.value))
    });
    predicted.collect()
}

fn by_input(samples: &[&Sample]) -> Vec<Group> {
    let mut inputs: BTreeMap<u64, Vec<&Sample>> = BTreeMap::new();
    for sample in samples {
        inputs.entry(sample.input).or_default().push(sample);
    }
    let group = |runs: Vec<&Sample>| {
        let complete: Vec<_> = runs.iter().filter(|run| !run.censored).map(|run| (log(run.value), 1.0)).collect();
        let log_value = match summarise(&complete) {
            Some(summary) => summary.mean,
            None => log(2.0 * runs.iter().map(|run| run.value).fold(0.0, f64::max)),
        };
        Some(Group { vector: runs.first()?.vector.clone(), log_value })
    };
    inputs.into_values().filter_map(group).collect()
}

/// The best growth over any one feature by leave-one-out error, where it beats assuming no growth.
fn grown(groups: &[Group], target: &Target) -> Option<Predictive> {
    let groups: Vec<&Group> = groups.iter().filter(|group| group.vector.len() == target.vector.len()).collect();
    let mut best: Option<(f64, Predictive)> = None;
    for (index, wanted) in target.vector.iter().enumerate() {
        let points: Vec<(f64, f64)> =
            groups.iter().filter_map(|group| Some((*group.vector.get(index)?, group.log_value))).collect();
        if *wanted <= 0.0 || points.iter().any(|(x, _)| *x <= 0.0) || distinct(&points) < LEAST_POINTS {
            continue;
        }
        let flat = flat_error(&points);
        for (half_power, log_power) in GROWTH {
            // Below 2 the logarithm is not yet a growth.
            if log_power > 0 && points.iter().any(|(x, _)| *x < 2.0) {
                continue;
            }
            let limit = best.as_ref().map_or(flat, |(error, _)| *error);
            if let Some(found) = fit(&points, *wanted, |x| grow(x, half_power, log_power), limit) {
                best = Some(found);
            }
        }
    }
    best.map(|(_, predictive)| predictive)
}

fn grow(x: f64, half_power: i32, log_power: i32) -> f64 {
    let power = x.sqrt().powi(half_power);
    if log_power == 0 { power } else { power * x.log2() }
}

fn distinct(points: &[(f64, f64)]) -> usize {
    let mut values: Vec<f64> = points.iter().map(|(x, _)| *x).collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    values.len()
}

/// Leave-one-out error, root mean square on the log scale, of predicting each point by the mean of the others.
fn flat_error(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let mean = points.iter().map(|(_, y)| y).sum::<f64>() / count;
    let squares: f64 = points.iter().map(|(_, y)| (y - mean).powi(2)).sum();
    (squares / count).sqrt() * count / (count - 1.0)
}

/// Normal equations of `y = c0 + c1 g` in relative error, which single points can be taken out of.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Moments {
    a00: f64,
    a01: f64,
    a11: f64,
    b0: f64,
    b1: f64,
}

impl Moments {
    fn with(self, growth: f64, value: f64, sign: f64) -> Self {
        let (r0, r1) = (1.0 / value, growth / value);
        Self {
            a00: self.a00 + sign * r0 * r0,
            a01: self.a01 + sign * r0 * r1,
            a11: self.a11 + sign * r1 * r1,
            b0: self.b0 + sign * r0,
            b1: self.b1 + sign * r1,
        }
    }

    /// Coefficients, neither negative: a start-up cost and a growth. `None` where nothing grows.
    fn solve(self) -> Option<(f64, f64)> {
        let determinant = self.a00 * self.a11 - self.a01 * self.a01;
        if determinant > 1e-12 * self.a00 * self.a11 {
            let c0 = (self.b0 * self.a11 - self.b1 * self.a01) / determinant;
            let c1 = (self.a00 * self.b1 - self.a01 * self.b0) / determinant;
            if c0 >= 0.0 {
                return (c1 > 0.0).then_some((c0, c1));
            }
        }
        let c1 = self.b1 / self.a11;
        (c1.is_finite() && c1 > 0.0).then_some((0.0, c1))
    }
}

/// Fits one growth term; `None` where its leave-one-out error is not below `limit`.
fn fit(points: &[(f64, f64)], wanted: f64, growth: impl Fn(f64) -> f64, limit: f64) -> Option<(f64, Predictive)> {
    let mut rows: Vec<(f64, f64)> = points.iter().map(|(x, y)| (growth(*x), y.exp())).collect();
    let largest = rows.iter().map(|(g, _)| *g).fold(f64::MIN_POSITIVE, f64::max);
    rows.iter_mut().for_each(|(g, _)| *g /= largest);
    let all = rows.iter().fold(Moments::default(), |moments, (g, y)| moments.with(*g, *y, 1.0));
    let count = rows.len() as f64;
    let mut squares = 0.0;
    for ((g, y), (_, log_y)) in rows.iter().zip(points) {
        let (c0, c1) = all.with(*g, *y, -1.0).solve()?;
        squares += (log(c0 + c1 * g) - log_y).powi(2);
        if squares >= limit * limit * count {
            return None;
        }
    }
    let error = (squares / count).sqrt();
    let (c0, c1) = all.solve()?;
    let median = log(c0 + c1 * growth(wanted) / largest);
    // Leverage of the wanted point in a straight line over ln x: far from the points the interval opens.
    let mean = points.iter().map(|(x, _)| x.ln()).sum::<f64>() / count;
    let spread: f64 = points.iter().map(|(x, _)| (x.ln() - mean).powi(2)).sum();
    let leverage = 1.0 / count + (wanted.ln() - mean).powi(2) / spread;
    let deviation = error.max(REPEATABILITY);
    let farthest = points.iter().map(|(x, _)| *x).fold(0.0, f64::max);
    let beyond = EXTRAPOLATION_LOG_DEVIATION * (wanted / farthest).max(1.0).ln();
    let scale = (deviation * (1.0 + leverage).sqrt()).hypot(beyond);
    Some((error, Predictive { median, deviation, scale, freedom: count - 2.0 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(n: f64, value: f64) -> Sample {
        Sample { input: n.to_bits(), vector: vec![n, 3.0, 0.0], value, censored: false }
    }

    fn check(past: &[(f64, f64)], wanted: f64) -> (Estimate, Kind) {
        let past: Vec<Sample> = past.iter().map(|(n, value)| sample(*n, *value)).collect();
        predict(&past, &Target { input: wanted.to_bits(), vector: vec![wanted, 3.0, 0.0] }).unwrap()
    }

    #[test]
    fn small_and_large_arguments_share_nothing_blindly() {
        let past = [(64.0, 0.001), (1024.0, 4.0)];
        let (small, large) = (check(&past, 64.0), check(&past, 1024.0));
        assert_eq!((small.1, large.1), (Kind::Repeated, Kind::Repeated));
        assert!(small.0.high < 0.002 && large.0.low > 2.0);
        let (between, kind) = check(&past, 512.0);
        assert!(kind == Kind::Pooled && between.width_ratio() > 100.0, "{between:?}");
    }

    #[test]
    fn one_size_seen_says_little_of_another() {
        let (e, _) = check(&[(64.0, 0.001)], 1024.0);
        assert!(e.contains(0.001) && e.contains(4.0), "{e:?}");
        let (e, _) = check(&[(1024.0, 4.0)], 64.0);
        assert!(e.contains(4.0) && e.contains(0.001), "{e:?}");
    }

    #[test]
    fn longer_arguments_do_not_foretell_hours() {
        // An interpreter asked for its version, then given a line of a program.
        let run = |bytes: f64, value: f64| Sample {
            input: bytes.to_bits(),
            vector: vec![bytes, 0.0],
            value,
            censored: false,
        };
        let past = [run(2.0, 0.010), run(30.0, 0.012)];
        let (e, kind) = predict(&past, &Target { input: 9, vector: vec![1200.0, 0.0] }).unwrap();
        assert!(kind == Kind::Pooled && e.contains(0.124) && e.expected < 0.2 && e.high < 5.0, "{e:?}");
        let (e, _) = predict(&past[..1], &Target { input: 9, vector: vec![80.0, 0.0] }).unwrap();
        assert!(e.contains(0.124) && e.expected < 0.2 && e.high < 30.0, "{e:?}");
    }

    #[test]
    fn growth_is_recognised_and_interpolated() {
        type Law = (&'static str, fn(f64) -> f64);
        let laws: [Law; 4] = [
            ("cube", |n| 3e-9 * n.powi(3)),
            ("start-up and line", |n| 0.05 + 1e-5 * n),
            ("n log n", |n| 1e-6 * n * n.log2()),
            ("square over a floor", |n| 0.001 + 1e-7 * n * n),
        ];
        for (name, law) in laws {
            let past: Vec<_> = [64.0, 128.0, 256.0, 1024.0, 2048.0].map(|n| (n, law(n))).to_vec();
            let (e, kind) = check(&past, 512.0);
            let truth = law(512.0);
            assert!(kind == Kind::Growth && e.contains(truth), "{name}: {e:?} for {truth}");
            assert!((e.expected / truth - 1.0).abs() < 0.05, "{name}: {e:?} for {truth}");
        }
    }

    #[test]
    fn three_points_of_a_matrix_product_give_the_fourth() {
        let law = |n: f64| 2e-9 * n.powi(3);
        let (e, kind) = check(&[(64.0, law(64.0) * 1.03), (256.0, law(256.0) * 0.98), (1024.0, law(1024.0))], 512.0);
        assert!(kind == Kind::Growth && e.contains(law(512.0)), "{e:?}");
        assert!((e.expected / law(512.0) - 1.0).abs() < 0.2 && e.width_ratio() < 10.0, "{e:?}");
    }

    #[test]
    fn a_number_that_means_nothing_explains_nothing() {
        // A seed among the arguments: values in no order of the number.
        let past = [(11.0, 1.0), (845.0, 1.1), (97.0, 0.9), (3.0, 1.05), (500.0, 0.95)];
        let (e, _) = check(&past, 4000.0);
        assert!((0.7..1.6).contains(&e.expected) && e.contains(1.0), "{e:?}");
    }

    #[test]
    fn an_input_cut_short_elsewhere_counts_as_long() {
        let cut = Sample { censored: true, ..sample(1000.0, 10.0) };
        let target = Target { input: 7, vector: vec![900.0, 3.0, 0.0] };
        let (with, _) = predict(&[sample(10.0, 0.1), cut], &target).unwrap();
        let (without, _) = predict(&[sample(10.0, 0.1)], &target).unwrap();
        assert!(with.expected > without.expected);
    }

    #[test]
    fn an_own_run_cut_short_raises_what_others_say() {
        let cut = Sample { censored: true, ..sample(64.0, 10.0) };
        let past = [cut, sample(60.0, 0.1), sample(61.0, 0.1)];
        let (e, _) = predict(&past, &Target { input: 64.0_f64.to_bits(), vector: vec![64.0, 3.0, 0.0] }).unwrap();
        assert!(e.low >= 10.0 && e.expected > 10.0, "{e:?}");
    }

    #[test]
    fn backtests_hold_one_kind_and_no_future() {
        let past: Vec<Sample> = (0..20).map(|n| sample(64.0, 1.0 + 0.01 * f64::from(n % 4))).collect();
        let scores = backtest(&past, Kind::Repeated);
        assert_eq!(scores.len(), 10);
        assert!(scores.iter().all(|score| *score < 1.0), "{scores:?}");
        assert!(backtest(&past, Kind::Growth).is_empty());
    }
}
