//! The refined model converges to what synthetic machines really cost, and is not thrown by a bad day.

use forewarm_resources::{defaults, inventory};
use forewarm_types::{Basis, Bytes, Estimate, ExitCause, OpClass};

use super::*;
use crate::sample::{Normal, observation};
use crate::sample_code::analysis;

fn model() -> ResourceModel {
    defaults::model(inventory::unknown(2))
}

fn compiled(tier: &str, code_bytes: u64, cpu_seconds: f64) -> (Observation, Analysis) {
    let mut run = observation(&format!("{tier}/native"), 1, 0.0);
    run.steps =
        vec![StepTiming { step: Step::Compile, wall_seconds: cpu_seconds, cpu_seconds, bytes: Bytes(4 * code_bytes) }];
    (run, analysis(code_bytes))
}

fn compile_cost(model: &ResourceModel, tier: Tier) -> StepCost {
    model.transitions.tiers[&tier][&Step::Compile].clone()
}

/// Learns from compilations of many sizes on a machine with these true costs; returns what was learned.
fn check(fixed: f64, rate: f64, runs: u32, wild: bool) -> StepCost {
    let (mut model, mut normal) = (model(), Normal::new(11));
    for n in 0..runs {
        let code_bytes = [400, 60_000, 900_000, 2_000_000, 12_000_000][n as usize % 5];
        let noise = (0.1 * normal.next()).exp() * if wild && n % 11 == 10 { 8.0 } else { 1.0 };
        let (run, analysis) = compiled("cranelift", code_bytes, (fixed + rate * code_bytes as f64 / 1e6) * noise);
        refine(&mut model, &run, &analysis);
    }
    compile_cost(&model, Tier::Cranelift)
}

#[test]
fn converges_to_the_true_line_from_defaults_far_off() {
    for (fixed, rate) in [(0.001, 1.0), (0.004, 0.2), (0.0005, 5.0)] {
        let cost = check(fixed, rate, 60, false);
        assert!((cost.seconds_per_megabyte / rate - 1.0).abs() < 0.08, "{rate}: {cost:?}");
        assert!((cost.fixed_seconds / fixed - 1.0).abs() < 0.4, "{fixed}: {cost:?}");
        assert!((0.05..0.2).contains(&cost.log_deviation), "{cost:?}");
        assert_eq!((cost.samples, cost.source.as_str()), (60, SOURCE));
        assert!((cost.bytes_per_byte - 4.0).abs() < 1e-6, "{cost:?}");
    }
}

#[test]
fn a_few_runs_already_beat_the_default() {
    let cost = check(0.001, 3.0, 5, false);
    assert!((cost.seconds_per_megabyte / 3.0 - 1.0).abs() < 0.3, "{cost:?}");
}

#[test]
fn wild_runs_are_held_off() {
    let cost = check(0.001, 1.0, 60, true);
    assert!((cost.seconds_per_megabyte - 1.0).abs() < 0.25, "{cost:?}");
}

#[test]
fn one_size_alone_predicts_that_size() {
    let mut model = model();
    let mut normal = Normal::new(5);
    for _ in 0..300 {
        let (run, analysis) = compiled("winch", 300_000, 0.2 * (0.05 * normal.next()).exp());
        refine(&mut model, &run, &analysis);
    }
    let cost = compile_cost(&model, Tier::Winch);
    let predicted = cost.median_seconds(Bytes(300_000));
    assert!((predicted / 0.2 - 1.0).abs() < 0.05, "{predicted} {cost:?}");
    assert!(cost.fixed_seconds >= 0.0 && cost.seconds_per_megabyte >= 0.0);
}

#[test]
fn follows_a_machine_that_changes() {
    let mut model = model();
    for n in 0..400 {
        let rate = if n < 100 { 1.0 } else { 2.5 };
        let code_bytes = [50_000, 1_000_000, 5_000_000][n % 3];
        let (run, analysis) = compiled("cranelift", code_bytes, rate * code_bytes as f64 / 1e6);
        refine(&mut model, &run, &analysis);
    }
    let cost = compile_cost(&model, Tier::Cranelift);
    assert!((cost.seconds_per_megabyte / 2.5 - 1.0).abs() < 0.15, "{cost:?}");
}

#[test]
fn state_survives_storage_and_touches_its_tier_only() {
    let mut model = model();
    let (run, analysis) = compiled("cranelift", 1_000_000, 1.0);
    refine(&mut model, &run, &analysis);
    let text = serde_json::to_string(&model).unwrap();
    let mut again: ResourceModel = serde_json::from_str(&text).unwrap();
    refine(&mut model, &run, &analysis);
    refine(&mut again, &run, &analysis);
    let (again, once) = (compile_cost(&again, Tier::Cranelift), compile_cost(&model, Tier::Cranelift));
    assert_eq!((again.samples, again.estimator.len()), (2, STATE_LENGTH));
    assert!((again.seconds_per_megabyte / once.seconds_per_megabyte - 1.0).abs() < 1e-9);
    assert_eq!(compile_cost(&model, Tier::Winch), compile_cost(&self::model(), Tier::Winch));
}

#[test]
fn nonsense_changes_nothing() {
    for seconds in [0.0, f64::NAN, f64::INFINITY, -1.0] {
        let mut model = model();
        let (run, analysis) = compiled("cranelift", 1_000_000, seconds);
        refine(&mut model, &run, &analysis);
        assert!(model == self::model(), "{seconds}");
    }
}

/// Runs of a known count on a tier whose operators really cost `truth` times what the model says.
fn corrected(truth: f64, runs: u32, spoil: impl Fn(&mut Observation, &mut Analysis)) -> Option<Figure> {
    let (mut model, mut normal) = (model(), Normal::new(3));
    let said = model.op_costs.tiers[&Tier::Winch].seconds_per_op[&OpClass::IntAlu].value;
    for _ in 0..runs {
        let mut run = observation("winch/native", 1, 2e9 * said * truth * (0.2 * normal.next()).exp());
        run.ops = Some(2_000_000_000);
        let mut analysis = analysis(1000);
        spoil(&mut run, &mut analysis);
        refine(&mut model, &run, &analysis);
    }
    model.op_costs.tiers[&Tier::Winch].correction.clone()
}

#[test]
fn operators_are_corrected_by_counted_runs() {
    for truth in [0.4, 1.0, 3.0] {
        let figure = corrected(truth, 100, |_, _| {}).unwrap();
        assert!((figure.value / truth - 1.0).abs() < 0.12, "{truth}: {figure:?}");
        assert!((0.12..0.3).contains(&figure.log_deviation()), "{figure:?}");
        assert_eq!(figure.samples, 100);
    }
}

#[test]
fn entering_and_leaving_is_no_operators_cost() {
    let (mut model, count) = (model(), 1e9);
    let costs = model.op_costs.tiers.get_mut(&Tier::Winch).unwrap();
    let seconds = count * costs.seconds_per_op[&OpClass::IntAlu].value;
    costs.entry_seconds = Some(Figure::measured(3.0 * seconds, 0.0, 3, "test"));
    refine(&mut model, &observation("winch/native", 1, 4.0 * seconds), &analysis(1000));
    let correction = model.op_costs.correction(Tier::Winch);
    assert!((correction - 1.0).abs() < 1e-9, "{correction}");
}

#[test]
fn operators_are_not_corrected_by_runs_that_do_not_tell() {
    let wide = Estimate::new(1e6, 1e9, 1e12, Basis::Static);
    assert_eq!(corrected(3.0, 9, |run, _| run.exit.cause = ExitCause::Timeout), None);
    assert_eq!(corrected(3.0, 9, |run, _| run.run_cpu_seconds = 1e-4), None);
    assert_eq!(corrected(3.0, 9, |run, analysis| (run.ops, analysis.profile.ops.total) = (None, Some(wide))), None);
    assert_eq!(corrected(3.0, 9, |_, analysis| analysis.profile.ops.total = None), None);
    assert!(corrected(3.0, 9, |run, _| run.ops = None).is_some(), "a constant trip count tells");
}

#[test]
fn starts_from_what_is_warm_are_learned_by_their_rung() {
    let mut model = model();
    let mut start = |rung: &str, seconds: f64| {
        let mut seen = observation("process/worker", 1, 0.1);
        (seen.warm_state, seen.transition_seconds) = (Some(rung.to_owned()), seconds);
        refine(&mut model, &seen, &analysis(1_000));
    };
    for seconds in [0.004, 0.006, 0.005, 0.005] {
        start("worker", seconds);
    }
    start("instance", 0.001);
    start("instance", f64::NAN);
    let figure = |rung: &str| model.transitions.warm_starts[rung].clone();
    assert!((figure("worker").value - 0.005).abs() < 1e-9 && figure("worker").samples == 4, "{:?}", figure("worker"));
    assert!((figure("worker").deviation - 5e-7_f64.sqrt()).abs() < 1e-9);
    assert_eq!((figure("instance").value, figure("instance").samples), (0.001, 1));
}
