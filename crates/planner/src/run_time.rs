//! Predicted CPU time of the run proper on each tier, from the strongest evidence there is.
//!
//! In order of strength: past runs of this code on the tier; past runs on another tier times the ratio of the two
//! tiers' costs for this operator mix; operators counted (in a trial, or before) times calibrated costs, class by class
//! and with the memory's share where a trial counted those too; operators estimated statically, joined with the prior over
//! programs, times costs.

use forewarm_resources::costs::MeanCost;
use forewarm_resources::defaults::{
    EXTRAPOLATION_LOG_DEVIATION, TIER_RATIO_LOG_DEVIATION, TIMING_LOG_DEVIATION, TREND_CHANGE_LOG_DEVIATION,
};
use forewarm_resources::{Hierarchy, OpCosts, ResourceModel, run_model};
use forewarm_types::counts::ReuseHistogram;
use forewarm_types::plan::Trial;
use forewarm_types::{Basis, Counts, Estimate, OpMix, Tier};

use crate::belief::Inputs;
use crate::distribution::{LogNormal, Nodes, lasting_nodes, quantile, standard_nodes, tame};
use crate::seen::{
    self, CountingFactor, MOST_START_SECONDS, Modelled, SHORTEST_TIMED_WHOLE, Seen, TimedRun, Trend, scaled, timed,
};

/// Number of tiers.
pub(crate) const TIERS: usize = Tier::ALL.len();

/// Standard deviation of the logarithm of how long lasts what has lasted so far, `P[T > t | T > b] = b / t`: that of the
/// exponential distribution with mean 1.
const LASTING_LOG_DEVIATION: f64 = 1.0;

/// The largest number that may say how often something doubles: at a nanosecond each, so many doublings take a day and more.
const MOST_DOUBLINGS: f64 = 47.0;

/// Times that tell how they grow by two terms, with three to judge by. Of fewer any of several forms may be the right one.
const ENOUGH_TIMES: usize = 5;

/// What is known about the number of operators of the run.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Operators {
    Spread(LogNormal),
    /// More than a trial executed, of what was thought before.
    AtLeast(f64, LogNormal),
}

/// Evidence about run times.
#[derive(Debug, Clone)]
pub(crate) struct Evidence {
    observed: [Option<LogNormal>; TIERS],
    /// What times of runs on smaller inputs foretell, where nothing was counted.
    foreseen: [Option<LogNormal>; TIERS],
    operators: Operators,
    basis: Basis,
    costs: [Option<MeanCost>; TIERS],
    /// The same before anything was counted.
    plain: [Option<MeanCost>; TIERS],
    /// What was seen of the run itself, from its beginning.
    begun: Option<Seen>,
    /// What a run like it on a smaller input, as a whole, tells of this one.
    alike: Option<Seen>,
    /// Its counts, with the reuse distances of this run where they are known.
    grown: Option<Counts>,
    /// On which tiers such runs were timed.
    timed: [bool; TIERS],
    op_costs: OpCosts,
    hierarchy: Hierarchy,
    /// Whether the prior over programs had a say.
    pub uses_prior: bool,
}

/// Predicted CPU seconds on one tier at equally likely nodes, ascending; node `i` of every tier is the same scenario.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunTime {
    pub nodes: Nodes,
    pub basis: Basis,
}

impl RunTime {
    /// Median and 5th and 95th percentile: of what may last for milliseconds or hours a mean says nothing but how long the longest
    /// may last. (Costs are weighed over the nodes, [`crate::risk`].)
    pub fn estimate(&self) -> Estimate {
        let [low, median, high] = [0.05, 0.5, 0.95].map(|probability| quantile(&self.nodes, probability));
        Estimate::new(low, median, high, self.basis)
    }
}

impl Evidence {
    pub fn gather(inputs: &Inputs<'_>) -> Self {
        let Inputs { analysis, resources, corrections, .. } = inputs;
        let mix = &analysis.profile.ops;
        let costs = Tier::ALL.map(|tier| resources.op_costs.mean(mix, tier));
        let observed = Tier::ALL.map(|tier| {
            let run = corrections.run_cpu_seconds.get(&tier)?;
            (run.high > 0.0).then(|| LogNormal::of(*run))
        });
        let counted = corrections.ops.filter(|ops| ops.basis >= Basis::Emulated && ops.high > 0.0);
        let (operators, basis, uses_prior) = match counted {
            Some(ops) => (LogNormal::of(ops), ops.basis, false),
            None => {
                let prior = prior(resources, &costs);
                match told(inputs) {
                    Some(count) => (count.fuse(prior), Basis::Static, count.sigma > 0.1),
                    None => (prior, Basis::Default, true),
                }
            }
        };
        let uses_prior = uses_prior && observed.iter().all(Option::is_none);
        Self {
            observed,
            foreseen: [None; TIERS],
            operators: Operators::Spread(operators),
            basis,
            costs,
            plain: costs,
            begun: None,
            alike: None,
            grown: None,
            timed: [false; TIERS],
            op_costs: resources.op_costs.clone(),
            hierarchy: resources.hierarchy.clone(),
            uses_prior,
        }
    }

    /// Whether this code's run has been measured, in a run or a trial.
    pub fn is_measured(&self) -> bool {
        self.basis >= Basis::Emulated || self.observed.iter().any(Option::is_some)
    }

    /// Takes a trial in: its count is the whole where it was complete, else a lower bound beyond which the run lasts as was
    /// thought, and no less than such things do ([`lasting_nodes`]); its counts by class and its memory accesses say what an operator of this program
    /// costs on each tier, and its time what all tiers' costs have in common that the model does not know.
    pub fn update(&mut self, trial: &Trial, metered: Tier, factor: CountingFactor) {
        if trial.ops == 0 {
            return;
        }
        let ops = trial.ops as f64;
        self.operators = match self.operators {
            _ if trial.complete => Operators::Spread(LogNormal::new(ops.ln(), 0.0)),
            // What the code tells stands, where it tells more than the law of what lasts and the trial does not gainsay it.
            Operators::Spread(belief) if belief.sigma < LASTING_LOG_DEVIATION && belief.mu > ops.ln() => self.operators,
            Operators::Spread(belief) | Operators::AtLeast(_, belief) => Operators::AtLeast(ops, belief),
        };
        self.basis = Basis::Emulated;
        self.uses_prior = false;
        // A run of this very input, counted, says more than past runs of others that differ widely.
        let sharper = |belief: &LogNormal| belief.sigma < 2.0 * TIER_RATIO_LOG_DEVIATION;
        if trial.complete && !self.observed.iter().flatten().any(sharper) {
            self.observed = [None; TIERS];
        }
        let mut begun = self.plain;
        if let Some(counts) = &trial.counts {
            begun = self.counted(counts, ops);
        }
        timed(&mut begun, trial, ops, metered, factor);
        self.begun = Some(Seen { operators: ops, costs: begun });
        if trial.complete {
            self.alike = None;
        }
        self.join();
    }

    /// Costs of this program's own operators, in units of the trial's.
    fn counted(&self, counts: &Counts, ops: f64) -> [Option<MeanCost>; TIERS] {
        let operators = counts.classes.values().sum::<u64>() as f64;
        Tier::ALL.map(|tier| {
            let counted = run_model::mean(&self.op_costs, &self.hierarchy, counts, tier);
            counted
                .map(|mean| MeanCost { seconds: mean.seconds * operators / ops, ..mean })
                .or(self.plain[tier as usize])
        })
    }

    /// Takes in the whole of a run on a smaller input: what an operator costs in it, with these reuse distances in place of its
    /// own where they are given; what memory costs that outgrows its caches makes the logarithm unsure by so much.
    pub fn resemble(
        &mut self,
        trial: &Trial,
        reuse: Option<&ReuseHistogram>,
        metered: Tier,
        factor: CountingFactor,
        outgrown: f64,
    ) {
        let Some(counts) = trial.counts.as_ref().filter(|_| trial.ops > 0) else { return };
        let ops = trial.ops as f64;
        let grown = Counts { reuse: reuse.cloned().or_else(|| counts.reuse.clone()), ..counts.clone() };
        let factors = self.model_ratios(&grown, counts);
        let mut costs = self.counted(counts, ops);
        timed(&mut costs, trial, ops, metered, factor);
        let drift = EXTRAPOLATION_LOG_DEVIATION * (self.median_operators() / ops).max(1.0).ln();
        for cost in costs.iter_mut().flatten() {
            cost.log_deviation = cost.log_deviation.hypot(drift).hypot(outgrown);
        }
        self.alike = Some(Seen { operators: ops, costs: scaled(costs, &factors) });
        self.grown = Some(grown);
        self.timed = [false; TIERS];
        self.join();
    }

    /// By what an operator costs more on each tier by the model's word where the same operators have other reuse distances.
    fn model_ratios(&self, counts: &Counts, other: &Counts) -> [f64; TIERS] {
        let (costs, others) = (self.counted(counts, 1.0), self.counted(other, 1.0));
        std::array::from_fn(|tier| {
            let ratio = costs[tier].zip(others[tier]).map(|(cost, other)| cost.seconds / other.seconds);
            ratio.filter(|ratio| ratio.is_finite() && *ratio > 0.0).unwrap_or(1.0)
        })
    }

    /// What an operator costs in the whole run, of all that was seen.
    fn join(&mut self) {
        self.costs = seen::join(self.begun, self.alike, self.median_operators()).unwrap_or(self.costs);
    }

    fn median_operators(&self) -> f64 {
        match self.operators {
            Operators::Spread(count) => count.quantile(0.5),
            // As long again.
            Operators::AtLeast(operators, _) => 2.0 * operators,
        }
    }

    /// Takes in what runs on smaller inputs, by rising size, took on a tier: they say of that tier alone what an operator costs there.
    /// Where nothing is known of their accesses, what memory costs that outgrows theirs is told by `spilt`.
    pub fn take_timings(&mut self, runs: &[TimedRun], tier: Tier, spilt: &dyn Fn(f64) -> (f64, f64)) {
        let entry = self.op_costs.entry_seconds(tier);
        let (Some(grown), Some(alike)) = (&self.grown, &self.alike) else { return };
        let told = |run: &&TimedRun| run.cpu_seconds >= SHORTEST_TIMED_WHOLE && run.cpu_seconds > entry;
        let mut told = runs.iter().filter(told);
        let (Some(first), last) = (told.next(), told.next_back()) else { return };
        let last = last.unwrap_or(first);
        let raw = |run: &TimedRun| (run.cpu_seconds - entry) / run.operators;
        // What the least is dearer by than the most may be its start.
        let start = (first.operators * (raw(first) - raw(last))).clamp(0.0, MOST_START_SECONDS);
        let cost = |run: &TimedRun| raw(run) - start / run.operators;
        let folds = (self.median_operators() / last.operators).max(1.0).ln();
        let apart = (cost(last) / cost(first)).ln();
        let (outgrown, unsure) = spilt(last.memory_bytes);
        // What the model makes of distances that grow from a run to the whole.
        let model = |counts: &Counts| self.counted(counts, alike.operators)[tier as usize].map(|cost| cost.seconds);
        let modelled = |run: &TimedRun| {
            let here = Counts { reuse: Some(run.reuse.clone()?), ..grown.clone() };
            Some((1.0 + (model(grown)? - model(&here)?).max(0.0) / cost(run)).ln())
        };
        let (factor, log_deviation) = if let Some((before, after)) = modelled(first).zip(modelled(last)) {
            let (factor, drift) = Modelled::of(before - after, apart).over(after);
            // Runs too small to reach beyond the caches may show the model no distances that grow: each is as often right.
            let factor = (factor * factor.max(outgrown)).sqrt();
            (factor, drift.hypot(TREND_CHANGE_LOG_DEVIATION * folds).hypot(unsure / 2.0))
        } else {
            let (factor, drift) = Trend::of(apart, (last.operators / first.operators).ln()).over(folds);
            (factor * outgrown, drift.hypot(unsure))
        };
        let seconds = cost(last) * factor;
        let log_deviation = log_deviation.hypot(TIMING_LOG_DEVIATION);
        if seconds.is_finite() && seconds > 0.0 {
            let timed = MeanCost { seconds, log_deviation, basis: Basis::Observed };
            let costs = seen::told_by(alike.costs, &self.timed, tier, timed);
            self.timed[tier as usize] = true;
            self.alike = Some(Seen { costs, ..*alike });
            self.join();
        }
    }

    /// Takes in CPU seconds of the whole run on a tier, extrapolated from times on smaller inputs, the longest of which took so many, and
    /// how many these were: where they are going is in what they were fitted by, as far as they are enough to tell, but for memory that
    /// outgrows the caches, by this factor.
    pub fn foresee_seconds(
        &mut self,
        tier: Tier,
        seconds: Estimate,
        (longest, runs): (f64, usize),
        (spilt, unsure): (f64, f64),
    ) {
        let folds = (seconds.expected / longest).max(1.0).ln();
        let per_fold = if runs < ENOUGH_TIMES { EXTRAPOLATION_LOG_DEVIATION } else { TREND_CHANGE_LOG_DEVIATION };
        let drift = (per_fold * folds).hypot(TIMING_LOG_DEVIATION).hypot(unsure);
        self.foreseen[tier as usize] = Some(LogNormal::about(seconds).times(spilt.ln(), drift));
        self.basis = Basis::Emulated;
        self.uses_prior = false;
    }

    /// Takes in that a run on a smaller input took so many times as long on a tier as on another, of which the whole run is foreseen.
    pub fn foresee_by(&mut self, tier: Tier, other: Tier, ratio: f64) {
        let noise = std::f64::consts::SQRT_2 * TIMING_LOG_DEVIATION;
        let belief = self.foreseen[other as usize].filter(|_| ratio.is_finite() && ratio > 0.0);
        self.foreseen[tier as usize] =
            belief.map(|belief| belief.times(ratio.ln(), noise.hypot(TREND_CHANGE_LOG_DEVIATION)));
    }

    /// Operators of the run on a smaller input that this one resembles.
    pub fn alike_operators(&self) -> Option<f64> {
        self.alike.as_ref().map(|alike| alike.operators)
    }

    /// Takes in a count that was extrapolated from smaller inputs.
    pub fn foresee(&mut self, operators: Estimate) {
        if operators.high <= 0.0 {
            return;
        }
        let count = LogNormal::about(operators);
        self.operators = Operators::Spread(count);
        self.basis = Basis::Emulated;
        self.uses_prior = false;
        if !self.observed.iter().flatten().any(|belief| belief.sigma <= count.sigma.max(TIER_RATIO_LOG_DEVIATION)) {
            self.observed = [None; TIERS];
        }
    }

    /// Operators that a trial has counted without seeing the run's end.
    pub fn at_least(&self) -> Option<f64> {
        match self.operators {
            Operators::AtLeast(operators, _) => Some(operators),
            Operators::Spread(_) => None,
        }
    }

    /// Operators of which it is sure, at 95 %, that the run executes more.
    pub fn surely_operators(&self) -> f64 {
        match self.operators {
            Operators::Spread(count) => count.quantile(0.05),
            Operators::AtLeast(operators, _) => operators,
        }
    }

    /// Whether past runs tell what this one takes, so that no operator's cost matters.
    pub fn has_run(&self) -> bool {
        self.observed.iter().any(Option::is_some)
    }

    /// Deviation of the logarithm of what an operator costs on a tier.
    pub fn cost_deviation(&self, tier: Tier) -> Option<f64> {
        self.costs[tier as usize].map(|cost| cost.log_deviation)
    }

    /// CPU seconds per operator on a tier.
    pub fn seconds_per_operator(&self, tier: Tier) -> Option<f64> {
        self.costs[tier as usize].map(|cost| cost.seconds)
    }

    /// Whether operator costs that were never measured here enter the prediction.
    pub fn uses_default_costs(&self) -> bool {
        self.observed.iter().all(Option::is_none)
            && self.costs.iter().flatten().any(|cost| cost.basis == Basis::Default)
    }

    /// Predictions for every tier; `None` for one of which neither a run nor a cost is known.
    pub fn predict(&self) -> [Option<RunTime>; TIERS] {
        let z = standard_nodes();
        Tier::ALL.map(|tier| {
            let observed = self.seen_run(&self.observed, Basis::Observed, tier, &z);
            let foreseen = || self.seen_run(&self.foreseen, Basis::Emulated, tier, &z);
            observed.or_else(foreseen).or_else(|| self.counted_run(tier, &z))
        })
    }

    /// What is known of whole runs on this tier, else of those on another times the ratio of their costs.
    fn seen_run(&self, beliefs: &[Option<LogNormal>; TIERS], basis: Basis, tier: Tier, z: &Nodes) -> Option<RunTime> {
        if let Some(belief) = beliefs[tier as usize] {
            return Some(RunTime { nodes: belief.nodes(z), basis });
        }
        let cost = self.costs[tier as usize]?;
        let seen = Tier::ALL.into_iter().filter_map(|other| {
            let belief = beliefs[other as usize]?;
            Some((belief, self.costs[other as usize]?))
        });
        let (belief, other) = seen.min_by(|a, b| a.0.sigma.total_cmp(&b.0.sigma))?;
        let belief = belief.times((cost.seconds / other.seconds).ln(), TIER_RATIO_LOG_DEVIATION);
        Some(RunTime { nodes: belief.nodes(z), basis: cost.basis.max(Basis::Static) })
    }

    fn counted_run(&self, tier: Tier, z: &Nodes) -> Option<RunTime> {
        let cost = self.costs[tier as usize]?;
        let nodes = match self.operators {
            Operators::Spread(ops) => ops.times(cost.seconds.ln(), cost.log_deviation).nodes(z),
            Operators::AtLeast(least, belief) => {
                let lasting = lasting_nodes(tame(least));
                // What was thought stands as far as the trial does not gainsay it: then as such things last.
                let beyond = belief.beyond(least);
                std::array::from_fn(|node| tame(lasting[node].max(beyond[node]) * cost.seconds))
            }
        };
        let entry = self.op_costs.entry_seconds(tier);
        let nodes = nodes.map(|seconds| seconds + entry);
        Some(RunTime { nodes, basis: self.basis })
    }
}

/// Operators in total as far as the code tells them of a run with these features.
///
/// A count that depends on the input is what it would be of inputs of size one: the code does not show how often a loop goes
/// round whose bound is an argument, and its priors know no arguments. So it grows with each number among these, by exponents as
/// they are over programs, and is the less certain the larger the numbers are. A small number may as well say how deep something
/// branches: the count is then between what it is without and twice as much for each of it.
pub(crate) fn told(inputs: &Inputs<'_>) -> Option<LogNormal> {
    let profile = &inputs.analysis.profile;
    let count = LogNormal::of(total(&profile.ops)?);
    if !profile.input_dependent {
        return Some(count);
    }
    let exponent = &inputs.resources.workload.growth_with_numbers;
    let branches = |number: f64| if number <= MOST_DOUBLINGS { number * std::f64::consts::LN_2 / 2.0 } else { 0.0 };
    let sizes = inputs.features.numbers.iter().map(|number| number.abs()).filter(|number| *number > 1.0);
    Some(sizes.fold(count, |count, number| {
        let log = number.ln();
        count.times(exponent.value * log, (exponent.deviation * log).hypot(branches(number)))
    }))
}

/// Operators in total: as the analysis says, else the sum of its classes.
fn total(mix: &OpMix) -> Option<Estimate> {
    let summed = || mix.classes.values().copied().reduce(Estimate::add_correlated);
    mix.total.or_else(summed).filter(|ops| ops.high > 0.0)
}

/// The prior over programs as operators: its seconds are those of the fastest tier.
fn prior(resources: &ResourceModel, costs: &[Option<MeanCost>; TIERS]) -> LogNormal {
    let workload = &resources.workload;
    let fastest = costs.iter().flatten().map(|cost| cost.seconds).fold(f64::INFINITY, f64::min);
    let fastest = if fastest.is_finite() { fastest } else { 1e-9 };
    let operators = tame(workload.run_median_seconds.value).max(1e-18) / fastest;
    LogNormal::new(operators.ln(), tame(workload.run_log_deviation.value))
}
