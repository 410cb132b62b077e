//! Smaller inputs: when they are counted and timed, and what they foretell.

use super::*;

#[test]
fn a_budget_goes_to_smaller_inputs_first_and_then_to_the_run() {
    let problem = Problem::new(2_000, exactly(1e3));
    let latency = weights(Objective::Latency);
    let next = |belief: &Belief| next_probe(belief, &latency, ProbeMode::Seconds(1.0));
    let probe = next(&problem.believe()).unwrap();
    assert_eq!((probe.kind, probe.limits.cpu_seconds), (ProbeKind::Run, 1.0), "there are no smaller inputs");
    let mut belief = believe(&Inputs { smaller_inputs: true, ..problem.inputs() });
    let probe = next(&belief).unwrap();
    assert_eq!((probe.kind, probe.limits.cpu_seconds, probe.windows), (ProbeKind::Smaller, 0.4, true));
    belief.foresee(Estimate::new(0.9e11, 1e11, 1.1e11, Basis::Emulated), 0.5, 0.4);
    assert_eq!(belief.run_cpu_seconds(Tier::Winch).unwrap().basis, Basis::Emulated);
    // Then to the tier that would be chosen, whose code is the run's; to the other, if its code costs little; to the run.
    let probe = next(&belief).unwrap();
    assert_eq!((probe.kind, probe.own_code), (ProbeKind::Timed(Tier::Cranelift), true));
    assert!((probe.limits.cpu_seconds - 0.36).abs() < 1e-9, "{probe:?}");
    belief.timed(Tier::Cranelift, 0.3, 0.3, Some(0.2));
    let probe = next(&belief).unwrap();
    assert_eq!((probe.kind, probe.own_code), (ProbeKind::Timed(Tier::Winch), false));
    belief.timed(Tier::Winch, 0.1, 0.1, None);
    let probe = next(&belief).unwrap();
    assert!(probe.kind == ProbeKind::Run && (probe.limits.cpu_seconds - 0.2).abs() < 1e-9, "what is left: {probe:?}");
    // No more than a tenth of a long run is executed before it.
    belief.execute(1e10);
    assert_eq!(next(&belief), None);
    // Where nothing can be timed, and smaller inputs told nothing, all of what is left goes to the run.
    let mut belief = believe(&Inputs { smaller_inputs: true, timing: false, ..problem.inputs() });
    assert_eq!(next(&belief).map(|probe| probe.limits.cpu_seconds), Some(1.0));
    belief.not_foretold(0.2, 0.1);
    assert_eq!(next(&belief).map(|probe| probe.kind), Some(ProbeKind::Run));
}

#[test]
fn a_budget_too_short_to_compile_for_counting_times_alone() {
    let latency = weights(Objective::Latency);
    let mut belief = believe(&Inputs { smaller_inputs: true, ..Problem::new(20_000, exactly(1e9)).inputs() });
    let next = |belief: &Belief| next_probe(belief, &latency, ProbeMode::Seconds(0.005));
    let probe = next(&belief).unwrap();
    let ProbeKind::Timed(first) = probe.kind else { panic!("{probe:?}") };
    assert!(probe.own_code && probe.limits.cpu_seconds <= 0.005, "{probe:?}");
    belief.timed(first, 0.003, 0.003, Some(0.004));
    belief.foresee_seconds(first, Estimate::new(0.19, 0.2, 0.21, Basis::Emulated), &timed(f64::NAN, 0.002), 5);
    let told = belief.run_cpu_seconds(first).unwrap();
    assert!((told.expected / 0.2 - 1.0).abs() < 0.01 && told.basis == Basis::Emulated);
    let width = told.width_ratio();
    assert!((1.5..6.0).contains(&width), "a hundredth of a run leaves something open: {width}");
    let other = if first == Tier::Winch { Tier::Cranelift } else { Tier::Winch };
    let guessed = belief.run_cpu_seconds(other).unwrap();
    assert!(
        guessed.width_ratio() > width && guessed.width_ratio() < 20.0,
        "by the ratio of the tiers' costs: {guessed:?}"
    );
    belief.foresee_by(other, first, 3.0);
    let compared = belief.run_cpu_seconds(other).unwrap();
    assert!((compared.expected / 0.6 - 1.0).abs() < 0.01 && compared.width_ratio() < guessed.width_ratio());
}

#[test]
fn of_what_is_compiled_to_be_timed_only_the_runs_own_code_is_free() {
    // Of a short run the baseline's code is thought best, until it is known to be a long one.
    let latency = weights(Objective::Latency);
    let mut belief = believe(&Inputs { smaller_inputs: true, ..Problem::new(20_000, exactly(1e6)).inputs() });
    let next = |belief: &Belief| next_probe(belief, &latency, ProbeMode::Seconds(0.1)).unwrap();
    let counted = Estimate::new(0.9e6, 1e6, 1.1e6, Basis::Emulated);
    belief.foresee(counted, 0.0, 0.0);
    let probe = next(&belief);
    assert_eq!((probe.kind, probe.own_code), (ProbeKind::Timed(Tier::Winch), true));
    belief.timed(Tier::Winch, 0.02, 0.02, Some(0.01));
    belief.foresee(Estimate::new(0.9e11, 1e11, 1.1e11, Basis::Emulated), 0.0, 0.0);
    let probe = next(&belief);
    assert_eq!((probe.kind, probe.own_code), (ProbeKind::Timed(Tier::Cranelift), true));
    assert!(probe.limits.cpu_seconds < 0.0701, "what the other took to compile is spent now: {probe:?}");
    belief.timed(Tier::Cranelift, 0.02, 0.02, Some(0.03));
    assert!((belief.probe_cpu_seconds - 0.05).abs() < 1e-9, "{}", belief.probe_cpu_seconds);
}

#[test]
fn unasked_smaller_inputs_come_once_the_run_has_outlasted_its_trial() {
    let (problem, latency) = (open(), weights(Objective::Latency));
    let next = |belief: &Belief| next_probe(belief, &latency, ProbeMode::Auto);
    let mut belief = believe(&Inputs { smaller_inputs: true, ..problem.inputs() });
    assert_eq!(next(&belief).map(|probe| probe.kind), Some(ProbeKind::Run));
    belief.update(&trial(100_000, false));
    let probe = next(&belief).unwrap();
    // As many operators as the trial executed.
    assert!(probe.kind == ProbeKind::Smaller && probe.limits.operators == 100_000, "{probe:?}");
    assert!(probe.expected_gain_dollars > probe.price_dollars);
    let width = |belief: &Belief| belief.run_cpu_seconds(Tier::Winch).unwrap().width_ratio();
    let before = width(&belief);
    belief.foresee(Estimate::new(9e8, 1e9, 1.1e9, Basis::Emulated), 0.2, 0.1);
    assert!(width(&belief) < before, "{} {before}", width(&belief));
}

/// Two tiers that are thought to run a long program alike, so that which is better turns on what an operator takes, with a run
/// on a smaller input of so many operators.
fn close_race(operators: u64) -> Belief {
    let mut problem = Problem::new(20_000, exactly(1e3));
    let costs = &mut problem.resources.op_costs.tiers;
    let cranelift = costs[&Tier::Cranelift].clone();
    costs.get_mut(&Tier::Winch).unwrap().seconds_per_op = cranelift.seconds_per_op;
    let mut belief = believe(&Inputs { smaller_inputs: true, ..problem.inputs() });
    belief.foresee(Estimate::new(0.9e11, 1e11, 1.1e11, Basis::Emulated), 0.2, 0.1);
    belief.resemble(&counted(OpClass::IntAlu, operators), None);
    belief.update(&trial(2_000_000, false));
    belief
}

fn counted(class: OpClass, operators: u64) -> Trial {
    let counts = Counts { classes: [(class, operators)].into(), complete: true, ..Counts::default() };
    Trial { counts: Some(counts), ..trial(operators, true) }
}

#[test]
fn a_close_race_is_timed_on_the_optimising_tier() {
    let latency = weights(Objective::Latency);
    let mut belief = close_race(1_000_000_000);
    let probe = next_probe(&belief, &latency, ProbeMode::Auto).unwrap();
    assert_eq!(probe.kind, ProbeKind::Timed(Tier::Cranelift));
    assert!(probe.expected_gain_dollars > probe.price_dollars, "{probe:?}");
    assert_eq!(next_probe(&close_race(100_000), &latency, ProbeMode::Auto), None, "too short to be timed");
    let seconds =
        |belief: &Belief| [Tier::Winch, Tier::Cranelift].map(|tier| belief.run_cpu_seconds(tier).unwrap().expected);
    let [winch, cranelift] = seconds(&belief);
    // The smaller run is a hundredth; it takes twice what was thought.
    belief.timed(Tier::Cranelift, 0.1, 0.1, None);
    belief.take_timings(Tier::Cranelift, &[timed(1e9, 0.02 * cranelift)]);
    let after = seconds(&belief);
    assert!((after[1] / cranelift - 2.0).abs() < 0.03, "{after:?}");
    // What the program has to itself holds on both.
    assert!((1.2..1.9).contains(&(after[0] / winch)), "{after:?}");
    assert_eq!(next_probe(&belief, &latency, ProbeMode::Auto), None);
}

fn timed(operators: f64, cpu_seconds: f64) -> TimedRun {
    TimedRun { operators, cpu_seconds, memory_bytes: 0.0, reuse: None }
}

#[test]
fn two_timed_sizes_tell_where_a_cost_is_going() {
    let told = |runs: &[TimedRun]| {
        let mut belief = close_race(1_000_000_000);
        belief.take_timings(Tier::Cranelift, runs);
        belief.run_cpu_seconds(Tier::Cranelift).unwrap()
    };
    // A hundredth of the run, and a sixteenth of that; the same cost, or a tenth more for each e-fold.
    let (alone, steady) = (told(&[timed(1e9, 1.0)]), told(&[timed(6.25e7, 0.0625), timed(1e9, 1.0)]));
    let rising = told(&[timed(6.25e7, 0.0625 * 16_f64.powf(-0.1)), timed(1e9, 1.0)]);
    assert!((steady.expected / alone.expected - 1.0).abs() < 0.01, "{steady:?} {alone:?}");
    assert!(steady.width_ratio() < 0.8 * alone.width_ratio(), "{steady:?} {alone:?}");
    let grows = rising.expected / steady.expected;
    assert!((1.4..100_f64.powf(0.1)).contains(&grows), "{grows}");
    // A start is no trend.
    let started = told(&[timed(6.25e7, 0.0627), timed(1e9, 1.0002)]);
    assert!((started.expected / steady.expected - 1.0).abs() < 0.001, "{started:?} {steady:?}");
    // What takes no time that can be seen says nothing.
    assert_eq!(told(&[timed(1e6, 1e-4)]), told(&[]));
}

#[test]
fn memory_that_outgrows_the_caches_costs_more() {
    let told = |peak: f64| {
        let mut problem = Problem::new(20_000, exactly(1e9));
        problem.resources.hierarchy.levels = levels();
        problem.analysis.profile.memory.peak_bytes = exactly(peak);
        let mut belief = problem.believe();
        let longest = TimedRun { memory_bytes: 2e6, ..timed(f64::NAN, 0.01) };
        belief.foresee_seconds(Tier::Cranelift, Estimate::exact(1.0, Basis::Emulated), &longest, 5);
        belief.run_cpu_seconds(Tier::Cranelift).unwrap()
    };
    let (small, large) = (told(2e6), told(1e9));
    assert!((small.expected - 1.0).abs() < 0.01, "{small:?}");
    assert!(large.expected > 1.2 && large.width_ratio() > 2.0 * small.width_ratio(), "{large:?} {small:?}");
}

#[test]
fn the_beginning_counts_for_its_share_and_a_smaller_run_for_the_rest() {
    let counted = |class: OpClass| Trial { complete: false, ..counted(class, 1_000_000) };
    let cost = |belief: &Belief| belief.evidence.seconds_per_operator(Tier::Cranelift).unwrap();
    let after = |trial: &Trial| {
        let mut belief = Problem::new(20_000, exactly(1e3)).believe();
        belief.update(trial);
        belief
    };
    // It begins by adding and goes on by dividing.
    let (adds, divides) = (after(&counted(OpClass::IntAlu)), after(&counted(OpClass::IntDiv)));
    assert!(cost(&divides) > 2.0 * cost(&adds));
    for (operators, share) in [(4e6, 0.25), (1e9, 0.001)] {
        let mut belief = Problem::new(20_000, exactly(1e3)).believe();
        belief.foresee(Estimate::exact(operators, Basis::Emulated), 0.2, 0.1);
        belief.resemble(&counted(OpClass::IntDiv), None);
        assert!((cost(&belief) / cost(&divides) - 1.0).abs() < 1e-9);
        belief.update(&counted(OpClass::IntAlu));
        let expected = share * cost(&adds) + (1.0 - share) * cost(&divides);
        assert!((cost(&belief) / expected - 1.0).abs() < 1e-9, "{} {expected}", cost(&belief));
    }
}

#[test]
fn what_no_timing_changes_is_not_timed() {
    let mut problem = Problem::new(2_000, exactly(1e3));
    let winch = problem.resources.op_costs.tiers.get_mut(&Tier::Winch).unwrap();
    winch.seconds_per_op.values_mut().for_each(|figure| figure.value *= 100.0);
    let mut belief = problem.believe();
    belief.update(&trial(2_000_000, false));
    belief.foresee(Estimate::new(0.9e11, 1e11, 1.1e11, Basis::Emulated), 0.2, 0.1);
    belief.resemble(&counted(OpClass::IntAlu, 100_000_000), None);
    assert_eq!(next_probe(&belief, &weights(Objective::Latency), ProbeMode::Auto), None);
}
