//! What was seen of operators' costs before a run: in its own beginning, in a run like it on a smaller input, by counts and by
//! time. Called by [`crate::run_time`].

use forewarm_resources::Figure;
use forewarm_resources::Hierarchy;
use forewarm_resources::costs::MeanCost;
use forewarm_resources::defaults::{
    EXTRAPOLATION_LOG_DEVIATION, OUTGROWN_LOG_DEVIATION, OUTGROWN_LOG_SLOPE, TIER_RATIO_LOG_DEVIATION,
    TIMING_LOG_DEVIATION, TREND_CHANGE_LOG_DEVIATION,
};
use forewarm_types::counts::ReuseHistogram;
use forewarm_types::plan::Trial;
use forewarm_types::{Basis, Tier};

use crate::distribution::tame;
use crate::run_time::TIERS;

/// Shortest trial, in CPU seconds, whose time per operator is believed: ten times the resolution of the coarsest
/// process clock in use (`getrusage` at 1000 ticks a second).
const SHORTEST_TIMED: f64 = 0.01;

/// Shortest run that is believed where its operators are known and it ran to its end, in CPU seconds of its own thread, whose clock
/// counts nanoseconds: a hundred times what entering takes.
pub(crate) const SHORTEST_WHOLE: f64 = 0.003;

/// A run on a smaller input, timed on a tier's own code.
#[derive(Debug, Clone, PartialEq)]
pub struct TimedRun {
    /// Operators that it executed, counted or foretold.
    pub operators: f64,
    /// CPU seconds that it took.
    pub cpu_seconds: f64,
    /// Its peak of linear memory.
    pub memory_bytes: f64,
    /// Its reuse distances, where they are known.
    pub reuse: Option<ReuseHistogram>,
}

/// By what an operator costs more, on the logarithmic scale, for each e-fold by which a run outgrows another, beyond what a model
/// says: as two timed runs tell, and how sure that is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Trend {
    slope: f64,
    deviation: f64,
}

impl Trend {
    /// Of one timed run alone.
    pub const UNKNOWN: Self = Self { slope: 0.0, deviation: EXTRAPOLATION_LOG_DEVIATION };

    /// Of two, by what they differ beyond the model and by how many e-folds they lie apart: Bayes' theorem on normal distributions,
    /// the prior being [`Self::UNKNOWN`].
    pub fn of(apart: f64, folds: f64) -> Self {
        if folds <= 0.0 || !apart.is_finite() {
            return Self::UNKNOWN;
        }
        let prior = EXTRAPOLATION_LOG_DEVIATION.powi(2);
        let noise = 2.0 * (TIMING_LOG_DEVIATION / folds).powi(2);
        Self { slope: apart / folds * prior / (prior + noise), deviation: (prior * noise / (prior + noise)).sqrt() }
    }

    /// The factor on a cost so many e-folds further, and the deviation of its logarithm: where it goes is one thing, whether it goes on
    /// like that another.
    pub fn over(self, folds: f64) -> (f64, f64) {
        ((self.slope * folds).exp(), folds * self.deviation.hypot(TREND_CHANGE_LOG_DEVIATION))
    }
}

/// Shortest run on a tier's own code that is believed, in CPU seconds: ten times what entering takes.
pub(crate) const SHORTEST_TIMED_WHOLE: f64 = 0.001;

/// How much of what the model says that growing reuse distances add to an operator's cost comes about, as a share: as two timed runs
/// tell. What memory adds is the same on all tiers, so that no tier's code comes to be faster than better code by it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Modelled {
    share: f64,
    deviation: f64,
}

impl Modelled {
    /// What is thought beforehand. Of seven programs of `corpus/scalable` whose distances come to lie beyond the second level, 0.1 to 3.2 came
    /// about, 1.3 in the median: what is fetched ahead costs less, and pages that the processor's tables do not hold cost more than the model says. A choice.
    const PRIOR: Self = Self { share: 1.3, deviation: 0.6 };

    /// Deviation of the logarithm by which one growth misses that.
    const MISS: f64 = 0.4;

    /// Of two runs between which the model foretells so much, and so much was seen, both on the logarithmic scale: Bayesian linear
    /// regression through nothing (Gelman et al., Bayesian Data Analysis, 14.8).
    pub fn of(foretold: f64, seen: f64) -> Self {
        let Self { share, deviation } = Self::PRIOR;
        let (prior, weight) = (deviation.powi(-2), Self::MISS.powi(-2));
        let precision = prior + foretold * foretold * weight;
        let share = (share * prior + foretold * seen * weight) / precision;
        if !share.is_finite() {
            return Self::PRIOR;
        }
        Self { share: share.max(0.0), deviation: precision.sqrt().recip() }
    }

    /// The factor on a cost for which the model foretells so much, on the logarithmic scale, and the deviation of its logarithm.
    pub fn over(self, foretold: f64) -> (f64, f64) {
        let added = foretold.exp_m1();
        let factor = 1.0 + self.share * added;
        (factor, self.deviation * added / factor)
    }
}

/// Most that starting takes a program beyond what entering takes every one, in CPU seconds: the shortest runs took 0.07 to 0.15 ms.
pub(crate) const MOST_START_SECONDS: f64 = 0.0002;

/// The factor on a cost, and the deviation of its logarithm, where the memory that a run adds to what it begins with grows from one
/// size to another, and beyond the nearer caches.
pub(crate) fn outgrown(hierarchy: &Hierarchy, from: f64, to: f64) -> (f64, f64) {
    let nearer = hierarchy.levels.last().map_or(f64::INFINITY, |level| level.beyond_bytes.as_f64());
    let folds = (to / from.max(nearer)).max(1.0).ln();
    ((OUTGROWN_LOG_SLOPE * folds).exp(), OUTGROWN_LOG_DEVIATION * folds)
}

/// What an operator costs in something that was run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    /// Operators of it.
    pub operators: f64,
    /// By tier.
    pub costs: [Option<MeanCost>; TIERS],
}

/// How much slower counting code runs, and how sure that is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct CountingFactor {
    /// Its CPU time over that of plain code, at least 1.
    pub value: f64,
    /// Standard deviation of its logarithm over programs.
    pub log_deviation: f64,
}

impl CountingFactor {
    pub fn of(figure: &Figure) -> Self {
        Self { value: tame(figure.value).max(1.0), log_deviation: figure.log_deviation() }
    }
}

/// What an operator costs in a run of so many: what its beginning cost counts for the share that it is of the run, what a run like it
/// on a smaller input cost for the rest. `None` where neither was seen.
pub(crate) fn join(begun: Option<Seen>, alike: Option<Seen>, operators: f64) -> Option<[Option<MeanCost>; TIERS]> {
    let Some(alike) = alike else { return begun.map(|begun| begun.costs) };
    let begun = begun.unwrap_or(alike);
    let share = (begun.operators / operators).clamp(0.0, 1.0);
    Some(std::array::from_fn(|tier| {
        let (begun, alike) = (begun.costs[tier]?, alike.costs[tier]?);
        let part = share * begun.seconds;
        let seconds = part + (1.0 - share) * alike.seconds;
        let of_begun = part / seconds;
        let rest = (1.0 - of_begun) * alike.log_deviation;
        Some(MeanCost { seconds, log_deviation: of_begun * begun.log_deviation + rest, ..alike })
    }))
}

/// Costs once one tier's was timed: what those that were not yet were thought to cost is off by as much, as far as that is what the model
/// does not know of the program, and not how the tiers compare (conditioning of a normal distribution).
pub(crate) fn told_by(
    mut costs: [Option<MeanCost>; TIERS],
    known: &[bool; TIERS],
    tier: Tier,
    timed: MeanCost,
) -> [Option<MeanCost>; TIERS] {
    if let Some(before) = costs[tier as usize].filter(|_| !known[tier as usize]) {
        let apart = (timed.seconds / before.seconds).ln();
        let (variance, noise) = (before.log_deviation.powi(2), timed.log_deviation.powi(2));
        let others = costs.iter_mut().zip(known).filter(|(_, known)| !**known);
        for cost in others.filter_map(|(cost, _)| cost.as_mut()) {
            let own = cost.log_deviation.powi(2);
            let common = (variance.min(own) - TIER_RATIO_LOG_DEVIATION.powi(2)).max(0.0);
            let share = common / (variance + noise);
            cost.seconds *= (share * apart).exp();
            cost.log_deviation = (own - share * common).sqrt();
        }
    }
    costs[tier as usize] = Some(timed);
    costs
}

/// Costs with each tier's multiplied.
pub(crate) fn scaled(costs: [Option<MeanCost>; TIERS], factors: &[f64; TIERS]) -> [Option<MeanCost>; TIERS] {
    std::array::from_fn(|tier| costs[tier].map(|cost| MeanCost { seconds: cost.seconds * factors[tier], ..cost }))
}

/// Moves tiers' costs by what a trial's time differs from the model's, each weighed by its precision.
pub(crate) fn timed(
    costs: &mut [Option<MeanCost>; TIERS],
    trial: &Trial,
    ops: f64,
    metered: Tier,
    factor: CountingFactor,
) {
    // What counting costs was measured with windows.
    let windows = trial.counts.as_ref().is_none_or(|counts| counts.reuse.is_some() || counts.branches.is_some());
    if trial.run_cpu_seconds < SHORTEST_TIMED || ops < 1.0 || !windows {
        return;
    }
    let Some(model) = costs[metered as usize] else { return };
    let apart = (tame(trial.run_cpu_seconds / ops / factor.value) / model.seconds).ln();
    let theirs = factor.log_deviation.powi(2);
    // How far the two lie apart says itself how far the model may be off (empirical Bayes: Efron and Morris 1973).
    let ours = model.log_deviation.powi(2).max(apart.powi(2) - theirs);
    // A factor without a deviation is taken as exact.
    let weight = if theirs > 0.0 { ours / (ours + theirs) } else { 1.0 };
    let left = (weight.sqrt() * factor.log_deviation).hypot(TIER_RATIO_LOG_DEVIATION);
    if !apart.is_finite() {
        return;
    }
    for cost in costs.iter_mut().flatten() {
        let seconds = cost.seconds * (weight * apart).exp();
        let log_deviation = left.min(cost.log_deviation);
        *cost = MeanCost { seconds, log_deviation, basis: Basis::Observed };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_tier_is_off_by_another_is_too_as_far_as_they_have_that_in_common() {
        let cost = |seconds, log_deviation| MeanCost { seconds, log_deviation, basis: Basis::Observed };
        let after = |deviation: f64| {
            let costs = [Some(cost(1.0, deviation)), Some(cost(2.0, deviation)), Some(cost(30.0, deviation))];
            let known = [Tier::Winch, Tier::Cranelift, Tier::Pulley].map(|tier| tier == Tier::Pulley);
            told_by(costs, &known, Tier::ALL[0], cost(4.0, 0.05)).map(|cost| cost.unwrap())
        };
        let [first, second, known] = after(1.0);
        assert_eq!((first.seconds, known.seconds, known.log_deviation), (4.0, 30.0, 1.0));
        assert!((6.5..8.0).contains(&second.seconds) && second.log_deviation < 0.5, "{second:?}");
        let [_, second, _] = after(TIER_RATIO_LOG_DEVIATION);
        assert_eq!((second.seconds, second.log_deviation), (2.0, TIER_RATIO_LOG_DEVIATION));
    }

    #[test]
    fn a_model_is_believed_as_far_as_it_was_right() {
        let share = |foretold, seen| Modelled::of(foretold, seen).over(2.0_f64.ln()).0 - 1.0;
        assert!((share(0.0, 0.0) - 1.3).abs() < 1e-9, "nothing was seen");
        assert!((share(3.0, 1.5) - 0.5).abs() < 0.1 && share(3.0, 0.0) < 0.15);
        assert!((1.0..1.3).contains(&share(0.2, 0.0)), "a little says a little");
        assert_eq!(share(3.0, -3.0), 0.0, "and never makes more memory cheaper");
        assert!(Modelled::of(1.0, 1.0).over(1.0).1 < 0.8 * Modelled::of(0.0, 0.0).over(1.0).1);
    }
}
