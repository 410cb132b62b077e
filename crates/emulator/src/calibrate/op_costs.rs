//! The cost of each operator class on a tier, solved from the timings of all kernels together.
//!
//! A kernel of `rounds` rounds is timed at two lengths; the difference leaves out the call, the instance and the first
//! touches. What mispredicted branches and chains of results add, as measured before ([`super::waits`]), is taken into
//! account. How costs follow from all kernels' operators and times is in [`crate::fit`]. Timing a class by itself
//! fails, since an optimising compiler drops the constants and locals around it and an out-of-order core overlaps it
//! with them; the same approach, costs per class of operation from a set of benchmarks, is Saavedra and Smith,
//! "Analysis of benchmark characteristics and benchmark performance prediction", TOCS 1996.

use std::collections::BTreeMap;
use std::sync::Arc;

use forewarm_executor::Invocation;
use forewarm_executor::wasm::{CallTiming, Compiled, Engine, EngineSettings};
use forewarm_resources::{Figure, OpCosts, TierCosts};
use forewarm_types::counts::Chain;
use forewarm_types::plan::TrialLimits;
use forewarm_types::{CodeKind, OpClass, Tier};

use super::observed::Hindered;
use super::{Bench, SOURCE, settings};
use crate::EmulateError;
use crate::fit::{self, Hindrance};
use crate::generate::kernels::{self, EXPORT, Kernel};
use crate::statistics::{self, deviation, figure, undisturbed};

/// Rounds of the first, sizing call.
const FIRST_ROUNDS: i32 = 64;

/// Most rounds of a call.
const MOST_ROUNDS: f64 = 5e7;

/// A first guess at a host call, only to size its timing: wasmtime's documentation puts calls out of WebAssembly at
/// tens of nanoseconds, and reading a clock costs about as much.
const HOST_CALL_GUESS: f64 = 100e-9;

/// Far more than a host-call timing takes.
const TRIAL_SECONDS: f64 = 30.0;

/// A kernel that this tier compiles, with the CPU seconds of a round in each repeat, and what hinders a round.
struct Timed<'a> {
    kernel: &'a Kernel,
    seconds: Vec<f64>,
    hindrance: Hindrance,
}

/// Measures every class that this tier can compile.
pub(super) fn measure(
    bench: &Bench<'_>,
    tier: Tier,
    kernels: &[Kernel],
    hindered: &BTreeMap<&'static str, Hindered>,
    costs: &mut OpCosts,
) -> Result<(), EmulateError> {
    let engine = bench.engine(tier, 1)?;
    let mut timed = Vec::new();
    for kernel in kernels {
        let Ok((compiled, _)) = engine.compile(&kernel.wasm, CodeKind::WasmModule) else { continue };
        let seconds = round_seconds(bench, &engine, &compiled)?;
        let hindrance = hindered.get(kernel.name).map(|found| hindrance(found, costs.tiers.get(&tier)));
        timed.push(Timed { kernel, seconds, hindrance: hindrance.unwrap_or_default() });
    }
    let known = &mut costs.tiers.entry(tier).or_default().seconds_per_op;
    let prior = OpClass::ALL.map(|class| known.get(&class).map_or(0.0, |figure| figure.value));
    let solved = solve(&timed, &prior, bench.budget.repeats);
    let hindrance = typical_hindrance(&timed, &solved);
    known.extend(solved);
    if let Some(cost) = host_call(bench, tier)? {
        known.insert(OpClass::HostCall, cost);
    }
    costs.tiers.entry(tier).or_default().hindrance = hindrance;
    Ok(())
}

/// What hinders a round on a tier, in nanoseconds.
fn hindrance(found: &Hindered, costs: Option<&TierCosts>) -> Hindrance {
    let Some(costs) = costs else { return Hindrance::default() };
    let nanoseconds = |figure: &Figure| figure.value * 1e9;
    let mispredicted = costs.mispredicted_seconds.as_ref().map_or(0.0, nanoseconds);
    let chain = |chain: &Chain| {
        let waits = chain.path.iter();
        let waits = waits.filter_map(|(class, count)| Some(count * nanoseconds(costs.waiting_seconds.get(class)?)));
        let works =
            OpClass::ALL.map(|class| chain.operators.get(&class).map_or(0.0, |count| *count as f64 / found.rounds));
        (works.to_vec(), waits.sum::<f64>() / found.rounds)
    };
    Hindrance { fixed: found.mispredictions * mispredicted, chains: found.chains.iter().map(chain).collect() }
}

/// CPU seconds of a call into the host, from commands run as trials are: with WASI linked, and counted, which adds
/// under a nanosecond. The few other operators of a round are not worth taking off.
fn host_call(bench: &Bench<'_>, tier: Tier) -> Result<Option<Figure>, EmulateError> {
    let settings = EngineSettings { metered: true, ..settings(tier, 1) };
    let engine = Engine::new(settings, Arc::clone(&bench.clock))?;
    let calls = (bench.budget.kernel_seconds / HOST_CALL_GUESS).clamp(200.0, 1e6) as i32;
    let (few, _) = engine.compile(&kernels::host_calls(calls / 8).0, CodeKind::WasmModule)?;
    let (many, _) = engine.compile(&kernels::host_calls(calls / 8 + calls).0, CodeKind::WasmModule)?;
    let seconds = |code| {
        engine
            .trial(code, &Invocation::detached("calibration"), TrialLimits::of(u64::MAX, TRIAL_SECONDS))
            .map(|trial| trial.run_cpu_seconds)
    };
    let mut costs = Vec::new();
    for _ in 0..bench.budget.repeats.max(2) {
        let (few, many) = (seconds(&few)?, seconds(&many)?);
        costs.extend((many > few).then(|| (many - few) / f64::from(calls)));
    }
    Ok((!costs.is_empty()).then(|| figure(&costs, SOURCE)))
}

/// CPU seconds of a round, once per repeat.
pub(super) fn round_seconds(bench: &Bench<'_>, engine: &Engine, code: &Compiled) -> Result<Vec<f64>, EmulateError> {
    let first = engine.time_calls(code, EXPORT, &[FIRST_ROUNDS, FIRST_ROUNDS])?;
    let round = first.iter().map(|call| call.cpu_seconds).fold(f64::MAX, f64::min) / f64::from(FIRST_ROUNDS);
    let rounds = (bench.budget.kernel_seconds / round.max(1e-10)).clamp(f64::from(FIRST_ROUNDS), MOST_ROUNDS) as i32;
    let (short, long) = (rounds / 8 + 1, rounds + rounds / 8 + 1);
    let arguments: Vec<i32> = (0..bench.budget.repeats.max(2)).flat_map(|_| [short, long]).collect();
    let calls = engine.time_calls(code, EXPORT, &arguments)?;
    // The short call is only taken off: it may as well be the one that was least disturbed.
    let least = calls.iter().step_by(2).map(|short| short.cpu_seconds).fold(f64::MAX, f64::min);
    let difference = |pair: &[CallTiming]| match pair {
        [_, long] => (long.cpu_seconds - least) / f64::from(rounds),
        _ => 0.0,
    };
    Ok(calls.chunks_exact(2).map(difference).filter(|seconds| *seconds > 0.0).collect())
}

/// The costs from what the repeats take undisturbed.
///
/// A figure's deviation is how far predictions by it may lie off: the spread of solving each repeat by itself, and the
/// relative residual of the inner loops, which is the error of adding up costs at all.
fn solve(timed: &[Timed<'_>], prior: &[f64], repeats: u32) -> Vec<(OpClass, Figure)> {
    let central = fit(timed, prior, undisturbed);
    let singles: Vec<Vec<f64>> = (0..repeats.max(2) as usize)
        .map(|at| fit(timed, prior, |seconds| seconds.get(at).copied().unwrap_or_else(|| undisturbed(seconds))))
        .collect();
    let residual = residual(timed, &central);
    let mut costs = Vec::new();
    for (column, class) in OpClass::ALL.into_iter().enumerate() {
        let timings = timed.iter().filter(|one| one.kernel.counts.contains_key(&class));
        let samples: usize = timings.map(|one| one.seconds.len()).sum();
        if samples == 0 {
            continue;
        }
        let spread: Vec<f64> = singles.iter().map(|solution| solution[column]).collect();
        let value = central[column];
        let deviation = deviation(&spread).hypot(residual * value);
        costs.push((class, Figure::measured(value, deviation, samples as u64, SOURCE)));
    }
    costs
}

/// Relative error of predictions for the inner loops, the extreme ones among them: with `σ` the root mean square of
/// `ln(predicted / actual)`, the log-normal's `√(exp σ² − 1)` (Aitchison and Brown 1957, 2.3).
fn residual(timed: &[Timed<'_>], costs: &[f64]) -> f64 {
    let logs = timed.iter().filter(|one| one.kernel.whole && !one.seconds.is_empty());
    let logs = logs.map(|one| (predicted(one, costs) / undisturbed(&one.seconds)).ln());
    let squares: Vec<f64> = logs.filter(|log| log.is_finite()).map(|log| log * log).collect();
    let variance = squares.iter().sum::<f64>() / squares.len().max(1) as f64;
    variance.exp_m1().sqrt()
}

/// Time of the inner loops over what their operators alone would take.
fn typical_hindrance(timed: &[Timed<'_>], costs: &[(OpClass, Figure)]) -> Option<Figure> {
    let alone = |kernel: &Kernel| -> f64 {
        costs.iter().map(|(class, cost)| kernel.counts.get(class).map_or(0.0, |count| count * cost.value)).sum()
    };
    let whole = timed.iter().filter(|one| one.kernel.whole && !one.seconds.is_empty());
    let ratios = whole.map(|one| undisturbed(&one.seconds) / alone(one.kernel));
    let ratios: Vec<f64> = ratios.filter(|ratio| ratio.is_finite() && *ratio > 0.0).collect();
    (!ratios.is_empty()).then(|| statistics::ratios(&ratios, SOURCE))
}

/// Seconds of a round by these costs.
fn predicted(one: &Timed<'_>, costs: &[f64]) -> f64 {
    let nanoseconds: Vec<f64> = costs.iter().map(|cost| cost * 1e9).collect();
    one.hindrance.time(&row(one.kernel), &nanoseconds) * 1e-9
}

fn row(kernel: &Kernel) -> Vec<f64> {
    OpClass::ALL.map(|class| kernel.counts.get(&class).copied().unwrap_or(0.0)).to_vec()
}

/// Costs in seconds: those nearest the timings on the log scale, drawn a little towards the scaled defaults.
fn fit(timed: &[Timed<'_>], prior: &[f64], pick: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let (mut rows, mut hindered) = (Vec::new(), Vec::new());
    let mut nanoseconds = Vec::new();
    let mut weights = Vec::new();
    for one in timed {
        let seconds = pick(&one.seconds);
        if seconds > 0.0 {
            rows.push(row(one.kernel));
            hindered.push(one.hindrance.clone());
            // In nanoseconds, so that the numbers solved for lie about 1.
            nanoseconds.push(seconds * 1e9);
            weights.push(one.kernel.weight);
        }
    }
    let problem = fit::Problem { rows, times: nanoseconds, weights, hindered, prior: prior.to_vec() };
    problem.solve().iter().map(|cost| cost * 1e-9).collect()
}
