//! The run-time model: exact counts of a run times what each thing counted costs on a tier.
//!
//! `T = correction * (Σ over classes c of count_c * cost_c + Σ over memory levels l of accesses_l * cost_l)`: the first sum
//! is the machine characteriser of Saavedra and Smith, "Analysis of benchmark characteristics and benchmark performance
//! prediction", TOCS 1996; the second their memory term (Saavedra and Smith, IEEE TC 1995), its misses from reuse distances
//! ([`crate::hierarchy`]). Branches, indirect calls and host calls are classes like the others. Called by the planner.

use forewarm_types::counts::Counts;
use forewarm_types::model::{ModelTerm, RunModel};
use forewarm_types::{Estimate, OpClass, Tier};

use crate::costs::MeanCost;
use crate::figure::Z95;
use crate::{Hierarchy, OpCosts};

/// CPU seconds per operator of a counted run on a tier: its classes' costs, and its memory's share.
///
/// `None` where the tier has no costs or nothing was counted.
#[must_use]
pub fn mean(costs: &OpCosts, hierarchy: &Hierarchy, counts: &Counts, tier: Tier) -> Option<MeanCost> {
    let mean = costs.mean(&counts.mix(), tier)?;
    let Some(reuse) = &counts.reuse else { return Some(mean) };
    let operators = counts.classes.values().sum::<u64>() as f64;
    let correction = costs.correction(tier);
    let mut seconds = 0.0;
    let mut deviation = 0.0;
    for level in hierarchy.costs(reuse) {
        let cost = correction * level.accesses * level.seconds_each / operators;
        seconds += cost;
        deviation += cost * level.log_deviation;
    }
    let whole = mean.seconds + seconds;
    // The two parts' errors have nothing to do with each other.
    let log_deviation = (mean.seconds * mean.log_deviation).hypot(deviation) / whole;
    (whole.is_finite() && whole > 0.0).then_some(MeanCost { seconds: whole, log_deviation, ..mean })
}

/// The prediction for a tier in its terms; `None` as for [`mean`].
#[must_use]
pub fn explain(costs: &OpCosts, hierarchy: &Hierarchy, counts: &Counts, tier: Tier) -> Option<RunModel> {
    let mean = mean(costs, hierarchy, counts, tier)?;
    let known = &costs.tiers.get(&tier)?.seconds_per_op;
    let class = |class: OpClass| {
        let (count, figure) = (counts.of(class) as f64, known.get(&class)?);
        Some(term(class.name(), count, figure.value, figure.source_in_words()))
    };
    let mut terms: Vec<ModelTerm> = OpClass::ALL.into_iter().filter_map(class).collect();
    if let Some(reuse) = &counts.reuse {
        for level in hierarchy.costs(reuse) {
            let name = format!("accesses served by {}", level.level.name);
            let source = level.level.scattered_seconds.source_in_words();
            terms.push(term(&name, level.accesses, level.seconds_each, source));
        }
    }
    terms.retain(|term| term.count > 0.0);
    terms.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
    let seconds = mean.seconds * counts.classes.values().sum::<u64>() as f64;
    let spread = (Z95 * mean.log_deviation).exp();
    let cpu_seconds = Estimate::new(seconds / spread, seconds, seconds * spread, mean.basis);
    Some(RunModel { tier, cpu_seconds, correction: costs.correction(tier), terms })
}

fn term(name: &str, count: f64, seconds_each: f64, source: &str) -> ModelTerm {
    let seconds = count * seconds_each;
    ModelTerm { name: name.to_owned(), count, seconds_each, seconds, source: source.to_owned() }
}

#[cfg(test)]
mod tests {
    use forewarm_types::Bytes;
    use forewarm_types::counts::ReuseHistogram;

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

    #[test]
    fn the_terms_add_up_to_the_prediction() {
        let costs = defaults::op_costs();
        let mut counts = counted();
        let reuse = ReuseHistogram { far_accesses: 1e6, sequential_share: 0.5, ..ReuseHistogram::default() };
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
