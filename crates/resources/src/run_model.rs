//! The run-time model: exact counts of a run times what each thing counted costs on a tier.
//!
//! `T = entry + correction * (Σ classes count_c * cost_c + mispredictions * cost + Σ loops max(0, chain_l - work_l)
//!      + Σ memory levels accesses_l * cost_l)`:
//! the first sum is the machine characteriser of Saavedra and Smith, "Analysis of benchmark characteristics and benchmark
//! performance prediction", TOCS 1996; the last their memory term (Saavedra and Smith, IEEE TC 1995), its misses from reuse
//! distances ([`crate::hierarchy`]). Between them stand what hinders overlap (Eyerman, Eeckhout, Karkhanis and Smith, "A
//! mechanistic performance model for superscalar out-of-order processors", TOCS 2009): branches that were not foreseen, and
//! loops whose rounds wait for each other longer than their work takes. Indirect calls and host calls are classes like the
//! others. Called by the planner.

use forewarm_types::counts::{Chain, Counts};
use forewarm_types::model::{ModelTerm, RunModel};
use forewarm_types::{Estimate, OpClass, Tier};

use crate::costs::{MeanCost, TierCosts};
use crate::figure::Z95;
use crate::hierarchy::Flow;
use crate::{Hierarchy, OpCosts};

/// A term beyond the operators' own costs, with the standard deviation of its logarithm.
struct Beyond {
    term: ModelTerm,
    log_deviation: f64,
}

/// CPU seconds per operator of a counted run on a tier: its classes' costs, and what hinders them. What a run costs that does
/// nothing is left out ([`OpCosts::entry_seconds`]).
///
/// `None` where the tier has no costs or nothing was counted.
#[must_use]
pub fn mean(costs: &OpCosts, hierarchy: &Hierarchy, counts: &Counts, tier: Tier) -> Option<MeanCost> {
    let mean = costs.unhindered(&counts.mix(), tier)?;
    let operators = counts.classes.values().sum::<u64>() as f64;
    let correction = costs.correction(tier);
    let (mut seconds, mut variance) = (0.0, (mean.seconds * mean.log_deviation).powi(2));
    for beyond in beyond(costs.tiers.get(&tier)?, hierarchy, counts) {
        let cost = correction * beyond.term.seconds / operators;
        seconds += cost;
        // The terms' errors have nothing to do with each other.
        variance += (cost * beyond.log_deviation).powi(2);
    }
    let whole = mean.seconds + seconds;
    (whole.is_finite() && whole > 0.0).then_some(MeanCost {
        seconds: whole,
        log_deviation: variance.sqrt() / whole,
        ..mean
    })
}

/// The prediction for a tier in its terms; `None` as for [`mean`].
#[must_use]
pub fn explain(costs: &OpCosts, hierarchy: &Hierarchy, counts: &Counts, tier: Tier) -> Option<RunModel> {
    let mean = mean(costs, hierarchy, counts, tier)?;
    let tier_costs = costs.tiers.get(&tier)?;
    let class = |class: OpClass| {
        let (count, figure) = (counts.of(class) as f64, tier_costs.seconds_per_op.get(&class)?);
        Some(term(class.name(), count, figure.value, figure.source_in_words()))
    };
    let mut terms: Vec<ModelTerm> = OpClass::ALL.into_iter().filter_map(class).collect();
    terms.extend(beyond(tier_costs, hierarchy, counts).into_iter().map(|beyond| beyond.term));
    let entry = tier_costs.entry_seconds.as_ref();
    terms.extend(entry.map(|figure| term("entering and leaving", 1.0, figure.value, figure.source_in_words())));
    terms.retain(|term| term.count > 0.0 && term.seconds > 0.0);
    terms.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
    let seconds = mean.seconds * counts.classes.values().sum::<u64>() as f64 + costs.entry_seconds(tier);
    let spread = (Z95 * mean.log_deviation).exp();
    let cpu_seconds = Estimate::new(seconds / spread, seconds, seconds * spread, mean.basis);
    Some(RunModel { tier, cpu_seconds, correction: costs.correction(tier), terms })
}

/// Everything that hinders operators from taking no longer than they would by themselves.
fn beyond(costs: &TierCosts, hierarchy: &Hierarchy, counts: &Counts) -> Vec<Beyond> {
    if counts.branches.is_none() && counts.reuse.is_none() {
        // Chains are part of what hinders programs in general.
        let either = in_general(costs, counts).into_iter().chain(waiting(costs, &counts.chains));
        return either.max_by(|a, b| a.term.seconds.total_cmp(&b.term.seconds)).into_iter().collect();
    }
    let mispredictions = counts.mispredictions();
    let mut terms: Vec<Beyond> = costs
        .mispredicted_seconds
        .iter()
        .zip(mispredictions)
        .map(|(figure, count)| {
            // Of `k` that were seen, the relative error is `1 / √k`.
            let seen = counts.branches.map_or(1.0, |sample| sample.mispredicted.max(1) as f64);
            let term = term("branches mispredicted", count, figure.value, figure.source_in_words());
            Beyond { term, log_deviation: figure.log_deviation().hypot(1.0 / seen.sqrt()) }
        })
        .collect();
    terms.extend(waiting(costs, &counts.chains));
    if let Some(reuse) = &counts.reuse {
        let operators = counts.classes.values().sum::<u64>() as f64;
        let flow = Flow { operators, mispredictions: mispredictions.unwrap_or_default() };
        for cost in hierarchy.costs(reuse, flow) {
            let name = format!("accesses served by {}", cost.level.name);
            let source = cost.level.scattered_seconds.source_in_words();
            let term = term(&name, cost.accesses, cost.seconds_each, source);
            terms.push(Beyond { term, log_deviation: cost.log_deviation });
        }
    }
    terms
}

/// Where nothing is known of what hinders this program: what hinders programs.
fn in_general(costs: &TierCosts, counts: &Counts) -> Option<Beyond> {
    let figure = costs.in_general()?;
    let works = |(class, count): (&OpClass, &u64)| Some(*count as f64 * costs.seconds_per_op.get(class)?.value);
    let alone: f64 = counts.classes.iter().filter_map(works).sum();
    let seconds = alone * (figure.value - 1.0);
    let term = term("what hinders programs in general", 1.0, seconds, figure.source_in_words());
    Some(Beyond { term, log_deviation: figure.log_deviation() })
}

/// What loops wait for their chains beyond the time that their work takes; `None` where none does.
fn waiting(costs: &TierCosts, chains: &[Chain]) -> Option<Beyond> {
    let (mut steps, mut seconds, mut deviation) = (0.0, 0.0, 0.0);
    for chain in chains {
        let excess = excess_seconds(costs, chain);
        if excess > 0.0 {
            let of = |class: &OpClass| costs.waiting_seconds.get(class).map_or(0.0, crate::Figure::log_deviation);
            let all: f64 = chain.path.values().sum();
            steps += all;
            seconds += excess;
            deviation += excess * chain.path.iter().map(|(class, count)| of(class) * count / all).sum::<f64>();
        }
    }
    let source = costs.waiting_seconds.values().next().map_or("", crate::Figure::source_in_words);
    let term = term("results waited for in chains", steps, seconds / steps, source);
    (steps > 0.0).then(|| Beyond { term, log_deviation: deviation / seconds })
}

/// Seconds that a loop's chain takes beyond its work; negative where the work hides it.
#[must_use]
pub fn excess_seconds(costs: &TierCosts, chain: &Chain) -> f64 {
    let waits = |(class, count): (&OpClass, &f64)| Some(count * costs.waiting_seconds.get(class)?.value);
    let works = |(class, count): (&OpClass, &u64)| Some(*count as f64 * costs.seconds_per_op.get(class)?.value);
    chain.path.iter().filter_map(waits).sum::<f64>() - chain.operators.iter().filter_map(works).sum::<f64>()
}

fn term(name: &str, count: f64, seconds_each: f64, source: &str) -> ModelTerm {
    let seconds = count * seconds_each;
    ModelTerm { name: name.to_owned(), count, seconds_each, seconds, source: source.to_owned() }
}

#[cfg(test)]
mod tests {
    use forewarm_types::Bytes;
    use forewarm_types::counts::{BranchSample, ReuseHistogram};

    use super::*;
    use crate::{Figure, MemoryLevel, defaults};

    fn counted() -> Counts {
        let classes = [(OpClass::IntAlu, 3_000_000), (OpClass::Load, 1_000_000), (OpClass::Branch, 500_000)].into();
        Counts { classes, complete: true, ..Counts::default() }
    }

    fn memory() -> Hierarchy {
        let figure = |value| Figure::measured(value, 0.0, 3, "test");
        let level = MemoryLevel {
            name: "memory".into(),
            beyond_bytes: Bytes(1 << 20),
            chased_seconds: figure(100e-9),
            scattered_seconds: figure(10e-9),
            streamed_seconds: figure(2e-9),
        };
        Hierarchy { levels: vec![level] }
    }

    /// Costs as a probe that measured everything leaves them: a branch costs 5 ns more, a result is ready after 1 ns.
    fn probed() -> OpCosts {
        let mut costs = defaults::op_costs();
        let figure = |value| Figure::measured(value, 0.1 * value, 3, "test");
        for tier in costs.tiers.values_mut() {
            tier.mispredicted_seconds = Some(figure(5e-9));
            tier.waiting_seconds = OpClass::ALL.map(|class| (class, figure(1e-9))).into();
            tier.entry_seconds = Some(figure(1e-4));
        }
        costs
    }

    #[test]
    fn branches_cost_what_was_not_foreseen() {
        let counts = |mispredicted| Counts {
            conditional_branches: 400_000,
            branches: Some(BranchSample { sampled: 1000, mispredicted }),
            ..counted()
        };
        let seconds = |counts: &Counts| {
            let mean = mean(&probed(), &memory(), counts, Tier::Cranelift).unwrap();
            mean.seconds * counts.classes.values().sum::<u64>() as f64
        };
        let (never, half) = (seconds(&counts(0)), seconds(&counts(500)));
        assert!((half - never - 200_000.0 * 5e-9).abs() < 1e-9, "{never} {half}");
        assert!((seconds(&counted()) - never).abs() < 1e-12);
    }

    #[test]
    fn what_was_not_looked_at_is_hindered_as_programs_are() {
        let mut costs = probed();
        let known = Counts { branches: Some(BranchSample { sampled: 9, mispredicted: 0 }), ..counted() };
        for (measured, counts_as) in [(1.5, 1.5), (0.8, 1.0)] {
            let figure = Figure::measured(measured, 0.3, 3, "test");
            costs.tiers.values_mut().for_each(|tier| tier.hindrance = Some(figure.clone()));
            let seconds = |counts: &Counts| mean(&costs, &memory(), counts, Tier::Cranelift).unwrap().seconds;
            assert!((seconds(&counted()) / seconds(&known) - counts_as).abs() < 1e-9);
            let whole = costs.mean(&counted().mix(), Tier::Cranelift).unwrap().seconds;
            assert!((seconds(&counted()) / whole - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn a_chain_costs_what_its_loop_does_not_hide() {
        let chain = |length: f64| Chain {
            operators: [(OpClass::IntAlu, 1_000_000)].into(),
            path: [(OpClass::IntAlu, length)].into(),
        };
        let chain = |length| Counts { chains: vec![chain(length)], ..counted() };
        let costs = probed();
        let of = |counts: &Counts| explain(&costs, &memory(), counts, Tier::Cranelift).unwrap();
        let work = 1e6 * costs.tiers[&Tier::Cranelift].seconds_per_op[&OpClass::IntAlu].value;
        let waits = |model: &RunModel| model.terms.iter().any(|term| term.name.contains("chains"));
        let (short, long) = (of(&chain(1000.0)), of(&chain(3e6)));
        assert!(!waits(&short) && waits(&long));
        let apart = long.cpu_seconds.expected - short.cpu_seconds.expected;
        assert!((apart - (3e-3 - work)).abs() < 1e-9, "{apart}");
    }

    #[test]
    fn the_terms_add_up_to_the_prediction() {
        let costs = probed();
        let mut counts = Counts {
            conditional_branches: 400_000,
            branches: Some(BranchSample { sampled: 1000, mispredicted: 100 }),
            ..counted()
        };
        let reuse = ReuseHistogram { far_accesses: 1e6, ..ReuseHistogram::default() };
        counts.reuse = Some(reuse);
        for tier in Tier::ALL {
            let model = explain(&costs, &memory(), &counts, tier).unwrap();
            let sum: f64 = model.terms.iter().map(|term| term.seconds).sum();
            assert!((model.cpu_seconds.expected / sum - 1.0).abs() < 1e-9, "{model:?}");
            assert!(model.terms.windows(2).all(|pair| pair[0].seconds >= pair[1].seconds));
        }
    }

    #[test]
    fn far_accesses_cost_time_and_near_ones_none() {
        let costs = defaults::op_costs();
        let seconds = |reuse: Option<ReuseHistogram>| {
            mean(&costs, &memory(), &Counts { reuse, ..counted() }, Tier::Cranelift).unwrap().seconds
        };
        let near = ReuseHistogram { accesses: vec![1e6], ..ReuseHistogram::default() };
        let far = ReuseHistogram { far_accesses: 1e6, ..ReuseHistogram::default() };
        assert_eq!(seconds(None), seconds(Some(near)));
        assert!(seconds(Some(far)) > seconds(None));
    }
}
