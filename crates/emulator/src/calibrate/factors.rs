//! Factors on compile and run times: of counting operators, and of code for the baseline instruction set.
//!
//! Each is a ratio of the same work timed both ways, in turn: the median over the kernels that stand for real inner
//! loops, whose spread is its deviation.

use std::sync::Arc;

use forewarm_executor::Invocation;
use forewarm_executor::wasm::{Engine, EngineSettings};
use forewarm_resources::{Metering, OpCosts};
use forewarm_sandbox::clock::thread_cpu;
use forewarm_types::plan::TrialLimits;
use forewarm_types::{CodeKind, IsaLevel, Tier};

use super::{Bench, SOURCE, compile, op_costs, settings};
use crate::EmulateError;
use crate::counting::{self, Counting};
use crate::generate::kernels::{self, EXPORT, Kernel};
use crate::instrument::instrument;
use crate::statistics::{figure, median};

/// Every so many of the inner loops is timed: a sample of all kinds of them.
const EVERY: usize = 4;

/// Far more than a kernel's timing takes.
const LONGEST_SECONDS: f64 = 30.0;

/// Measures what counting costs on the tier that trials prefer, and what the baseline level costs on the optimiser.
pub(super) fn measure(bench: &Bench<'_>, costs: &mut OpCosts, metering: &mut Metering) -> Result<(), EmulateError> {
    let whole: Vec<Kernel> = kernels::all().into_iter().filter(|kernel| kernel.whole).step_by(EVERY).collect();
    if let Some(&tier) = bench.tiers.first() {
        let engine = bench.engine(tier, 1)?;
        let runs = counted_run_ratios(bench, &engine, &whole)?;
        let compiles = counted_compile_ratios(bench, &engine, tier)?;
        if !runs.is_empty() {
            metering.run_factor = figure(&runs, SOURCE);
        }
        if !compiles.is_empty() {
            metering.compile_factor = figure(&compiles, SOURCE);
        }
    }
    if bench.tiers.contains(&Tier::Cranelift) {
        let native = settings(Tier::Cranelift, 1);
        let ratios = run_ratios(bench, native, EngineSettings { isa: IsaLevel::Baseline, ..native }, &whole)?;
        let measured = (!ratios.is_empty()).then(|| figure(&ratios, SOURCE));
        costs.tiers.entry(Tier::Cranelift).or_default().baseline_factor = measured;
    }
    Ok(())
}

fn run_ratios(
    bench: &Bench<'_>,
    plain: EngineSettings,
    other: EngineSettings,
    kernels: &[Kernel],
) -> Result<Vec<f64>, EmulateError> {
    let engines = [plain, other].map(|settings| Engine::new(settings, Arc::clone(&bench.clock)));
    let [plain, other] = engines;
    let (plain, other) = (plain?, other?);
    let mut ratios = Vec::new();
    for kernel in kernels {
        let seconds = |engine: &Engine| -> Result<f64, EmulateError> {
            let (code, _) = engine.compile(&kernel.wasm, CodeKind::WasmModule)?;
            Ok(median(&op_costs::round_seconds(bench, engine, &code)?))
        };
        let (before, after) = (seconds(&plain)?, seconds(&other)?);
        ratios.extend((before > 0.0 && after > 0.0).then(|| after / before));
    }
    Ok(ratios)
}

/// Run times of rewritten kernels, watched as in a trial, over those of the kernels as they are.
fn counted_run_ratios(bench: &Bench<'_>, engine: &Engine, kernels: &[Kernel]) -> Result<Vec<f64>, EmulateError> {
    let mut ratios = Vec::new();
    for kernel in kernels {
        let (code, _) = engine.compile(&kernel.wasm, CodeKind::WasmModule)?;
        let before = median(&op_costs::round_seconds(bench, engine, &code)?);
        let rounds = (bench.budget.kernel_seconds / before.max(1e-10)).clamp(64.0, 1e9) as u32;
        let few = counted_seconds(engine, kernel, rounds / 8)?;
        let many = counted_seconds(engine, kernel, rounds / 8 + rounds)?;
        if let Some((few, many)) = few.zip(many) {
            let after = (many - few) / f64::from(rounds);
            ratios.extend((before > 0.0 && after > 0.0).then(|| after / before));
        }
    }
    Ok(ratios)
}

/// CPU seconds of a rewritten kernel's run itself; `None` where it cannot be rewritten.
fn counted_seconds(engine: &Engine, kernel: &Kernel, rounds: u32) -> Result<Option<f64>, EmulateError> {
    let Ok(rewritten) = instrument(&kernel.wasm, true) else { return Ok(None) };
    let sockets = counting::sockets(&rewritten.ports);
    let limits = TrialLimits::of(u64::MAX, LONGEST_SECONDS);
    let (counting, bytes) = Counting::new(rewritten, limits);
    let (code, _) = engine.compile(&bytes, CodeKind::WasmModule)?;
    let invocation = Invocation {
        invoke: Some(EXPORT.to_owned()),
        arguments: vec![rounds.to_string()],
        ..Invocation::detached("calibration")
    };
    let (trial, counting) = engine.watch(&code, &invocation, &sockets, counting, limits)?;
    Ok(Some(trial.run_cpu_seconds - counting.watching_seconds()))
}

/// Time to rewrite modules and compile what comes of it, over that to compile them as they are.
fn counted_compile_ratios(bench: &Bench<'_>, engine: &Engine, tier: Tier) -> Result<Vec<f64>, EmulateError> {
    let mut ratios = Vec::new();
    for sample in compile::samples(bench, tier).iter().take(3) {
        for _ in 0..bench.budget.repeats.max(2) {
            let (_, before) = engine.compile(&sample.wasm, CodeKind::WasmModule)?;
            let started = thread_cpu();
            let Ok(rewritten) = instrument(&sample.wasm, true) else { continue };
            let rewriting = (thread_cpu() - started).0;
            let (_, after) = engine.compile(&rewritten.bytes, CodeKind::WasmModule)?;
            ratios.push((rewriting + after.cpu_seconds) / before.cpu_seconds.max(1e-9));
        }
    }
    Ok(ratios)
}
