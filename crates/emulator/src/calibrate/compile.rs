//! Compile time and peak compile memory on a tier, from generated modules of several sizes.
//!
//! Every module has the function sizes and statement mix of compiled C ([`crate::generate::programs`]), so the slope
//! holds for code, not for a module's data. The fit is a line of CPU seconds over code-section bytes on one thread;
//! the share that several threads divide follows from the wall times at one thread and at all (Amdahl 1967).

use std::collections::BTreeMap;

use forewarm_resources::{StepCost, Transitions};
use forewarm_types::{Bytes, CodeKind, Step, StepTiming, Tier};

use super::{Bench, SOURCE};
use crate::generate::{SplitMix64, programs};
use crate::statistics::{line, log_deviation};
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

/// Largest module compiled for Pulley, whose compiler is Cranelift again and which is never the fastest choice.
const PULLEY_MOST: Bytes = Bytes(250_000);

/// The modules of the budget's sizes for a tier, largest last.
pub(super) fn samples(bench: &Bench<'_>, tier: Tier) -> Vec<Sample> {
    let mut sizes = bench.budget.module_bytes.clone();
    sizes.sort();
    if tier == Tier::Pulley {
        sizes.retain(|size| *size <= PULLEY_MOST);
    }
    let sample = |size: Bytes| {
        let wasm = programs::random_module(size.0, &mut SplitMix64::new(SEED ^ size.0));
        Sample { code_bytes: sections::code_bytes(&wasm), wasm }
    };
    sizes.into_iter().map(sample).collect()
}

/// Peak bytes that compiling holds per byte of code section, for the tiers where the system tells.
///
/// The allocator keeps what a compilation frees, which hides the peaks of later ones: so this stage comes first, all
/// peaks count from its start, and the tier that needs most goes first. A later tier's figure is an upper bound.
/// Pulley's compiler is Cranelift.
pub(super) fn peaks(bench: &Bench<'_>) -> Result<BTreeMap<Tier, f64>, EmulateError> {
    let mut peaks = BTreeMap::new();
    let start = resident();
    for tier in [Tier::Cranelift, Tier::Winch].into_iter().filter(|tier| bench.tiers.contains(tier)) {
        let Some(largest) = samples(bench, tier).pop() else { continue };
        let engine = bench.engine(tier, 1)?;
        let (compiled, peak) = with_peak(start, || engine.compile(&largest.wasm, CodeKind::WasmModule));
        compiled?;
        peaks.extend(peak.map(|peak| (tier, peak.as_f64() / largest.code_bytes.as_f64())));
    }
    let optimiser = peaks.get(&Tier::Cranelift).copied();
    peaks.extend(optimiser.map(|peak| (Tier::Pulley, peak)));
    Ok(peaks)
}

/// Measures `Compile` for a tier, but for its peak memory, which is given where it is known.
pub(super) fn measure(
    bench: &Bench<'_>,
    tier: Tier,
    peak: Option<f64>,
    transitions: &mut Transitions,
) -> Result<(), EmulateError> {
    let samples = samples(bench, tier);
    let Some(largest) = samples.last() else { return Ok(()) };
    let alone = compile_repeatedly(bench, tier, 1, largest)?;
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
    let cost = StepCost {
        // Here the compiler is warm when it is timed, as it never is when a program is run: the first module of a
        // process pays for page faults that the fit cannot see, and the default, which is of first modules, can.
        fixed_seconds: fixed_seconds.max(default.map_or(0.0, |cost| cost.fixed_seconds)),
        seconds_per_megabyte,
        log_deviation: log_deviation(&points, (fixed_seconds, seconds_per_megabyte)),
        parallel_fraction: parallel_fraction(&alone, &shared, bench.cores)
            .unwrap_or_else(|| default.map_or(0.0, |cost| cost.parallel_fraction)),
        // How dense machine code comes out is a matter of the code, not of the machine: real modules, from which the
        // default is, say more than generated ones.
        bytes_per_byte: default.map_or(0.0, |cost| cost.bytes_per_byte),
        peak_bytes_per_byte: peak.or(default.map(|cost| cost.peak_bytes_per_byte)).unwrap_or(0.0),
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

/// Wall over CPU time of work on one thread beyond which others are held to be using the cores.
const BUSY: f64 = 1.15;

/// Amdahl's parallel share `p` from `wall(n) / wall(1) = 1 − p + p / n`; `None` with one core, where nothing divides,
/// and on a busy machine, where wall times tell of others.
fn parallel_fraction(alone: &[StepTiming], shared: &[StepTiming], cores: u32) -> Option<f64> {
    let least = |timings: &[StepTiming]| timings.iter().map(|one| one.wall_seconds).fold(f64::MAX, f64::min);
    let cpu = alone.iter().map(|one| one.cpu_seconds).fold(f64::MAX, f64::min);
    let (one, many) = (least(alone), least(shared));
    let fraction = (1.0 - many / one) / (1.0 - 1.0 / f64::from(cores));
    (cores > 1 && one > 0.0 && one < BUSY * cpu && fraction > 0.0).then(|| fraction.min(1.0))
}

/// Runs work and tells by how much resident memory rose above `start` at most, where the system can tell.
///
/// What earlier work freed but the allocator kept counts too, so this is an upper bound, and exact where the work
/// needs more than all before it.
fn with_peak<T>(start: Bytes, work: impl FnOnce() -> T) -> (T, Option<Bytes>) {
    let reset = reset_peak();
    let result = work();
    let rise = forewarm_sandbox::measure::peak_resident().0.saturating_sub(start.0);
    (result, (reset && rise > 0).then_some(Bytes(rise)))
}

/// Sets the peak back to the present size (5, proc_pid_clear_refs(5)); whether the system does that.
fn reset_peak() -> bool {
    std::fs::write("/proc/self/clear_refs", "5").is_ok()
}

/// Memory resident now.
fn resident() -> Bytes {
    reset_peak();
    forewarm_sandbox::measure::peak_resident()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timings(wall_seconds: f64) -> [StepTiming; 1] {
        [StepTiming { step: Step::Compile, wall_seconds, cpu_seconds: 1.0, bytes: Bytes::ZERO }]
    }

    #[test]
    fn amdahl_is_inverted() {
        assert_eq!(parallel_fraction(&timings(1.0), &timings(0.5), 2), Some(1.0));
        assert_eq!(parallel_fraction(&timings(1.0), &timings(0.75), 2), Some(0.5));
        assert_eq!(parallel_fraction(&timings(1.0), &timings(1.2), 2), None);
        assert_eq!(parallel_fraction(&timings(1.5), &timings(0.75), 2), None, "a busy machine tells nothing");
        assert_eq!(parallel_fraction(&timings(1.0), &timings(1.0), 1), None);
    }

    #[test]
    fn a_peak_is_seen() {
        let (block, peak) = with_peak(resident(), || std::hint::black_box(vec![1_u8; 48 << 20]));
        if let Some(peak) = peak {
            assert!(peak.0 >= block.len() as u64 / 2, "{peak:?}");
        }
    }
}
