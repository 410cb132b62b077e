//! How long something takes on configurations that were not measured, from few that were: a belief over configurations and
//! outcomes, and which measurement would change the choice most.
//!
//! The belief is over the logarithm of time, of each phase by itself. What is known beforehand is physics: times of parallel
//! work are sums of products of powers of what it is given ([`hypotheses`]). What else there is comes from other programs'
//! curves ([`Mixture`]). [`ScalingBelief`] joins the phases; [`crate::information`] says what to measure next. Pure: whether
//! a measurement is a run or a row of a recorded table is the caller's affair. Used by `examples/recorded.rs`.

mod hypotheses;
mod linear;
mod mixture;

use forewarm_types::estimate::Z95;
use forewarm_types::{Basis, Estimate};

use crate::information::{Gaussian, Probe, Worth, knowledge_gradient};

pub use hypotheses::{Capacity, hypotheses};
pub use mixture::{Curve, LIKE_ANOTHER, Mixture, Prior};

/// What is thought of a program's time on every configuration: the sum of its phases.
#[derive(Debug, Clone)]
pub struct ScalingBelief {
    phases: Vec<Mixture>,
}

/// What is made small: `price · seconds^exponent`, the price being the configuration's own.
///
/// Latency is the price 1 and the exponent 1; cost the rent per second and the exponent 1; cost × time the rent and 2.
#[derive(Debug, Clone, PartialEq)]
pub struct PowerObjective {
    /// Price of each configuration, in any one unit per second to the exponent.
    pub prices: Vec<f64>,
    /// The power of time.
    pub exponent: f64,
}

/// Measuring one configuration, that is, running there once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setting<'a> {
    /// The configuration, by its place in the list the belief was made from.
    pub configuration: usize,
    /// What is made small.
    pub objective: &'a PowerObjective,
    /// Runs for which the choice will be used; the measurement's price is that of one run. Infinite where measurements
    /// are limited by number alone.
    pub uses: f64,
}

impl ScalingBelief {
    /// From a belief about each phase, all over the same configurations.
    #[must_use]
    pub fn of(phases: Vec<Mixture>) -> Self {
        Self { phases }
    }

    /// Takes a measurement in: seconds of each phase on a configuration.
    pub fn update(&mut self, configuration: usize, seconds: &[f64]) {
        for (phase, seconds) in self.phases.iter_mut().zip(seconds) {
            phase.update(configuration, *seconds);
        }
    }

    /// The logarithm of the whole time on every configuration as a Gaussian: to first order each phase's deviation counts
    /// by its share of the sum, phases being independent (the delta method; Fenton 1960 for sums of log-normals).
    #[must_use]
    pub fn log_seconds(&self) -> Gaussian {
        let parts: Vec<Gaussian> = self.phases.iter().map(Mixture::moments).collect();
        let count = parts.first().map_or(0, |part| part.mean.len());
        let sums: Vec<f64> = (0..count).map(|at| parts.iter().map(|part| part.mean[at].exp()).sum()).collect();
        let mut covariance = vec![vec![0.0; count]; count];
        let mut noise = vec![0.0; count];
        for (part, phase) in parts.iter().zip(&self.phases) {
            let share: Vec<f64> = part.mean.iter().zip(&sums).map(|(log, sum)| log.exp() / sum).collect();
            for (at, row) in covariance.iter_mut().enumerate() {
                for (to, cell) in row.iter_mut().enumerate() {
                    *cell += share[at] * share[to] * part.covariance[at][to];
                }
            }
            noise.iter_mut().zip(&share).for_each(|(noise, share)| *noise += (share * phase.noise()).powi(2));
        }
        Gaussian { mean: sums.iter().map(|sum| sum.ln()).collect(), covariance, noise }
    }

    /// Predicted seconds on every configuration.
    #[must_use]
    pub fn seconds(&self) -> Vec<Estimate> {
        let logs = self.log_seconds();
        let deviation = |at: usize| (logs.covariance[at][at] + logs.noise[at]).max(0.0).sqrt();
        let estimate = |(at, log): (usize, &f64)| {
            let spread = Z95 * deviation(at);
            Estimate::new((log - spread).exp(), log.exp(), (log + spread).exp(), Basis::Emulated)
        };
        logs.mean.iter().enumerate().map(estimate).collect()
    }
}

impl PowerObjective {
    /// The logarithm of cost where that of time is a Gaussian.
    fn log_cost(&self, logs: &Gaussian) -> Gaussian {
        let square = self.exponent * self.exponent;
        let scaled = |row: &Vec<f64>| row.iter().map(|value| value * square).collect();
        Gaussian {
            mean: self.prices.iter().zip(&logs.mean).map(|(price, log)| price.ln() + self.exponent * log).collect(),
            covariance: logs.covariance.iter().map(scaled).collect(),
            noise: logs.noise.iter().map(|noise| noise * square).collect(),
        }
    }

    /// The configuration with the least expected logarithm of cost (see the crate's page); `None` where there is none.
    #[must_use]
    pub fn best(&self, logs: &Gaussian) -> Option<usize> {
        let costs = self.log_cost(logs).mean;
        (0..costs.len()).min_by(|a, b| costs[*a].total_cmp(&costs[*b]))
    }
}

impl Probe for Setting<'_> {
    type Belief = Gaussian;

    /// In units of the cost of one run of the choice made now: what knowing would save over all uses, and what this run
    /// costs.
    fn worth(&self, belief: &Gaussian) -> Option<Worth> {
        let costs = self.objective.log_cost(belief);
        let now = costs.mean.iter().copied().fold(f64::INFINITY, f64::min);
        let gain = 1.0 - (-knowledge_gradient(&costs, self.configuration)).exp();
        let price = (costs.mean.get(self.configuration)? - now).exp();
        Some(if self.uses.is_finite() { Worth { gain: gain * self.uses, price } } else { Worth { gain, price: 0.0 } })
    }
}

#[cfg(test)]
mod tests;
