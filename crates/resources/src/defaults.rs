//! The sourced defaults that stand in until something is measured.
//!
//! Every figure names a source of [`crate::sources`]; any measurement replaces it ([`crate::merge()`]).

use std::collections::BTreeMap;

use forewarm_types::{OpClass, SCHEMA, Step, Tier};

use crate::figure::Z95;
use crate::{
    Contention, Figure, Inventory, Metering, OpCosts, Own, Power, Price, Processes, ResourceModel, StepCost, TierCosts,
    Transitions, Workload,
};

/// AWS Fargate's price of a vCPU-hour in us-east-1, Linux on x86, in US dollars (source `fargate`).
pub const DOLLARS_PER_CORE_HOUR: f64 = 0.040_48;

/// AWS Fargate's price of a GB-hour in us-east-1, Linux on x86, in US dollars (source `fargate`).
pub const DOLLARS_PER_GIGABYTE_HOUR: f64 = 0.004_445;

/// Nominal clock of the operator costs, in cycles per second (source `agner-fog`).
const CYCLES_PER_SECOND: f64 = 3e9;

/// Standard deviation of the logarithm of the ratio of two tiers' run times over programs: the measured 1.05 to 2.5 of
/// source `winch-ops` as a 90 % interval, `ln(2.5 / 1.05) / (2 * 1.645)`.
pub const TIER_RATIO_LOG_DEVIATION: f64 = 0.264;

/// By how much the logarithm of a time foretold from smaller runs is off, in the deviation, for each e-fold beyond the largest of
/// them: caches and predictors hold less of the larger. A choice, not a measurement: a factor of 1.6 for a hundred times as much.
pub const EXTRAPOLATION_LOG_DEVIATION: f64 = 0.1;

/// By how much that changes on the way, for each e-fold, where two runs tell it. A choice: in 86 timings of programs of `corpus/scalable`
/// whose data stay in the nearer caches, all but one that outgrows the branch predictor, it was 0.013 in the median, and 0.06 or less in
/// nine of ten.
pub const TREND_CHANGE_LOG_DEVIATION: f64 = 0.03;

/// By how much what an operator costs grows, on the logarithmic scale, for each e-fold by which a run's memory outgrows the nearer
/// caches and a smaller run's, where nothing is known of its accesses, and the deviation of that. A choice: of twelve programs of
/// `corpus/scalable` it was -0.03 to 0.59, 0.2 in the median, but times that are extrapolated as such hold part of it already, and came out
/// a third too long with 0.1.
pub const OUTGROWN_LOG_SLOPE: f64 = 0.05;

/// See [`OUTGROWN_LOG_SLOPE`].
pub const OUTGROWN_LOG_DEVIATION: f64 = 0.15;

/// Deviation of the logarithm of one CPU time of one run: what repeated runs of some milliseconds on a shared machine differ by.
pub const TIMING_LOG_DEVIATION: f64 = 0.1;

/// Seconds in an hour.
const HOUR: f64 = 3600.0;

/// Shares of operator classes in a program of which no mix is known (source `op-mix`).
pub const OP_MIX: &[(OpClass, f64)] = &[
    (OpClass::Local, 0.397),
    (OpClass::Const, 0.177),
    (OpClass::IntAlu, 0.167),
    (OpClass::Load, 0.075),
    (OpClass::Branch, 0.062),
    (OpClass::Store, 0.048),
    (OpClass::Call, 0.030),
    (OpClass::FloatAdd, 0.017),
    (OpClass::FloatMul, 0.008),
    (OpClass::Global, 0.005),
    (OpClass::IntMul, 0.005),
    (OpClass::Convert, 0.004),
    (OpClass::CallIndirect, 0.002),
    (OpClass::FloatDiv, 0.001),
    (OpClass::IntDiv, 0.001),
];

/// Reciprocal throughput and latency, in cycles, of the machine code the optimising compiler makes of a class
/// (source `agner-fog`). Constants and locals mostly vanish into registers and operands: a register move, eliminated at
/// renaming, or none. A call is a push, a jump, a frame and a return; an indirect one also loads and checks the
/// signature; a host call leaves the guest (source `null-call`).
const CYCLES: [(OpClass, f64, f64); 21] = [
    (OpClass::Const, 0.05, 0.25),
    (OpClass::Local, 0.05, 0.25),
    (OpClass::Global, 0.5, 4.0),
    (OpClass::IntAlu, 0.25, 1.0),
    (OpClass::IntMul, 1.0, 3.0),
    (OpClass::IntDiv, 6.0, 26.0),
    (OpClass::FloatAdd, 0.5, 4.0),
    (OpClass::FloatMul, 0.5, 4.0),
    (OpClass::FloatDiv, 4.0, 14.0),
    (OpClass::FloatSqrt, 6.0, 18.0),
    (OpClass::Convert, 1.0, 6.0),
    (OpClass::Vector, 0.5, 4.0),
    (OpClass::Load, 0.5, 5.0),
    (OpClass::Store, 1.0, 4.0),
    (OpClass::Branch, 0.5, 2.0),
    (OpClass::Call, 4.0, 12.0),
    (OpClass::CallIndirect, 6.0, 24.0),
    (OpClass::Atomic, 18.0, 20.0),
    (OpClass::Bulk, 20.0, 100.0),
    (OpClass::HostCall, 300.0, 3000.0),
    (OpClass::Other, 1.0, 20.0),
];

/// What the single-pass compiler's code costs over the optimising one's, locals apart (source `winch-ops`).
const WINCH_FACTOR: f64 = 1.3;

/// Cycles of a local kept in memory (source `winch-ops`).
const WINCH_LOCAL_CYCLES: f64 = 0.5;

/// Cycles of decoding and dispatching one bytecode operator (source `pulley-ops`).
const PULLEY_DISPATCH_CYCLES: f64 = 10.0;

/// The whole default model of a machine.
#[must_use]
pub fn model(inventory: Inventory) -> ResourceModel {
    ResourceModel {
        schema: SCHEMA,
        inventory,
        op_costs: op_costs(),
        hierarchy: crate::Hierarchy::default(),
        transitions: transitions(),
        power: power(),
        price: price(),
        contention: Contention::default(),
        workload: workload(),
        metering: metering(),
    }
}

/// Operator costs of every tier.
#[must_use]
pub fn op_costs() -> OpCosts {
    OpCosts { tiers: Tier::ALL.into_iter().map(|tier| (tier, tier_costs(tier))).collect() }
}

fn tier_costs(tier: Tier) -> TierCosts {
    let cost = |(class, throughput, latency): (OpClass, f64, f64)| {
        let cycles = throughput;
        let log_deviation = (latency / throughput).ln() / Z95;
        let (cycles, source) = match (tier, class) {
            (_, OpClass::HostCall) => (cycles, "null-call"),
            (Tier::Cranelift, _) => (cycles, "agner-fog"),
            (Tier::Winch, OpClass::Local) => (WINCH_LOCAL_CYCLES, "winch-ops"),
            (Tier::Winch, _) => (cycles * WINCH_FACTOR, "winch-ops"),
            (Tier::Pulley, _) => (cycles + PULLEY_DISPATCH_CYCLES, "pulley-ops"),
        };
        let seconds = cycles / CYCLES_PER_SECOND;
        (class, Figure::sourced(significant(seconds), significant(seconds * log_deviation), source))
    };
    TierCosts { seconds_per_op: CYCLES.into_iter().map(cost).collect(), ..TierCosts::default() }
}

/// Rounded to three significant digits: defaults know no more, and the stored document stays small.
fn significant(value: f64) -> f64 {
    let scale = 10f64.powf(2.0 - value.abs().log10().floor());
    if scale.is_finite() { (value * scale).round() / scale } else { value }
}

/// Costs of every step of the ladder.
#[must_use]
pub fn transitions() -> Transitions {
    let common = [
        (Step::Read, step([0.0, 0.000_56], 0.3, "read")),
        (Step::Analyze, step([0.0, 0.007], 0.2, "analyze")),
        (Step::Prefault, step([0.0, 0.000_35], 0.5, "prefault")),
    ];
    let tiers = Tier::ALL.into_iter().map(|tier| (tier, tier_steps(tier))).collect();
    // The three measured values span 0.13 to 2.6 ms per MB: a log deviation of ln(20) / 3.29.
    let first_touch = Figure::sourced(0.37e-9, 0.37e-9, "first-touch");
    let thread_start = Figure::sourced(0.000_15, 0.000_05, "thread-start");
    Transitions {
        warm_starts: BTreeMap::new(),
        common: common.into(),
        tiers,
        first_touch_seconds_per_byte: Some(first_touch),
        page_touch: None,
        thread_start_seconds: Some(thread_start),
    }
}

fn tier_steps(tier: Tier) -> BTreeMap<Step, StepCost> {
    // Fixed seconds, seconds per 10^6 bytes of code, log deviation from the measured range, bytes of artifact per byte
    // of code.
    let (fixed, rate, deviation, size) = match tier {
        Tier::Winch => (0.002, 0.155, (0.19_f64 / 0.12).ln() / (2.0 * Z95), 3.3),
        Tier::Cranelift | Tier::Pulley => (0.0045, 0.97, (1.04_f64 / 0.82).ln() / (2.0 * Z95), 1.6),
    };
    let mut compile = step([fixed, rate], significant(deviation), "compile");
    compile.parallel_fraction = 0.91;
    compile.bytes_per_byte = size;
    compile.peak_bytes_per_byte = 17.5;
    let mut persist = step([0.000_35, significant(0.000_65 * size)], 0.5, "artifact-size");
    persist.bytes_per_byte = size;
    let mut map = step([0.000_3, 0.000_03], 0.5, "map");
    map.bytes_per_byte = size;
    BTreeMap::from([
        (Step::Compile, compile),
        (Step::Persist, persist),
        (Step::Map, map),
        (Step::Link, step([0.000_17, 0.0], 0.3, "link")),
        (Step::Instantiate, step([0.000_15, 0.000_2], 0.5, "instantiate")),
        (Step::Pool, step([0.000_001_2, 0.0], 0.1, "pool")),
    ])
}

/// A serial step that holds nothing: fixed seconds, seconds per 10^6 bytes.
fn step([fixed_seconds, seconds_per_megabyte]: [f64; 2], log_deviation: f64, source: &str) -> StepCost {
    StepCost {
        fixed_seconds,
        seconds_per_megabyte,
        log_deviation,
        parallel_fraction: 0.0,
        bytes_per_byte: 0.0,
        peak_bytes_per_byte: 0.0,
        estimator: Vec::new(),
        samples: 0,
        source: source.to_owned(),
    }
}

/// Power from a table.
#[must_use]
pub fn power() -> Power {
    Power {
        idle_watts_per_core: Figure::sourced(0.74, 0.0, "cloud-carbon"),
        busy_watts_per_core: Figure::sourced(3.5, 0.0, "cloud-carbon"),
        watts_per_gigabyte: Figure::sourced(0.392, 0.0, "cloud-carbon"),
        from_table: true,
        accelerators: Vec::new(),
    }
}

/// Prices from a price list.
#[must_use]
pub fn price() -> Price {
    Price {
        dollars_per_core_second: Figure::sourced(DOLLARS_PER_CORE_HOUR / HOUR, 0.0, "fargate"),
        dollars_per_byte_second: Figure::sourced(DOLLARS_PER_GIGABYTE_HOUR / HOUR / 1e9, 0.0, "fargate"),
        dollars_per_disk_byte_second: Figure::sourced(0.08 / (730.0 * HOUR) / 1e9, 0.0, "ebs"),
    }
}

/// Priors over programs.
#[must_use]
pub fn workload() -> Workload {
    Workload {
        run_median_seconds: Figure::sourced(0.0375, 0.0, "run-prior"),
        run_log_deviation: Figure::sourced(2.36, 0.0, "run-prior"),
        process_seconds: Figure::sourced(0.0027, 0.0, "process"),
        spawn_seconds: spawn_seconds(),
        growth_with_numbers: growth_with_numbers(),
        growth_with_bytes: growth_with_bytes(),
        expected_reuses: Figure::sourced(0.25, 0.0, "one-hit"),
        artifact_hold_seconds: Figure::sourced(24.0 * HOUR, 0.0, "artifact-life"),
        processes: processes(),
    }
}

/// Priors over programs that are processes of their own.
#[must_use]
pub fn processes() -> Processes {
    let own = |seconds, seconds_log_deviation, source| Own {
        seconds: Figure::sourced(seconds, 0.0, source),
        seconds_log_deviation: Figure::sourced(seconds_log_deviation, 0.0, source),
        bytes: Figure::sourced(0.44e6, 0.0, "native-runs"),
        bytes_log_deviation: Figure::sourced(2.6, 0.0, "native-runs"),
    };
    Processes {
        spawn_seconds: Figure::sourced(0.003, 0.0, "sandbox"),
        native: own(0.0166, 3.2, "native-runs"),
        python: own(0.0375, 2.36, "run-prior"),
    }
}

/// With which exponent values grow in a number among the arguments, over programs.
#[must_use]
pub fn growth_with_numbers() -> Figure {
    Figure::sourced(0.95, 1.07, "growth-numbers")
}

/// With which exponent values grow in bytes, over programs.
#[must_use]
pub fn growth_with_bytes() -> Figure {
    Figure::sourced(0.5, 0.289, "growth-bytes")
}

pub(crate) fn spawn_seconds() -> Figure {
    Figure::sourced(0.0007, 0.0, "spawn")
}

/// What counting operators adds.
#[must_use]
pub fn metering() -> Metering {
    Metering {
        compile_factor: Figure::sourced(1.6, 0.1, "counters"),
        run_factor: Figure::sourced(1.8, 0.5, "counters"),
        fuel_run_factor: fuel_run_factor(),
        unshared_ratio: None,
    }
}

pub(crate) fn fuel_run_factor() -> Figure {
    Figure::sourced(1.15, 0.0, "fuel")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{inventory, sources};

    #[test]
    fn every_default_has_a_source_in_words_and_no_samples() {
        let model = model(inventory::unknown(2));
        let figures = model.op_costs.tiers.values().flat_map(|tier| tier.seconds_per_op.values());
        for figure in figures {
            assert!(figure.is_default() && figure.value > 0.0);
            assert_ne!(figure.source_in_words(), figure.source, "{figure:?}");
        }
        let steps =
            model.transitions.tiers.values().flat_map(BTreeMap::values).chain(model.transitions.common.values());
        for step in steps {
            assert!(step.samples == 0);
            assert_ne!(sources::words(&step.source), step.source, "{step:?}");
        }
    }

    #[test]
    fn the_model_round_trips_and_is_small() {
        let model = model(inventory::unknown(2));
        let text = serde_json::to_string(&model).unwrap();
        assert!(serde_json::from_str::<ResourceModel>(&text).unwrap() == model, "{text}");
        assert!(text.len() < 10_000, "{} bytes", text.len());
    }

    #[test]
    fn a_document_without_the_newer_parts_reads_as_defaults() {
        let model = model(inventory::unknown(1));
        let mut value = serde_json::to_value(&model).unwrap();
        value.as_object_mut().unwrap().retain(|key, _| key != "workload" && key != "metering");
        assert!(serde_json::from_value::<ResourceModel>(value).unwrap() == model);
    }

    #[test]
    fn rounding_keeps_three_digits() {
        assert!((significant(1.234_56e-10) / 1.23e-10 - 1.0).abs() < 1e-9);
        assert_eq!(significant(0.0), 0.0);
    }
}
