//! A belief about one phase's time on every configuration: a mixture of Gaussian processes, each about one physical curve.
//!
//! Members differ in their curve and in how far real times are thought to stray from it: smoothly (a neighbouring
//! configuration strays alike) and each by itself. Members share their covariance per straying, so that a measurement costs
//! one rank-one update for each (Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, 2.2); weights follow
//! by Bayes' theorem.

use super::hypotheses::Capacity;
use super::linear::{Matrix, cholesky, forward, log_sum};
use crate::information::Gaussian;

/// What another program took: the configuration's place in the list, and seconds.
pub type Curve = Vec<(usize, f64)>;

/// Chance that a new program's phase is like one seen before, where nothing else is said; what other values would come to is
/// in docs/prediction.md.
pub const LIKE_ANOTHER: f64 = 0.25;

/// Deviations of the logarithm by which times stray smoothly from a curve.
const SMOOTH: [f64; 4] = [0.03, 0.06, 0.12, 0.24];

/// Distances over which they stray alike, as shares of the range of the configurations' logarithms.
const REACH: [f64; 3] = [0.25, 0.5, 1.0];

/// Deviations by which each configuration strays by itself, the same in every run.
const OWN: [f64; 4] = [0.02, 0.05, 0.1, 0.2];

/// Deviation of the logarithm of the level of a curve: a factor of twenty either way, that is, not known.
const LEVEL: f64 = 3.0;

/// The least time that is told from none, in seconds: what the recorded tables and process clocks resolve.
const LEAST: f64 = 1e-3;

/// What is known of a phase before anything of the program is measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prior<'a> {
    /// Curves of the same phase of other programs.
    pub others: &'a [Curve],
    /// Deviation of the logarithm between two runs of the same thing.
    pub noise: f64,
    /// Chance that this program is like one of the others.
    pub like_another: f64,
}

/// A belief about one phase.
#[derive(Debug, Clone)]
pub struct Mixture {
    strays: Vec<Stray>,
    noise: f64,
}

/// Members that stray alike.
#[derive(Debug, Clone)]
struct Stray {
    covariance: Matrix,
    /// Means of the logarithm: a member's curve by configuration.
    means: Vec<Vec<f64>>,
    /// Logarithms of the members' weights.
    weights: Vec<f64>,
}

impl Mixture {
    /// Before anything of the program is measured, on these configurations, `curves` being what is possible there.
    #[must_use]
    pub fn before(capacities: &[Capacity], curves: &[Vec<f64>], prior: &Prior<'_>) -> Self {
        let distances = distances(capacities);
        let mut strays = Vec::new();
        for smooth in SMOOTH {
            for reach in REACH {
                for own in OWN {
                    let covariance = covariance(&distances, smooth, reach, own);
                    strays.push(Stray::before(covariance, curves, prior));
                }
            }
        }
        let mut mixture = Self { strays, noise: prior.noise };
        mixture.normalise();
        mixture
    }

    /// Deviation of the logarithm between two runs of the same thing.
    #[must_use]
    pub fn noise(&self) -> f64 {
        self.noise
    }

    /// Takes a measurement in.
    pub fn update(&mut self, configuration: usize, seconds: f64) {
        let log = seconds.max(LEAST).ln();
        for stray in &mut self.strays {
            stray.update(configuration, log, self.noise);
        }
        self.normalise();
    }

    /// Mean and covariance of the logarithm of seconds.
    #[must_use]
    pub fn moments(&self) -> Gaussian {
        let count = self.strays.first().map_or(0, |stray| stray.covariance.len());
        let mut mean = vec![0.0; count];
        for (weight, curve) in self.strays.iter().flat_map(Stray::members) {
            mean.iter_mut().zip(curve).for_each(|(mean, value)| *mean += weight * value);
        }
        let mut covariance = vec![vec![0.0; count]; count];
        for stray in &self.strays {
            let share: f64 = stray.members().map(|(weight, _)| weight).sum();
            let mut add = |weight: f64, value: &dyn Fn(usize, usize) -> f64| {
                for (row, cells) in covariance.iter_mut().enumerate() {
                    cells.iter_mut().enumerate().for_each(|(column, cell)| *cell += weight * value(row, column));
                }
            };
            add(share, &|row, column| stray.covariance[row][column]);
            for (weight, curve) in stray.members().filter(|(weight, _)| *weight > 1e-9) {
                add(weight, &|row, column| (curve[row] - mean[row]) * (curve[column] - mean[column]));
            }
        }
        Gaussian { mean, covariance, noise: vec![self.noise * self.noise; count] }
    }

    fn normalise(&mut self) {
        let total = log_sum(self.strays.iter().flat_map(|stray| stray.weights.iter().copied()));
        self.strays.iter_mut().flat_map(|stray| &mut stray.weights).for_each(|weight| *weight -= total);
    }
}

impl Stray {
    /// Weights go by other programs' curves: how well members that stray so explain them says how likely this straying is, and
    /// a share of the prior goes to the members that explain one of them.
    fn before(covariance: Matrix, curves: &[Vec<f64>], prior: &Prior<'_>) -> Self {
        let even = -(curves.len().max(1) as f64).ln();
        let mut alike = vec![0.0; curves.len()];
        let mut evidence = 0.0;
        let seen = prior.others.iter().filter(|other| !other.is_empty());
        for other in seen.clone() {
            let logs = likelihoods(&covariance, curves, other, prior.noise);
            let total = log_sum(logs.iter().copied());
            evidence += total + even;
            alike.iter_mut().zip(&logs).for_each(|(alike, log)| *alike += (log - total).exp());
        }
        let seen = seen.count();
        let share = if seen == 0 { 0.0 } else { prior.like_another.clamp(0.0, 1.0) };
        let weight = |alike: f64| ((1.0 - share) * even.exp() + share * alike / seen.max(1) as f64).ln() + evidence;
        Self { weights: alike.into_iter().map(weight).collect(), means: curves.to_vec(), covariance }
    }

    fn members(&self) -> impl Iterator<Item = (f64, &Vec<f64>)> {
        self.weights.iter().map(|log| log.exp()).zip(&self.means)
    }

    fn update(&mut self, at: usize, log: f64, noise: f64) {
        let variance = self.covariance[at][at] + noise * noise;
        let gain: Vec<f64> = self.covariance[at].iter().map(|value| value / variance).collect();
        for (weight, mean) in self.weights.iter_mut().zip(&mut self.means) {
            let miss = log - mean[at];
            *weight -= (miss * miss / variance + variance.ln()) / 2.0;
            mean.iter_mut().zip(&gain).for_each(|(mean, gain)| *mean += gain * miss);
        }
        let measured = self.covariance[at].clone();
        for (row, gain) in self.covariance.iter_mut().zip(&gain) {
            row.iter_mut().zip(&measured).for_each(|(cell, value)| *cell -= gain * value);
        }
    }
}

/// The logarithm of each member's likelihood of another program's curve.
fn likelihoods(covariance: &Matrix, curves: &[Vec<f64>], other: &Curve, noise: f64) -> Vec<f64> {
    let cell = |row: usize, column: usize| {
        let diagonal = if row == column { noise * noise } else { 0.0 };
        covariance[other[row].0][other[column].0] + diagonal
    };
    let size = other.len();
    let lower = cholesky(&(0..size).map(|row| (0..size).map(|column| cell(row, column)).collect()).collect());
    let determinant: f64 = (0..size).map(|at| lower[at][at].ln()).sum();
    let likelihood = |curve: &Vec<f64>| {
        let misses: Vec<f64> = other.iter().map(|(at, seconds)| seconds.max(LEAST).ln() - curve[*at]).collect();
        let whitened = forward(&lower, &misses);
        -whitened.iter().map(|value| value * value).sum::<f64>() / 2.0 - determinant
    };
    curves.iter().map(likelihood).collect()
}

/// Squared distances between configurations, each feature's logarithm over its range.
fn distances(capacities: &[Capacity]) -> Matrix {
    let scaled = |feature: &dyn Fn(&Capacity) -> f64| -> Vec<f64> {
        let logs: Vec<f64> = capacities.iter().map(|capacity| feature(capacity).ln()).collect();
        let least = logs.iter().copied().fold(f64::INFINITY, f64::min);
        let range = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max) - least;
        logs.iter().map(|log| if range > 0.0 { (log - least) / range } else { 0.0 }).collect()
    };
    let features = [scaled(&|capacity| capacity.workers), scaled(&|capacity| capacity.cores)];
    let distance = |a: usize, b: usize| features.iter().map(|feature| (feature[a] - feature[b]).powi(2)).sum();
    let count = capacities.len();
    (0..count).map(|row| (0..count).map(|column| distance(row, column)).collect()).collect()
}

fn covariance(distances: &Matrix, smooth: f64, reach: f64, own: f64) -> Matrix {
    let cell = |row: usize, column: usize, distance: f64| {
        let alone = if row == column { own * own } else { 0.0 };
        LEVEL * LEVEL + smooth * smooth * (-distance / (2.0 * reach * reach)).exp() + alone
    };
    let row = |(at, row): (usize, &Vec<f64>)| row.iter().enumerate().map(|(to, far)| cell(at, to, *far)).collect();
    distances.iter().enumerate().map(row).collect()
}
