//! Defaults lose to measurements: a stored model over the defaults of this build, and what of a model to store.

use forewarm_types::{Step, Tier};

use crate::{Figure, ResourceModel, StepCost};

/// The stored model where it was measured, `defaults` elsewhere; the inventory is that of `defaults`, which was read
/// from the system just now.
///
/// A stored default is dropped in favour of the new one, so that a build with better sources takes effect.
#[must_use]
pub fn merge(defaults: ResourceModel, stored: &ResourceModel) -> ResourceModel {
    let mut model = defaults;
    for tier in Tier::ALL {
        if let Some(measured) = stored.op_costs.tiers.get(&tier) {
            let costs = model.op_costs.tiers.entry(tier).or_default();
            for (class, figure) in &measured.seconds_per_op {
                let default = costs.seconds_per_op.entry(*class).or_insert_with(|| figure.clone());
                take(default, figure);
            }
            take_optional(&mut costs.correction, measured.correction.as_ref());
            take_optional(&mut costs.baseline_factor, measured.baseline_factor.as_ref());
            take_optional(&mut costs.mispredicted_seconds, measured.mispredicted_seconds.as_ref());
            take_optional(&mut costs.entry_seconds, measured.entry_seconds.as_ref());
            take_optional(&mut costs.hindrance, measured.hindrance.as_ref());
            costs.waiting_seconds.extend(measured.waiting_seconds.clone());
        }
        if let Some(steps) = stored.transitions.tiers.get(&tier) {
            take_steps(model.transitions.tiers.entry(tier).or_default(), steps);
        }
    }
    take_steps(&mut model.transitions.common, &stored.transitions.common);
    if !stored.hierarchy.levels.is_empty() {
        model.hierarchy = stored.hierarchy.clone();
    }
    take_rest(&mut model, stored);
    model
}

/// The model less the defaults that [`merge`] would put back: what is worth storing. It is read before and written after
/// every run, so that its size is time its users wait.
#[must_use]
pub fn without_defaults(mut model: ResourceModel) -> ResourceModel {
    for costs in model.op_costs.tiers.values_mut() {
        costs.seconds_per_op.retain(|_, figure| !figure.is_default());
    }
    for steps in model.transitions.tiers.values_mut() {
        steps.retain(|_, step| step.samples > 0);
    }
    model.transitions.common.retain(|_, step| step.samples > 0);
    model
}

fn take_rest(model: &mut ResourceModel, stored: &ResourceModel) {
    let touch = stored.transitions.first_touch_seconds_per_byte.as_ref();
    take_optional(&mut model.transitions.first_touch_seconds_per_byte, touch);
    if stored.transitions.page_touch.is_some() {
        model.transitions.page_touch.clone_from(&stored.transitions.page_touch);
    }
    model.transitions.warm_starts.clone_from(&stored.transitions.warm_starts);
    let start = stored.transitions.thread_start_seconds.as_ref();
    take_optional(&mut model.transitions.thread_start_seconds, start);
    if !stored.power.from_table {
        model.power = stored.power.clone();
    }
    model.power.accelerators.clone_from(&stored.power.accelerators);
    // What is paid is the user's to say, by importing it; no measurement could overrule a default.
    model.price = stored.price.clone();
    if !stored.contention.beside.is_empty() {
        model.contention.beside = stored.contention.beside.clone();
    }
    if !stored.contention.crowded.is_empty() {
        model.contention.crowded = stored.contention.crowded.clone();
    }
    take_optional(&mut model.contention.unpinned_factor, stored.contention.unpinned_factor.as_ref());
    let (prior, learned) = (&mut model.workload, &stored.workload);
    take(&mut prior.run_median_seconds, &learned.run_median_seconds);
    take(&mut prior.run_log_deviation, &learned.run_log_deviation);
    take(&mut prior.process_seconds, &learned.process_seconds);
    take(&mut prior.spawn_seconds, &learned.spawn_seconds);
    take(&mut prior.growth_with_numbers, &learned.growth_with_numbers);
    take(&mut prior.growth_with_bytes, &learned.growth_with_bytes);
    take(&mut prior.expected_reuses, &learned.expected_reuses);
    take(&mut prior.artifact_hold_seconds, &learned.artifact_hold_seconds);
    let mut processes = learned.processes.clone();
    for (default, learned) in prior.processes.figures_mut().into_iter().zip(processes.figures_mut()) {
        take(default, learned);
    }
    take(&mut model.metering.compile_factor, &stored.metering.compile_factor);
    take(&mut model.metering.run_factor, &stored.metering.run_factor);
    take(&mut model.metering.fuel_run_factor, &stored.metering.fuel_run_factor);
    take_optional(&mut model.metering.unshared_ratio, stored.metering.unshared_ratio.as_ref());
}

fn take(figure: &mut Figure, stored: &Figure) {
    if !stored.is_default() {
        *figure = stored.clone();
    }
}

fn take_optional(figure: &mut Option<Figure>, stored: Option<&Figure>) {
    if let Some(stored) = stored.filter(|stored| figure.is_none() || !stored.is_default()) {
        *figure = Some(stored.clone());
    }
}

fn take_steps(
    steps: &mut std::collections::BTreeMap<Step, StepCost>,
    stored: &std::collections::BTreeMap<Step, StepCost>,
) {
    for (step, cost) in stored {
        if cost.samples > 0 || !steps.contains_key(step) {
            steps.insert(*step, cost.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use forewarm_types::OpClass;

    use super::*;
    use crate::{defaults, inventory};

    #[test]
    fn measurements_win_and_stored_defaults_lose() {
        let mut stored = defaults::model(inventory::unknown(1));
        let winch = stored.op_costs.tiers.get_mut(&Tier::Winch).unwrap();
        winch.seconds_per_op.insert(OpClass::Load, Figure::measured(7.0, 0.0, 3, "calibrated"));
        winch.seconds_per_op.insert(OpClass::Store, Figure::sourced(9.0, 0.0, "an old guess"));
        let compile = stored.transitions.tiers.get_mut(&Tier::Winch).unwrap().get_mut(&Step::Compile).unwrap();
        (compile.samples, compile.seconds_per_megabyte) = (4, 0.5);
        stored.workload.run_median_seconds = Figure::measured(2.0, 0.0, 50, "runs");
        stored.metering.fuel_run_factor = Figure::measured(1.4, 0.1, 3, "calibrated");
        let fresh = defaults::model(inventory::unknown(8));
        let merged = merge(fresh.clone(), &stored);
        let costs = &merged.op_costs.tiers[&Tier::Winch].seconds_per_op;
        assert_eq!(costs[&OpClass::Load].value, 7.0);
        assert_eq!(costs[&OpClass::Store], fresh.op_costs.tiers[&Tier::Winch].seconds_per_op[&OpClass::Store]);
        assert_eq!(merged.transitions.step(Tier::Winch, Step::Compile).unwrap().seconds_per_megabyte, 0.5);
        assert_eq!(merged.workload.run_median_seconds.value, 2.0);
        assert_eq!(merged.metering.fuel_run_factor, stored.metering.fuel_run_factor);
        assert_eq!(merged.inventory.cores(), 8);
    }

    #[test]
    fn what_is_stored_is_what_merging_cannot_put_back() {
        let mut model = defaults::model(inventory::unknown(2));
        let winch = model.op_costs.tiers.get_mut(&Tier::Winch).unwrap();
        winch.seconds_per_op.insert(OpClass::Load, Figure::measured(7.0, 0.0, 3, "calibrated"));
        let stored = without_defaults(model.clone());
        assert_eq!(stored.op_costs.tiers[&Tier::Winch].seconds_per_op.len(), 1);
        assert_eq!(merge(defaults::model(inventory::unknown(2)), &stored), model);
    }
}
