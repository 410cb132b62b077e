//! The run proper: from the program's first instruction to its last, and how it ended.

use std::sync::Arc;

use forewarm_sandbox::clock::thread_cpu;
use forewarm_types::host::Clock;
use forewarm_types::{Bytes, Exit, ExitCause, Seconds, StepTiming};
use tokio::runtime::Runtime;
use wasmtime::{Store, Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use crate::invocation::{Invocation, Progress};
use crate::lease::prefault;
use crate::persist::Persistence;
use crate::stopwatch::Stopwatch;
use crate::wasm::Compiled;
use crate::wasm::entry::Entry;
use crate::wasm::host::Host;
use crate::wasm::link::{Instance, Linked};

/// The exit code of a run ended by a trap, as a process ended by `SIGABRT` shows it (128 + 6); `wasmtime run` uses it too.
const TRAP_CODE: i32 = 134;
/// The exit code of a run ended by its memory limit, as a process killed for memory shows it (128 + 9).
const MEMORY_CODE: i32 = 137;

/// A program at its first instruction.
pub struct Ready {
    pub(crate) program: Program,
    /// What it takes to run it a second time; `None` where nothing was set aside for it.
    pub(crate) again: Option<Again>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) steps: Vec<StepTiming>,
    pub(crate) persistence: Persistence,
    /// Give memory back when the run is over, rather than leave it to the end of the process.
    pub(crate) release: bool,
    /// What the lease holds, until the run is over.
    pub(crate) held: crate::lease::Held,
}

/// What the engine needs to call the program.
pub(crate) struct Program {
    pub(crate) store: Store<Host>,
    pub(crate) instance: Instance,
    pub(crate) entry: Entry,
    pub(crate) runtime: Runtime,
    pub(crate) linked: Linked,
    pub(crate) _code: Compiled,
}

/// What is kept of a run for a second one.
pub(crate) struct Again {
    /// Linear memory beyond which the first is ended.
    pub(crate) set_aside: Bytes,
    pub(crate) invocation: Invocation,
    pub(crate) prefault: bool,
}

/// A first attempt that wanted more memory than was set aside for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Repeated {
    /// What was set aside.
    pub set_aside: Bytes,
    /// What it wanted to grow to.
    pub wanted: Bytes,
    /// Wall time from its first instruction to its end.
    pub run_seconds: f64,
    /// CPU time in between.
    pub run_cpu_seconds: f64,
    /// Wall time from its first instruction to that of the second attempt.
    pub lost_seconds: f64,
}

/// How a run went, as the executor measured it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// How it ended.
    pub exit: Exit,
    /// Wall time from the first instruction to the last.
    pub run_seconds: f64,
    /// CPU time of the program's thread in between.
    pub run_cpu_seconds: f64,
    /// Peak linear memory.
    pub peak_linear_memory_bytes: Bytes,
    /// The attempt before, where that had too little memory; the times above are those of the second.
    pub repeated: Option<Repeated>,
    /// What `--invoke` returned, one text per value as `wasmtime run` prints them.
    pub results: Vec<String>,
    /// What became of the artifact; where it is not done when the process ends, it is lost, and worth preparing apart.
    pub persistence: Persistence,
}

impl Ready {
    /// The steps climbed, timed.
    #[must_use]
    pub fn steps(&self) -> &[StepTiming] {
        &self.steps
    }

    /// What becomes of the artifact.
    #[must_use]
    pub fn persistence(&self) -> &Persistence {
        &self.persistence
    }

    /// Runs the program to its end. One that wants more memory than was set aside, and has done nothing yet that shows
    /// outside it, is ended and runs again with as much as the invocation allows: as long as it has run no longer than its
    /// warming took, so that a run which is thrown away never costs more than what came before it.
    #[must_use]
    pub fn run(self) -> Outcome {
        let Self { mut program, clock, progress, steps, persistence, release, held, again } = self;
        let begins = clock.monotonic();
        progress.run_started(begins, clock.process_cpu());
        if let Some(again) = &again {
            let until = steps.iter().fold(begins.0, |until, step| until + step.wall_seconds);
            program.store.data_mut().set_aside(again.set_aside, Seconds(until), Arc::clone(&clock));
        }
        let mut attempt = program.attempt(&*clock);
        let repeated = again.zip(progress.take_outgrown()).map(|(again, wanted)| {
            let Attempt { run_seconds, run_cpu_seconds, .. } = attempt;
            let (next, lost_seconds) = again.attempt(&mut program, &*clock, run_seconds);
            attempt = next;
            Repeated { set_aside: again.set_aside, wanted, run_seconds, run_cpu_seconds, lost_seconds }
        });
        // A component may leave text in the buffer of standard output, which is the program's and so must not wait.
        let _ = std::io::Write::flush(&mut std::io::stdout());
        let (exit, results) = match attempt.result {
            Ok(results) => (exited(0), results),
            Err(error) => (failure(&error, &progress), Vec::new()),
        };
        drop(held);
        if release {
            // In the background, since it may be in another runtime's thread that the run was asked for.
            program.runtime.shutdown_background();
        } else {
            // Unmapping gigabytes of reservation, code and memory takes milliseconds, which the user would wait for; the
            // system does it when the process ends.
            std::mem::forget(program);
        }
        Outcome {
            exit,
            run_seconds: attempt.run_seconds,
            run_cpu_seconds: attempt.run_cpu_seconds,
            peak_linear_memory_bytes: progress.peak_linear_memory(),
            repeated,
            results,
            persistence,
        }
    }
}

/// From the program's first instruction to its last, or to where it was ended.
struct Attempt {
    result: wasmtime::Result<Vec<String>>,
    run_seconds: f64,
    run_cpu_seconds: f64,
}

impl Program {
    fn attempt(&mut self, clock: &dyn Clock) -> Attempt {
        let watch = Stopwatch::start(clock);
        let Self { store, instance, entry, runtime, .. } = self;
        // The CPU time of this thread, not of the process: another may be writing the artifact meanwhile.
        let timed = async {
            let begun = thread_cpu();
            let result = entry.call(store, *instance).await;
            (result, (thread_cpu() - begun).0)
        };
        let (result, run_cpu_seconds) = block_on(runtime, timed);
        let (run_seconds, _) = watch.elapsed();
        Attempt { result, run_seconds, run_cpu_seconds }
    }

    /// Another instance in place of this one, whose memory is given back first.
    fn renew(&mut self, invocation: &Invocation) -> wasmtime::Result<()> {
        let host = Host::new(invocation).map_err(|error| wasmtime::Error::msg(error.to_string()))?;
        self.store = host.into_store(&self.store.engine().clone());
        self.instance = block_on(&self.runtime, self.linked.instantiate(&mut self.store))?;
        Ok(())
    }
}

impl Again {
    /// The second attempt, and the seconds that went by until it began, of which the first ran so many.
    fn attempt(&self, program: &mut Program, clock: &dyn Clock, first_seconds: f64) -> (Attempt, f64) {
        let watch = Stopwatch::start(clock);
        let renewed = program.renew(&self.invocation);
        if self.prefault && renewed.is_ok() {
            prefault(clock, &mut program.store, program.instance);
        }
        let lost = first_seconds + watch.elapsed().0;
        let attempt = match renewed {
            Ok(()) => program.attempt(clock),
            Err(error) => Attempt { result: Err(error), run_seconds: 0.0, run_cpu_seconds: 0.0 },
        };
        (attempt, lost)
    }
}

/// Drives a future to its end, in a thread of its own where the calling one already drives an asynchronous runtime.
pub(crate) fn block_on<F: Future<Output: Send> + Send>(runtime: &Runtime, future: F) -> F::Output {
    if tokio::runtime::Handle::try_current().is_err() {
        return runtime.block_on(future);
    }
    std::thread::scope(|scope| match scope.spawn(|| runtime.block_on(future)).join() {
        Ok(output) => output,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

fn exited(code: i32) -> Exit {
    Exit { cause: ExitCause::Exited, code, signal: None, message: None }
}

/// How a program that did not return ended.
pub(crate) fn failure(error: &wasmtime::Error, progress: &Progress) -> Exit {
    if let Some(I32Exit(code)) = error.downcast_ref::<I32Exit>() {
        return exited(*code);
    }
    let (cause, code) = match progress.was_memory_denied() {
        true => (ExitCause::Memory, MEMORY_CODE),
        false => (ExitCause::Trap, TRAP_CODE),
    };
    Exit { cause, code, signal: None, message: Some(message(error)) }
}

/// The engine's words on a trap, and the functions it went through where they are known.
pub(crate) fn message(error: &wasmtime::Error) -> String {
    let mut text = match error.downcast_ref::<Trap>() {
        Some(trap) => trap.to_string(),
        None => error.root_cause().to_string(),
    };
    let frames = error.downcast_ref::<WasmBacktrace>().map_or(&[][..], WasmBacktrace::frames);
    for (index, frame) in frames.iter().enumerate() {
        let function = frame.func_name().map_or_else(|| format!("function {}", frame.func_index()), str::to_owned);
        text.push_str(&format!("\n  {index}: {function}"));
    }
    text
}
