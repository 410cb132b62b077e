//! What is stated at 90 % covers about 90 %, over many seeds; what was cut short is neither averaged in nor dropped.

#[path = "../src/sample.rs"]
mod sample;

use forewarm_learner::corrections;
use forewarm_types::{Bytes, Corrections, Estimate, Features, PastRun, ReuseStatistics, Tier};
use proptest::prelude::*;
use sample::{Normal, run};

fn learn(past: &[PastRun], features: &Features) -> Corrections {
    corrections(past, features, &ReuseStatistics::default())
}

fn winch(past: &[PastRun], features: &Features) -> Estimate {
    learn(past, features).run_cpu_seconds[&Tier::Winch]
}

fn repeated(input_hash: u64) -> Features {
    Features { input_hash, ..Features::default() }
}

/// Share of trials in which the next run of the same input falls inside the interval stated from `runs` before it.
fn coverage(runs: usize, deviation: f64) -> f64 {
    const TRIALS: u32 = 2000;
    let covered = (0..TRIALS).filter(|seed| {
        let mut normal = Normal::new(u64::from(*seed) * 7919 + runs as u64);
        let mut draw = || 0.5 * (deviation * normal.next()).exp();
        let past: Vec<_> = (0..runs).map(|_| run("winch/native", 1, draw())).collect();
        winch(&past, &repeated(1)).contains(draw())
    });
    covered.count() as f64 / f64::from(TRIALS)
}

#[test]
fn ninety_percent_covers_ninety_percent() {
    for deviation in [0.05, 0.2, 1.0] {
        for runs in [12, 20, 32] {
            let share = coverage(runs, deviation);
            assert!((0.85..=0.95).contains(&share), "{runs} runs of deviation {deviation}: {share}");
        }
    }
}

#[test]
fn few_runs_of_an_ordinary_program_are_covered_too() {
    for runs in [1, 2, 3, 5, 8] {
        let share = coverage(runs, 0.05);
        // More than stated is right here: the interval also allows for programs whose spread is not the usual one.
        assert!(share >= 0.85, "{runs} runs: {share}");
    }
}

/// Time proportional to the cube of an argument, with noise; the next argument is a new one inside the range.
#[test]
fn growth_covers_what_it_interpolates() {
    let trials = 1000;
    let covered = (0..trials).filter(|seed| {
        let mut normal = Normal::new(*seed);
        let mut grown = |n: f64| {
            let mut run = run("winch/native", n.to_bits(), 1e-8 * n.powi(3) * (0.1 * normal.next()).exp());
            run.features.numbers = vec![n];
            run
        };
        let past: Vec<_> = [50.0, 80.0, 130.0, 210.0, 340.0, 550.0, 890.0].into_iter().map(&mut grown).collect();
        let next = grown(400.0);
        winch(&past, &next.features).contains(next.run_cpu_seconds)
    });
    let share = covered.count() as f64 / trials as f64;
    assert!((0.85..=0.995).contains(&share), "{share}");
}

#[test]
fn tiers_inputs_counts_and_memory_are_kept_apart() {
    let mut slow = run("winch/native", 1, 2.0);
    (slow.ops, slow.peak_linear_memory_bytes) = (Some(5_000_000), Bytes(3 << 20));
    let mut fast = run("cranelift/native", 1, 1.0);
    (fast.ops, fast.peak_linear_memory_bytes) = (Some(5_000_000), Bytes(3 << 20));
    let known = learn(&[slow, fast], &repeated(1));
    assert!(known.run_cpu_seconds[&Tier::Winch].contains(2.0) && !known.run_cpu_seconds[&Tier::Winch].contains(1.0));
    assert!(known.run_cpu_seconds[&Tier::Cranelift].contains(1.0));
    assert!(!known.run_cpu_seconds.contains_key(&Tier::Pulley));
    assert_eq!((known.ops.unwrap().low, known.ops.unwrap().high), (5e6, 5e6));
    assert!(known.peak_linear_memory_bytes.unwrap().contains(3_145_728.0));
    assert_eq!(learn(&[], &repeated(1)), Corrections::default());
}

#[test]
fn memory_never_promises_less_than_was_needed_nor_more_than_can_be() {
    let mut runs: Vec<_> = (0..30).map(|_| run("winch/native", 1, 1.0)).collect();
    runs[29].peak_linear_memory_bytes = Bytes(80 << 20);
    let known = learn(&runs, &repeated(1)).peak_linear_memory_bytes.unwrap();
    assert!(known.high >= (80 << 20) as f64, "{known:?}");
    let mut huge = repeated(2);
    huge.input_bytes = Bytes(1 << 40);
    runs.iter_mut().for_each(|run| run.features.input_bytes = Bytes(1));
    let other = learn(&runs, &huge).peak_linear_memory_bytes.unwrap();
    assert!(other.high <= 4_294_967_296.0 && other.high > known.high, "{other:?}");
}

#[test]
fn repeated_timeouts_keep_raising_the_bound() {
    let cut = |seconds| {
        let mut run = run("winch/native", 1, seconds);
        run.censored = true;
        run
    };
    let (one, two) = (winch(&[cut(1.0)], &repeated(1)), winch(&[cut(4.0), cut(1.0)], &repeated(1)));
    assert!(one.low >= 1.0 && two.low >= 4.0 && two.expected > one.expected);
}

#[test]
fn history_says_nothing_of_reuse_before_there_is_any() {
    let some = ReuseStatistics { codes: 1, runs: 1, singletons: 1, code_runs: 1, ..ReuseStatistics::default() };
    assert_eq!(learn(&[], &repeated(1)).expected_reuses, None);
    assert!(corrections(&[], &repeated(1), &some).expected_reuses.is_some());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the past, the estimate keeps its order, is finite, and a bound is respected.
    #[test]
    fn any_past_gives_an_estimate_in_order(
        rows in prop::collection::vec((0_u64..6, 0.0..1e4_f64, any::<bool>(), -5.0..1e6_f64, 0_u64..1 << 40), 1..40),
        wanted in 0_u64..8, number in -5.0..1e7_f64,
    ) {
        let past: Vec<_> = rows.iter().map(|(input, seconds, cut, number, memory)| {
            let mut run = run("winch/native", *input, *seconds);
            run.features.numbers = vec![*number];
            run.peak_linear_memory_bytes = Bytes(*memory);
            run.censored = *cut;
            run
        }).collect();
        let features = Features { input_hash: wanted, numbers: vec![number], ..Features::default() };
        let known = learn(&past, &features);
        let memory = known.peak_linear_memory_bytes.unwrap();
        for e in known.run_cpu_seconds.values().chain([&memory]) {
            prop_assert!(e.low >= 0.0 && e.low <= e.expected && e.expected <= e.high && e.high.is_finite(), "{e:?}");
        }
        let longest = past.iter().filter(|run| run.features.input_hash == wanted).map(|run| run.run_cpu_seconds);
        let only_cut = past.iter().filter(|run| run.features.input_hash == wanted).all(|run| run.censored);
        if only_cut {
            let bound = longest.fold(0.0, f64::max);
            prop_assert!(known.run_cpu_seconds[&Tier::Winch].expected >= bound);
        }
    }
}
