//! The steps of the warm ladder above compiling: persist, map, link, instantiate, and instantiate from a pool.
//!
//! Each is timed on the generated modules of all the budget's sizes and fitted by a line over code-section bytes. Files
//! lie in the temporary folder and are warm in the page cache, as an artifact used a moment ago is.

use std::fs::File;
use std::io::{Seek, Write};
use std::sync::Arc;

use forewarm_executor::wasm::{Compiled, Engine};
use forewarm_resources::{StepCost, Transitions};
use forewarm_types::{CodeKind, Step, StepTiming, Tier};

use super::{Bench, SOURCE, climb::climb, compile};
use crate::EmulateError;
use crate::generate::memory;
use crate::statistics::{line, log_deviation, median};

/// Instances made for one timing of `Instantiate`.
const INSTANCES: u32 = 20;

/// Timings of one step: size in 10^6 bytes of code section, CPU seconds, bytes held.
#[derive(Default)]
struct Points {
    timed: Vec<(f64, f64)>,
    held_per_byte: f64,
}

impl Points {
    fn push(&mut self, sample: &compile::Sample, cpu_seconds: f64, held: f64) {
        self.timed.push((sample.code_bytes.megabytes(), cpu_seconds));
        self.held_per_byte = held / sample.code_bytes.as_f64().max(1.0);
    }

    fn cost(&self) -> StepCost {
        let fitted = line(&self.timed);
        StepCost {
            fixed_seconds: fitted.0,
            seconds_per_megabyte: fitted.1,
            log_deviation: log_deviation(&self.timed, fitted),
            parallel_fraction: 0.0,
            bytes_per_byte: self.held_per_byte,
            peak_bytes_per_byte: self.held_per_byte,
            estimator: Vec::new(),
            samples: self.timed.len() as u64,
            source: SOURCE.into(),
        }
    }
}

/// Measures `Persist`, `Map`, `Link`, `Instantiate` and `Pool` for a tier.
pub(super) fn measure(bench: &Bench<'_>, tier: Tier, transitions: &mut Transitions) -> Result<(), EmulateError> {
    let engine = bench.engine(tier, bench.cores)?;
    let [mut persist, mut map, mut link, mut instantiate, mut pool] = [(); 5].map(|()| Points::default());
    for sample in compile::samples(bench, tier) {
        let (compiled, _) = engine.compile(&sample.wasm, CodeKind::WasmModule)?;
        for _ in 0..bench.budget.repeats.max(2) {
            let (file, seconds, written) = persisted(bench, &engine, &compiled)?;
            persist.push(&sample, seconds, written as f64);
            let (mapped, timing) = engine.map(&file, CodeKind::WasmModule)?;
            map.push(&sample, timing.cpu_seconds, timing.bytes.as_f64());
            let timing = engine.link(&mapped)?;
            link.push(&sample, timing.cpu_seconds, timing.bytes.as_f64());
            for timing in engine.instantiate(&mapped, false, INSTANCES)? {
                instantiate.push(&sample, timing.cpu_seconds, timing.bytes.as_f64());
            }
            for timing in engine.instantiate(&mapped, true, INSTANCES)? {
                pool.push(&sample, timing.cpu_seconds, timing.bytes.as_f64());
            }
        }
    }
    let climbed = small_climbs(bench, tier)?;
    let steps = transitions.tiers.entry(tier).or_default();
    let measured = [
        (Step::Persist, persist),
        (Step::Map, map),
        (Step::Link, link),
        (Step::Instantiate, instantiate),
        (Step::Pool, pool),
    ];
    for (step, points) in measured {
        let held = steps.get(&step).map_or(0.0, |default| default.bytes_per_byte);
        let mut cost = as_dense_as(held, points.cost());
        let real = climbed.iter().flatten().filter(|timing| timing.step == step).map(|timing| timing.cpu_seconds);
        let real: Vec<f64> = real.collect();
        if !real.is_empty() {
            cost.fixed_seconds = median(&real);
            cost.log_deviation =
                log_deviation(&Vec::from_iter(real.iter().map(|one| (0.0, *one))), (median(&real), 0.0));
            cost.samples += real.len() as u64;
        }
        steps.insert(step, cost);
    }
    Ok(())
}

/// Climbs of a small command, for what linking with WASI and instantiating with a host state take whatever the size.
/// Only the steps after compiling are used: the engine's own timings tell how those grow.
fn small_climbs(bench: &Bench<'_>, tier: Tier) -> Result<Vec<Vec<StepTiming>>, EmulateError> {
    let wasm = Arc::new(memory::command(1, false));
    let climbs = (0..bench.budget.repeats.max(2)).map(|_| {
        let steps = climb(bench, tier, &wasm, false)?;
        Ok(steps.into_iter().filter(|timing| matches!(timing.step, Step::Link | Step::Instantiate)).collect())
    });
    climbs.collect()
}

/// The cost with artifacts as large as real modules make them, which the default knows: the time that grows with size
/// grows with the artifact's.
fn as_dense_as(held_per_byte: f64, cost: StepCost) -> StepCost {
    if held_per_byte <= 0.0 || cost.bytes_per_byte <= 0.0 {
        return cost;
    }
    let factor = held_per_byte / cost.bytes_per_byte;
    StepCost {
        seconds_per_megabyte: cost.seconds_per_megabyte * factor,
        bytes_per_byte: held_per_byte,
        peak_bytes_per_byte: held_per_byte,
        ..cost
    }
}

/// Serialises code and writes it to a fresh scratch file; returns the file, the CPU seconds and the bytes.
fn persisted(bench: &Bench<'_>, engine: &Engine, code: &Compiled) -> Result<(File, f64, usize), EmulateError> {
    let started = bench.clock.process_cpu();
    let bytes = engine.serialize(code)?;
    let mut file = tempfile::tempfile().map_err(EmulateError::Scratch)?;
    file.write_all(&bytes).map_err(EmulateError::Scratch)?;
    file.rewind().map_err(EmulateError::Scratch)?;
    Ok((file, (bench.clock.process_cpu() - started).0, bytes.len()))
}
