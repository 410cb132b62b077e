//! A calibration with a tiny budget measures every figure it promises.

use std::sync::Arc;

use forewarm_emulator::{Budget, calibrate};
use forewarm_resources::inventory;
use forewarm_sandbox::{RealClock, RealFiles};
use forewarm_types::{OpClass, Step, Tier, Work};

#[test]
fn a_tiny_budget_measures_everything() {
    let mut stages = Vec::new();
    let inventory = inventory::detect(&RealFiles, 2);
    let model = calibrate(inventory, Budget::tiny(), Arc::new(RealClock), &mut |line| stages.push(line.to_owned()));
    let model = model.unwrap();
    assert!(stages.len() >= 5, "{stages:?}");
    for tier in Tier::ALL {
        let costs = &model.op_costs.tiers[&tier].seconds_per_op;
        let sum: f64 = costs.values().map(|figure| figure.value).sum();
        assert!(sum > 0.0, "{tier}: {costs:?}");
        // Pulley has no atomic read-modify-write, and keeps the default.
        let lacks = |class: OpClass| tier == Tier::Pulley && class == OpClass::Atomic;
        for class in OpClass::ALL.into_iter().filter(|class| !lacks(*class)) {
            let figure = costs.get(&class).unwrap_or_else(|| panic!("{tier}: no cost of {}", class.name()));
            assert!(figure.samples > 0 && figure.value > 0.0 && figure.value < 1e-3, "{tier} {class:?}: {figure:?}");
            assert_eq!(figure.source, "calibrated on this machine");
        }
        for step in [Step::Compile, Step::Persist, Step::Map, Step::Link, Step::Instantiate, Step::Pool] {
            let cost = &model.transitions.tiers[&tier][&step];
            assert!(cost.samples > 0, "{tier} {step:?}: {cost:?}");
            assert!(cost.fixed_seconds + cost.seconds_per_megabyte > 0.0, "{tier} {step:?}: {cost:?}");
        }
        assert!(model.transitions.tiers[&tier][&Step::Compile].bytes_per_byte > 0.1);
    }
    let read = &model.transitions.common[&Step::Read];
    assert!(read.samples > 0 && read.seconds_per_megabyte > 0.0, "{read:?}");
    assert!(model.transitions.first_touch_seconds_per_byte.is_some_and(|figure| figure.samples > 0));
    // Where the system has pages of two sizes.
    if std::path::Path::new("/sys/kernel/mm/transparent_hugepage").exists() {
        let touch = model.transitions.page_touch.as_ref().unwrap();
        assert!(touch.small.samples > 0 && touch.small.value > 0.0 && touch.large.value > 0.0, "{touch:?}");
    }
    let contention = &model.contention;
    for (work, other) in Work::ALL.into_iter().flat_map(|work| Work::ALL.map(|other| (work, other))) {
        let pair = contention.beside.iter().find(|beside| beside.work == work && beside.other == other);
        let pair = pair.unwrap_or_else(|| panic!("{work:?} beside {other:?} was not measured"));
        assert!(pair.factor.value >= 1.0 && pair.factor.samples >= 2 && pair.cores == 1.0, "{pair:?}");
    }
    let threads: Vec<f64> = contention.crowded.iter().map(|crowded| crowded.threads_per_core).collect();
    assert_eq!(threads, [2.0, 4.0]);
    assert!(contention.crowded.iter().all(|crowded| crowded.factor.value >= 1.0 && crowded.factor.samples >= 2));
    assert!(model.power.from_table, "no counter of energy was read");
}
