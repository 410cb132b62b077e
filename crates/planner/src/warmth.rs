//! What to hold for runs to come: the value of an artifact left standing, and which artifact to prepare.
//!
//! The next run of a code costs `N(S)`, the least over tiers, where `S` are the tiers whose artifacts stand. Leaving
//! tier `t`'s artifact is worth `N(S) - N(S + t)` at each of the reuses expected; and whatever is left, a further
//! artifact `u` can be prepared for the price of compiling and holding it, in the background. So what a run leaves is
//! worth the better of the two, and a run is not made longer to leave an artifact that could be prepared after it.

use forewarm_types::plan::Preparation;
use forewarm_types::{Configuration, Load, Pressure, Rung, Tier, Weights};

use crate::belief::Belief;
use crate::candidates::configuration;
use crate::cost::{Figures, Shape, Variant};
use crate::risk::{Risk, rates, usable};
use crate::run_time::TIERS;

/// Tiers whose artifact stands, as bits.
type Standing = u8;

fn bit(tier: usize) -> Standing {
    1 << tier
}

/// Whether artifacts stand now, by tier, at whatever level.
fn standing(belief: &Belief) -> Standing {
    (0..TIERS).filter(|tier| belief.standing[*tier].contains(&true)).fold(0, |set, tier| set | bit(tier))
}

/// Cost of the next run with these artifacts standing: the least over tiers.
fn next_run(risk: &Risk, standing: Standing) -> Option<f64> {
    let costs = (0..TIERS).filter_map(|tier| risk.mean_cost(tier, standing & bit(tier) != 0));
    costs.min_by(f64::total_cmp)
}

/// Price of preparing a tier's artifact in the background: starting the process, compiling and writing on one core,
/// holding memory meanwhile and disk afterwards, and slowing what else runs.
fn preparation_price(belief: &Belief, weights: &Weights, tier: usize) -> f64 {
    let (climb, machine) = (&belief.climbs[tier], &belief.machine);
    let (second, core) = rates(belief, weights);
    let cpu = climb.compile.expected + climb.persist.expected + machine.process_seconds;
    let compiling = Load::of(1.0, Pressure::default());
    let others = machine.contention.slow_down(machine.load.pressure(), compiling);
    let slowed = cpu * machine.load.cores.min(1.0) * (others - 1.0);
    let bytes = machine.byte_price * climb.compile_peak_bytes * cpu;
    let held = machine.disk_price * climb.artifact_bytes * machine.hold_seconds;
    second * (machine.spawn_seconds + slowed) + core * cpu + weights.price_factor * (bytes + held)
}

/// For how many seconds a run that has ended should be followed by what is left of writing its artifact, rather than have the
/// artifact made anew in the background: until the user's time costs as much as that would (the bound of ski rental: Karlin
/// et al. 1988, "Competitive snoopy caching"), and never for longer than compiling took. `None` where the writing is not
/// expected to be done by then.
#[must_use]
pub fn artifact_wait(belief: &Belief, weights: &Weights, tier: Tier) -> Option<f64> {
    let climb = &belief.climbs[tier as usize];
    let worth = preparation_price(belief, weights, tier as usize) / rates(belief, weights).0;
    let most = worth.min(climb.compile.expected);
    (climb.persist.expected < most).then_some(most)
}

/// Reuses a preparation may count on. Before the code's run was ever measured, a preparation can as well be decided
/// after that measurement, at the loss of one reuse at most: waiting is what an option on information is worth.
fn reuses_for_preparation(belief: &Belief) -> f64 {
    let reuses = belief.reuses.expected;
    if belief.evidence.is_measured() { reuses } else { (reuses - 1.0).max(0.0) }
}

/// The best artifact to prepare when `standing` stand: its tier and net value, where that is positive.
fn best_preparation(belief: &Belief, weights: &Weights, risk: &Risk, standing: Standing) -> Option<(usize, f64)> {
    if !belief.constraints.persist {
        return None;
    }
    let reuses = reuses_for_preparation(belief);
    let without = next_run(risk, standing)?;
    let net = |tier: usize| {
        let with = next_run(risk, standing | bit(tier))?;
        let net = reuses * (without - with) - preparation_price(belief, weights, tier);
        (net > 0.0 && net.is_finite()).then_some((tier, net))
    };
    (0..TIERS).filter(|tier| standing & bit(*tier) == 0).filter_map(net).max_by(|a, b| a.1.total_cmp(&b.1))
}

/// Value over all expected reuses of leaving nothing new, and of leaving each tier's artifact.
pub(crate) fn values(belief: &Belief, weights: &Weights, risk: &Risk) -> (f64, [f64; TIERS]) {
    let now = standing(belief);
    let Some(without) = next_run(risk, now) else { return (0.0, [0.0; TIERS]) };
    let value = |left: Standing| {
        let saved = next_run(risk, left).map_or(0.0, |with| belief.reuses.expected * (without - with).max(0.0));
        saved + best_preparation(belief, weights, risk, left).map_or(0.0, |(_, net)| net)
    };
    (value(now), std::array::from_fn(|tier| value(now | bit(tier))))
}

/// The artifact worth preparing for the runs to come, given what stands now; `None` where none pays.
///
/// Called after a run, with a belief that has learned from it; [`crate::choose()`] asks the same of what its choice
/// would leave.
#[must_use]
pub fn preparation(belief: &Belief, weights: &Weights) -> Option<Preparation> {
    let risk = Risk::assess(belief, weights);
    prepare(belief, weights, &risk, standing(belief))
}

/// The artifact worth preparing once a run on `shape` has left what it leaves.
pub(crate) fn preparation_after(
    belief: &Belief,
    weights: &Weights,
    risk: &Risk,
    shape: &Shape,
    warm_state: Rung,
) -> Option<Preparation> {
    let tier = shape.tier as usize;
    let left = if warm_state == Rung::Artifact { bit(tier) } else { 0 };
    prepare(belief, weights, risk, standing(belief) | left)
        .filter(|found| found.configuration.cpu().is_none_or(|cpu| cpu.tier != shape.tier))
}

fn prepare(belief: &Belief, weights: &Weights, risk: &Risk, standing: Standing) -> Option<Preparation> {
    let (tier, net_value_dollars) = best_preparation(belief, weights, risk, standing)?;
    let tier = Tier::ALL[tier];
    usable(belief, tier).then(|| Preparation {
        configuration: background(belief, tier),
        expected_reuses: reuses_for_preparation(belief),
        net_value_dollars,
    })
}

/// A tier's artifact made on one core, so that the others stay free.
fn background(belief: &Belief, tier: Tier) -> Configuration {
    let shape = Shape {
        processor: 0,
        tier,
        isa: forewarm_types::IsaLevel::Native,
        threads: 1,
        share: 1.0,
        pinned: false,
        prefault: false,
        standing: false,
        rejection: None,
        figures: Figures::default(),
    };
    let memory_bytes = belief.peak.sizes(belief.constraints.max_memory).last().copied().unwrap_or(0);
    configuration(belief, &shape, &Variant { memory_bytes, overflow: 0.0, warm_state: Rung::Artifact })
}
