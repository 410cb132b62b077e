//! A bounded, instrumented run of a program in the sandbox, which counts what it executes.
//!
//! The program sees its arguments, environment and directories, but nothing it does lasts: directories are read-only,
//! output is dropped, standard input is not consumed, there is no network. Whether a trial is worth its time is
//! decided by the planner; called by the orchestrator.

use std::sync::Arc;

use forewarm_executor::lease::{CodeSource, WarmError};
use forewarm_executor::wasm::{Engine, EngineSettings};
use forewarm_executor::{Invocation, Progress, Stdio};
use forewarm_types::host::Clock;
use forewarm_types::plan::Trial;
use forewarm_types::{Bytes, CodeKind, IsaLevel, Tier};

use crate::{EmulateError, sections};

/// CPU seconds per 10^6 bytes of code section to compile counted code, below which no trial need be begun: the least
/// measured for real modules without counting (Winch on resvg 0.10 with wasmtime 48.0.8, `examples/compile_rates.rs`;
/// Cranelift 0.82, the `compile` entry of the resource model's sources); counting only adds to it.
const FASTEST_COMPILE: [(Tier, f64); 2] = [(Tier::Winch, 0.10), (Tier::Cranelift, 0.82)];

/// Runs the program on counting code until it ends, has executed `max_ops` operators, or `max_wall_seconds` have
/// passed since the call, compiling included.
///
/// Winch compiles it, or Cranelift where Winch cannot. Compiling cannot be interrupted, so it is not begun where the
/// fastest known rate would already break the wall budget; the trial then says so and counts nothing.
///
/// # Errors
/// Where the file cannot be read, or the code cannot be compiled, linked or instantiated.
pub fn measure(
    code: &mut dyn CodeSource,
    invocation: &Invocation,
    probe_max_ops: u64,
    probe_max_wall_seconds: f64,
    threads: u32,
    clock: Arc<dyn Clock>,
) -> Result<Trial, EmulateError> {
    let started = clock.monotonic();
    let elapsed = || (clock.monotonic() - started).0;
    let bytes = code.bytes().map_err(EmulateError::Read)?;
    let code_megabytes = sections::code_bytes(&bytes).megabytes();
    let mut refusal = None;
    for (tier, rate) in FASTEST_COMPILE {
        let compile_seconds = rate * code_megabytes / f64::from(threads.max(1));
        if elapsed() + compile_seconds > probe_max_wall_seconds {
            return Ok(stopped("compiling would exceed the wall budget", elapsed()));
        }
        let engine = Engine::new(settings(tier, threads), Arc::clone(&clock))?;
        let compiled = match engine.compile(&bytes, code.kind()) {
            Ok((compiled, _)) => compiled,
            Err(error @ WarmError::Unsupported { .. }) => {
                refusal = Some(error);
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let left = probe_max_wall_seconds - elapsed();
        if left <= 0.0 {
            return Ok(stopped("compiling used up the wall budget", elapsed()));
        }
        let trial = engine.trial(&compiled, &confined(invocation, code.kind()), probe_max_ops, left)?;
        return Ok(Trial { wall_seconds: elapsed(), ..trial });
    }
    Err(refusal.map_or_else(|| EmulateError::NoTier("none was tried".into()), EmulateError::Warm))
}

fn settings(tier: Tier, threads: u32) -> EngineSettings {
    EngineSettings { tier, isa: IsaLevel::Native, metered: true, interruptible: false, threads }
}

/// The same invocation with everything taken away through which a trial could be noticed.
///
/// A component keeps its directories' rights: the executor declines to try one that may write, since its failing
/// writes could not be told from its own errors; for a module the executor ends the trial at the first write.
fn confined(invocation: &Invocation, kind: CodeKind) -> Invocation {
    let mut confined = invocation.clone();
    confined.stdio = Stdio::Detached;
    confined.network = false;
    if kind == CodeKind::WasmModule {
        confined.directories.iter_mut().for_each(|directory| directory.read_only = true);
    }
    confined.progress = Arc::new(Progress::default());
    confined
}

fn stopped(reason: &str, wall_seconds: f64) -> Trial {
    Trial {
        ops: 0,
        complete: false,
        stopped_by: Some(reason.to_owned()),
        wall_seconds,
        run_cpu_seconds: 0.0,
        peak_linear_memory_bytes: Bytes::ZERO,
    }
}
