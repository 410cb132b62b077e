//! Properties of every plan: terms sum, order holds, costs grow with what they are made of, nothing panics.

use forewarm_resources::{Beside, Crowded, Figure, defaults, inventory};
use forewarm_types::{
    Basis, Bytes, Estimate, IsaLevel, Load, Objective, OpClass, Pressure, Rung, Step, Tier, Weights, Work,
};
use proptest::prelude::*;

use crate::testing::{Problem, exactly, spread};
use crate::{ProbeMode, next_probe, preparation};

/// Numbers that break careless arithmetic.
fn extreme() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(0.0),
        Just(-1.0),
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        Just(f64::MAX),
        Just(f64::MIN_POSITIVE),
        Just(1e-300),
        1e-12f64..1e12,
    ]
}

fn estimate() -> impl Strategy<Value = Estimate> {
    (extreme(), extreme(), extreme()).prop_map(|(low, expected, high)| Estimate {
        low,
        expected,
        high,
        coverage: 0.9,
        basis: Basis::Emulated,
    })
}

/// Any model and any demand.
fn anything() -> impl Strategy<Value = Problem> {
    let sizes = (any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>());
    let numbers = prop::collection::vec(extreme(), 24);
    let estimates = prop::collection::vec(prop::option::of(estimate()), 6);
    let flags = prop::collection::vec(any::<bool>(), 8);
    (sizes, numbers, estimates, flags, 0u32..9).prop_map(|(sizes, numbers, estimates, flags, cores)| {
        let mut problem = Problem::new(1000, estimates[0]);
        damage(&mut problem, &numbers, cores);
        let profile = &mut problem.analysis.profile;
        profile.compile.code_bytes = Bytes(sizes.0);
        profile.compile.largest_function_bytes = Bytes(sizes.1);
        profile.compile.functions = sizes.2;
        profile.memory.initial_bytes = Bytes(sizes.3);
        profile.memory.maximum_bytes = flags[0].then_some(Bytes(sizes.1));
        profile.memory.peak_bytes = estimates[1];
        profile.memory.traffic_bytes = estimates[2];
        problem.corrections.ops = estimates[3];
        problem.corrections.expected_reuses = estimates[4];
        problem.corrections.run_cpu_seconds = estimates[5].map(|run| (Tier::Winch, run)).into_iter().collect();
        problem.constraints.persist = flags[1];
        problem.constraints.max_memory = flags[2].then_some(Bytes(sizes.2));
        problem.constraints.available_memory = Bytes(if flags[3] { 0 } else { sizes.0 });
        problem.constraints.deadline_seconds = flags[4].then_some(numbers[0]);
        problem.constraints.threads = flags[5].then_some(cores);
        problem.resources.inventory.executable_memory = flags[6];
        problem.standing = flags[7].then_some((Tier::Cranelift, IsaLevel::Native)).into_iter().collect();
        problem.load = Load { cores: numbers[1], streaming_cores: numbers[4], chasing_cores: numbers[5] };
        problem
    })
}

fn damage(problem: &mut Problem, numbers: &[f64], cores: u32) {
    let model = &mut problem.resources;
    *model = defaults::model(inventory::unknown(1));
    model.inventory.processors[0].cores = cores;
    model.inventory.enforceable_shares = vec![numbers[2]];
    for (index, tier) in Tier::ALL.into_iter().enumerate() {
        let compile = model.transitions.tiers.get_mut(&tier).unwrap().get_mut(&Step::Compile).unwrap();
        (compile.seconds_per_megabyte, compile.parallel_fraction) = (numbers[3 + index], numbers[6 + index]);
        (compile.log_deviation, compile.peak_bytes_per_byte) = (numbers[9 + index], numbers[12 + index]);
        let figure = Figure::measured(numbers[15 + index], numbers[18 + index], 1, "test");
        let costs = model.op_costs.tiers.get_mut(&tier).unwrap();
        costs.seconds_per_op = [(OpClass::IntAlu, figure.clone())].into();
        costs.correction = (index == 0).then_some(figure);
    }
    model.price.dollars_per_core_second.value = numbers[21];
    model.power.busy_watts_per_core.value = numbers[22];
    model.workload.run_median_seconds.value = numbers[23];
    model.workload.run_log_deviation.value = numbers[2];
    let figure = |value: f64| Figure::measured(value, 0.0, 1, "test");
    let beside = |work, cores, factor| Beside { work, other: Work::Computing, cores, factor: figure(factor) };
    model.contention.beside = vec![beside(Work::Computing, 1.0, numbers[3]), beside(Work::Chasing, numbers[4], 1.1)];
    model.contention.crowded = vec![Crowded { threads_per_core: numbers[5], factor: figure(numbers[6]) }];
}

fn any_weights() -> impl Strategy<Value = Weights> {
    (extreme(), extreme(), extreme()).prop_map(|(dollars_per_second, dollars_per_joule, price_factor)| Weights {
        dollars_per_second,
        dollars_per_joule,
        price_factor,
    })
}

fn sums(total: f64, terms: impl Iterator<Item = f64> + Clone) -> bool {
    let scale: f64 = terms.clone().map(f64::abs).sum();
    (terms.sum::<f64>() - total).abs() <= 1e-9 * scale
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_model_makes_the_planner_panic(problem in anything(), weights in any_weights()) {
        let mut belief = problem.believe();
        for mode in [ProbeMode::Auto, ProbeMode::Seconds(weights.price_factor)] {
            let _ = next_probe(&belief, &weights, mode);
        }
        let _ = preparation(&belief, &weights);
        if let Ok(plan) = problem.plan_by(weights) {
            for candidate in &plan.candidates {
                prop_assert!(candidate.cost.total_dollars.is_finite());
                prop_assert!(sums(candidate.cost.total_dollars, candidate.cost.terms_dollars.values().copied()));
            }
        }
        let trial = forewarm_types::plan::Trial {
            ops: problem.analysis.profile.compile.functions,
            complete: problem.constraints.persist,
            wall_seconds: weights.dollars_per_second,
            cpu_seconds: weights.dollars_per_second,
            run_cpu_seconds: weights.dollars_per_joule,
            peak_linear_memory_bytes: problem.analysis.profile.memory.initial_bytes,
            ..Default::default()
        };
        belief.update(&trial);
        let _ = crate::choose(&belief, crate::candidates(&belief, &weights), Objective::Latency, weights, usize::MAX);
    }

    #[test]
    fn terms_sum_and_order_holds(
        bytes in 1_000u64..30_000_000, low in 2.0f64..20.0, width in 0.0f64..15.0, busy in 0.0f64..4.0,
        objective in 0usize..Objective::ALL.len(), reuses in 0.0f64..100.0,
    ) {
        let mut problem = Problem::new(bytes, spread(low.exp(), (low + width).exp()));
        problem.load = Load::of(busy, Pressure::default());
        problem.corrections.expected_reuses = Some(Estimate::exact(reuses, Basis::Observed));
        let plan = problem.plan_for(Objective::ALL[objective]).unwrap();
        prop_assert_eq!(&plan.candidates[0].configuration, &plan.chosen.configuration);
        let passing: Vec<_> = plan.candidates.iter().filter(|candidate| candidate.why_not.is_none()).collect();
        for pair in passing.windows(2) {
            prop_assert!(pair[0].cost.total_dollars <= pair[1].cost.total_dollars);
        }
        for candidate in &plan.candidates {
            prop_assert!(sums(candidate.cost.total_dollars, candidate.cost.terms_dollars.values().copied()));
            prop_assert!(candidate.cost.contention_factor >= 1.0);
        }
        let rejected: u64 = plan.rejected.values().sum();
        prop_assert!(rejected < plan.considered);
    }

    #[test]
    fn no_candidate_has_less_of_the_product_than_the_one_chosen_for_it(
        bytes in 1_000u64..30_000_000, ops in 2.0f64..28.0, busy in 0.0f64..4.0,
    ) {
        let mut problem = Problem::new(bytes, exactly(ops.exp())).once();
        problem.load = Load::of(busy, Pressure::default());
        let belief = problem.believe();
        let weights = crate::weights_of_run(Objective::CostTime, &belief);
        let by = |price_factor: f64, dollars_per_second: f64| {
            crate::candidates(&belief, &Weights { price_factor, dollars_per_second, dollars_per_joule: 0.0 }).priced
        };
        let passing = |list: Vec<crate::candidates::Priced>| -> Vec<f64> {
            list.into_iter().filter(|one| one.rejection.is_none()).map(|one| one.total_dollars).collect()
        };
        let (money, seconds) = (passing(by(1.0, 0.0)), passing(by(0.0, 1.0)));
        let sums = passing(by(weights.price_factor, weights.dollars_per_second));
        let least = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::INFINITY, f64::min);
        let product = |at: usize| money[at] * seconds[at];
        let chosen = (0..sums.len()).min_by(|a, b| sums[*a].total_cmp(&sums[*b])).unwrap();
        // By other weights other scenarios count for a little more.
        prop_assert!(product(chosen) <= 1.01 * least(&mut (0..sums.len()).map(product)));
    }

    #[test]
    fn costs_grow_with_what_they_are_made_of(bytes in 10_000u64..10_000_000, ops in 3.0f64..25.0, factor in 1.0f64..10.0) {
        let problem = Problem::new(bytes, exactly(ops.exp())).once();
        let total = |problem: &Problem| problem.plan().chosen.cost.total_dollars;
        let base = total(&problem);
        let longer = Problem { analysis: crate::testing::analysis(bytes, exactly(ops.exp() * factor)), ..problem.clone() };
        prop_assert!(total(&longer) >= base * (1.0 - 1e-9));
        let mut slower = problem.clone();
        for steps in slower.resources.transitions.tiers.values_mut() {
            steps.get_mut(&Step::Compile).unwrap().seconds_per_megabyte *= factor;
        }
        prop_assert!(total(&slower) >= base * (1.0 - 1e-9));
        let mut warm = problem.clone();
        warm.standing = vec![(Tier::Winch, IsaLevel::Native), (Tier::Cranelift, IsaLevel::Native)];
        prop_assert!(total(&warm) <= base * (1.0 + 1e-9));
        let mut crowded = problem.clone();
        crowded.load = Load::of(factor, Pressure::default());
        prop_assert!(total(&crowded) >= base * (1.0 - 1e-9));
    }

    #[test]
    fn a_longer_known_run_never_turns_back_to_the_slower_tier(bytes in 10_000u64..5_000_000, seconds in 1e-4f64..10.0) {
        let tier = |seconds: f64| Problem::new(bytes, None).once().observed(Tier::Cranelift, seconds).tier();
        prop_assert!(!(tier(seconds) == Tier::Cranelift && tier(seconds * 2.0) == Tier::Winch));
    }

    #[test]
    fn nothing_is_kept_that_may_not_be(bytes in 1_000u64..5_000_000) {
        let mut problem = Problem::new(bytes, None);
        problem.constraints.persist = false;
        let plan = problem.plan();
        prop_assert!(plan.candidates.iter().all(|candidate| candidate.configuration.warm_state == Rung::File));
        prop_assert!(plan.prepare.is_none());
    }
}
