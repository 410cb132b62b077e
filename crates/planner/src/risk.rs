//! Deciding under heavy tails: how scenarios are weighed so that the cheapest plan is cheapest in ratio, term by term.
//!
//! A belief is a set of equally likely scenarios, each a run length; a plan's cost in scenario `i` is linear in it,
//! `J_c(i) = a_c + b_c R(i)`. The plan with the least geometric mean cost, `min over c of E[ln J_c]`, is what does best in
//! ratio over many programs. Logarithms do not add up term by term; but for two plans with costs `A` and `B`,
//! `ln A - ln B = (A - B) / L(A, B)` exactly, with `L` the logarithmic mean `(A - B) / (ln A - ln B)`. So with scenarios
//! weighed by `w(i) = 1 / L(i)`, taken between the two best tiers, comparing weighed mean costs *is* comparing geometric
//! means, and the terms of a weighed mean cost still add up. Weights sum to one; where the run length is known they are
//! equal, and the weighed mean is the plain one.

use forewarm_types::{Tier, Weights};

use crate::belief::Belief;
use crate::distribution::{NODES, Nodes};
use crate::run_time::TIERS;

/// A tier's cost for this run as a line over its CPU seconds, with the best shape it can have: dollars.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Line {
    /// What the run costs before its first instruction, if the tier's artifact does not stand.
    pub cold: f64,
    /// The same where it stands.
    pub warm: f64,
    /// Dollars per CPU second of the run.
    pub rate: f64,
}

/// What the belief comes to under given weights: weighed run lengths and the tiers' lines.
#[derive(Debug, Clone)]
pub(crate) struct Risk {
    /// Weighed mean CPU seconds of the run by tier; `None` for a tier that cannot run.
    pub run_seconds: [Option<f64>; TIERS],
    pub lines: [Option<Line>; TIERS],
}

impl Risk {
    pub fn assess(belief: &Belief, weights: &Weights) -> Self {
        let lines = Tier::ALL.map(|tier| usable(belief, tier).then(|| line(belief, weights, tier)));
        let node_weights = scenario_weights(belief, &lines);
        let run_seconds = std::array::from_fn(|tier| {
            // A tier rejected by a rule is still priced, so that the table can show what it would have cost.
            belief.runs[tier].map(|run| run.nodes.iter().zip(&node_weights).map(|(run, weight)| run * weight).sum())
        });
        Self { run_seconds, lines }
    }

    /// Cost of a run on a tier at its weighed mean length.
    pub fn mean_cost(&self, tier: usize, standing: bool) -> Option<f64> {
        let line = self.lines[tier]?;
        Some(if standing { line.warm } else { line.cold } + line.rate * self.run_seconds[tier]?)
    }
}

/// Whether any candidate of a tier can pass the rules that look at the tier alone.
pub(crate) fn usable(belief: &Belief, tier: Tier) -> bool {
    let index = tier as usize;
    belief.constraints.tier.is_none_or(|wanted| wanted == tier)
        && belief.unsupported[index].is_none()
        && (belief.machine.executable_memory || tier == Tier::Pulley)
        && belief.climbs[index].known
        && belief.runs[index].is_some()
}

/// Value of a second of the critical path and of a core-second at work.
pub(crate) fn rates(belief: &Belief, weights: &Weights) -> (f64, f64) {
    let core = weights.price_factor * belief.machine.core_price + weights.dollars_per_joule * belief.machine.core_watts;
    (weights.dollars_per_second, core)
}

fn line(belief: &Belief, weights: &Weights, tier: Tier) -> Line {
    let climb = &belief.climbs[tier as usize];
    let (second, core) = rates(belief, weights);
    let begun = second * (belief.spent_seconds + belief.probe_seconds + belief.machine.process_seconds);
    let ready = climb.link.expected + climb.instantiate.expected;
    let compile = second * climb.compile_wall(belief.most_threads()) + core * climb.compile.expected;
    Line {
        cold: begun + compile + (second + core) * ready,
        warm: begun + (second + core) * (ready + climb.map.expected),
        rate: (second + core) * belief.slow_down(tier as usize),
    }
}

fn cost_at(belief: &Belief, lines: &[Option<Line>; TIERS], tier: usize, node: usize) -> Option<f64> {
    let (line, run) = (lines[tier]?, belief.runs[tier]?);
    let fixed = if belief.standing[tier].contains(&true) { line.warm } else { line.cold };
    Some(fixed + line.rate * run.nodes[node])
}

/// Weights of the scenarios: the reciprocal of the logarithmic mean of the two best tiers' costs in each.
fn scenario_weights(belief: &Belief, lines: &[Option<Line>; TIERS]) -> Nodes {
    let mut ranked: Vec<(f64, usize)> = (0..TIERS)
        .filter_map(|tier| {
            let logs = (0..NODES).map(|node| cost_at(belief, lines, tier, node).map(|cost| cost.max(1e-300).ln()));
            logs.sum::<Option<f64>>().map(|sum| (sum, tier))
        })
        .collect();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    let best = ranked.first().map(|(_, tier)| *tier);
    let other = ranked.get(1).map(|(_, tier)| *tier).or(best);
    let mut weights: Nodes = std::array::from_fn(|node| {
        let cost = |tier: Option<usize>| tier.and_then(|tier| cost_at(belief, lines, tier, node));
        match (cost(best), cost(other)) {
            (Some(a), Some(b)) => 1.0 / logarithmic_mean(a, b).max(1e-30),
            _ => 1.0,
        }
    });
    let sum: f64 = weights.iter().sum();
    let even = 1.0 / NODES as f64;
    weights = weights.map(|weight| if sum.is_finite() && sum > 0.0 { weight / sum } else { even });
    weights
}

/// `(a - b) / (ln a - ln b)`; `a` where they are equal.
fn logarithmic_mean(a: f64, b: f64) -> f64 {
    let (a, b) = (a.max(1e-300), b.max(1e-300));
    let ratio = (a / b).ln();
    if ratio.abs() < 1e-6 { (a + b) / 2.0 } else { (a - b) / ratio }
}

/// CPU seconds of a run on `slower`'s rival `faster` at which the two tiers cost the same now: below, the one that
/// climbs cheaper wins; above, the one that runs cheaper.
///
/// `R* = (c_f - c_s) / (k_s r - k_f)` with `c` the costs before the first instruction, `k` dollars per CPU second, and
/// `r` the ratio of the two tiers' run times. `None` where they never cross.
#[must_use]
pub fn break_even_seconds(belief: &Belief, weights: &Weights, slower: Tier, faster: Tier) -> Option<f64> {
    let (slow, fast) = (slower as usize, faster as usize);
    let [from, to] = [slower, faster].map(|tier| line(belief, weights, tier));
    let fixed = |tier: usize, line: Line| if belief.standing[tier].contains(&true) { line.warm } else { line.cold };
    let middle = NODES / 2;
    let ratio = belief.runs[slow]?.nodes[middle] / belief.runs[fast]?.nodes[middle];
    let seconds = (fixed(fast, to) - fixed(slow, from)) / (from.rate * ratio - to.rate);
    (seconds.is_finite() && seconds > 0.0).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithmic_mean_makes_differences_of_logarithms() {
        for (a, b) in [(1.0, 5.0), (3.0, 3.0), (1e-9, 1e3)] {
            let mean = logarithmic_mean(a, b);
            assert!(((a - b) / mean - (a / b).ln()).abs() < 1e-9, "{a} {b}");
        }
    }
}
