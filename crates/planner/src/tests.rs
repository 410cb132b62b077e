//! The planner as a whole: choices follow the model, terms add up, rules hold, nothing panics.

use forewarm_resources::{Beside, Crowded, Figure, defaults, inventory};
use forewarm_types::plan::Trial;
use forewarm_types::{
    Basis, Bytes, Counts, Estimate, IsaLevel, Load, Objective, OpClass, Pressure, Rung, Step, Term, Tier, Weights, Work,
};

use crate::testing::{Problem, exactly, spread};
use crate::{
    Belief, Inputs, ProbeKind, ProbeMode, TimedRun, artifact_wait, believe, break_even_seconds, next_probe,
    preparation, weights,
};

mod smaller;

/// Operators of a matrix product at n = 1024, some 18 to an inner step.
const LONG: f64 = 18.0 * 1024.0 * 1024.0 * 1024.0;

fn check(code_bytes: u64, ops: Option<Estimate>, expected: Tier) {
    let problem = Problem::new(code_bytes, ops);
    assert_eq!(problem.tier(), expected, "{code_bytes} bytes, {ops:?}: {}", problem.plan().chosen.why);
}

#[test]
fn first_runs_are_chosen_by_code_size_and_loops() {
    check(2_000, spread(1e2, 1e5), Tier::Winch);
    check(60_000, spread(1e3, 1e6), Tier::Winch);
    check(1_000_000, spread(1e2, 1e9), Tier::Winch);
    check(1_000_000, None, Tier::Winch);
    check(6_000_000, None, Tier::Winch);
    check(20_000, exactly(5e6), Tier::Winch);
    check(20_000, exactly(LONG), Tier::Cranelift);
    check(20_000, exactly(200e6 * 15.0), Tier::Cranelift);
    check(2_000, spread(1e3, 1e12), Tier::Cranelift);
}

#[test]
fn swapping_two_tiers_costs_swaps_the_choice() {
    for (bytes, ops) in [(60_000, spread(1e3, 1e6)), (20_000, exactly(LONG)), (1_000_000, None)] {
        let problem = Problem::new(bytes, ops);
        let mut swapped = problem.clone();
        let costs = &mut swapped.resources.op_costs.tiers;
        let (winch, cranelift) = (costs.remove(&Tier::Winch).unwrap(), costs.remove(&Tier::Cranelift).unwrap());
        costs.extend([(Tier::Winch, cranelift), (Tier::Cranelift, winch)]);
        let steps = &mut swapped.resources.transitions.tiers;
        let (winch, cranelift) = (steps.remove(&Tier::Winch).unwrap(), steps.remove(&Tier::Cranelift).unwrap());
        steps.extend([(Tier::Winch, cranelift), (Tier::Cranelift, winch)]);
        let pair = [problem.tier(), swapped.tier()];
        assert!(pair == [Tier::Winch, Tier::Cranelift] || pair == [Tier::Cranelift, Tier::Winch], "{pair:?}");
    }
}

/// A program whose run is known to the second and that is run once, on a machine of so many cores, with the slower
/// tier twice as slow, and the optimising compiler's cost scaled.
fn known(cranelift_seconds: f64, cores: u32, compile_scale: f64) -> Problem {
    let mut problem = Problem::new(1_000_000, exactly(1e6)).once();
    problem.resources = defaults::model(inventory::unknown(cores));
    let steps = problem.resources.transitions.tiers.get_mut(&Tier::Cranelift).unwrap();
    steps.get_mut(&Step::Compile).unwrap().seconds_per_megabyte *= compile_scale;
    problem.observed(Tier::Cranelift, cranelift_seconds).observed(Tier::Winch, 2.0 * cranelift_seconds)
}

fn break_even(problem: &Problem) -> f64 {
    let latency = weights(Objective::Latency);
    break_even_seconds(&problem.believe(), &latency, Tier::Winch, Tier::Cranelift).unwrap()
}

#[test]
fn the_choice_turns_where_the_break_even_is_computed_to_lie() {
    for cores in [1, 2, 8] {
        for scale in [0.5, 1.0, 2.0, 4.0] {
            let at = break_even(&known(1.0, cores, scale));
            assert_eq!(known(at * 0.97, cores, scale).tier(), Tier::Winch, "{cores} cores, {scale}, {at}");
            assert_eq!(known(at * 1.03, cores, scale).tier(), Tier::Cranelift, "{cores} cores, {scale}, {at}");
        }
    }
}

#[test]
fn the_break_even_lies_where_it_was_measured() {
    let one = break_even(&known(1.0, 1, 1.0));
    assert!((0.7..0.9).contains(&one), "{one} s per MB of code on one core");
    let half = break_even(&known(1.0, 2, 1.0)) / one;
    assert!((0.45..0.6).contains(&half), "{half}");
}

#[test]
fn money_alone_waits_for_core_seconds_not_for_the_clock() {
    // On eight cores the clock hardly sees the compiler; the bill does.
    let problem = known(0.4, 8, 1.0);
    assert_eq!(problem.tier(), Tier::Cranelift);
    let plan = problem.plan_by(weights(Objective::Cost)).unwrap();
    assert_eq!(plan.chosen.configuration.cpu().unwrap().tier, Tier::Winch);
}

#[test]
fn a_standing_artifact_is_mapped_not_compiled() {
    let mut problem = Problem::new(1_000_000, None);
    problem.standing = vec![(Tier::Cranelift, IsaLevel::Native)];
    let plan = problem.plan();
    assert_eq!(plan.chosen.configuration.class(), "cranelift/native");
    assert_eq!(plan.chosen.configuration.warm_state, Rung::Artifact);
    assert_eq!(plan.warm_up[0].step, Step::Map);
    assert!(plan.rejected.contains_key("dominated"));
    assert_eq!(plan.chosen.configuration.cpu().unwrap().threads, 1, "mapping needs no threads");
}

#[test]
fn a_measured_run_overrules_the_analysis() {
    let static_says_long = Problem::new(1_000_000, exactly(LONG));
    assert_eq!(static_says_long.tier(), Tier::Cranelift);
    assert_eq!(static_says_long.clone().observed(Tier::Cranelift, 0.01).tier(), Tier::Winch);
    assert_eq!(Problem::new(1_000_000, exactly(1e4)).observed(Tier::Winch, 20.0).tier(), Tier::Cranelift);
}

#[test]
fn overrides_are_followed_and_counted() {
    let mut problem = Problem::new(1_000_000, None);
    problem.constraints.tier = Some(Tier::Pulley);
    problem.constraints.threads = Some(1);
    let plan = problem.plan();
    let cpu = plan.chosen.configuration.cpu().unwrap();
    assert_eq!((cpu.tier, cpu.threads), (Tier::Pulley, 1));
    assert!(plan.rejected["tier_override"] > 0 && plan.rejected["threads_override"] > 0);
    let rejected: u64 = plan.rejected.values().sum();
    assert!(rejected < plan.considered);
}

#[test]
fn a_tier_that_cannot_compile_the_code_says_why() {
    let mut problem = Problem::new(60_000, spread(1e3, 1e6));
    problem.analysis.profile.compile.unsupported.insert(Tier::Winch, "tail calls".into());
    let plan = problem.plan();
    assert_eq!(plan.chosen.configuration.cpu().unwrap().tier, Tier::Cranelift);
    let why_not = plan.candidates.iter().find_map(|candidate| candidate.why_not.as_deref());
    assert!(why_not.is_some_and(|text| text.contains("tail calls")), "{why_not:?}");
}

#[test]
fn without_executable_memory_bytecode_stays() {
    let mut problem = Problem::new(60_000, None);
    problem.resources.inventory.executable_memory = false;
    let plan = problem.plan();
    assert_eq!(plan.chosen.configuration.cpu().unwrap().tier, Tier::Pulley);
    assert!(plan.rejected["no_executable_memory"] > 0);
    assert_eq!(next_probe(&problem.believe(), &plan.weights, ProbeMode::Auto), None);
}

#[test]
fn pulley_is_dominated_elsewhere() {
    let plan = Problem::new(60_000, None).plan();
    assert!(plan.rejected["dominated"] > 0);
    let listed = plan.candidates.iter().filter(|candidate| candidate.why_not.is_none());
    assert!(listed.filter_map(|candidate| candidate.configuration.cpu()).all(|cpu| cpu.tier != Tier::Pulley));
}

#[test]
fn impossible_constraints_are_an_error_that_names_the_rules() {
    let mut problem = Problem::new(60_000, None);
    problem.constraints.max_memory = Some(Bytes(1000));
    let error = problem.plan_by(weights(Objective::Latency)).unwrap_err();
    assert!(error.for_memory());
    assert!(error.to_string().contains("memory_below_initial"), "{error}");
}

#[test]
fn a_deadline_nobody_can_keep_refuses_no_run() {
    let mut problem = Problem::new(1_000_000, exactly(1e13));
    problem.constraints.deadline_seconds = Some(2.0);
    let plan = problem.plan();
    assert!(plan.assumptions.iter().any(|line| line.starts_with("the deadline")), "{:?}", plan.assumptions);
    assert!(plan.chosen.cost.terms_dollars[&Term::Failure] > 0.0);
    assert!(!plan.rejected.contains_key("deadline"));
}

#[test]
fn a_level_that_changes_nothing_is_dominated_until_its_artifact_stands() {
    let mut problem = Problem::new(60_000, None);
    let levels = |plan: &forewarm_types::Plan| -> Vec<IsaLevel> {
        let passing = plan.candidates.iter().filter(|candidate| candidate.why_not.is_none());
        passing.filter_map(|candidate| Some(candidate.configuration.cpu()?.isa)).collect()
    };
    assert!(!levels(&problem.plan()).contains(&IsaLevel::Baseline));
    problem.standing = vec![(Tier::Winch, IsaLevel::Baseline)];
    assert_eq!(problem.plan().chosen.configuration.class(), "winch/baseline");
}

#[test]
fn a_deadline_only_one_tier_can_keep_decides() {
    let mut problem = known(0.2, 1, 1.0);
    assert_eq!(problem.tier(), Tier::Winch);
    problem.constraints.deadline_seconds = Some(0.6);
    let plan = problem.plan();
    assert_eq!(plan.chosen.configuration.cpu().unwrap().tier, Tier::Winch);
    assert!(plan.rejected["deadline"] > 0);
}

#[test]
fn memory_is_taken_where_failing_costs_more_than_holding() {
    let plan = Problem::new(60_000, None).plan();
    let placement = plan.chosen.configuration.placement().unwrap();
    assert!(placement.memory_bytes > Bytes(1 << 30), "waiting for a second run costs far more than memory");
    let mut bounded = Problem::new(60_000, None);
    bounded.constraints.max_memory = Some(Bytes(1 << 24));
    let placement = bounded.plan().chosen.configuration.placements.remove(0);
    assert_eq!(placement.memory_bytes, Bytes(1 << 24));
}

/// A program that ran for a second, whose peak is believed to lie between 10 and 100 MB.
fn of_uncertain_memory() -> Problem {
    let mut problem = Problem::new(60_000, None).observed(Tier::Cranelift, 1.0).once();
    problem.standing = vec![(Tier::Cranelift, IsaLevel::Native)];
    problem.corrections.peak_linear_memory_bytes = Some(Estimate::new(1e7, 3.5e7, 1e8, Basis::Observed));
    problem.constraints.available_memory = Bytes(1 << 33);
    problem
}

#[test]
fn what_is_set_aside_is_a_quantile_that_follows_from_the_objective() {
    let problem = of_uncertain_memory();
    let aside = |weights: Weights| {
        let chosen = problem.plan_by(weights).unwrap().chosen;
        let probability = chosen.cost.retry.map_or(0.0, |retry| retry.probability);
        (chosen.configuration.placement().unwrap().memory_bytes, probability)
    };
    let (latency, cost) = (aside(weights(Objective::Latency)), aside(weights(Objective::Cost)));
    assert!(latency.0 > cost.0 && latency.1 < cost.1, "{latency:?} {cost:?}");
    // Where a core costs nothing, a second run costs only the memory it holds, and little is set aside.
    let mut free = problem.clone();
    free.resources.price.dollars_per_core_second = Figure::measured(0.0, 0.0, 1, "test");
    let median = free.plan_by(weights(Objective::Cost)).unwrap().chosen.cost.retry.unwrap();
    assert!(median.probability > cost.1, "{median:?} {cost:?}");
}

#[test]
fn a_second_run_costs_what_it_takes_by_its_probability() {
    let problem = of_uncertain_memory();
    let price = &problem.resources.price;
    let plan = problem.plan_by(weights(Objective::Cost)).unwrap();
    let mut seen = 0;
    for candidate in plan.candidates.iter().filter(|candidate| candidate.why_not.is_none()) {
        let sum: f64 = candidate.cost.terms_dollars.values().sum();
        assert!((sum - candidate.cost.total_dollars).abs() <= 1e-12 * sum.abs());
        let (term, standing) = (&candidate.cost.terms_dollars, candidate.configuration.class() == "cranelift/native");
        let (Some(retry), true) = (candidate.cost.retry, standing) else { continue };
        let memory = candidate.configuration.placement().unwrap().memory_bytes;
        assert!(memory < retry.memory_bytes && (0.0..1.0).contains(&retry.probability));
        // All but the mapping is done again, and holds the greater memory.
        let mapped = plan.warm_up.iter().find(|step| step.step == Step::Map).unwrap().seconds.expected;
        let core = term[&Term::Cores] - price.dollars_per_core_second.value * mapped;
        let held = term[&Term::Memory] * retry.memory_bytes.as_f64() / memory.as_f64();
        let expected = retry.probability * (core + held);
        assert!((term[&Term::Retry] / expected - 1.0).abs() < 1e-9, "{} {expected}", term[&Term::Retry]);
        seen += 1;
    }
    assert!(seen > 1, "{:?}", plan.chosen);
}

#[test]
fn what_the_code_tells_of_a_components_peak_is_not_believed() {
    let mut problem = Problem::new(60_000, exactly(1e6));
    problem.analysis.profile.memory.peak_bytes = Some(Estimate::exact(1048576.0, Basis::Static));
    let aside = |belief: &Belief| {
        let latency = weights(Objective::Latency);
        let plan = crate::choose(belief, crate::candidates(belief, &latency), Objective::Latency, latency, 20).unwrap();
        plan.chosen.configuration.placement().unwrap().memory_bytes
    };
    assert_eq!(aside(&problem.believe()), Bytes(1 << 20));
    problem.analysis.code.kind = forewarm_types::CodeKind::WasmComponent;
    let mut belief = problem.believe();
    assert!(aside(&belief) > Bytes(1 << 30), "an adapter may allocate in its memory");
    belief.update(&trial(1_000_000, true));
    assert!(aside(&belief) > Bytes(1 << 30), "and is in no trial of the command alone");
}

#[test]
fn where_nothing_more_can_be_had_there_is_no_second_run() {
    let mut problem = of_uncertain_memory();
    problem.constraints.max_memory = Some(Bytes(4 << 20));
    let cost = problem.plan().chosen.cost;
    assert_eq!((cost.retry, cost.terms_dollars[&Term::Retry]), (None, 0.0));
    assert!(cost.terms_dollars[&Term::Failure] > 0.0, "it needs more than it may have, and fails");
}

#[test]
fn compiling_that_does_not_fit_is_rejected() {
    let mut problem = Problem::new(20_000_000, None);
    problem.analysis.profile.memory.maximum_bytes = Some(Bytes(1 << 21));
    problem.constraints.available_memory = Bytes(100_000_000);
    let error = problem.plan_by(weights(Objective::Latency)).unwrap_err();
    assert!(error.rejected.contains_key("memory_unfit"), "{error}");
    problem.standing = vec![(Tier::Winch, IsaLevel::Native)];
    assert_eq!(problem.tier(), Tier::Winch);
}

#[test]
fn several_threads_on_part_of_a_core_are_rejected() {
    let mut problem = Problem::new(1_000_000, None);
    problem.resources.inventory.enforceable_shares = vec![0.5, 2.0];
    let plan = problem.plan();
    assert_eq!(plan.chosen.configuration.placement().unwrap().share, 1.0);
    assert!(plan.rejected["threads_exceed_share"] > 0 && plan.rejected["share_not_enforceable"] > 0);
}

#[test]
fn a_short_program_is_not_tried() {
    for (bytes, ops) in [(2_000, spread(1e2, 1e5)), (60_000, spread(1e3, 1e6)), (20_000, exactly(LONG))] {
        let belief = Problem::new(bytes, ops).believe();
        assert_eq!(next_probe(&belief, &weights(Objective::Latency), ProbeMode::Auto), None);
    }
}

/// A loop nest over arguments, where programs differ far more than the prior says, and an optimising compiler that takes
/// its time and makes good for it: where a wrong choice costs more than a trial either way.
fn open() -> Problem {
    let mut problem = Problem::new(20_000, spread(1.0, 1e17));
    problem.resources.workload.run_log_deviation = Figure::measured(9.0, 0.0, 100, "runs");
    let winch = problem.resources.op_costs.tiers.get_mut(&Tier::Winch).unwrap();
    winch.seconds_per_op.values_mut().for_each(|figure| figure.value *= 5.0);
    let cranelift = problem.resources.transitions.tiers.get_mut(&Tier::Cranelift).unwrap();
    cranelift.get_mut(&Step::Compile).unwrap().seconds_per_megabyte *= 20.0;
    problem
}

#[test]
fn an_open_choice_is_tried_once() {
    let latency = weights(Objective::Latency);
    let mut belief = open().believe();
    let probe = next_probe(&belief, &latency, ProbeMode::Auto).unwrap();
    assert!(probe.expected_gain_dollars > probe.price_dollars && probe.limits.operators > 1000);
    assert_eq!(next_probe(&belief, &latency, ProbeMode::Never), None);
    belief.update(&trial(probe.limits.operators, false));
    assert_eq!(next_probe(&belief, &latency, ProbeMode::Auto), None);
    let forced = next_probe(&Problem::new(2_000, exactly(1e3)).believe(), &latency, ProbeMode::Seconds(0.5)).unwrap();
    assert_eq!(forced.limits.cpu_seconds, 0.5);
}

#[test]
fn an_argument_opens_what_depends_on_the_input() {
    let width = |numbers: &[f64], input_dependent| {
        let mut problem = Problem::new(2_000, exactly(1e6));
        problem.analysis.profile.input_dependent = input_dependent;
        problem.features.numbers = numbers.to_vec();
        problem.believe().run_cpu_seconds(Tier::Winch).unwrap().width_ratio()
    };
    let plain = width(&[], true);
    assert!(width(&[1.0], true) == plain && width(&[1e6], false) == plain);
    assert!(width(&[3.0], true) > 1.2 * plain && width(&[1e6], true) > 20.0 * width(&[3.0], true));
    // What is wide open is what programs are.
    let mut open = Problem::new(2_000, None).believe();
    open.tried = true;
    let prior = open.run_cpu_seconds(Tier::Winch).unwrap().width_ratio();
    assert!((width(&[1e9, 1e9], true) / prior).ln().abs() < 0.2);
}

fn trial(ops: u64, complete: bool) -> Trial {
    Trial {
        ops,
        complete,
        wall_seconds: 0.004,
        cpu_seconds: 0.003,
        peak_linear_memory_bytes: Bytes(1 << 20),
        ..Trial::default()
    }
}

fn tier_after(trial: &Trial) -> Tier {
    let latency = weights(Objective::Latency);
    let mut belief = open().believe();
    belief.update(trial);
    let candidates = crate::candidates(&belief, &latency);
    let plan = crate::choose(&belief, candidates, Objective::Latency, latency, 20).unwrap();
    assert!(plan.chosen.cost.terms_dollars[&Term::Probe] > 0.0);
    plan.chosen.configuration.cpu().unwrap().tier
}

#[test]
fn a_trial_decides() {
    assert_eq!(tier_after(&trial(100_000, true)), Tier::Winch);
    assert_eq!(tier_after(&trial(10_000_000_000, true)), Tier::Cranelift);
    assert_eq!(tier_after(&trial(1_000_000_000, false)), Tier::Cranelift);
}

#[test]
fn what_outlasts_a_trial_is_believed_to_last_as_long_again() {
    // What was thought before is gainsaid.
    let mut belief = Problem::new(20_000, exactly(1e3)).believe();
    belief.update(&trial(1_000_000, false));
    let run = belief.runs[Tier::Winch as usize].unwrap();
    let cost = belief.evidence.seconds_per_operator(Tier::Winch).unwrap();
    assert!((run.nodes[15] / (2.0 * 1e6 * cost) - 1.0).abs() < 1e-9);
    assert_eq!(run.basis, Basis::Emulated);
    // It is not.
    let median = |belief: &Belief| belief.runs[Tier::Winch as usize].unwrap().nodes[15];
    let mut belief = Problem::new(20_000, spread(1e3, 1e12)).believe();
    let before = median(&belief);
    belief.update(&trial(1_000, false));
    assert!((median(&belief) / before - 1.0).abs() < 0.1, "{} {before}", median(&belief));
}

#[test]
fn a_trial_that_is_outlasted_leaves_what_the_code_tells_unless_it_gainsays_it() {
    let known = Estimate::new(0.9e9, 1e9, 1.1e9, Basis::Static);
    let winch = |ops| {
        let mut belief = Problem::new(20_000, Some(known)).believe();
        let before = belief.run_cpu_seconds(Tier::Winch).unwrap().expected;
        belief.update(&trial(ops, false));
        belief.run_cpu_seconds(Tier::Winch).unwrap().expected / before
    };
    assert!((winch(10_000_000) - 1.0).abs() < 1e-9);
    assert!(winch(3_000_000_000) > 3.0);
}

#[test]
fn smaller_inputs_foretell_memory_and_a_trial_its_least() {
    let mut belief = open().believe();
    belief.foresee_peak(Estimate::new(9e7, 1e8, 1.1e8, Basis::Emulated));
    let peak = belief.peak_linear_memory_bytes();
    assert!((0.9e8..=1.1e8).contains(&peak.expected) && peak.width_ratio() < 1.5, "{peak:?}");
}

#[test]
fn a_timed_trial_calibrates_the_program() {
    let mut belief = open().believe();
    // Far from what the operators' costs would have it: metered code of components is 15 % slower.
    let timed = Trial { run_cpu_seconds: 1.15, ..trial(1_000_000, true) };
    belief.update(&timed);
    let winch = belief.run_cpu_seconds(Tier::Winch).unwrap();
    assert!((winch.low..=winch.high).contains(&1.0) && winch.width_ratio() < 3.0, "{winch:?}");
}

/// A program of 1 MB that took so long on the fast compiler and is expected back so often.
fn returning(seconds: f64, reuses: f64) -> Problem {
    let mut problem = Problem::new(1_000_000, None).observed(Tier::Winch, seconds);
    problem.corrections.expected_reuses = Some(Estimate::exact(reuses, Basis::Observed));
    problem.standing = vec![(Tier::Winch, IsaLevel::Native)];
    problem
}

#[test]
fn what_comes_back_is_prepared_when_it_pays() {
    let latency = weights(Objective::Latency);
    let prepared = |problem: &Problem| preparation(&problem.believe(), &latency);
    let found = prepared(&returning(0.2, 5.0)).unwrap();
    assert_eq!(found.configuration.class(), "cranelift/native");
    assert!(found.net_value_dollars > 0.0 && found.expected_reuses == 5.0);
    assert_eq!(prepared(&returning(0.2, 0.0)), None);
    assert_eq!(prepared(&returning(0.000_1, 5.0)), None);
    let mut standing = returning(0.2, 5.0);
    standing.standing.push((Tier::Cranelift, IsaLevel::Native));
    assert_eq!(prepared(&standing), None);
    let mut nowhere = returning(0.2, 5.0);
    nowhere.constraints.persist = false;
    assert_eq!(prepared(&nowhere), None);
}

#[test]
fn more_reuses_are_worth_more() {
    let latency = weights(Objective::Latency);
    let net = |reuses| preparation(&returning(0.2, reuses).believe(), &latency).unwrap().net_value_dollars;
    assert!(net(10.0) > net(5.0));
}

#[test]
fn writing_is_awaited_as_long_as_compiling_again_would_cost_more() {
    let latency = weights(Objective::Latency);
    let wait = |compile: f64, persist: f64| {
        let mut belief = returning(0.2, 5.0).believe();
        let climb = &mut belief.climbs[Tier::Cranelift as usize];
        climb.compile = Estimate::exact(compile, Basis::Observed);
        climb.persist = Estimate::exact(persist, Basis::Observed);
        artifact_wait(&belief, &latency, Tier::Cranelift)
    };
    let (short, long) = (wait(10.0, 0.001).unwrap(), wait(1000.0, 0.001).unwrap());
    assert!(0.001 < short && short < long && long < 1000.0, "{short} {long}");
    assert_eq!(wait(0.1, 10.0), None);
    let mut free = returning(0.2, 5.0).believe();
    free.climbs[Tier::Cranelift as usize].compile = Estimate::exact(3.0, Basis::Observed);
    let weights = Weights { dollars_per_second: 0.0, ..latency };
    assert_eq!(artifact_wait(&free, &weights, Tier::Cranelift), Some(3.0), "time that costs nothing is bounded too");
}

#[test]
fn an_unmeasured_program_is_not_prepared_before_its_first_run() {
    assert_eq!(Problem::new(1_000_000, None).plan().prepare, None);
}

#[test]
fn artifacts_are_kept_only_where_that_is_allowed() {
    let mut problem = Problem::new(1_000_000, None);
    assert_eq!(problem.plan().chosen.configuration.warm_state, Rung::Artifact);
    problem.constraints.persist = false;
    assert_eq!(problem.plan().chosen.configuration.warm_state, Rung::File);
}

#[test]
fn vectors_need_what_the_single_pass_compiler_needs() {
    let mut problem = Problem::new(60_000, None);
    problem.analysis.profile.isa.required = vec!["simd".into()];
    assert_eq!(problem.plan().rejected.contains_key("isa_absent"), cfg!(target_arch = "x86_64"));
}

#[test]
fn the_sentence_names_runner_up_terms_and_break_even() {
    let why = Problem::new(1_000_000, None).plan().chosen.why;
    for part in ["winch/native", "runner-up", "transition time", "run time", "break even where a cranelift run takes"] {
        assert!(why.contains(part), "{part:?} in {why:?}");
    }
}

#[test]
fn assumptions_carry_their_sources() {
    let plan = Problem::new(1_000_000, None).plan();
    for part in ["compile time", "run time of a program not yet measured", "AWS Fargate", "Cloud Carbon", "Jaynes"] {
        assert!(plan.assumptions.iter().any(|line| line.contains(part)), "{part}: {:#?}", plan.assumptions);
    }
    let mut measured = returning(0.2, 5.0);
    for tier in measured.resources.transitions.tiers.values_mut() {
        tier.values_mut().for_each(|step| step.samples = 3);
    }
    assert!(measured.plan().assumptions.iter().all(|line| !line.contains("compile time")));
}

#[test]
fn a_plan_is_a_document() {
    let plan = Problem::new(1_000_000, spread(1e3, 1e9)).plan();
    let text = serde_json::to_string(&plan).unwrap();
    let back: forewarm_types::Plan = serde_json::from_str(&text).unwrap();
    assert_eq!(back.chosen.configuration, plan.chosen.configuration);
    assert_eq!(back.candidates.len(), plan.candidates.len());
    assert!(plan.candidates.len() <= 20);
}

/// A run of a second on a machine where a streaming and a computing neighbour slow it by what a probe measured, times `scale`.
fn beside_others(scale: f64, streaming_share: f64) -> Problem {
    let mut problem = Problem::new(60_000, None).observed(Tier::Cranelift, 1.0).once();
    problem.standing = vec![(Tier::Cranelift, IsaLevel::Native)];
    problem.constraints.tier = Some(Tier::Cranelift);
    let factor = |value: f64| Figure::measured(1.0 + scale * (value - 1.0), 0.0, 7, "calibrated");
    let beside = |other, value| Beside { work: Work::Computing, other, cores: 1.0, factor: factor(value) };
    problem.resources.contention.beside = vec![beside(Work::Computing, 1.2), beside(Work::Streaming, 1.5)];
    problem.resources.contention.crowded = vec![Crowded { threads_per_core: 2.0, factor: factor(1.1) }];
    problem.load = Load::of(1.0, Pressure { streaming_share, chasing_share: 0.0 });
    problem
}

#[test]
fn live_leases_slow_a_run_by_the_stored_curve() {
    let run = |problem: &Problem| problem.plan().chosen.cost;
    let alone = run(&Problem { load: Load::default(), ..beside_others(1.0, 0.0) });
    for (scale, streaming_share, excess) in
        [(1.0, 0.0, 0.2), (1.0, 1.0, 0.5), (1.0, 0.5, 0.35), (2.0, 0.5, 0.7), (0.0, 1.0, 0.0)]
    {
        let beside = run(&beside_others(scale, streaming_share));
        assert!((beside.contention_factor - (1.0 + excess)).abs() < 1e-9, "{beside:?}");
        // Time, energy and core-seconds of the run follow the curve, and nothing else of it does.
        for term in [Term::Run, Term::RunEnergy] {
            let ratio = beside.terms_dollars[&term] / alone.terms_dollars[&term];
            assert!((ratio - (1.0 + excess)).abs() < 1e-6, "{term:?} {ratio} at {scale} and {streaming_share}");
        }
        assert!((beside.terms_dollars[&Term::Transition] / alone.terms_dollars[&Term::Transition] - 1.0).abs() < 1e-9);
        let imposed = beside.terms_dollars[&Term::Imposed];
        assert_eq!(imposed > 0.0, scale > 0.0 && streaming_share < 1.0, "what computes is slowed by it as well");
    }
}

#[test]
fn more_demand_than_cores_takes_turns_that_cost_what_was_measured() {
    let mut problem = beside_others(1.0, 0.0);
    problem.resources.contention.beside.clear();
    problem.load = Load::of(3.0, Pressure::default());
    // Four threads for two cores: two turns, and a tenth for taking them.
    assert!((problem.plan().chosen.cost.contention_factor - 2.2).abs() < 1e-9);
    problem.resources.contention.crowded.clear();
    let plan = problem.plan();
    assert!((plan.chosen.cost.contention_factor - 2.0).abs() < 1e-9);
    assert!(plan.assumptions.iter().any(|line| line.starts_with("others' runs")), "{:?}", plan.assumptions);
}

fn levels() -> Vec<forewarm_resources::MemoryLevel> {
    let level = |name: &str, beyond| forewarm_resources::MemoryLevel {
        name: name.into(),
        beyond_bytes: Bytes(beyond),
        chased_seconds: Figure::measured(1e-7, 0.0, 3, "calibrated"),
        scattered_seconds: Figure::measured(1e-8, 0.0, 3, "calibrated"),
        streamed_seconds: Figure::measured(2e-9, 0.0, 3, "calibrated"),
    };
    vec![level("L2", 1 << 15), level("memory", 1 << 20)]
}

#[test]
fn what_a_trial_counts_of_memory_presses_on_others() {
    use forewarm_types::counts::{Counts, Foresight, ReuseHistogram};
    let mut problem = Problem::new(2_000, None);
    problem.resources.hierarchy.levels = levels();
    let pressure = |fresh: Foresight| {
        let mut belief = problem.believe();
        let reuse = ReuseHistogram { far_accesses: 5e5, fresh, ..ReuseHistogram::default() };
        let classes = [(forewarm_types::OpClass::Load, 1_000_000)].into();
        let counts = Counts { classes, reuse: Some(reuse), complete: true, ..Counts::default() };
        belief.update(&Trial { counts: Some(counts), ..trial(1_000_000, true) });
        let latency = weights(Objective::Latency);
        let plan = crate::choose(&belief, crate::candidates(&belief, &latency), Objective::Latency, latency, 20);
        plan.unwrap().chosen.cost.pressure
    };
    let streams = pressure(Foresight { sequential_share: 1.0, ..Foresight::default() });
    assert!(streams.streaming_share > 0.3 && streams.chasing_share < 1e-9, "{streams:?}");
    let chases = pressure(Foresight { chased_share: 1.0, ..Foresight::default() });
    assert!(chases.chasing_share > 0.9 && chases.streaming_share == 0.0, "{chases:?}");
}

#[test]
fn memory_is_backed_and_threads_are_bound_only_where_that_gains() {
    let mut problem = Problem::new(60_000, exactly(1e10));
    problem.load = Load::of(1.0, Pressure::default());
    problem.analysis.profile.memory.initial_bytes = Bytes(100 << 20);
    problem.analysis.profile.memory.traffic_bytes = Some(Estimate::exact(1e10, Basis::Static));
    let touch = |problem: &mut Problem, seconds: f64| {
        let figure = Figure::measured(seconds, 0.0, 3, "calibrated");
        problem.resources.transitions.first_touch_seconds_per_byte = Some(figure);
    };
    touch(&mut problem, 1e-10);
    let cpu = problem.plan().chosen.configuration.cpu().unwrap();
    assert_eq!((cpu.prefault, cpu.pinned), (false, false));
    touch(&mut problem, 2.4e-9);
    problem.resources.contention.unpinned_factor = Some(Figure::measured(1.2, 0.0, 3, "calibrated"));
    let plan = problem.plan();
    let cpu = plan.chosen.configuration.cpu().unwrap();
    assert_eq!((cpu.prefault, cpu.pinned), (true, true));
    assert!(plan.warm_up.iter().any(|step| step.step == Step::Prefault));
}
