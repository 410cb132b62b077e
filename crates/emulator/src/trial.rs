//! A bounded, instrumented run of a program in the sandbox, which counts what it executes.
//!
//! The program sees its arguments, environment and directories, but nothing it does lasts: directories are read-only,
//! output is dropped, standard input is not consumed, there is no network. Whether a trial is worth its time is
//! decided by the planner; called by the orchestrator.

use std::sync::Arc;

use forewarm_executor::lease::{CodeSource, WarmError};
use forewarm_executor::wasm::{Compiled, Engine, EngineSettings};
use forewarm_executor::{Invocation, Progress, Stdio};
use forewarm_types::host::Clock;
use forewarm_types::plan::Trial;
use forewarm_types::{Bytes, CodeKind, IsaLevel, Seconds, Tier};

use crate::counting::{self, Counting};
use crate::instrument::{Instrumented, instrument};
use crate::{EmulateError, sections};

/// CPU seconds per 10^6 bytes of code section to compile counted code, below which no trial need be begun: the least
/// measured for real modules without counting (Winch on resvg 0.10 with wasmtime 48.0.8, `examples/compile_rates.rs`;
/// Cranelift 0.82, the `compile` entry of the resource model's sources); counting only adds to it.
const FASTEST_COMPILE: [(Tier, f64); 2] = [(Tier::Winch, 0.10), (Tier::Cranelift, 0.82)];

/// Runs the program on counting code until it ends, has executed `max_ops` operators, or `max_wall_seconds` have
/// passed since the call, compiling included.
///
/// A module is rewritten so that it counts all of [`forewarm_types::Counts`]; a component, and a module that cannot be
/// rewritten, runs on code that the engine itself meters, and only its operators in total are known. Winch compiles it, or
/// Cranelift where Winch cannot. Compiling cannot be interrupted, so it is not begun where the fastest known rate would
/// already break the wall budget; the trial then says so and counts nothing.
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
    let budget = Budget {
        ops: probe_max_ops,
        wall_seconds: probe_max_wall_seconds,
        began: clock.monotonic(),
        threads,
        clock: &clock,
    };
    let bytes = code.bytes().map_err(EmulateError::Read)?;
    let kind = code.kind();
    let invocation = confined(invocation, kind);
    if kind == CodeKind::WasmModule
        && let Ok(instrumented) = instrument(&bytes, true)
        && let Some(trial) = budget.count(instrumented, &invocation)?
    {
        return Ok(trial);
    }
    budget.meter(&bytes, kind, &invocation)
}

/// What a trial may take.
struct Budget<'a> {
    ops: u64,
    wall_seconds: f64,
    began: Seconds,
    threads: u32,
    clock: &'a Arc<dyn Clock>,
}

/// Code compiled within a budget, or what came in between.
enum Compilation {
    Done(Engine, Compiled),
    OutOfTime(&'static str),
    Refused(WarmError),
}

impl Budget<'_> {
    fn elapsed(&self) -> f64 {
        (self.clock.monotonic() - self.began).0
    }

    fn left(&self) -> f64 {
        self.wall_seconds - self.elapsed()
    }

    /// Counts by the module's own counters; `None` where no tier takes the rewritten module.
    fn count(&self, instrumented: Instrumented, invocation: &Invocation) -> Result<Option<Trial>, EmulateError> {
        let sockets = counting::sockets(&instrumented.ports);
        let (counting, bytes) = Counting::new(instrumented, self.ops);
        let (engine, code) = match self.compile(&bytes, CodeKind::WasmModule, false)? {
            Compilation::Done(engine, code) => (engine, code),
            Compilation::OutOfTime(why) => return Ok(Some(stopped(why, self.elapsed()))),
            Compilation::Refused(_) => return Ok(None),
        };
        let (trial, counting) = engine.watch(&code, invocation, &sockets, counting, self.left())?;
        let run_cpu_seconds = (trial.run_cpu_seconds - counting.watching_seconds()).max(0.0);
        let counts = counting.counts(trial.peak_linear_memory_bytes, trial.stopped_by.clone());
        let ops = counts.operators() + counts.bulk_bytes;
        Ok(Some(Trial { ops, run_cpu_seconds, wall_seconds: self.elapsed(), counts: Some(counts), ..trial }))
    }

    /// Counts by the engine's fuel.
    fn meter(&self, bytes: &[u8], kind: CodeKind, invocation: &Invocation) -> Result<Trial, EmulateError> {
        let (engine, code) = match self.compile(bytes, kind, true)? {
            Compilation::Done(engine, code) => (engine, code),
            Compilation::OutOfTime(why) => return Ok(stopped(why, self.elapsed())),
            Compilation::Refused(error) => return Err(error.into()),
        };
        let trial = engine.trial(&code, invocation, self.ops, self.left())?;
        Ok(Trial { wall_seconds: self.elapsed(), ..trial })
    }

    fn compile(&self, bytes: &[u8], kind: CodeKind, metered: bool) -> Result<Compilation, EmulateError> {
        let code_megabytes = sections::code_bytes(bytes).megabytes();
        let mut refusal = None;
        for (tier, rate) in FASTEST_COMPILE {
            let compile_seconds = rate * code_megabytes / f64::from(self.threads.max(1));
            if self.elapsed() + compile_seconds > self.wall_seconds {
                return Ok(Compilation::OutOfTime("compiling would exceed the wall budget"));
            }
            let settings =
                EngineSettings { tier, isa: IsaLevel::Native, metered, interruptible: false, threads: self.threads };
            let engine = Engine::new(settings, Arc::clone(self.clock))?;
            match engine.compile(bytes, kind) {
                Ok(_) if self.left() <= 0.0 => {
                    return Ok(Compilation::OutOfTime("compiling used up the wall budget"));
                }
                Ok((compiled, _)) => return Ok(Compilation::Done(engine, compiled)),
                Err(error @ WarmError::Unsupported { .. }) => refusal = Some(error),
                Err(error) => return Ok(Compilation::Refused(error)),
            }
        }
        refusal.map(Compilation::Refused).ok_or_else(|| EmulateError::NoTier("none was tried".into()))
    }
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
        counts: None,
    }
}
