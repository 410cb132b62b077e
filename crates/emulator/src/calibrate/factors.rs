//! Factors on compile and run times: of counting operators, and of code for the baseline instruction set.
//!
//! Each is a ratio of the same work timed both ways, in turn: the median over the kernels that stand for real inner
//! loops, whose spread is its deviation.

use std::sync::Arc;

use forewarm_executor::wasm::{Engine, EngineSettings};
use forewarm_resources::{Metering, OpCosts};
use forewarm_types::{CodeKind, IsaLevel, Tier};

use super::{Bench, SOURCE, compile, op_costs, settings};
use crate::EmulateError;
use crate::generate::kernels::{self, Kernel};
use crate::statistics::{figure, median};

/// Every so many of the inner loops is timed: a sample of all kinds of them.
const EVERY: usize = 4;

/// Measures what counting costs on the tier that trials prefer, and what the baseline level costs on the optimiser.
pub(super) fn measure(bench: &Bench<'_>, costs: &mut OpCosts, metering: &mut Metering) -> Result<(), EmulateError> {
    let whole: Vec<Kernel> = kernels::all().into_iter().filter(|kernel| kernel.whole).step_by(EVERY).collect();
    if let Some(&tier) = bench.tiers.first() {
        let plain = settings(tier, 1);
        let counted = EngineSettings { metered: true, ..plain };
        let runs = run_ratios(bench, plain, counted, &whole)?;
        let compiles = compile_ratios(bench, plain, counted)?;
        if !runs.is_empty() {
            metering.run_factor = figure(&runs, SOURCE);
        }
        metering.compile_factor = figure(&compiles, SOURCE);
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

fn compile_ratios(bench: &Bench<'_>, plain: EngineSettings, counted: EngineSettings) -> Result<Vec<f64>, EmulateError> {
    let samples = compile::samples(bench, plain.tier);
    let engines = [plain, counted].map(|settings| Engine::new(settings, Arc::clone(&bench.clock)));
    let [plain, counted] = engines;
    let (plain, counted) = (plain?, counted?);
    let mut ratios = Vec::new();
    for sample in samples.iter().take(3) {
        for _ in 0..bench.budget.repeats.max(2) {
            let (_, before) = plain.compile(&sample.wasm, CodeKind::WasmModule)?;
            let (_, after) = counted.compile(&sample.wasm, CodeKind::WasmModule)?;
            ratios.push(after.cpu_seconds / before.cpu_seconds.max(1e-9));
        }
    }
    Ok(ratios)
}
