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

/// Runs on smaller inputs, each compiled for by itself.
const SMALLER_RUNS: f64 = 5.0;

/// Share of the run's operators that runs on smaller inputs execute together at most.
const SMALLER_SHARE: f64 = 0.1;

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
    /// Whether it is of smaller inputs, from which the run is foretold, and not of the run itself.
    pub smaller: bool,
}

/// The next trial worth making, if any: one of the run itself, and where that was outlasted and there are smaller inputs, one of
/// these.
#[must_use]
pub fn next_probe(belief: &Belief, weights: &Weights, mode: ProbeMode) -> Option<TrialProbe> {
    if mode == ProbeMode::Never {
        return None;
    }
    let scenarios = Scenarios::of(belief, weights)?;
    if belief.tried {
        let least = belief.evidence.at_least().filter(|_| belief.smaller_inputs)?;
        return smaller(&scenarios, least, mode, belief.probe_seconds);
    }
    let probe = |budget: f64, worth: Worth| TrialProbe {
        max_ops: (budget / scenarios.seconds_per_operator).clamp(1.0, 1e18) as u64,
        max_wall_seconds: (scenarios.metered.entry_wall + budget) * WALL_SLACK,
        expected_gain_dollars: worth.gain,
        price_dollars: worth.price,
        smaller: false,
    };
    if let ProbeMode::Seconds(seconds) = mode {
        // Half is left for smaller inputs, should the run outlast the other.
        let seconds = tame(seconds) * if belief.smaller_inputs { 0.5 } else { 1.0 };
        let worth = Budget(seconds).worth(&scenarios).filter(|_| seconds > 0.0)?;
        return Some(TrialProbe { max_wall_seconds: seconds, ..probe(seconds, worth) });
    }
    let budgets = scenarios.metered.run.map(Budget);
    most_valuable(&scenarios, &budgets).map(|(budget, worth)| probe(budget.0, worth))
}

/// Runs on smaller inputs, once the run itself has outlasted a trial and is known to execute at least so many operators: as
/// many are the most that all of them may execute.
fn smaller(scenarios: &Scenarios, least: f64, mode: ProbeMode, spent: f64) -> Option<TrialProbe> {
    let worth = SmallerInputs.worth(scenarios)?;
    let executes = least * scenarios.seconds_per_operator;
    let wall = (SMALLER_RUNS * scenarios.metered.entry_wall + executes) * WALL_SLACK;
    let probe = TrialProbe {
        max_ops: least.clamp(1.0, 1e18) as u64,
        max_wall_seconds: wall,
        expected_gain_dollars: worth.gain,
        price_dollars: worth.price,
        smaller: true,
    };
    match mode {
        ProbeMode::Seconds(seconds) => {
            let left = tame(seconds) - spent;
            (left > 0.0).then_some(TrialProbe { max_wall_seconds: left, ..probe })
        }
        ProbeMode::Auto | ProbeMode::Never => (worth.net() > 0.0).then_some(probe),
    }
}

/// Runs on smaller inputs, which tell every scenario from the others.
#[derive(Debug, Clone, Copy)]
struct SmallerInputs;

impl Probe for SmallerInputs {
    type Belief = Scenarios;

    fn worth(&self, belief: &Scenarios) -> Option<Worth> {
        let now = geometric_mean(&best_for(&belief.costs, 0..NODES)?);
        let run = &belief.metered.run;
        let knowing = knowing(&belief.costs, run, f64::INFINITY)?;
        let free = geometric_mean(&knowing);
        let (second, core) = belief.rates;
        let entries = SMALLER_RUNS * (second * belief.metered.entry_wall + core * belief.metered.entry_cpu);
        let paid = std::array::from_fn(|node| knowing[node] + entries + (second + core) * SMALLER_SHARE * run[node]);
        Some(Worth { gain: now - free, price: geometric_mean(&paid) - free })
    }
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
            run: run.nodes.map(|seconds| seconds * belief.machine.metered_run_factor * belief.slow_down(tier as usize)),
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
    let later = best_for(costs, ended.min(NODES - 1)..NODES)?;
    let least = |node: usize| costs.iter().flatten().map(|cost| cost[node]).fold(f64::INFINITY, f64::min);
    Some(std::array::from_fn(|node| if node < ended { least(node) } else { later[node] }))
}

fn geometric_mean(costs: &Nodes) -> f64 {
    tame((costs.iter().map(|cost| cost.max(1e-300).ln()).sum::<f64>() / NODES as f64).exp())
}
