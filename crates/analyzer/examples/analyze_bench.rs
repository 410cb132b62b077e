//! How long analysis takes: for each file given, a line of JSON with the best seconds of validating it alone, of the
//! analysis a first run waits for and of the full one, and the memory held. `analyze_bench [--threads N] [--rounds N] [--only NAME] FILE…`; on
//! one thread, in CPU time, unless told otherwise; `--only run` leaves the others out, for a profiler. Run by `cargo xtask bench analyze`.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a bench prints, and it alone may read the clock")]

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use forewarm_analyzer::{Depth, analyze};
use forewarm_types::{Analysis, Bytes, Digest};
use rustix::time::{ClockId, clock_gettime};
use wasmparser::{FuncValidatorAllocations, Parser, ValidPayload, Validator, WasmFeatures};

/// Anything that went wrong.
type Failure = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let (mut threads, mut rounds, mut only, mut files) = (1, 7, String::new(), Vec::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().ok_or("a number is missing")?.parse().map_err(Failure::from);
        match argument.as_str() {
            "--threads" => threads = number()?,
            "--rounds" => rounds = number()?,
            "--only" => only = arguments.next().unwrap_or_default(),
            _ => files.push(argument),
        }
    }
    rayon::ThreadPoolBuilder::new().num_threads(threads).build()?.install(|| {
        for file in &files {
            println!("{}", measure(file, &std::fs::read(file)?, rounds, &only, threads == 1)?);
        }
        Ok(())
    })
}

fn measure(file: &str, bytes: &[u8], rounds: usize, only: &str, alone: bool) -> Result<String, Failure> {
    let at =
        |depth| -> Result<Analysis, Failure> { Ok(analyze(bytes, Digest([0; 32]), Bytes(bytes.len() as u64), depth)?) };
    let run = at(Depth::Run)?;
    let full = if only == "run" { None } else { Some(at(Depth::Full)?) };
    let mut best = [f64::MAX; 3];
    for _ in 0..rounds {
        // In turn, so that a busy moment of the machine hits all alike.
        for (name, best) in ["validate", "run", "full"].into_iter().zip(&mut best) {
            if only.is_empty() || only == name {
                let begin = (Instant::now(), cpu_time());
                match name {
                    "validate" => validate(bytes)?,
                    "run" => drop(black_box(at(Depth::Run)?)),
                    _ => drop(black_box(at(Depth::Full)?)),
                }
                // Of one thread the CPU time, which others on the machine disturb less; of several the wall time.
                let taken = if alone { cpu_time().saturating_sub(begin.1) } else { begin.0.elapsed() };
                *best = best.min(taken.as_secs_f64());
            }
        }
    }
    let total = |analysis: Option<&Analysis>| match analysis.and_then(|analysis| analysis.profile.ops.total) {
        Some(e) => format!("[{:.4e}, {:.4e}, {:.4e}]", e.low, e.expected, e.high),
        None => "null".to_owned(),
    };
    Ok(format!(
        "{{\"file\": {file:?}, \"bytes\": {}, \"code_bytes\": {}, \"functions\": {}, \"validate_seconds\": {:.6}, \
         \"run_seconds\": {:.6}, \"full_seconds\": {:.6}, \"peak_memory_bytes\": {}, \"run_ops\": {}, \"full_ops\": {}}}",
        bytes.len(),
        run.profile.compile.code_bytes.0,
        run.profile.compile.functions,
        best[0],
        best[1],
        best[2],
        peak_memory_bytes(),
        total(Some(&run)),
        total(full.as_ref()),
    ))
}

/// CPU time of this process so far.
fn cpu_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default()
}

/// The most memory this process has held, the file's bytes included; 0 where the system does not tell.
fn peak_memory_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).map_or(0, |kib| kib << 10)
}

/// Validation alone, on one thread: what every engine does at the least.
fn validate(bytes: &[u8]) -> Result<(), wasmparser::BinaryReaderError> {
    let mut validator = Validator::new_with_features(WasmFeatures::all());
    let mut allocations = FuncValidatorAllocations::default();
    for payload in Parser::new(0).parse_all(bytes) {
        if let ValidPayload::Func(function, body) = validator.payload(&payload?)? {
            let mut function = function.into_validator(std::mem::take(&mut allocations));
            function.validate(&body)?;
            allocations = function.into_allocations();
        }
    }
    Ok(())
}
