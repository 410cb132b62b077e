//! How two runs at once slow each other, beyond taking turns on the cores.
//!
//! The same kernel runs alone and beside itself on another thread, in turn; the slow-down is the ratio of CPU times,
//! so that waiting for a core, which the planner prices by itself, is left out.

use std::sync::Barrier;

use forewarm_executor::wasm::{Compiled, Engine};
use forewarm_resources::{Contention, Figure};
use forewarm_types::{Bytes, CodeKind};

use super::{Bench, SOURCE};
use crate::EmulateError;
use crate::generate::kernels::{self, EXPORT};
use crate::generate::memory;
use crate::statistics::figure;

/// The kernel that stands for compute-bound runs: four independent chains of integer arithmetic in registers.
const COMPUTE: &str = "quarter-rounds";

/// Timings of one kernel's round last this many times a calibration timing, so that both threads surely overlap.
const LENGTH: f64 = 5.0;

/// Measures both pairs; with a single core there is nothing to measure.
pub(super) fn measure(
    bench: &Bench<'_>,
    largest_cache: Bytes,
    contention: &mut Contention,
) -> Result<(), EmulateError> {
    let Some(&tier) = bench.tiers.get(1).or(bench.tiers.first()) else { return Ok(()) };
    if bench.cores < 2 {
        return Ok(());
    }
    let engine = bench.engine(tier, 1)?;
    if let Some(kernel) = kernels::all().into_iter().find(|kernel| kernel.name == COMPUTE) {
        let (code, _) = engine.compile(&kernel.wasm, CodeKind::WasmModule)?;
        contention.compute_pair = slow_down(bench, &engine, &code)?;
    }
    // Twice the largest cache does not fit it, whatever the replacement.
    let size = Bytes((2 * largest_cache.0).clamp(1 << 20, bench.budget.memory_bytes.0.max(1 << 20)) & !0xffff);
    let (code, _) = engine.compile(&memory::stream(size), CodeKind::WasmModule)?;
    contention.streaming_pair = slow_down(bench, &engine, &code)?;
    Ok(())
}

fn slow_down(bench: &Bench<'_>, engine: &Engine, code: &Compiled) -> Result<Option<Figure>, EmulateError> {
    let rounds = rounds(bench, engine, code)?;
    let mut ratios = Vec::new();
    for _ in 0..bench.budget.repeats.max(2) {
        let alone = long_call(engine, code, rounds)?;
        let barrier = Barrier::new(2);
        let beside = || {
            barrier.wait();
            long_call(engine, code, rounds)
        };
        let (one, other) = std::thread::scope(|scope| {
            let other = scope.spawn(beside);
            (beside(), other.join())
        });
        let Ok(other) = other else { continue };
        if alone > 0.0 {
            ratios.push((one? + other?) / (2.0 * alone));
        }
    }
    let measured = figure(&ratios, SOURCE);
    Ok((measured.samples > 0).then(|| Figure { value: measured.value.max(1.0), ..measured }))
}

/// Rounds that take about the wanted time.
fn rounds(bench: &Bench<'_>, engine: &Engine, code: &Compiled) -> Result<i32, EmulateError> {
    let calls = engine.time_calls(code, EXPORT, &[1, 1, 2])?;
    let round = calls.iter().map(|call| call.cpu_seconds).fold(f64::MAX, f64::min).max(1e-8);
    Ok((LENGTH * bench.budget.kernel_seconds / round).clamp(2.0, 1e6) as i32)
}

/// CPU seconds of a call of that many rounds, after one that warms caches and touches the memory.
fn long_call(engine: &Engine, code: &Compiled, rounds: i32) -> Result<f64, EmulateError> {
    let calls = engine.time_calls(code, EXPORT, &[1, rounds])?;
    Ok(calls.last().map_or(0.0, |call| call.cpu_seconds))
}
