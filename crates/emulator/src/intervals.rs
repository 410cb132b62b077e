//! Intervals that stand for a whole run: block vectors clustered, one representative for each cluster with its weight.
//!
//! Sherwood, Perelman, Hamerly and Calder, "Automatically characterizing large scale program behavior", ASPLOS 2002
//! (SimPoint): intervals whose block vectors, projected to 15 dimensions, lie together execute the same code and behave
//! alike on any configuration. Clusters by k-means (Lloyd 1982) from seeds chosen far apart (k-means++: Arthur and
//! Vassilvitskii 2007); their number is the least that reaches 90 % of the way from the worst to the best Bayesian
//! information criterion (Pelleg and Moore, "X-means", ICML 2000), as SimPoint takes it. Intervals differ in length here,
//! so that weights are shares of operators (Hamerly, Perelman, Lau and Calder, JILP 2005). Pure; randomness comes in by
//! parameter. Called for `forewarm emulate` and by its bench.

use forewarm_types::counts::Interval;
use forewarm_types::host::Randomness;

use crate::generate::unit;

/// Most clusters tried: SimPoint's usual limit for intervals as coarse as these.
const MOST_CLUSTERS: usize = 10;

/// Seedings of each number of clusters, of which the best is kept (SimPoint's default is 5).
const SEEDINGS: usize = 5;

/// Rounds of k-means; it has settled long before (SimPoint's default is 100).
const ROUNDS: usize = 100;

/// Share of the way from the worst to the best criterion that suffices (SimPoint's default).
const ENOUGH: f64 = 0.9;

/// Least variance of a coordinate, so that intervals that are all alike have a likelihood: the square of the error of an
/// `f32` near 1.
const LEAST_VARIANCE: f64 = 1e-12;

/// An interval that stands for its cluster.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Representative {
    /// Its number among the intervals.
    pub interval: usize,
    /// Share of the run's operators in its cluster; all weights sum to 1.
    pub weight: f64,
}

/// Representatives of a run, in the order they pass; none where there are no intervals.
#[must_use]
pub fn representatives(intervals: &[Interval], random: &mut dyn Randomness) -> Vec<Representative> {
    let points: Vec<Point> = intervals.iter().map(Point::of).collect();
    let total: f64 = points.iter().map(|point| point.weight).sum();
    if total <= 0.0 {
        return Vec::new();
    }
    let most = MOST_CLUSTERS.min(points.len());
    let clusterings: Vec<Clustering> = (1..=most).map(|count| best_of(&points, count, random)).collect();
    let criteria: Vec<f64> = clusterings.iter().map(|clustering| clustering.criterion(&points)).collect();
    let (least, best) = criteria.iter().fold((f64::MAX, f64::MIN), |(low, high), &c| (low.min(c), high.max(c)));
    let enough = least + ENOUGH * (best - least);
    let chosen = criteria.iter().position(|criterion| *criterion >= enough).unwrap_or(0);
    clusterings.get(chosen).map_or_else(Vec::new, |clustering| clustering.representatives(&points, total))
}

/// The whole run's value of something measured per interval, as its representatives have it: their values per operator,
/// weighed, times all operators.
#[must_use]
pub fn weighted(intervals: &[Interval], representatives: &[Representative], value: impl Fn(&Interval) -> f64) -> f64 {
    let total: f64 = intervals.iter().map(|interval| interval.operators as f64).sum();
    let per_operator = |one: &Representative| {
        let interval = &intervals[one.interval];
        one.weight * value(interval) / interval.operators.max(1) as f64
    };
    total * representatives.iter().map(per_operator).sum::<f64>()
}

/// An interval as a point.
struct Point {
    at: Vec<f64>,
    weight: f64,
}

impl Point {
    fn of(interval: &Interval) -> Self {
        let at = interval.vector.iter().map(|value| f64::from(*value)).collect();
        Self { at, weight: interval.operators as f64 }
    }

    fn distance(&self, centre: &[f64]) -> f64 {
        self.at.iter().zip(centre).map(|(a, b)| (a - b) * (a - b)).sum()
    }
}

struct Clustering {
    centres: Vec<Vec<f64>>,
    /// Cluster of each point.
    of: Vec<usize>,
    /// Weighted sum of squared distances.
    scatter: f64,
}

fn best_of(points: &[Point], count: usize, random: &mut dyn Randomness) -> Clustering {
    let tries = (0..SEEDINGS).map(|_| Clustering::lloyd(points, seeds(points, count, random)));
    tries.min_by(|a, b| a.scatter.total_cmp(&b.scatter)).unwrap_or(Clustering {
        centres: Vec::new(),
        of: Vec::new(),
        scatter: 0.0,
    })
}

/// Centres chosen one after another, each with a chance proportional to its weight and squared distance from those before.
fn seeds(points: &[Point], count: usize, random: &mut dyn Randomness) -> Vec<Vec<f64>> {
    let mut centres: Vec<Vec<f64>> = Vec::new();
    while centres.len() < count {
        let chance = |point: &Point| {
            let nearest = centres.iter().map(|centre| point.distance(centre)).fold(f64::INFINITY, f64::min);
            point.weight * if nearest.is_finite() { nearest } else { 1.0 }
        };
        let chances: Vec<f64> = points.iter().map(chance).collect();
        let mut left = unit(random) * chances.iter().sum::<f64>();
        let chosen = chances.iter().position(|chance| {
            left -= chance;
            left < 0.0
        });
        // All points lie on centres: any does.
        centres.push(points[chosen.unwrap_or(0)].at.clone());
    }
    centres
}

impl Clustering {
    fn lloyd(points: &[Point], mut centres: Vec<Vec<f64>>) -> Self {
        let mut of = vec![usize::MAX; points.len()];
        let mut scatter = 0.0;
        for _ in 0..ROUNDS {
            let nearest: Vec<(usize, f64)> = points.iter().map(|point| nearest(point, &centres)).collect();
            scatter = points.iter().zip(&nearest).map(|(point, (_, distance))| point.weight * distance).sum();
            let settled = of.iter().zip(&nearest).all(|(before, (now, _))| before == now);
            of = nearest.into_iter().map(|(cluster, _)| cluster).collect();
            if settled {
                break;
            }
            for (cluster, centre) in centres.iter_mut().enumerate() {
                move_to_mean(points, &of, cluster, centre);
            }
        }
        Self { centres, of, scatter }
    }

    /// The Bayesian information criterion of Pelleg and Moore, section 3.2, for spherical clusters of one variance: the
    /// points' log-likelihood less half of `ln R` for each parameter. Weights count as points, scaled to their number.
    fn criterion(&self, points: &[Point]) -> f64 {
        let (number, clusters) = (points.len() as f64, self.centres.len() as f64);
        let dimensions = points.first().map_or(0, |point| point.at.len()) as f64;
        let scale = number / points.iter().map(|point| point.weight).sum::<f64>();
        let freedom = (number - clusters).max(1.0) * dimensions.max(1.0);
        let variance = (self.scatter * scale / freedom).max(LEAST_VARIANCE);
        let mut likelihood = 0.0;
        for cluster in 0..self.centres.len() {
            let members = points.iter().zip(&self.of).filter(|(_, of)| **of == cluster);
            let size: f64 = members.map(|(point, _)| point.weight * scale).sum();
            if size > 0.0 {
                likelihood += size * (size.ln() - number.ln());
            }
        }
        likelihood -= number * dimensions / 2.0 * (std::f64::consts::TAU * variance).ln();
        likelihood -= self.scatter * scale / (2.0 * variance);
        let parameters = clusters * (dimensions + 1.0);
        likelihood - parameters / 2.0 * number.ln()
    }

    /// Of each cluster the interval nearest its centre.
    fn representatives(&self, points: &[Point], total: f64) -> Vec<Representative> {
        let mut chosen = Vec::new();
        for (cluster, centre) in self.centres.iter().enumerate() {
            let members = || points.iter().enumerate().filter(|(index, _)| self.of[*index] == cluster);
            let weight: f64 = members().map(|(_, point)| point.weight).sum();
            let nearest = members().min_by(|a, b| a.1.distance(centre).total_cmp(&b.1.distance(centre)));
            if let Some((interval, _)) = nearest {
                chosen.push(Representative { interval, weight: weight / total });
            }
        }
        chosen.sort_by_key(|one| one.interval);
        chosen
    }
}

fn nearest(point: &Point, centres: &[Vec<f64>]) -> (usize, f64) {
    let distances = centres.iter().map(|centre| point.distance(centre)).enumerate();
    distances.min_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((0, 0.0))
}

/// Moves a centre to the weighted mean of its cluster; one that lost all its points stays.
fn move_to_mean(points: &[Point], of: &[usize], cluster: usize, centre: &mut [f64]) {
    let members = || points.iter().zip(of).filter(|(_, of)| **of == cluster).map(|(point, _)| point);
    let weight: f64 = members().map(|point| point.weight).sum();
    if weight <= 0.0 {
        return;
    }
    for (dimension, value) in centre.iter_mut().enumerate() {
        *value = members().map(|point| point.weight * point.at[dimension]).sum::<f64>() / weight;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::SplitMix64;

    fn interval(phase: usize, operators: u64, random: &mut SplitMix64) -> Interval {
        let vector = (0..15).map(|dimension| {
            let centre = if dimension == phase { 0.8 } else { 0.1 };
            (centre + 0.01 * unit(random)) as f32
        });
        // Each phase has its own time per operator, which the vectors do not tell.
        let cpu_seconds = operators as f64 * [1.0, 3.0, 9.0][phase];
        Interval { operators, vector: vector.collect(), cpu_seconds }
    }

    fn run(phases: &[usize]) -> Vec<Interval> {
        let mut random = SplitMix64::new(3);
        phases.iter().enumerate().map(|(at, phase)| interval(*phase, 1000 + at as u64, &mut random)).collect()
    }

    #[test]
    fn each_phase_has_one_representative_and_the_whole_time_is_found() {
        let phases: Vec<usize> = (0..60).map(|at| if at < 20 { 0 } else { 1 + at % 2 }).collect();
        let intervals = run(&phases);
        for seed in 0..20 {
            let chosen = representatives(&intervals, &mut SplitMix64::new(seed));
            assert_eq!(chosen.len(), 3, "{chosen:?}");
            assert!((chosen.iter().map(|one| one.weight).sum::<f64>() - 1.0).abs() < 1e-9);
            let whole: f64 = intervals.iter().map(|interval| interval.cpu_seconds).sum();
            let found = weighted(&intervals, &chosen, |interval| interval.cpu_seconds);
            assert!((found / whole - 1.0).abs() < 1e-6, "{found} {whole}");
        }
    }

    #[test]
    fn a_run_of_one_phase_has_one_representative() {
        let chosen = representatives(&run(&[1; 40]), &mut SplitMix64::new(1));
        assert_eq!(chosen.len(), 1, "{chosen:?}");
    }

    #[test]
    fn nothing_and_one_are_taken_as_they_are() {
        assert!(representatives(&[], &mut SplitMix64::new(1)).is_empty());
        let one = run(&[2]);
        assert_eq!(representatives(&one, &mut SplitMix64::new(1)), [Representative { interval: 0, weight: 1.0 }]);
        let same: Vec<Interval> = std::iter::repeat_n(one[0].clone(), 30).collect();
        assert_eq!(representatives(&same, &mut SplitMix64::new(1)).len(), 1);
    }
}
