//! How runs at once slow each other: kinds of work beside copies of each kind, and more threads than cores.
//!
//! A kernel that computes, one that streams and one that chases stand for the kinds. Each is timed alone and while copies of
//! each run on other cores, in turn; the slow-down is the ratio of CPU times, so that waiting for a core, which is
//! priced by itself, is left out. What taking turns costs beyond that is the wall time of more threads than cores, which all
//! compute, over that of a thread to each core.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use forewarm_executor::wasm::{Calls, Compiled, Engine};
use forewarm_resources::{Beside, Contention, Crowded, Figure};
use forewarm_types::{Bytes, CodeKind, Work};

use super::{Bench, SOURCE};
use crate::EmulateError;
use crate::generate::kernels::{self, EXPORT};
use crate::generate::memory::{self, Walk};
use crate::statistics::{figure, undisturbed};

/// The kernel that stands for compute-bound runs: four independent chains of integer arithmetic in registers.
const COMPUTE: &str = "quarter-rounds";

/// Timings of one kernel's round last this many times a calibration timing, so that all threads surely overlap.
const LENGTH: f64 = 5.0;

/// Threads to each core that are measured.
const CROWDS: [u32; 2] = [2, 4];

/// Most cores that are kept busy beside a run: each copy has memory of its own.
const MOST_OTHERS: u32 = 15;

/// Between two looks whether all others have begun.
const SOON: Duration = Duration::from_micros(50);

/// A kind of work as code, with the rounds that take about the wanted time.
struct Kernel {
    work: Work,
    code: Compiled,
    rounds: i32,
}

/// Measures the curves; with a single core only what sharing it costs.
pub(super) fn measure(
    bench: &Bench<'_>,
    largest_cache: Bytes,
    contention: &mut Contention,
) -> Result<(), EmulateError> {
    let Some(&tier) = bench.tiers.get(1).or(bench.tiers.first()) else { return Ok(()) };
    let engine = bench.engine(tier, 1)?;
    let kernels = kernels(bench, &engine, largest_cache)?;
    let most = bench.cores.saturating_sub(1).min(MOST_OTHERS);
    let mut numbers = vec![1, most];
    numbers.retain(|others| (1..=most).contains(others));
    numbers.dedup();
    contention.beside.clear();
    for (own, other) in kernels.iter().flat_map(|own| kernels.iter().map(move |other| (own, other))) {
        for others in &numbers {
            let ratios = beside(bench, &engine, own, other, *others)?;
            let (work, other, cores) = (own.work, other.work, f64::from(*others));
            contention.beside.extend(slowing(&ratios).map(|factor| Beside { work, other, cores, factor }));
        }
    }
    contention.crowded.clear();
    let computing = kernels.iter().find(|kernel| kernel.work == Work::Computing);
    for (kernel, threads) in computing.into_iter().flat_map(|kernel| CROWDS.map(|threads| (kernel, threads))) {
        let ratios = crowded(bench, &engine, kernel, threads)?;
        let threads_per_core = f64::from(threads);
        contention.crowded.extend(slowing(&ratios).map(|factor| Crowded { threads_per_core, factor }));
    }
    Ok(())
}

fn kernels(bench: &Bench<'_>, engine: &Engine, largest_cache: Bytes) -> Result<Vec<Kernel>, EmulateError> {
    // Twice the largest cache does not fit it, whatever the replacement.
    let size = Bytes((2 * largest_cache.0).clamp(1 << 20, bench.budget.memory_bytes.0.max(1 << 20)) & !0xffff);
    let computes = kernels::all().into_iter().find(|kernel| kernel.name == COMPUTE).map(|kernel| kernel.wasm);
    let sources = [
        (Work::Computing, computes),
        (Work::Streaming, Some(memory::stream(size))),
        (Work::Chasing, Some(memory::walk(size, Walk::Chased))),
    ];
    let compiled = sources.into_iter().filter_map(|(work, wasm)| Some((work, wasm?))).map(|(work, wasm)| {
        let (code, _) = engine.compile(&wasm, CodeKind::WasmModule)?;
        let rounds = rounds(bench, engine, &code)?;
        Ok(Kernel { work, code, rounds })
    });
    compiled.collect()
}

/// Rounds that take about the wanted time.
fn rounds(bench: &Bench<'_>, engine: &Engine, code: &Compiled) -> Result<i32, EmulateError> {
    let mut calls = engine.calls(code, EXPORT)?;
    // The first touches its memory; what one round takes alone may be less than the clock can tell.
    calls.time(1)?;
    let wanted = LENGTH * bench.budget.kernel_seconds;
    let mut rounds = 1_i32;
    loop {
        let seconds = calls.time(rounds)?.cpu_seconds;
        if seconds >= wanted / 8.0 || rounds >= 1 << 24 {
            let each = (seconds / f64::from(rounds)).max(1e-10);
            return Ok((wanted / each).clamp(2.0, f64::from(1 << 28)) as i32);
        }
        rounds *= 4;
    }
}

/// CPU time of one kernel beside copies of another over that alone, in turn.
fn beside(
    bench: &Bench<'_>,
    engine: &Engine,
    own: &Kernel,
    other: &Kernel,
    others: u32,
) -> Result<Vec<f64>, EmulateError> {
    let mut mine = ready(engine, own)?;
    let mut theirs = (0..others).map(|_| ready(engine, other)).collect::<Result<Vec<_>, _>>()?;
    // Short calls, so that they end soon after they are told to.
    let slice = (other.rounds / 16).max(1);
    let (mut alone, mut among_others) = (Vec::new(), Vec::new());
    for _ in 0..bench.budget.repeats.max(2) {
        alone.push(mine.time(own.rounds)?.cpu_seconds);
        let (begun, over) = (AtomicU32::new(0), AtomicBool::new(false));
        let among = std::thread::scope(|scope| {
            for calls in &mut theirs {
                let keep_on = || {
                    begun.fetch_add(1, Ordering::Relaxed);
                    while !over.load(Ordering::Relaxed) {
                        if calls.time(slice).is_err() {
                            break;
                        }
                    }
                };
                scope.spawn(keep_on);
            }
            while begun.load(Ordering::Relaxed) < others {
                std::thread::sleep(SOON);
            }
            let among = mine.time(own.rounds);
            over.store(true, Ordering::Relaxed);
            among
        });
        among_others.push(among?.cpu_seconds);
    }
    // What else runs on the machine slows the run alone too.
    let alone = undisturbed(&alone);
    Ok(among_others.into_iter().map(|seconds| seconds / alone).collect())
}

/// Wall time of so many threads to each core over that of one, by how many times the work is.
fn crowded(bench: &Bench<'_>, engine: &Engine, kernel: &Kernel, threads: u32) -> Result<Vec<f64>, EmulateError> {
    let all = (bench.cores * threads) as usize;
    let mut calls = (0..all).map(|_| ready(engine, kernel)).collect::<Result<Vec<_>, _>>()?;
    let mut together = |count: usize| -> Result<f64, EmulateError> {
        let barrier = Barrier::new(count);
        let run = |calls: &mut Calls| {
            barrier.wait();
            let began = bench.clock.monotonic();
            calls.time(kernel.rounds).map(|_| (began, bench.clock.monotonic()))
        };
        let spans = std::thread::scope(|scope| {
            let started: Vec<_> = calls[..count].iter_mut().map(|calls| scope.spawn(|| run(calls))).collect();
            started.into_iter().filter_map(|thread| thread.join().ok()).collect::<Result<Vec<_>, _>>()
        })?;
        let first = spans.iter().map(|(began, _)| began.0).fold(f64::INFINITY, f64::min);
        let last = spans.iter().map(|(_, ended)| ended.0).fold(f64::NEG_INFINITY, f64::max);
        Ok(last - first)
    };
    let mut ratios = Vec::new();
    for _ in 0..bench.budget.repeats.max(2) {
        let even = together(bench.cores as usize)?;
        ratios.push(together(all)? / even / f64::from(threads));
    }
    Ok(ratios)
}

/// An instance whose memory was touched.
fn ready(engine: &Engine, kernel: &Kernel) -> Result<Calls, EmulateError> {
    let mut calls = engine.calls(&kernel.code, EXPORT)?;
    calls.time(1)?;
    Ok(calls)
}

/// What was measured, at least no slow-down at all; `None` where nothing was.
fn slowing(ratios: &[f64]) -> Option<Figure> {
    let usable: Vec<f64> = ratios.iter().copied().filter(|ratio| ratio.is_finite() && *ratio > 0.0).collect();
    let measured = figure(&usable, SOURCE);
    (measured.samples > 0).then(|| Figure { value: measured.value.max(1.0), ..measured })
}
