//! Reading and digesting files, and backing memory: ahead of the run, and by the program's first touch.

use std::io::{Read, Seek, Write};
use std::sync::Arc;
use std::time::Duration;

use forewarm_resources::{PageTouch, StepCost, Transitions};
use forewarm_sandbox::memory::Fresh;
use forewarm_types::host::Clock;
use forewarm_types::{Bytes, CodeKind, Step};
use sha2::{Digest, Sha256};

use super::{Bench, SOURCE, climb::climb};
use crate::EmulateError;
use crate::generate::kernels::EXPORT;
use crate::generate::memory;
use crate::statistics::{figure, line, log_deviation, median};

/// Parts of the memory budget read as files; they span the sizes of real modules (25 KB to 26 MB) at full budget.
const FILE_SHARES: [u64; 4] = [4096, 512, 64, 8];

/// Parts of the memory budget that are backed.
const BACKED_SHARES: [u64; 3] = [16, 8, 4];

/// Bytes of a large page: Linux Documentation/admin-guide/mm/transhuge.rst, on x86-64 and on ARM with its usual pages.
const LARGE_PAGE: u64 = 2 << 20;

/// Distance between touched words: the smallest page any supported system has.
const PAGE: u32 = 4096;

/// Measures `Read`, `Prefault` and the first touch.
pub(super) fn measure(bench: &Bench<'_>, transitions: &mut Transitions) -> Result<(), EmulateError> {
    transitions.common.insert(Step::Read, fitted(&reads(bench)?));
    let backed = populated(bench)?;
    if !backed.is_empty() {
        transitions.common.insert(Step::Prefault, proportional(&backed));
    }
    transitions.page_touch = page_touch(bench);
    let touches = first_touches(bench)?;
    if !touches.is_empty() {
        transitions.first_touch_seconds_per_byte = Some(figure(&touches, SOURCE));
    }
    Ok(())
}

/// A cost with a fixed part.
fn fitted(points: &[(f64, f64)]) -> StepCost {
    cost(points, line(points))
}

/// A cost without one: megabytes tell nothing of a system call's microsecond.
fn proportional(points: &[(f64, f64)]) -> StepCost {
    let rates: Vec<f64> = points.iter().map(|(size, seconds)| seconds / size).collect();
    cost(points, (0.0, median(&rates)))
}

fn cost(points: &[(f64, f64)], line: (f64, f64)) -> StepCost {
    StepCost {
        fixed_seconds: line.0,
        seconds_per_megabyte: line.1,
        log_deviation: log_deviation(points, line),
        parallel_fraction: 0.0,
        bytes_per_byte: 1.0,
        peak_bytes_per_byte: 1.0,
        estimator: Vec::new(),
        samples: points.len() as u64,
        source: SOURCE.into(),
    }
}

fn cpu_of<T>(clock: &dyn Clock, work: impl FnOnce() -> T) -> (T, f64) {
    let started = clock.process_cpu();
    let result = work();
    (result, (clock.process_cpu() - started).0)
}

/// Reading a page-cache-warm file and its SHA-256: (10^6 bytes, CPU seconds).
fn reads(bench: &Bench<'_>) -> Result<Vec<(f64, f64)>, EmulateError> {
    let mut points = Vec::new();
    for share in FILE_SHARES {
        let size = (bench.budget.memory_bytes.0 / share).max(1);
        let mut file = tempfile::tempfile().map_err(EmulateError::Scratch)?;
        file.write_all(&vec![0x5a; size as usize]).map_err(EmulateError::Scratch)?;
        for _ in 0..bench.budget.repeats.max(2) {
            file.rewind().map_err(EmulateError::Scratch)?;
            let (digest, seconds) = cpu_of(bench.clock.as_ref(), || {
                let mut bytes = Vec::with_capacity(size as usize);
                file.read_to_end(&mut bytes).map(|_| Sha256::digest(&bytes))
            });
            std::hint::black_box(digest.map_err(EmulateError::Scratch)?);
            points.push((Bytes(size).megabytes(), seconds));
        }
    }
    Ok(points)
}

/// Backing a program's fresh memory ahead: (10^6 bytes, CPU seconds); nothing where the system does not offer it.
fn populated(bench: &Bench<'_>) -> Result<Vec<(f64, f64)>, EmulateError> {
    let Some(&tier) = bench.tiers.first() else { return Ok(Vec::new()) };
    let mut points = Vec::new();
    for share in BACKED_SHARES {
        let size = Bytes((bench.budget.memory_bytes.0 / share).max(1 << 20));
        let wasm = Arc::new(memory::command_with_memory(1, false, size));
        for _ in 0..bench.budget.repeats.max(2) {
            let steps = climb(bench, tier, &wasm, true)?;
            let backed = steps.iter().filter(|timing| timing.step == Step::Prefault && timing.bytes.0 > 0);
            points.extend(backed.map(|timing| (timing.bytes.megabytes(), timing.cpu_seconds)));
        }
    }
    Ok(points)
}

/// First touches of memory behind pages of either size, in turn, of memory that has been idle, and without giving any back
/// meanwhile: what was given back a moment ago is at hand as nothing else is. Nothing where the system gives large pages to all or to none.
fn page_touch(bench: &Bench<'_>) -> Option<PageTouch> {
    let repeats = bench.budget.repeats.max(2);
    let large_pages = bench.budget.memory_bytes.0 / u64::from(2 * repeats) / LARGE_PAGE;
    let size = (large_pages.max(2) * LARGE_PAGE) as usize;
    std::thread::sleep(Duration::from_secs_f64(bench.budget.idle_seconds));
    let (mut held, mut rates) = (Vec::new(), [Vec::new(), Vec::new()]);
    for _ in 0..repeats {
        for (large, rates) in [false, true].into_iter().zip(&mut rates) {
            let mut fresh = Fresh::map(size, large).ok()?;
            let ((), seconds) = cpu_of(bench.clock.as_ref(), || fresh.touch());
            rates.push(seconds / size as f64);
            held.push(fresh);
        }
    }
    let [small, large] = rates.map(|rates| figure(&rates, SOURCE));
    Some(PageTouch { small, large })
}

/// CPU seconds per byte of a program's first touch of fresh linear memory, beyond those of a second pass.
///
/// The two passes run in one call, the first pass alone in another, both in instances of their own.
fn first_touches(bench: &Bench<'_>) -> Result<Vec<f64>, EmulateError> {
    let Some(&tier) = bench.tiers.first() else { return Ok(Vec::new()) };
    let size = Bytes((bench.budget.memory_bytes.0 / 4).max(1 << 20));
    let engine = bench.engine(tier, 1)?;
    let (code, _) = engine.compile(&memory::touch(size, PAGE), CodeKind::WasmModule)?;
    let passes = |count: i32| -> Result<f64, EmulateError> {
        Ok(engine.time_calls(&code, EXPORT, &[count])?.first().map_or(0.0, |call| call.cpu_seconds))
    };
    let mut touches = Vec::new();
    for _ in 0..bench.budget.repeats.max(2) {
        let (once, thrice) = (passes(1)?, passes(3)?);
        let again = ((thrice - once) / 2.0).max(0.0);
        touches.push((once - again).max(0.0) / size.as_f64());
    }
    Ok(touches.into_iter().filter(|seconds| *seconds > 0.0).collect())
}
