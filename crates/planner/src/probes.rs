//! Whether a trial before the run is worth its price: the value of information (Raiffa and Schlaifer 1961).
//!
//! A trial runs the program on a tier that counts operators, up to a budget. Scenarios that end within it become known;
//! the rest become one group, "at least so long", for which one choice must serve. What choosing with that knowledge is
//! worth is the difference of geometric mean costs, as everywhere in this planner ([`crate::risk`]): its gain is
//! `exp E[ln J_now] - exp E[ln J_knowing]`, its price `exp E[ln (J_knowing + trial)] - exp E[ln J_knowing]`, the trial
//! being compiling for counting, the time until the budget or the end, and the cores both take. The budget with the
//! greatest net gain is offered, where any gains.

use std::ops::Range;

use forewarm_resources::defaults::TIMING_LOG_DEVIATION;
use forewarm_types::plan::TrialLimits;
use forewarm_types::{Tier, Weights};

use crate::belief::Belief;
use crate::distribution::{NODES, Nodes, tame};
use crate::information::{Gaussian, Probe, Worth, knowledge_gradient, most_valuable};
use crate::risk::{Risk, rates};
use crate::run_time::TIERS;
use crate::seen::SHORTEST_WHOLE;

/// How far the time a trial may take lies beyond what it is expected to, compiling included: a guard against counts that take
/// far longer than the model says, such as host calls that wait.
const SLACK: f64 = 4.0;

/// Runs on smaller inputs.
const SMALLER_RUNS: f64 = 5.0;

/// Share of a budget that counting smaller inputs may take, compiling included: the rest times them, on code that runs several times as
/// fast. A choice, as are the next two.
const COUNTED: f64 = 0.4;

/// Share of what is left of a budget that timing on one tier may take where others are to be timed too.
const TIMED: f64 = 0.6;

/// Share of a budget that may go into compiling what the run itself will not use: counting code's windows, and code of other tiers
/// than the one that would be chosen.
const MOST_ENTRY: f64 = 0.3;

/// Share of what counting may take that compiling for it may: where it would be more, times alone must tell.
const MOST_COMPILED: f64 = 0.5;

/// Share of compiling counting code that is left where windows are left out: half of that code.
const WINDOWLESS: f64 = 0.5;

/// A tier that is thought to cost so many times as much as the best need not be timed.
const HOPELESS: f64 = 8.0;

/// The chance of being chosen, once more is known, from which something is left for timing a tier. A choice.
const LIKELY: f64 = 0.1;

/// Share of a run's operators that a trial of it, or runs on smaller inputs together, execute at most, where it is sure to take
/// [`LONG_SECONDS`] or more.
const MOST_SHARE: f64 = 0.1;

/// Seconds of a run from which trials of it are held to a share: the longest wait that leaves a user's flow of thought unbroken
/// (Nielsen, "Usability Engineering", 1993, chapter 5), so that a shorter one may as well be tried to its end.
const LONG_SECONDS: f64 = 1.0;

/// The tier whose code runs fastest: what it gains over the others is what a plan turns on.
const OPTIMISER: Tier = Tier::Cranelift;

/// Whether and how long to try a code.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum ProbeMode {
    /// Where the expected gain is worth it.
    #[default]
    Auto,
    /// Not at all.
    Never,
    /// Always, at most so many seconds of CPU time.
    Seconds(f64),
}

/// What a trial is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeKind {
    /// The run itself, counted, from its beginning.
    Run,
    /// Smaller inputs, counted, from which the run is foretold.
    Smaller,
    /// Smaller inputs, timed on a tier's own code.
    Timed(Tier),
}

/// A trial worth making.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrialProbe {
    /// What it is of.
    pub kind: ProbeKind,
    /// What it may take, compiling included.
    pub limits: TrialLimits,
    /// Whether accesses and branches are worth being looked at in windows, for which twice the code is compiled.
    pub windows: bool,
    /// CPU seconds that are kept for timing another tier, and may be used where nothing was told without.
    pub kept_cpu_seconds: f64,
    /// Whether the run is thought to need the code that is made for it, so that making it is none of its cost.
    pub own_code: bool,
    /// What knowing its result is expected to save.
    pub expected_gain_dollars: f64,
    /// What it is expected to cost.
    pub price_dollars: f64,
}

/// The next trial worth making, if any. Where a budget is given, it is used ([`within`]): for smaller inputs first, where there are any,
/// since some of them end however little it is. Otherwise a trial of the run itself comes first; where that was outlasted and there are
/// smaller inputs, these. Where it is then known how much the run executes, how fast the optimising tier does.
#[must_use]
pub fn next_probe(belief: &Belief, weights: &Weights, mode: ProbeMode) -> Option<TrialProbe> {
    let scenarios = || Scenarios::of(belief, weights);
    match mode {
        ProbeMode::Never => None,
        ProbeMode::Seconds(seconds) => {
            let left = tame(seconds) - belief.probe_cpu_seconds;
            (left > 0.0).then(scenarios).flatten().and_then(|scenarios| within(&scenarios, belief, left))
        }
        ProbeMode::Auto if !belief.tried => whole(&scenarios()?),
        ProbeMode::Auto => {
            let scenarios = scenarios()?;
            smaller(&scenarios, belief).or_else(|| timed(&scenarios))
        }
    }
}

/// What to make of so many seconds that are to be used: smaller inputs counted, then timed on one tier after the other, the one that
/// would be chosen first; then the run's own beginning.
fn within(scenarios: &Scenarios, belief: &Belief, left: f64) -> Option<TrialProbe> {
    let compiles = scenarios.metered.entry_cpu;
    let windows = compiles <= MOST_ENTRY * left;
    if belief.smaller_inputs && !belief.foretold {
        let timing = belief.timed.contains(&false);
        let share = if timing { COUNTED * left } else { left };
        let entry = if windows { compiles } else { WINDOWLESS * compiles };
        if entry <= MOST_COMPILED * share || !timing {
            let operators = (left / scenarios.seconds_per_operator).clamp(1.0, 1e18) as u64;
            let limits = TrialLimits { operators, cpu_seconds: share, wall_seconds: left * SLACK };
            let probe = probe(ProbeKind::Smaller, SmallerInputs.worth(scenarios)?, limits);
            return Some(TrialProbe { windows, ..probe });
        }
    }
    let timed = || belief.smaller_inputs.then(|| timed_next(scenarios, belief, left)).flatten();
    let begun = || begun(scenarios, left).filter(|_| !belief.tried && (windows || !belief.smaller_inputs));
    timed().or_else(|| begun().map(|probe| TrialProbe { windows, ..probe }))
}

/// The tier on which smaller inputs are to be timed next: the one that would be chosen, whose code the run needs anyway; then
/// those that compile for little of what is left, the nearest in cost first.
fn timed_next(scenarios: &Scenarios, belief: &Belief, left: f64) -> Option<TrialProbe> {
    let cost = |tier: Tier| scenarios.costs[tier as usize].map(|costs| geometric_mean(&costs));
    let mut tiers: Vec<(Tier, f64)> = Tier::ALL.into_iter().filter_map(|tier| Some((tier, cost(tier)?))).collect();
    tiers.sort_by(|a, b| a.1.total_cmp(&b.1));
    let &(_, least) = tiers.first()?;
    let most_entry = MOST_ENTRY * (left + belief.probe_cpu_seconds);
    let untimed = tiers.into_iter().enumerate().filter(|(_, (tier, _))| !belief.timed[*tier as usize]);
    // What was made for another tier that was to be chosen is wasted where this one is.
    let own = |place: usize| place == 0 && belief.own_code_seconds < left;
    let affordable = |(place, (tier, cost)): &(usize, (Tier, f64))| {
        let entry = belief.climbs[*tier as usize].compile.expected;
        own(*place) || (entry <= most_entry.min(left) && *cost <= HOPELESS * least)
    };
    let (place, (tier, _)) = untimed.clone().find(affordable)?;
    let own_code = own(place);
    let left = if own_code { left - belief.own_code_seconds } else { left };
    let worth_it = |next: (usize, (Tier, f64))| affordable(&next) || scenarios.chance_of_least(next.1.0) >= LIKELY;
    let share = if untimed.filter(|next| next.0 != place).any(worth_it) { TIMED } else { 1.0 };
    let limits = TrialLimits { operators: u64::MAX, cpu_seconds: share * left, wall_seconds: left * SLACK };
    let free = Worth { gain: 0.0, price: 0.0 };
    let kept_cpu_seconds = (1.0 - share) * left;
    Some(TrialProbe { own_code, kept_cpu_seconds, ..probe(ProbeKind::Timed(tier), free, limits) })
}

/// The run itself, for so many seconds, where anything of it may still be executed.
fn begun(scenarios: &Scenarios, left: f64) -> Option<TrialProbe> {
    if scenarios.most_operators < 1.0 {
        return None;
    }
    let worth = Budget((left - scenarios.metered.entry_cpu).max(0.0)).worth(scenarios)?;
    let operators = scenarios.most_operators.clamp(1.0, 1e18) as u64;
    Some(probe(ProbeKind::Run, worth, TrialLimits { operators, cpu_seconds: left, wall_seconds: left * SLACK }))
}

/// A trial of the run itself.
fn whole(scenarios: &Scenarios) -> Option<TrialProbe> {
    let Metered { entry_cpu, run, .. } = &scenarios.metered;
    let budgets = run.map(Budget);
    let (Budget(executes), worth) = most_valuable(scenarios, &budgets)?;
    let operators = (executes / scenarios.seconds_per_operator).min(scenarios.most_operators).clamp(1.0, 1e18) as u64;
    let cpu_seconds = (entry_cpu + executes) * SLACK;
    Some(probe(ProbeKind::Run, worth, TrialLimits { operators, cpu_seconds, wall_seconds: executes * SLACK }))
}

fn probe(kind: ProbeKind, worth: Worth, limits: TrialLimits) -> TrialProbe {
    TrialProbe {
        kind,
        limits,
        windows: true,
        kept_cpu_seconds: 0.0,
        own_code: false,
        expected_gain_dollars: worth.gain,
        price_dollars: worth.price,
    }
}

/// Runs on smaller inputs, once the run itself has outlasted a trial and is known to execute at least so many operators: as
/// many are the most that all of them may execute.
fn smaller(scenarios: &Scenarios, belief: &Belief) -> Option<TrialProbe> {
    let least = belief.evidence.at_least().filter(|_| belief.smaller_inputs && !belief.foretold)?;
    let worth = SmallerInputs.worth(scenarios).filter(|worth| worth.net() > 0.0)?;
    let seconds = (SMALLER_RUNS * scenarios.metered.ready + least * scenarios.seconds_per_operator) * SLACK;
    let operators = least.clamp(1.0, 1e18) as u64;
    let limits = TrialLimits { operators, cpu_seconds: seconds, wall_seconds: seconds * SLACK };
    Some(probe(ProbeKind::Smaller, worth, limits))
}

/// The largest run on a smaller input, timed on the optimising tier: where that may well change the choice.
fn timed(scenarios: &Scenarios) -> Option<TrialProbe> {
    let optimiser = scenarios.optimiser.as_ref()?;
    let executes = optimiser.executes.filter(|seconds| *seconds >= SHORTEST_WHOLE)?;
    let worth = Timing { executes }.worth(scenarios)?;
    let seconds = executes * SLACK;
    let limits = TrialLimits { operators: u64::MAX, cpu_seconds: seconds, wall_seconds: seconds };
    (worth.net() > 0.0).then(|| probe(ProbeKind::Timed(OPTIMISER), worth, limits))
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
        // The program is compiled already, for the trial of the run itself.
        let entries = SMALLER_RUNS * (second + core) * belief.metered.ready;
        let paid = std::array::from_fn(|node| knowing[node] + entries + (second + core) * MOST_SHARE * run[node]);
        Some(Worth { gain: now - free, price: geometric_mean(&paid) - free })
    }
}

/// A timed run of so many seconds on the optimising tier: what it tells is not how long the run is but how the tiers compare.
#[derive(Debug, Clone, Copy)]
struct Timing {
    executes: f64,
}

impl Probe for Timing {
    type Belief = Scenarios;

    fn worth(&self, belief: &Scenarios) -> Option<Worth> {
        let optimiser = belief.optimiser.as_ref()?;
        let usable: Vec<usize> = (0..TIERS).filter(|tier| belief.costs[*tier].is_some()).collect();
        let at = usable.iter().position(|tier| *tier == OPTIMISER as usize)?;
        let mean = |tier: &usize| belief.costs[*tier].map_or(0.0, |costs| geometric_mean(&costs).max(1e-300).ln());
        let variances = usable.iter().map(|tier| belief.unsure[*tier].powi(2));
        let row = |(place, variance): (usize, f64)| {
            let mut row = vec![0.0; usable.len()];
            row[place] = variance;
            row
        };
        let logs = Gaussian {
            mean: usable.iter().map(mean).collect(),
            covariance: variances.enumerate().map(row).collect(),
            noise: vec![TIMING_LOG_DEVIATION.powi(2); usable.len()],
        };
        let least = logs.mean.iter().copied().fold(f64::INFINITY, f64::min).exp();
        let (second, core) = belief.rates;
        let price = second * (optimiser.entry_wall + self.executes) + core * (optimiser.entry_cpu + self.executes);
        Some(Worth { gain: least * (1.0 - (-knowledge_gradient(&logs, at)).exp()), price })
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
    /// The most operators a trial may execute.
    most_operators: f64,
    /// Dollars per second of the critical path, and per core-second.
    rates: (f64, f64),
    /// By how much what an operator takes on each tier makes the logarithm of its cost unsure.
    unsure: [f64; TIERS],
    /// Where timing the optimising tier could tell anything.
    optimiser: Option<Optimiser>,
}

/// What timing a run on the optimising tier takes.
struct Optimiser {
    entry_wall: f64,
    entry_cpu: f64,
    /// What the largest run on a smaller input takes there, once there is one.
    executes: Option<f64>,
}

impl Scenarios {
    fn of(belief: &Belief, weights: &Weights) -> Option<Self> {
        let per_operator = belief.evidence.seconds_per_operator(belief.metered_tier())?;
        let risk = Risk::assess(belief, weights);
        let costs = costs(belief, &risk);
        Some(Self {
            unsure: unsure(belief, &risk, &costs),
            optimiser: Optimiser::of(belief),
            costs,
            metered: Metered::of(belief)?,
            seconds_per_operator: per_operator * belief.machine.metered_run_factor,
            most_operators: match belief.evidence.surely_operators() {
                surely if surely * per_operator >= LONG_SECONDS => MOST_SHARE * surely - belief.executed,
                _ => f64::INFINITY,
            },
            rates: rates(belief, weights),
        })
    }

    /// The share of scenarios in which a tier costs least.
    fn chance_of_least(&self, tier: Tier) -> f64 {
        let least = |node: usize| self.costs.iter().flatten().map(|costs| costs[node]).fold(f64::INFINITY, f64::min);
        let of = |costs: Nodes| (0..NODES).filter(|node| costs[*node] <= least(*node)).count() as f64 / NODES as f64;
        self.costs[tier as usize].map_or(0.0, of)
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

/// The trial's own costs: wall and CPU seconds before its first instruction, those of them that each run takes anew, and its run in
/// each scenario.
struct Metered {
    entry_wall: f64,
    entry_cpu: f64,
    ready: f64,
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
            ready,
            run: run.nodes.map(|seconds| seconds * belief.machine.metered_run_factor * belief.slow_down(tier as usize)),
        })
    }
}

impl Optimiser {
    /// `None` where it cannot be, or need not be.
    fn of(belief: &Belief) -> Option<Self> {
        let climb = &belief.climbs[OPTIMISER as usize];
        let can = climb.known && belief.machine.executable_memory && belief.unsupported[OPTIMISER as usize].is_none();
        if !can || belief.timed[OPTIMISER as usize] || belief.evidence.has_run() {
            return None;
        }
        let ready = climb.link.expected + climb.instantiate.expected;
        let each = belief.evidence.seconds_per_operator(OPTIMISER)?;
        Some(Self {
            entry_wall: climb.compile_wall(belief.most_threads()) + ready + belief.machine.process_seconds,
            entry_cpu: climb.compile.expected + ready + belief.machine.process_seconds,
            executes: belief.evidence.alike_operators().map(|operators| operators * each),
        })
    }
}

/// By how much the logarithm of each tier's cost is unsure for what an operator takes there: to first order, its deviation by the
/// share of the run in the cost.
fn unsure(belief: &Belief, risk: &Risk, costs: &[Option<Nodes>; TIERS]) -> [f64; TIERS] {
    std::array::from_fn(|tier| {
        let of = || {
            let (line, run, costs) = (risk.lines[tier]?, belief.runs[tier]?, costs[tier]?);
            let shares = run.nodes.iter().zip(&costs).map(|(seconds, cost)| line.rate * seconds / cost.max(1e-300));
            Some(belief.evidence.cost_deviation(Tier::ALL[tier])? * shares.sum::<f64>() / NODES as f64)
        };
        of().unwrap_or(0.0)
    })
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
