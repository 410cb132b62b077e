//! Whether a trial before the run is worth its price: the value of information (Raiffa and Schlaifer 1961).
//!
//! A trial runs the program on a tier that counts operators, up to a budget. Scenarios that end within it become known;
//! the rest become one group, "at least so long". Its gain is what choosing with that knowledge saves over choosing
//! now, in the scenario weights of [`crate::risk`]; its price is compiling for counting, the time until the budget or
//! the end, and the cores both take. The budget with the greatest net gain is offered, where any gains.

use forewarm_types::{Tier, Weights};

use crate::belief::Belief;
use crate::distribution::{NODES, Nodes, tame};
use crate::risk::{Risk, rates};
use crate::run_time::TIERS;

/// How far the wall limit of a trial lies beyond the time its operators are expected to take: a guard against counts
/// that take far longer than the model says, such as host calls that wait.
const WALL_SLACK: f64 = 4.0;

/// Whether and how long to try a code.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum ProbeMode {
    /// Where the expected gain is worth it.
    #[default]
    Auto,
    /// Not at all.
    Never,
    /// Always, at most so many seconds.
    Seconds(f64),
}

/// A trial worth making.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Probe {
    /// Operators after which it stops.
    pub max_ops: u64,
    /// Wall seconds of execution after which it stops, compiling not counted.
    pub max_wall_seconds: f64,
    /// What knowing its result is expected to save.
    pub expected_gain_dollars: f64,
    /// What it is expected to cost.
    pub price_dollars: f64,
}

/// The next trial worth making, if any; at most one is made per plan.
#[must_use]
pub fn next_probe(belief: &Belief, weights: &Weights, mode: ProbeMode) -> Option<Probe> {
    if belief.tried || mode == ProbeMode::Never {
        return None;
    }
    let metered = Metered::of(belief)?;
    let risk = Risk::assess(belief, weights);
    let costs = costs(belief, &risk);
    let per_op = belief.evidence.seconds_per_operator(belief.metered_tier())? * belief.machine.metered_run_factor;
    let probe = |budget: f64| Probe {
        max_ops: (budget / per_op).clamp(1.0, 1e18) as u64,
        max_wall_seconds: budget * WALL_SLACK,
        expected_gain_dollars: gain(&costs, &risk.weights, &metered.run, budget),
        price_dollars: price(belief, weights, &risk, &metered, budget),
    };
    if let ProbeMode::Seconds(seconds) = mode {
        let seconds = tame(seconds);
        return (seconds > 0.0).then(|| Probe { max_wall_seconds: seconds, ..probe(seconds) });
    }
    let net = |probe: &Probe| probe.expected_gain_dollars - probe.price_dollars;
    let best = metered.run.iter().map(|budget| probe(*budget)).max_by(|a, b| net(a).total_cmp(&net(b)))?;
    (net(&best) > 0.0).then_some(best)
}

/// The trial's own costs: wall and CPU seconds before its first instruction, and its run in each scenario.
struct Metered {
    entry_wall: f64,
    entry_cpu: f64,
    run: Nodes,
}

impl Metered {
    fn of(belief: &Belief) -> Option<Self> {
        let tier = belief.metered_tier();
        let climb = &belief.climbs[tier as usize];
        let run = belief.runs[tier as usize]?;
        let can = climb.known && belief.machine.executable_memory && belief.unsupported[tier as usize].is_none();
        let ready = climb.link.expected + climb.instantiate.expected;
        let factor = belief.machine.metered_compile_factor;
        can.then(|| Self {
            entry_wall: factor * climb.compile_wall(belief.most_threads()) + ready,
            entry_cpu: factor * climb.compile.expected + ready,
            run: run.nodes.map(|seconds| seconds * belief.machine.metered_run_factor * belief.machine.cpu_inflation),
        })
    }
}

/// Cost of each usable tier in each scenario.
fn costs(belief: &Belief, risk: &Risk) -> [Option<Nodes>; TIERS] {
    std::array::from_fn(|tier| {
        let (line, run) = (risk.lines[tier]?, belief.runs[tier]?);
        let fixed = if belief.standing[tier].contains(&true) { line.warm } else { line.cold };
        Some(run.nodes.map(|seconds| fixed + line.rate * seconds))
    })
}

/// What knowing the outcome of a trial with this budget saves.
fn gain(costs: &[Option<Nodes>; TIERS], weights: &Nodes, run: &Nodes, budget: f64) -> f64 {
    let over = |from: usize, cost: &Nodes| (from..NODES).map(|node| weights[node] * cost[node]).sum::<f64>();
    let least = |from: usize| costs.iter().flatten().map(|cost| over(from, cost)).min_by(f64::total_cmp);
    let ended = run.iter().take_while(|seconds| **seconds <= budget).count();
    let best =
        |node: usize| costs.iter().flatten().map(|cost| weights[node] * cost[node]).fold(f64::INFINITY, f64::min);
    let known: f64 = (0..ended).map(best).sum();
    match (least(0), least(ended)) {
        (Some(now), Some(later)) => (now - known - later).max(0.0),
        _ => 0.0,
    }
}

/// What a trial with this budget is expected to cost.
fn price(belief: &Belief, weights: &Weights, risk: &Risk, metered: &Metered, budget: f64) -> f64 {
    let (second, core) = rates(belief, weights);
    let run: f64 = metered.run.iter().zip(&risk.weights).map(|(run, weight)| weight * run.min(budget)).sum();
    second * (metered.entry_wall + run) + core * (metered.entry_cpu + run)
}

/// The tier a trial runs on, for messages and tests.
#[must_use]
pub fn trial_tier(belief: &Belief) -> Tier {
    belief.metered_tier()
}
