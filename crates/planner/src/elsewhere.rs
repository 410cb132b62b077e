//! Runs on machines that are not here: what is thought of a run here, carried over to another node's resource model.
//!
//! What a program costs on another machine is what it is thought to cost on this one times the ratio of what the two models
//! make of its operators (and of its memory accesses, where a trial counted those): whatever the model does not know of the
//! program is the same in both and cancels, as a correction learned from its own runs stays. What the other machine is busy
//! with, and what it takes to bring the program there, is not known and counts as nothing; the plan says so.

use std::collections::BTreeMap;

use forewarm_resources::costs::MeanCost;
use forewarm_resources::{ResourceModel, run_model};
use forewarm_types::{Basis, Candidate, Corrections, Counts, Estimate, Load, OpMix, Plan, Tier};

use crate::belief::{Belief, Inputs};
use crate::distribution::LogNormal;
use crate::files::AbsentFiles;

/// Candidates of each other node that a plan lists.
const LISTED: usize = 3;

/// What runs only elsewhere: the mark of such a candidate.
pub const NOT_HERE: &str = "not_here";

/// A run's time on two machines, as a ratio.
struct Ratio {
    factor: f64,
    log_deviation: f64,
}

impl Ratio {
    fn of(mix: &OpMix, counts: Option<&Counts>, models: [&ResourceModel; 2], tier: Tier) -> Option<Self> {
        let mean = |model: &ResourceModel| -> Option<MeanCost> {
            let counted = counts.and_then(|counts| run_model::mean(&model.op_costs, &model.hierarchy, counts, tier));
            counted.or_else(|| model.op_costs.mean(mix, tier))
        };
        let [here, there] = models.map(mean);
        let (here, there) = (here?, there?);
        let factor = there.seconds / here.seconds;
        // Two sourced defaults err together, two calibrations each by itself.
        let together = here.basis == Basis::Default && there.basis == Basis::Default;
        let log_deviation = if together {
            (here.log_deviation - there.log_deviation).abs()
        } else {
            here.log_deviation.hypot(there.log_deviation)
        };
        (factor.is_finite() && factor > 0.0).then_some(Self { factor, log_deviation })
    }

    fn carry(&self, estimate: Estimate) -> Estimate {
        let there = LogNormal::of(estimate).times(self.factor.ln(), self.log_deviation);
        let (low, high) = (there.quantile(0.05), there.quantile(0.95));
        Estimate::new(low, (estimate.expected * self.factor).clamp(low, high), high, estimate.basis)
    }
}

/// What is thought of a WebAssembly run on another node, from what is thought of it here and what a trial counted.
#[must_use]
pub fn corrections(here: &Belief, inputs: &Inputs<'_>, there: &ResourceModel, counts: Option<&Counts>) -> Corrections {
    let mix = &inputs.analysis.profile.ops;
    let carried = |tier: Tier| {
        let ratio = Ratio::of(mix, counts, [inputs.resources, there], tier)?;
        Some((tier, ratio.carry(here.run_cpu_seconds(tier)?)))
    };
    let run_cpu_seconds: BTreeMap<Tier, Estimate> = Tier::ALL.into_iter().filter_map(carried).collect();
    let peak = here.peak_linear_memory_bytes();
    let known = (peak.basis > Basis::Default).then_some(peak);
    Corrections { run_cpu_seconds, ops: None, peak_linear_memory_bytes: known, ..inputs.corrections.clone() }
}

/// The same of a process, from what its plan here foretells.
#[must_use]
pub fn process_corrections(here: &Plan, inputs: &Inputs<'_>, there: &ResourceModel) -> Corrections {
    let mix = &inputs.analysis.profile.ops;
    // The optimising compiler's code is what costs of native code are nearest to.
    let ratio = Ratio::of(mix, None, [inputs.resources, there], Tier::Cranelift);
    let carried = ratio.map_or(here.predicted_cpu_seconds, |ratio| ratio.carry(here.predicted_cpu_seconds));
    Corrections { process_cpu_seconds: Some(carried), ..inputs.corrections.clone() }
}

/// What a plan for another node is made from: its model and its memory, nothing that stands or is busy there.
#[must_use]
pub fn inputs<'a>(here: &Inputs<'a>, there: &'a ResourceModel, corrections: &'a Corrections) -> Inputs<'a> {
    let mut constraints = here.constraints;
    constraints.available_memory = there.inventory.memory_bytes;
    Inputs {
        resources: there,
        corrections,
        standing: &[],
        load: Load::default(),
        absent: AbsentFiles::default(),
        constraints,
        ..*here
    }
}

/// Lists the best of another node's candidates among a plan's own, by cost, marked as such.
pub fn list(plan: &mut Plan, mut there: Plan) {
    let Some(node) = there.chosen.configuration.placement().map(|placement| placement.node.clone()) else { return };
    let best = there.candidates.drain(..).filter(|candidate| candidate.why_not.is_none()).take(LISTED);
    let marked: Vec<Candidate> = best.map(|candidate| mark(candidate, &node)).collect();
    plan.assumptions.push(format!(
        "node {node}: as its calibration says, with nothing else running there and the program there already; what a run takes \
         is carried over from what it takes here"
    ));
    plan.considered += there.considered;
    *plan.rejected.entry(NOT_HERE.to_owned()).or_default() += there.considered;
    for candidate in marked {
        let dearer = |other: &Candidate| {
            other.why_not.as_ref().is_some_and(|why| !why.starts_with(NOT_HERE))
                || other.cost.total_dollars > candidate.cost.total_dollars
        };
        let at = plan.candidates.iter().position(dearer).unwrap_or(plan.candidates.len());
        plan.candidates.insert(at, candidate);
    }
}

fn mark(mut candidate: Candidate, node: &str) -> Candidate {
    candidate.why_not = Some(format!("{NOT_HERE}: node {node} is not this machine, and runs go nowhere else"));
    // What was observed was observed here.
    let carried = |estimate: Estimate| estimate.with_basis(estimate.basis.min(Basis::Static));
    let cost = &mut candidate.cost;
    (cost.run_seconds, cost.energy_joules) = (carried(cost.run_seconds), carried(cost.energy_joules));
    candidate
}

#[cfg(test)]
mod tests {
    use forewarm_resources::{Figure, defaults, inventory};
    use forewarm_types::{CodeKind, IsaLevel, Objective, Step};

    use super::*;
    use crate::testing::{Problem, exactly};
    use crate::{candidates, choose, weights};

    /// A machine of so many cores, probed, whose operators take so many times what sources say.
    fn probed(cores: u32, factor: f64) -> ResourceModel {
        let mut model = defaults::model(inventory::unknown(cores));
        for figure in model.op_costs.tiers.values_mut().flat_map(|tier| tier.seconds_per_op.values_mut()) {
            *figure = Figure::measured(figure.value * factor, 0.1 * figure.value * factor, 7, "calibrated");
        }
        model
    }

    fn node(factor: f64) -> ResourceModel {
        let mut model = probed(8, factor);
        model.inventory.node = "big".into();
        model
    }

    fn problem() -> Problem {
        let mut problem = Problem::new(60_000, exactly(1e6)).observed(Tier::Cranelift, 2.0).once();
        problem.resources = probed(2, 1.0);
        problem
    }

    fn planned(problem: &Problem, there: &ResourceModel) -> (Plan, Plan) {
        let latency = weights(Objective::Latency);
        let inputs = problem.inputs();
        let belief = problem.believe();
        let corrections = corrections(&belief, &inputs, there, None);
        let abroad = super::inputs(&inputs, there, &corrections);
        let plan = |inputs: &Inputs<'_>| {
            let belief = crate::believe(inputs);
            choose(&belief, candidates(&belief, &latency), Objective::Latency, latency, 20).unwrap()
        };
        let (mut here, away) = (plan(&inputs), plan(&abroad));
        list(&mut here, away.clone());
        (here, away)
    }

    #[test]
    fn a_run_takes_elsewhere_what_its_operators_do() {
        let problem = problem();
        for factor in [0.25, 1.0, 3.0] {
            let (here, away) = planned(&problem, &node(factor));
            let (ours, theirs) = (here.predicted_cpu_seconds, away.predicted_cpu_seconds);
            assert_eq!(here.chosen.configuration.class(), away.chosen.configuration.class());
            assert!((theirs.expected / ours.expected / factor - 1.0).abs() < 0.2, "{factor}: {ours:?} {theirs:?}");
            assert!(theirs.width_ratio() > ours.width_ratio(), "the other machine is less sure");
        }
    }

    #[test]
    fn its_candidates_stand_among_ours_marked_and_unchosen() {
        let problem = problem();
        let (plan, away) = planned(&problem, &node(0.25));
        assert_eq!(plan.chosen.configuration.placement().unwrap().node, "local");
        let theirs: Vec<_> =
            plan.candidates.iter().filter(|c| c.configuration.placement().unwrap().node == "big").collect();
        assert_eq!(theirs.len(), LISTED);
        assert!(theirs.iter().all(|c| c.feasible && c.why_not.as_ref().is_some_and(|why| why.starts_with(NOT_HERE))));
        assert!(theirs.iter().all(|c| c.cost.run_seconds.basis <= Basis::Static), "nothing was observed there");
        assert_eq!(plan.candidates[0].configuration.placement().unwrap().node, "big", "it is cheaper, and says so");
        assert_eq!(plan.rejected[NOT_HERE], away.considered);
        let priced: Vec<f64> = plan.candidates.iter().take(10).map(|c| c.cost.total_dollars).collect();
        assert!(priced.is_sorted(), "{priced:?}");
    }

    #[test]
    fn what_stands_here_stands_not_there() {
        let mut problem = Problem::new(1_000_000, exactly(1e6)).once();
        problem.standing = vec![(Tier::Cranelift, IsaLevel::Native)];
        let (here, away) = planned(&problem, &node(1.0));
        let maps = |plan: &Plan| plan.warm_up.iter().any(|step| step.step == Step::Map);
        assert!(maps(&here) && !maps(&away));
    }

    #[test]
    fn processes_are_carried_over_too() {
        let mut problem = problem();
        problem.analysis.code.kind = CodeKind::Elf;
        problem.corrections.process_cpu_seconds = Some(Estimate::new(0.9, 1.0, 1.1, Basis::Observed));
        let inputs = problem.inputs();
        let here = crate::plan_process(&inputs, Objective::Latency, None, 20).unwrap();
        let mut there = node(0.5);
        there.price.dollars_per_core_second = Figure::measured(0.0, 0.0, 1, "test");
        let corrections = process_corrections(&here, &inputs, &there);
        let away = super::inputs(&inputs, &there, &corrections);
        let away = crate::plan_process(&away, Objective::Latency, None, 20).unwrap();
        assert_eq!(away.chosen.configuration.placement().unwrap().node, "big");
        assert!((away.predicted_cpu_seconds.expected / here.predicted_cpu_seconds.expected - 0.5).abs() < 0.1);
    }
}
