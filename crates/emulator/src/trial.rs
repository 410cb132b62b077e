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
use forewarm_types::plan::{Trial, TrialLimits};
use forewarm_types::{CodeKind, IsaLevel, Seconds, Tier};

use crate::counting::{self, Counting};
use crate::instrument::{Instrumented, instrument};
use crate::{EmulateError, component, sections};

/// CPU seconds per 10^6 bytes of code section to compile counted code, below which no trial need be begun: the least
/// measured for real modules without counting (Winch on resvg 0.10 with wasmtime 48.0.8, `examples/compile_rates.rs`;
/// Cranelift 0.82, the `compile` entry of the resource model's sources); counting only adds to it.
const FASTEST_COMPILE: [(Tier, f64); 2] = [(Tier::Winch, 0.10), (Tier::Cranelift, 0.82)];

/// Runs the program once; see [`Trials::measure`].
///
/// # Errors
/// As [`Trials::measure`].
pub fn measure(
    code: &mut dyn CodeSource,
    invocation: &Invocation,
    limits: TrialLimits,
    threads: u32,
    clock: Arc<dyn Clock>,
) -> Result<Trial, EmulateError> {
    Trials::new(threads, clock).measure(code, invocation, limits)
}

/// Trials of one program, which is compiled for the first.
pub struct Trials {
    threads: u32,
    windows: bool,
    clock: Arc<dyn Clock>,
    ready: Option<Ready>,
}

/// A program compiled to be counted.
enum Ready {
    /// By its own counters.
    Counted(Engine, Compiled, Box<Instrumented>),
    /// By the engine's fuel.
    Metered(Engine, Compiled),
}

/// By what a run on a tier's code is bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meter {
    /// Its own counters.
    Own,
    /// The engine's fuel.
    Fuel,
}

/// Code compiled within a budget, or what came in between.
enum Compilation {
    Done(Engine, Compiled),
    OutOfTime(&'static str),
    Refused(WarmError),
}

/// When a trial began, and what it may take.
#[derive(Clone, Copy)]
struct Budget {
    began: Seconds,
    began_cpu: Seconds,
    limits: TrialLimits,
}

impl Trials {
    /// Of a program that compiles with so many threads.
    #[must_use]
    pub fn new(threads: u32, clock: Arc<dyn Clock>) -> Self {
        Self { threads, windows: true, clock, ready: None }
    }

    /// Has what is yet to be compiled count without windows of addresses and branches, which take half of the code.
    pub fn leave_windows_out(&mut self) {
        self.windows = false;
    }

    /// Runs the program on counting code until it ends or has reached a limit. The code must be the same each time.
    ///
    /// A module is rewritten so that it counts all of [`forewarm_types::Counts`], and of a component the command in it, where it
    /// is one with an adapter; another component, and a module that cannot be rewritten, runs on code that the engine itself
    /// meters, and only its operators in total are known. Winch compiles it,
    /// or Cranelift where Winch cannot. Compiling cannot be interrupted, so it is not begun where the fastest known rate would
    /// already use up the CPU time; the trial then says so and counts nothing.
    ///
    /// # Errors
    /// Where the file cannot be read, or the code cannot be compiled, linked or instantiated.
    pub fn measure(
        &mut self,
        code: &mut dyn CodeSource,
        invocation: &Invocation,
        limits: TrialLimits,
    ) -> Result<Trial, EmulateError> {
        let budget = Budget { began: self.clock.monotonic(), began_cpu: self.clock.process_cpu(), limits };
        let invocation = confined(invocation, code.kind());
        if self.ready.is_none()
            && let Some(why) = self.make_ready(code, budget)?
        {
            return Ok(self.whole(stopped(why), budget));
        }
        let left = TrialLimits { cpu_seconds: limits.cpu_seconds - self.used(budget), ..limits };
        let trial = match &self.ready {
            Some(Ready::Counted(engine, code, rewritten)) => count(engine, code, rewritten, &invocation, left)?,
            Some(Ready::Metered(engine, code)) => engine.trial(code, &invocation, left)?,
            None => stopped("nothing was compiled"),
        };
        Ok(self.whole(trial, budget))
    }

    fn settings(&self, tier: Tier, meter: Meter) -> EngineSettings {
        EngineSettings { tier, isa: IsaLevel::Native, metered: meter == Meter::Fuel, threads: self.threads }
    }

    /// CPU seconds of this process since the trial began: compilation has threads of its own.
    fn used(&self, budget: Budget) -> f64 {
        (self.clock.process_cpu() - budget.began_cpu).0
    }

    /// The trial with what all of it took.
    fn whole(&self, trial: Trial, budget: Budget) -> Trial {
        let wall_seconds = (self.clock.monotonic() - budget.began).0;
        Trial { wall_seconds, cpu_seconds: self.used(budget), ..trial }
    }

    /// Compiles the program to count by itself, else by the engine's fuel; why not, where time is too short.
    fn make_ready(&mut self, code: &mut dyn CodeSource, budget: Budget) -> Result<Option<&'static str>, EmulateError> {
        let bytes = code.bytes().map_err(EmulateError::Read)?;
        let kind = code.kind();
        let module = match kind {
            CodeKind::WasmComponent => component::command(&bytes),
            _ => Some(bytes.as_slice()),
        };
        if let Some(Ok(mut rewritten)) = module.map(|module| instrument(module, self.windows)) {
            let bytes = std::mem::take(&mut rewritten.bytes);
            match self.compile(&bytes, CodeKind::WasmModule, Meter::Own, budget)? {
                Compilation::Done(engine, code) => {
                    self.ready = Some(Ready::Counted(engine, code, Box::new(rewritten)));
                    return Ok(None);
                }
                Compilation::OutOfTime(why) => return Ok(Some(why)),
                Compilation::Refused(_) => {}
            }
        }
        match self.compile(&bytes, kind, Meter::Fuel, budget)? {
            Compilation::Done(engine, code) => self.ready = Some(Ready::Metered(engine, code)),
            Compilation::OutOfTime(why) => return Ok(Some(why)),
            Compilation::Refused(error) => return Err(error.into()),
        }
        Ok(None)
    }

    fn compile(&self, bytes: &[u8], kind: CodeKind, meter: Meter, budget: Budget) -> Result<Compilation, EmulateError> {
        let mut refusal = None;
        for (tier, _) in FASTEST_COMPILE {
            match self.compile_on(self.settings(tier, meter), bytes, kind, budget)? {
                Compilation::Refused(error @ WarmError::Unsupported { .. }) => refusal = Some(error),
                done => return Ok(done),
            }
        }
        refusal.map(Compilation::Refused).ok_or_else(|| EmulateError::NoTier("none was tried".into()))
    }

    fn compile_on(
        &self,
        settings: EngineSettings,
        bytes: &[u8],
        kind: CodeKind,
        budget: Budget,
    ) -> Result<Compilation, EmulateError> {
        let rate = FASTEST_COMPILE.iter().find(|(of, _)| *of == settings.tier).map_or(0.0, |(_, rate)| *rate);
        if self.used(budget) + rate * sections::code_bytes(bytes).megabytes() > budget.limits.cpu_seconds {
            return Ok(Compilation::OutOfTime("compiling would exceed the CPU budget"));
        }
        let engine = Engine::new(settings, Arc::clone(&self.clock))?;
        Ok(match engine.compile(bytes, kind) {
            Ok(_) if self.used(budget) >= budget.limits.cpu_seconds => {
                Compilation::OutOfTime("compiling used up the CPU budget")
            }
            Ok((compiled, _)) => Compilation::Done(engine, compiled),
            Err(error) => Compilation::Refused(error),
        })
    }
}

/// Counts by the module's own counters.
fn count(
    engine: &Engine,
    code: &Compiled,
    rewritten: &Instrumented,
    invocation: &Invocation,
    limits: TrialLimits,
) -> Result<Trial, EmulateError> {
    let sockets = counting::sockets(&rewritten.ports);
    let (counting, _) = Counting::new(rewritten.clone(), limits);
    let (trial, counting) = engine.watch(code, invocation, &sockets, counting, limits)?;
    let run_cpu_seconds = (trial.run_cpu_seconds - counting.watching_seconds()).max(0.0);
    let counts = counting.counts(trial.peak_linear_memory_bytes, trial.stopped_by.clone());
    let ops = counts.operators() + counts.bulk_bytes;
    Ok(Trial { ops, run_cpu_seconds, counts: Some(counts), ..trial })
}

/// The same invocation with everything taken away through which a trial could be noticed.
///
/// A component keeps its directories' rights: the executor declines to try one that may write, since its failing
/// writes could not be told from its own errors; for a module the executor ends the trial at the first write.
pub(crate) fn confined(invocation: &Invocation, kind: CodeKind) -> Invocation {
    let mut confined = invocation.clone();
    confined.stdio = Stdio::Detached;
    confined.network = false;
    if kind == CodeKind::WasmModule {
        confined.directories.iter_mut().for_each(|directory| directory.read_only = true);
    }
    confined.progress = Arc::new(Progress::default());
    confined
}

pub(crate) fn stopped(reason: &str) -> Trial {
    Trial { stopped_by: Some(reason.to_owned()), ..Trial::default() }
}
