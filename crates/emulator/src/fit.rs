//! Costs per operator class from operator counts and times of many kernels.
//!
//! With `c[k][j]` operators of class `j` in kernel `k`, which takes `t[k]`, and `h[k]` what hinders it (mispredicted
//! branches, and loops whose chain of results takes longer than their operators), the costs are the positive `x` that
//! minimise `Σ w[k] (ln (Σ_j c[k][j] x[j] + h[k]) − ln t[k])² + ρ Σ_j (ln x[j] − ln (s d[j]))²`. The first sum is the error as a
//! factor, which is what predictions are judged by: twice too much weighs as twice too little. The second draws each
//! cost towards its default `d[j]`, scaled to this machine by `s`, so that classes which no kernel tells apart (the
//! local and the addition it feeds) share their cost sensibly rather than one taking it all, and none is free
//! (Tikhonov 1963). Pure arithmetic; called by [`crate::calibrate()`].

use crate::nnls;

/// `ρ`: for each class the prior weighs a twentieth of a kernel. On kernels outside the fit (`examples/accuracy.rs`),
/// 0.05 gave truer times and differences between tiers than 0.01; absolute times hardly depend on it.
const PRIOR_WEIGHT: f64 = 0.05;

/// Share of its scaled default below which a cost is not linearised: the tangent of the logarithm is too steep there.
const LEAST_SHARE: f64 = 1e-3;

/// Share of a kernel's time that its own operators take at least, when the defaults are scaled.
const LEAST_OWN_SHARE: f64 = 0.1;

/// Gauss-Newton rounds; the fit settles in about eight.
const ROUNDS: usize = 30;

/// Most that a round trusts the linear form of the logarithm: a factor e.
const LONGEST_STEP: f64 = 1.0;

/// What a kernel takes beyond its operators, in the unit of the times.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hindrance {
    /// Whatever its operators cost.
    pub fixed: f64,
    /// Loops: their operators by class, and what their chain takes. A loop takes the longer of the two.
    pub chains: Vec<(Vec<f64>, f64)>,
}

impl Hindrance {
    /// The time as a linear form where the costs are near these: operators that count, and what is added.
    fn around(&self, row: &[f64], costs: &[f64]) -> (Vec<f64>, f64) {
        let (mut row, mut fixed) = (row.to_vec(), self.fixed);
        for (operators, length) in &self.chains {
            if dot(operators, costs) < *length {
                row.iter_mut().zip(operators).for_each(|(all, hidden)| *all = (*all - hidden).max(0.0));
                fixed += length;
            }
        }
        (row, fixed)
    }

    /// The time of these operators at these costs.
    pub fn time(&self, row: &[f64], costs: &[f64]) -> f64 {
        let (row, fixed) = self.around(row, costs);
        dot(&row, costs) + fixed
    }
}

/// Counts, times and the defaults.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    /// Operators by class, a row for each kernel.
    pub rows: Vec<Vec<f64>>,
    /// Time of each kernel.
    pub times: Vec<f64>,
    /// Weight of each kernel.
    pub weights: Vec<f64>,
    /// What hinders each kernel.
    pub hindered: Vec<Hindrance>,
    /// Default cost of each class, in any common unit; 0 for none.
    pub prior: Vec<f64>,
}

impl Problem {
    /// The costs, in the unit of the times; none without kernels.
    #[must_use]
    pub fn solve(&self) -> Vec<f64> {
        let scale = self.scale();
        let start: Vec<f64> = self.prior.iter().map(|default| default * scale).collect();
        // Gauss and Newton: ln p is replaced by its tangent at the last solution's p, which leaves a linear problem.
        (0..ROUNDS).fold(start.clone(), |costs, _| self.step(&costs, &start))
    }

    /// The factor that brings the defaults nearest the times: the weighted geometric mean of actual over predicted.
    fn scale(&self) -> f64 {
        let (mut sum, mut weight) = (0.0, 0.0);
        for (((row, time), kernel_weight), hindrance) in
            self.rows.iter().zip(&self.times).zip(&self.weights).zip(&self.hindered)
        {
            let predicted = dot(row, &self.prior);
            if predicted > 0.0 {
                let own = (time - hindrance.fixed).max(LEAST_OWN_SHARE * time);
                sum += kernel_weight * (own / predicted).ln();
                weight += kernel_weight;
            }
        }
        if weight > 0.0 { (sum / weight).exp() } else { 1.0 }
    }

    fn step(&self, costs: &[f64], prior: &[f64]) -> Vec<f64> {
        let mut rows = Vec::new();
        let mut targets = Vec::new();
        for (((row, time), weight), hindrance) in
            self.rows.iter().zip(&self.times).zip(&self.weights).zip(&self.hindered)
        {
            let (row, fixed) = hindrance.around(row, costs);
            let predicted = (dot(&row, costs) + fixed).max(time * 1e-3);
            let root = weight.sqrt();
            rows.push(row.iter().map(|count| root * count / predicted).collect());
            let apart = (time / predicted).ln().clamp(-LONGEST_STEP, LONGEST_STEP);
            targets.push(root * (1.0 + apart - fixed / predicted));
        }
        for (class, default) in prior.iter().enumerate().filter(|(_, default)| **default > 0.0) {
            let cost = costs[class].max(default * LEAST_SHARE);
            let mut row = vec![0.0; prior.len()];
            row[class] = PRIOR_WEIGHT.sqrt() / cost;
            rows.push(row);
            targets.push(PRIOR_WEIGHT.sqrt() * (1.0 + (default / cost).ln().clamp(-LONGEST_STEP, LONGEST_STEP)));
        }
        nnls::solve(&rows, &targets, 0.0)
    }
}

fn dot(row: &[f64], costs: &[f64]) -> f64 {
    row.iter().zip(costs).map(|(count, cost)| count * cost).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(rows: &[&[f64]], times: &[f64], prior: &[f64]) -> Problem {
        let rows: Vec<Vec<f64>> = rows.iter().map(|row| row.to_vec()).collect();
        let hindered = vec![Hindrance::default(); rows.len()];
        Problem { weights: vec![1.0; rows.len()], rows, times: times.to_vec(), hindered, prior: prior.to_vec() }
    }

    #[test]
    fn consistent_times_give_their_costs() {
        let rows: [&[f64]; 4] = [&[10.0, 1.0], &[1.0, 10.0], &[5.0, 5.0], &[30.0, 2.0]];
        let times = rows.map(|row| 2.0 * row[0] + 0.5 * row[1]);
        let costs = problem(&rows, &times, &[1.0, 1.0]).solve();
        assert!((costs[0] - 2.0).abs() < 0.1 && (costs[1] - 0.5).abs() < 0.05, "{costs:?}");
    }

    #[test]
    fn classes_that_come_together_share_as_their_defaults_do() {
        let costs = problem(&[&[1.0, 1.0], &[2.0, 2.0]], &[6.0, 12.0], &[1.0, 2.0]).solve();
        assert!((costs[0] - 2.0).abs() < 0.01 && (costs[1] - 4.0).abs() < 0.01, "{costs:?}");
    }

    #[test]
    fn errors_balance_as_factors() {
        let costs = problem(&[&[1.0], &[1.0]], &[1.0, 4.0], &[2.0]).solve();
        assert!((costs[0] - 2.0).abs() < 0.01, "{costs:?}");
    }

    #[test]
    fn what_hinders_is_no_cost_of_operators() {
        // Twelve operators at 2; once beside 40 of mispredictions, once in a chain that takes 100 whatever they cost.
        let mut problem = problem(&[&[12.0], &[12.0], &[12.0]], &[24.0, 64.0, 100.0], &[1.0]);
        problem.hindered[1].fixed = 40.0;
        problem.hindered[2].chains = vec![(vec![12.0], 100.0)];
        let costs = problem.solve();
        assert!((costs[0] - 2.0).abs() < 0.05, "{costs:?}");
        assert!((problem.hindered[2].time(&[12.0], &costs) - 100.0).abs() < 1e-9);
    }

    #[test]
    fn no_kernel_leaves_the_defaults() {
        let costs = problem(&[], &[], &[3.0]).solve();
        assert!((costs[0] - 3.0).abs() < 1e-9, "{costs:?}");
    }
}
