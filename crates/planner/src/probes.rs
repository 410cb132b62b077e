//! Whether a trial before the run is worth its price: the value of information (Raiffa and Schlaifer 1961).
//!
//! A trial runs the program on a tier that counts operators, up to a budget. Scenarios that end within it become known;
//! the rest become one group, "at least so long", for which one choice must serve. What choosing with that knowledge is
//! worth is the difference of geometric mean costs, as everywhere in this planner ([`crate::risk`]): its gain is
//! `exp E[ln J_now] - exp E[ln J_knowing]`, its price `exp E[ln (J_knowing + trial)] - exp E[ln J_knowing]`, the trial
//! being compiling for counting, the time until the budget or the end, and the cores both take. The budget with the
//! greatest net gain is offered, where any gains.

use std::ops::Range;

use forewarm_types::Weights;

use crate::belief::Belief;
use crate::distribution::{NODES, Nodes, tame};
use crate::information::{Probe, Worth, most_valuable};
use crate::risk::{Risk, rates};
use crate::run_time::TIERS;

/// How far the wall limit of a trial lies beyond the time it is expected to take, compiling included: a guard against counts
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
pub struct TrialProbe {
    /// Operators after which it stops.
    pub max_ops: u64,
    /// Wall seconds from its beginning after which it stops, compiling included.
    pub max_wall_seconds: f64,
    /// What knowing its result is expected to save.
    pub expected_gain_dollars: f64,
    /// What it is expected to cost.
    pub price_dollars: f64,
}

/// The next trial worth making, if any; at most one is made per plan.
#[must_use]
pub fn next_probe(belief: &Belief, weights: &Weights, mode: ProbeMode) -> Option<TrialProbe> {
    if belief.tried || mode == ProbeMode::Never {
        return None;
    }
    let scenarios = Scenarios::of(belief, weights)?;
    let probe = |budget: f64, worth: Worth| TrialProbe {
        max_ops: (budget / scenarios.seconds_per_operator).clamp(1.0, 1e18) as u64,
        max_wall_seconds: (scenarios.metered.entry_wall + budget) * WALL_SLACK,
        expected_gain_dollars: worth.gain,
        price_dollars: worth.price,
    };
    if let ProbeMode::Seconds(seconds) = mode {
        let seconds = tame(seconds);
        let worth = Budget(seconds).worth(&scenarios).filter(|_| seconds > 0.0)?;
        return Some(TrialProbe { max_wall_seconds: seconds, ..probe(seconds, worth) });
    }
    let budgets = scenarios.metered.run.map(Budget);
    most_valuable(&scenarios, &budgets).map(|(budget, worth)| probe(budget.0, worth))
}

/// A trial of so many seconds of execution.
#[derive(Debug, Clone, Copy)]
struct Budget(f64);

/// What a trial is judged by: the tiers' costs in each scenario, and its own.
struct Scenarios {
    costs: [Option<Nodes>; TIERS],
    metered: Metered,
    seconds_per_operator: f64,
    /// Dollars per second of the critical path, and per core-second.
    rates: (f64, f64),
}

impl Scenarios {
    fn of(belief: &Belief, weights: &Weights) -> Option<Self> {
        let per_operator = belief.evidence.seconds_per_operator(belief.metered_tier())?;
        Some(Self {
            costs: costs(belief, &Risk::assess(belief, weights)),
            metered: Metered::of(belief)?,
            seconds_per_operator: per_operator * belief.machine.metered_run_factor,
            rates: rates(belief, weights),
        })
    }

    /// What a trial costs that executes for so many seconds.
    fn price(&self, executes: f64) -> f64 {
        let (second, core) = self.rates;
        second * (self.metered.entry_wall + executes) + core * (self.metered.entry_cpu + executes)
    }
}

impl Probe for Budget {
    type Belief = Scenarios;

    fn worth(&self, belief: &Scenarios) -> Option<Worth> {
        let now = geometric_mean(&best_for(&belief.costs, 0..NODES)?);
        let run = &belief.metered.run;
        let knowing = knowing(&belief.costs, run, self.0)?;
        let free = geometric_mean(&knowing);
        let paid = std::array::from_fn(|node| knowing[node] + belief.price(run[node].min(self.0)));
        Some(Worth { gain: now - free, price: geometric_mean(&paid) - free })
    }
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

/// Costs, in some scenarios, of the tier with the least geometric mean over them; zeros outside.
fn best_for(costs: &[Option<Nodes>; TIERS], scenarios: Range<usize>) -> Option<Nodes> {
    let logs = |cost: &&Nodes| scenarios.clone().map(|node| cost[node].max(1e-300).ln()).sum::<f64>();
    costs.iter().flatten().min_by(|a, b| logs(a).total_cmp(&logs(b))).copied()
}

/// Cost in each scenario of choosing after a free trial with this budget.
fn knowing(costs: &[Option<Nodes>; TIERS], run: &Nodes, budget: f64) -> Option<Nodes> {
    let ended = run.iter().take_while(|seconds| **seconds <= budget).count();
    let later = best_for(costs, ended..NODES)?;
    let least = |node: usize| costs.iter().flatten().map(|cost| cost[node]).fold(f64::INFINITY, f64::min);
    Some(std::array::from_fn(|node| if node < ended { least(node) } else { later[node] }))
}

fn geometric_mean(costs: &Nodes) -> f64 {
    tame((costs.iter().map(|cost| cost.max(1e-300).ln()).sum::<f64>() / NODES as f64).exp())
}
