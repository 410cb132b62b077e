//! How counts grow with the input: fitted to a few small runs, extrapolated to a large one with an interval.
//!
//! Counts carry no noise, so that what a form misses by is its own fault. Forms are those of the performance model normal
//! form (Calotoiu, Hoefler, Poke and Wolf, "Using automated performance modeling to find scalability bugs in complex
//! codes", SC13; two parameters after Calotoiu et al., CLUSTER 2016): sums of products of powers and logarithms, and two
//! beyond that family, a power to be found and an exponential ([`forms`]). Each is fitted by least squares of relative errors
//! and judged by leaving one run out; the prediction is the weighted median over forms, since several may explain the same
//! few runs. Pure: what to run is decided elsewhere. Called by the orchestrator and `examples/growth.rs`.

mod climb;
mod derive;
mod distances;
mod forms;
mod least_squares;
mod pages;

use forewarm_types::estimate::Z95;
use forewarm_types::{Basis, Estimate};

pub use climb::{Climb, largest_between, together};
pub use derive::{Size, Smaller, resized, sizes};
pub use distances::grown as grown_distances;
use forms::{Form, forms};
use least_squares::Fitted;
pub use pages::peak;

/// What one run counted.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Features of its input: numbers in its arguments, bytes of its files.
    pub features: Vec<f64>,
    /// What was counted.
    pub count: f64,
}

/// Fewest runs that tell a form from another: two parameters and one to judge by.
pub const FEWEST_RUNS: usize = 3;

/// Of runs whose sizes rise, so many of the last tell how it goes on: two terms, and three to judge by; for a second feature as many
/// parameters more, since each varies in half of the runs.
const LAST_RUNS: [usize; 2] = [5, 8];

/// Differences of this size between a form and a run are no evidence about the form: by as much do the counts of programs vary
/// whose control flow depends on their data.
const TOLERANCE: f64 = 0.02;

/// By as much of themselves do times of one run differ.
const TIMING_NOISE: f64 = 0.05;

/// And by so many seconds, whatever they take: runs of next to nothing took 0.08 to 0.14 ms.
const ENTRY_NOISE_SECONDS: f64 = 3e-5;

/// Share of the largest run that a form's leading term must explain; one that cannot be seen yet must not decide what comes.
const LEADING: f64 = 0.4;

/// A form that misses runs left out by no more than this is exact but for a few operators of formatting, and what it says of
/// small terms is believed.
const EXACT: f64 = 3e-5;

/// What exactness is worth, in natural logarithms of odds: forms that are wrong come so close to five runs by accident about once
/// in as many.
const EXACTNESS: f64 = 10.0;

/// How far below nothing, as a share of the smallest run, what does not grow may lie: a rounding error of the form.
const NEGATIVE: f64 = 0.05;

/// Deviation of the logarithm per e-fold of extrapolation beyond what the forms differ by: the least round figure at which
/// nine in ten of the corpus's programs lie inside the interval (docs/prediction.md).
const DRIFT: f64 = 0.02;

/// Of runs by rising size those that tell how it goes on: what small ones spend their time with may be nothing beside what comes.
#[must_use]
pub fn asymptotic(rising: &[Sample]) -> &[Sample] {
    let features = rising.first().map_or(1, |sample| sample.features.len());
    let wanted = LAST_RUNS[features.clamp(1, LAST_RUNS.len()) - 1];
    &rising[rising.len().saturating_sub(wanted)..]
}

/// What values are usual: a log-normal distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usual {
    /// Its median.
    pub median: f64,
    /// Standard deviation of the logarithm.
    pub log_deviation: f64,
}

/// A law of growth: forms with their weights.
#[derive(Debug, Clone)]
pub struct Growth {
    members: Vec<Member>,
    /// Positions of the features that vary.
    varying: Vec<usize>,
    most: f64,
}

#[derive(Debug, Clone)]
struct Member {
    form: Form,
    fitted: Fitted,
    weight: f64,
}

impl Growth {
    /// Fits every form to what runs counted. `None` where fewer than three differ, no feature varies or more than two do, or no form
    /// fits.
    #[must_use]
    pub fn fit(samples: &[Sample]) -> Option<Self> {
        Self::fit_weighed(samples, TOLERANCE, |_| 1.0)
    }

    /// The same of what runs took, by rising size, as seconds for counts: times of one run differ by a share of themselves, and by what entering and
    /// leaving takes, which is most of the shortest.
    #[must_use]
    pub fn fit_times(samples: &[Sample]) -> Option<Self> {
        // What takes longer on a smaller input tells how much of such a time is noise.
        let fell = samples.windows(2).map(|pair| pair[0].count - pair[1].count).fold(0.0, f64::max);
        let noise = ENTRY_NOISE_SECONDS.max(fell);
        let weight = |seconds: f64| TIMING_NOISE / TIMING_NOISE.hypot(noise / seconds);
        Self::fit_weighed(samples, TIMING_NOISE, weight)
    }

    fn fit_weighed(samples: &[Sample], tolerance: f64, weight: impl Fn(f64) -> f64) -> Option<Self> {
        let varying = varying(samples);
        let usable = samples.len() >= FEWEST_RUNS && samples.iter().all(|sample| sample.count > 0.0);
        if !usable || varying.is_empty() || varying.len() > 2 {
            return None;
        }
        let pick = |sample: &Sample| -> Vec<f64> { varying.iter().map(|at| sample.features[*at]).collect() };
        let points: Vec<Vec<f64>> = samples.iter().map(pick).collect();
        let counts: Vec<f64> = samples.iter().map(|sample| sample.count).collect();
        let weights: Vec<f64> = counts.iter().map(|count| weight(*count)).collect();
        let fit = |form| Member::fit(form, &points, (&counts, &weights), tolerance);
        let mut members: Vec<Member> = forms(&points).into_iter().filter_map(fit).collect();
        let best = members.iter().map(|member| member.weight).fold(f64::NEG_INFINITY, f64::max);
        members.iter_mut().for_each(|member| member.weight = (member.weight - best).exp());
        members.retain(|member| member.weight > 1e-9);
        let most = counts.iter().copied().fold(0.0, f64::max);
        (!members.is_empty()).then_some(Self { members, varying, most })
    }

    /// The count of a run with these features, all that were given for the samples. `None` where no form tells.
    #[must_use]
    pub fn predict(&self, features: &[f64]) -> Option<Estimate> {
        self.weighed(features, |_| 1.0)
    }

    /// The same where it is known what is usual: what a form tells weighs by that too (Bayes' theorem), so that of forms that a few
    /// runs cannot tell from each other none is believed whose run nobody would wait for.
    #[must_use]
    pub fn predict_among(&self, features: &[f64], usual: Usual) -> Option<Estimate> {
        self.weighed(features, |value| {
            (-0.5 * ((value / usual.median).ln() / usual.log_deviation).powi(2)).exp().max(f64::MIN_POSITIVE)
        })
    }

    fn weighed(&self, features: &[f64], usual: impl Fn(f64) -> f64) -> Option<Estimate> {
        let point: Option<Vec<f64>> = self.varying.iter().map(|at| features.get(*at).copied()).collect();
        let point = point.filter(|point| point.iter().all(|value| value.is_finite() && *value > 0.0))?;
        let value = |member: &Member| {
            let value = member.fitted.value(&member.form.row(&point));
            (value, member.weight * usual(value))
        };
        let mut values: Vec<(f64, f64)> = self.members.iter().map(value).collect();
        // What ran on a smaller input is the least that a larger one takes.
        values.retain(|(value, _)| value.is_finite() && *value >= self.most);
        values.sort_by(|a, b| a.0.total_cmp(&b.0));
        let expected = quantile(&values, 0.5)?;
        let drift = Z95 * DRIFT * (expected / self.most).max(1.0).ln();
        let end = |probability: f64, sign: f64| {
            let spread = (quantile(&values, probability).unwrap_or(expected) / expected).ln();
            (expected.ln() + sign * spread.hypot(drift)).exp()
        };
        Some(Estimate::new(end(0.05, -1.0).max(self.most.min(expected)), expected, end(0.95, 1.0), Basis::Emulated))
    }

    /// The form with the greatest weight, in words.
    #[must_use]
    pub fn law(&self) -> String {
        let best = self.members.iter().max_by(|a, b| a.weight.total_cmp(&b.weight));
        best.map(|member| member.form.words()).unwrap_or_default()
    }
}

impl Member {
    /// By Bayes' theorem with an unknown deviation, a form that misses each run left out by `e` weighs `Σ e² ^ (-n / 2)`,
    /// times what it was worth before ([`Form::cost`]).
    fn fit(form: Form, points: &[Vec<f64>], (counts, weights): (&[f64], &[f64]), tolerance: f64) -> Option<Self> {
        let rows: Vec<Vec<f64>> = points.iter().map(|point| form.row(point)).collect();
        let fitted = least_squares::fit(&rows, counts, weights, form.searched)?;
        let (largest, smallest) = (place(counts, |a, b| a > b), place(counts, |a, b| a < b));
        let last = rows[largest].len() - 1;
        let leading = fitted.coefficients[last] * rows[largest][last] / counts[largest];
        let exact = fitted.left_out_square < EXACT * EXACT;
        if (last > 0 && leading < LEADING && !exact) || fitted.coefficients[0] < -NEGATIVE * counts[smallest] {
            return None;
        }
        let miss = fitted.left_out_square + tolerance * tolerance;
        let weight = -(counts.len() as f64) / 2.0 * miss.ln() - form.cost + if exact { EXACTNESS } else { 0.0 };
        Some(Self { form, fitted, weight })
    }
}

/// Features that take several values, all of them positive.
fn varying(samples: &[Sample]) -> Vec<usize> {
    let width = samples.iter().map(|sample| sample.features.len()).min().unwrap_or(0);
    let column = |at: usize| samples.iter().map(move |sample| sample.features[at]);
    let varies =
        |at: &usize| column(*at).all(|value| value > 0.0) && column(*at).any(|value| value != samples[0].features[*at]);
    (0..width).filter(varies).collect()
}

fn place(values: &[f64], before: impl Fn(f64, f64) -> bool) -> usize {
    (1..values.len()).fold(0, |best, at| if before(values[at], values[best]) { at } else { best })
}

/// The value at which so much of the weight lies below, of values by rising value.
fn quantile(values: &[(f64, f64)], probability: f64) -> Option<f64> {
    let total: f64 = values.iter().map(|(_, weight)| weight).sum();
    let mut below = 0.0;
    for (value, weight) in values {
        below += weight;
        if below >= probability * total {
            return Some(*value);
        }
    }
    values.last().map(|(value, _)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(points: &[&[f64]], law: &dyn Fn(&[f64]) -> f64) -> Vec<Sample> {
        points.iter().map(|point| Sample { features: point.to_vec(), count: law(point).floor() }).collect()
    }

    /// Relative error of the prediction, and whether the truth lies inside the interval.
    fn error(points: &[&[f64]], target: &[f64], law: &dyn Fn(&[f64]) -> f64) -> (f64, bool) {
        let growth = Growth::fit(&samples(points, law)).unwrap();
        let estimate = growth.predict(target).unwrap();
        (estimate.expected / law(target) - 1.0, estimate.contains(law(target)))
    }

    #[test]
    fn exact_laws_are_found_and_extrapolated_far() {
        let laws: [(&str, &dyn Fn(f64) -> f64); 5] = [
            ("linear", &|n| 5.0 * n + 4000.0),
            ("square", &|n| 3.0 * n * n + 11.0 * n + 2000.0),
            ("cube", &|n| 9.0 * n.powi(3) + 7.0 * n * n + 3.0 * n + 3000.0),
            ("triangle", &|n| n * (n - 1.0) / 2.0 + 500.0),
            ("sort", &|n| 12.0 * n * n.log2() + 6.0 * n + 3000.0),
        ];
        let points: [&[f64]; 5] = [&[50.0], &[100.0], &[150.0], &[200.0], &[300.0]];
        for (name, law) in laws {
            let (error, inside) = error(&points, &[3000.0], &|point| law(point[0]));
            assert!(error.abs() < 0.02 && inside, "{name}: {error}");
        }
    }

    #[test]
    fn laws_outside_the_family_are_met_nearly() {
        let points: [&[f64]; 5] = [&[1000.0], &[2000.0], &[4000.0], &[8000.0], &[16000.0]];
        let sieve = |point: &[f64]| 9.0 * point[0] * point[0].ln().ln() + 4000.0;
        let karatsuba = |point: &[f64]| 8.0 * point[0].powf(3_f64.log2());
        assert!(error(&points, &[1e6], &sieve).0.abs() < 0.1);
        assert!(error(&points, &[1e5], &karatsuba).0.abs() < 0.1);
        let doubling: [&[f64]; 5] = [&[10.0], &[12.0], &[13.0], &[15.0], &[16.0]];
        assert!(error(&doubling, &[24.0], &|point| 5.0 * 1.618_f64.powf(point[0]) + 4000.0).0.abs() < 0.1);
    }

    #[test]
    fn two_features_multiply_or_add() {
        let points: [&[f64]; 5] = [&[40.0, 5.0], &[80.0, 5.0], &[160.0, 5.0], &[40.0, 10.0], &[80.0, 10.0]];
        let product = |point: &[f64]| 7.0 * point[0] * point[0] * point[1] + 3000.0;
        let sum = |point: &[f64]| 90.0 * point[0] + 700.0 * point[1] + 3000.0;
        assert!(error(&points, &[400.0, 60.0], &product).0.abs() < 0.05);
        assert!(error(&points, &[4000.0, 600.0], &sum).0.abs() < 0.1);
    }

    #[test]
    fn the_last_of_rising_runs_tell() {
        let runs = |count: usize, features: usize| -> Vec<Sample> {
            (1..=count).map(|at| Sample { features: vec![at as f64; features], count: at as f64 }).collect()
        };
        assert_eq!(asymptotic(&runs(9, 1))[0].count, 5.0);
        assert_eq!(asymptotic(&runs(9, 2))[0].count, 2.0);
        assert_eq!((asymptotic(&runs(3, 1)).len(), asymptotic(&[]).len()), (3, 0));
    }

    #[test]
    fn a_law_that_nobody_would_wait_for_is_not_believed() {
        // Seconds of a program that fills a table, on a machine where something came between the last run.
        let times =
            [(7360.0, 0.1607), (11_680.0, 0.2246), (40_640.0, 0.7188), (135_360.0, 2.4916), (322_872.0, 10.5103)];
        let runs = times.map(|(n, milliseconds)| Sample { features: vec![n], count: milliseconds / 1e3 });
        let growth = Growth::fit_times(&runs).unwrap();
        let usual = Usual { median: 0.1, log_deviation: 2.4 };
        let foretold = growth.predict_among(&[16e6], usual).unwrap();
        assert!((0.2..5.0).contains(&foretold.expected) && foretold.high < 60.0, "{foretold:?}");
    }

    #[test]
    fn what_cannot_be_told_is_not() {
        let line = |point: &[f64]| point[0] + 1.0;
        assert!(Growth::fit(&samples(&[&[1.0], &[2.0]], &line)).is_none());
        assert!(Growth::fit(&samples(&[&[2.0], &[2.0], &[2.0]], &line)).is_none());
        assert!(Growth::fit(&[]).is_none());
        let growth = Growth::fit(&samples(&[&[10.0], &[20.0], &[40.0]], &line)).unwrap();
        assert!(growth.predict(&[]).is_none() && growth.predict(&[f64::NAN]).is_none());
    }

    #[test]
    fn further_is_less_certain() {
        let points: [&[f64]; 4] = [&[100.0], &[150.0], &[200.0], &[300.0]];
        let noisy = |point: &[f64]| point[0] * point[0] * (1.0 + 0.01 * (point[0] / 7.0).sin());
        let growth = Growth::fit(&samples(&points, &noisy)).unwrap();
        let width = |n: f64| growth.predict(&[n]).map(|estimate| estimate.high / estimate.low).unwrap();
        assert!(width(600.0) < width(3000.0) && width(3000.0) < width(30_000.0));
        assert!(growth.law().contains('n'));
    }
}
