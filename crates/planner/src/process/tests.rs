//! Plans for processes: what is proposed, what it costs, what wins.

use super::*;
use forewarm_resources::PageTouch;

use crate::files::AbsentFiles;
use crate::testing::Problem;

fn planned(change: impl FnOnce(&mut Problem)) -> Plan {
    let mut problem = Problem::new(10_000, None);
    problem.analysis.code.kind = CodeKind::Elf;
    change(&mut problem);
    plan_process(&problem.inputs(), Objective::Latency, None, 100).unwrap()
}

#[test]
fn terms_sum_to_the_total_and_the_cheapest_is_chosen() {
    let plan = planned(|_| {});
    for candidate in &plan.candidates {
        let sum: f64 = candidate.cost.terms_dollars.values().sum();
        assert!((sum - candidate.cost.total_dollars).abs() <= 1e-12 * sum.abs());
    }
    let best = plan.candidates.iter().filter(|candidate| candidate.why_not.is_none());
    let least = best.map(|candidate| candidate.cost.total_dollars).fold(f64::INFINITY, f64::min);
    assert!((plan.chosen.cost.total_dollars - least).abs() < 1e-15);
    assert_eq!(plan.chosen.configuration.class(), "process");
}

#[test]
fn memory_is_set_aside_where_it_is_known_and_growing_is_priced() {
    let seen = Estimate::new(5e7, 8e7, 2e8, Basis::Observed);
    let planned_by = |objective: Objective, known: bool| {
        let mut problem = Problem::new(10_000, None);
        problem.analysis.code.kind = CodeKind::Elf;
        problem.corrections.peak_linear_memory_bytes = known.then_some(seen);
        problem.corrections.process_cpu_seconds = Some(Estimate::exact(10.0, Basis::Observed));
        problem.constraints.available_memory = Bytes(1 << 34);
        plan_process(&problem.inputs(), objective, None, 100).unwrap().chosen
    };
    let of = |choice: &Choice| choice.configuration.placement().unwrap().memory_bytes.as_f64();
    let (waited_for, paid_for) = (planned_by(Objective::Latency, true), planned_by(Objective::Cost, true));
    // Who waits would rather set more aside than wait for more; who pays would not.
    assert!(of(&waited_for) > of(&paid_for) && of(&waited_for) > seen.high, "{waited_for:?} {paid_for:?}");
    for choice in [waited_for, paid_for] {
        let retry = choice.cost.retry.unwrap();
        assert!(retry.memory_bytes == Bytes(1 << 34) && of(&choice) < retry.memory_bytes.as_f64());
        assert!((0.0..=0.51).contains(&retry.probability) && choice.cost.terms_dollars[&Term::Retry] > 0.0);
        // Nothing fails of what is only set aside.
        assert!(choice.cost.terms_dollars[&Term::Failure] < 1e-6 * choice.cost.total_dollars);
    }
    assert_eq!(planned_by(Objective::Latency, false).cost.retry, None, "what is not known is held to nothing");
}

#[test]
fn large_pages_are_asked_for_only_where_they_are_measured_to_gain() {
    let seen = Estimate::new(0.9e9, 1e9, 1.1e9, Basis::Observed);
    let asked = |small: f64, large: f64, bytes: f64, library: &str| {
        let plan = planned(|problem| {
            let figure = |value| Figure::measured(value, value / 10.0, 7, "a probe");
            problem.resources.transitions.page_touch = Some(PageTouch { small: figure(small), large: figure(large) });
            problem.corrections.peak_linear_memory_bytes = Some(seen.scale(bytes / 1e9));
            problem.corrections.process_cpu_seconds = Some(Estimate::exact(2.0, Basis::Observed));
            problem.analysis.profile.libraries = vec![library.to_owned()];
        });
        plan.chosen.configuration.process().unwrap().large_pages
    };
    // Half a millisecond per megabyte against a tenth, and against two where the host has to back them first.
    assert!(asked(0.5e-9, 0.1e-9, 1e9, TOLD_LIBRARY));
    assert!(!asked(0.5e-9, 2.2e-9, 1e9, TOLD_LIBRARY));
    assert!(!asked(0.5e-9, 0.1e-9, 1e9, "libc.musl-x86_64.so.1"), "nothing in it can be told");
    assert!(!asked(0.5e-9, 0.1e-9, 2e6, TOLD_LIBRARY), "less than one large page");
    // A program that has to be told begins later, which a tenth of a megabyte does not make up for.
    assert!(!asked(0.5e-9, 0.1e-9, 2.2e6, TOLD_LIBRARY));
    let unmeasured = planned(|problem| problem.corrections.peak_linear_memory_bytes = Some(seen));
    assert!(unmeasured.candidates.iter().all(|c| !c.configuration.process().unwrap().large_pages));
}

#[test]
fn threads_are_told_only_where_they_are_used() {
    let told = |plan: &Plan| plan.chosen.configuration.process().unwrap().library_threads;
    assert_eq!(told(&planned(|_| {})), None);
    let threads = |problem: &mut Problem| problem.analysis.profile.parallelism.kind = ParallelismKind::Threads;
    let most = planned(threads).candidates.iter().map(|c| c.configuration.placements[0].units).max();
    assert_eq!(told(&planned(threads)), most);
}

#[test]
fn files_are_read_ahead_only_where_they_are_absent_and_that_is_quicker() {
    let reads = |absent: AbsentFiles| planned(|problem| problem.absent = absent).chosen;
    let read_ahead = |absent| reads(absent).configuration.process().unwrap().read_ahead;
    let gone = AbsentFiles { bytes: 1e8, ahead_seconds_per_byte: None };
    assert!(!read_ahead(AbsentFiles::default()) && read_ahead(gone));
    assert!(!read_ahead(AbsentFiles { ahead_seconds_per_byte: Some(1.0), ..gone }));
    let steps = planned(|problem| problem.absent = gone).warm_up;
    assert!(steps.iter().any(|step| step.step == Step::ReadAhead && step.bytes == Bytes(100_000_000)));
}

#[test]
fn a_share_slows_only_what_is_longer_than_a_slice() {
    let walls = |seconds: f64| {
        let seen = Estimate::exact(seconds, Basis::Observed);
        let plan = planned(|problem| {
            problem.corrections.process_cpu_seconds = Some(seen);
            problem.resources.inventory.enforceable_shares = vec![0.5];
        });
        let of = |share: f64| {
            let found = plan.candidates.iter().find(|c| (c.configuration.placements[0].share - share).abs() < 1e-9);
            found.unwrap().cost.run_seconds.expected
        };
        (of(1.0), of(0.5))
    };
    // A slice of half a core is 10 ms of each 20.
    let (whole, half) = walls(0.009);
    assert!((whole - half).abs() < 1e-9, "{whole} {half}");
    let (whole, half) = walls(0.1);
    assert!((half - whole - 0.1).abs() < 0.011, "{whole} {half}");
}

#[test]
fn what_was_observed_beats_what_was_foreseen() {
    let seen = Estimate::new(1.9, 2.0, 2.1, Basis::Observed);
    let plan = planned(|problem| problem.corrections.process_cpu_seconds = Some(seen));
    assert_eq!(plan.predicted_cpu_seconds.basis, Basis::Observed);
    assert!(plan.predicted_cpu_seconds.contains(2.0));
}
