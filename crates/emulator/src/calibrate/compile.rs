//! Compile time and peak compile memory on a tier, from generated modules of several sizes.
//!
//! Every module has the function sizes and statement mix of compiled C ([`crate::generate::programs`]), so the slope
//! holds for code, not for a module's data. The fit is a line of CPU seconds over code-section bytes on one thread;
//! the share that several threads divide follows from the wall times at one thread and at all (Amdahl 1967).

use forewarm_resources::{StepCost, Transitions};
use forewarm_types::{Bytes, CodeKind, Step, StepTiming, Tier};

use super::{Bench, SOURCE};
use crate::generate::{SplitMix64, programs};
use crate::statistics::{line, log_deviation, median};
use crate::{EmulateError, sections};

/// Seed of the generated modules: the same ones on every machine, so that figures compare.
const SEED: u64 = 0x000f_0e0a_12ed;

/// CPU seconds spent on one size, after which no further repeat is begun.
const ENOUGH_SECONDS: f64 = 0.6;

/// A generated module and the bytes of its code section.
pub(super) struct Sample {
    pub wasm: Vec<u8>,
    pub code_bytes: Bytes,
}

/// The modules of the budget's sizes, largest last.
pub(super) fn samples(bench: &Bench<'_>) -> Vec<Sample> {
    let mut sizes = bench.budget.module_bytes.clone();
    sizes.sort();
    let sample = |size: Bytes| {
        let wasm = programs::random_module(size.0, &mut SplitMix64::new(SEED ^ size.0));
        Sample { code_bytes: sections::code_bytes(&wasm), wasm }
    };
    sizes.into_iter().map(sample).collect()
}

/// Measures `Compile` for a tier.
pub(super) fn measure(bench: &Bench<'_>, tier: Tier, transitions: &mut Transitions) -> Result<(), EmulateError> {
    let samples = samples(bench);
    let Some(largest) = samples.last() else { return Ok(()) };
    // The largest first: memory freed by earlier compilations stays with the process and would hide the peak.
    let (alone, peak) = with_peak(|| compile_repeatedly(bench, tier, 1, largest));
    let alone = alone?;
    let shared = compile_repeatedly(bench, tier, bench.cores, largest)?;
    let mut points: Vec<(f64, f64)> =
        alone.iter().map(|one| (largest.code_bytes.megabytes(), one.cpu_seconds)).collect();
    for sample in samples.iter().rev().skip(1) {
        let timings = compile_repeatedly(bench, tier, 1, sample)?;
        points.extend(timings.iter().map(|one| (sample.code_bytes.megabytes(), one.cpu_seconds)));
    }
    let (fixed_seconds, seconds_per_megabyte) = line(&points);
    let steps = transitions.tiers.entry(tier).or_default();
    let default = steps.get(&Step::Compile);
    let default_peak = default.map_or(0.0, |cost| cost.peak_bytes_per_byte);
    let produced = alone.first().map_or(0.0, |one| one.bytes.as_f64());
    let cost = StepCost {
        fixed_seconds,
        seconds_per_megabyte,
        log_deviation: log_deviation(&points, (fixed_seconds, seconds_per_megabyte)),
        parallel_fraction: parallel_fraction(&alone, &shared, bench.cores)
            .unwrap_or_else(|| default.map_or(0.0, |cost| cost.parallel_fraction)),
        bytes_per_byte: produced / largest.code_bytes.as_f64(),
        peak_bytes_per_byte: peak.map_or(default_peak, |peak| peak.as_f64() / largest.code_bytes.as_f64()),
        estimator: Vec::new(),
        samples: points.len() as u64,
        source: SOURCE.into(),
    };
    steps.insert(Step::Compile, cost);
    Ok(())
}

fn compile_repeatedly(
    bench: &Bench<'_>,
    tier: Tier,
    threads: u32,
    sample: &Sample,
) -> Result<Vec<StepTiming>, EmulateError> {
    let engine = bench.engine(tier, threads)?;
    let mut timings = Vec::new();
    let mut spent = 0.0;
    while timings.is_empty() || (timings.len() < bench.budget.repeats as usize && spent < ENOUGH_SECONDS) {
        let (_, timing) = engine.compile(&sample.wasm, CodeKind::WasmModule)?;
        spent += timing.cpu_seconds;
        timings.push(timing);
    }
    Ok(timings)
}

/// Amdahl's parallel share `p` from `wall(n) / wall(1) = 1 − p + p / n`; `None` with one core, where nothing divides.
fn parallel_fraction(alone: &[StepTiming], shared: &[StepTiming], cores: u32) -> Option<f64> {
    let wall = |timings: &[StepTiming]| median(&timings.iter().map(|one| one.wall_seconds).collect::<Vec<_>>());
    let (one, many) = (wall(alone), wall(shared));
    let fraction = (1.0 - many / one) / (1.0 - 1.0 / f64::from(cores));
    (cores > 1 && one > 0.0).then(|| fraction.clamp(0.0, 1.0))
}

/// Runs work and tells by how much resident memory rose above its start at most, where the system can tell.
fn with_peak<T>(work: impl FnOnce() -> T) -> (T, Option<Bytes>) {
    // 5 resets the peak to the present size: proc_pid_clear_refs(5).
    let reset = std::fs::write("/proc/self/clear_refs", "5").is_ok();
    let before = forewarm_sandbox::measure::peak_resident();
    let result = work();
    let rise = forewarm_sandbox::measure::peak_resident().0.saturating_sub(before.0);
    (result, (reset && rise > 0).then_some(Bytes(rise)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timings(wall_seconds: f64) -> [StepTiming; 1] {
        [StepTiming { step: Step::Compile, wall_seconds, cpu_seconds: 0.0, bytes: Bytes::ZERO }]
    }

    #[test]
    fn amdahl_is_inverted() {
        assert_eq!(parallel_fraction(&timings(1.0), &timings(0.5), 2), Some(1.0));
        assert_eq!(parallel_fraction(&timings(1.0), &timings(0.75), 2), Some(0.5));
        assert_eq!(parallel_fraction(&timings(1.0), &timings(1.2), 2), Some(0.0));
        assert_eq!(parallel_fraction(&timings(1.0), &timings(1.0), 1), None);
    }

    #[test]
    fn a_peak_is_seen() {
        let (block, peak) = with_peak(|| std::hint::black_box(vec![1_u8; 48 << 20]));
        if let Some(peak) = peak {
            assert!(peak.0 >= block.len() as u64 / 2, "{peak:?}");
        }
    }
}
