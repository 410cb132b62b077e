//! The run proper: from the program's first instruction to its last, and how it ended.

use std::sync::Arc;

use forewarm_sandbox::clock::thread_cpu;
use forewarm_types::host::Clock;
use forewarm_types::{Bytes, Exit, ExitCause, StepTiming};
use tokio::runtime::Runtime;
use wasmtime::{Store, Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use crate::invocation::Progress;
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
    pub(crate) _linked: Linked,
    pub(crate) _code: Compiled,
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

    /// Runs the program to its end.
    #[must_use]
    pub fn run(self) -> Outcome {
        let Self { mut program, clock, progress, persistence, release, held, .. } = self;
        progress.run_started(clock.monotonic(), clock.process_cpu());
        let watch = Stopwatch::start(&*clock);
        let Program { store, instance, entry, runtime, .. } = &mut program;
        // The CPU time of this thread, not of the process: another may be writing the artifact meanwhile.
        let timed = async {
            let begun = thread_cpu();
            let result = entry.call(store, *instance).await;
            (result, (thread_cpu() - begun).0)
        };
        let (result, run_cpu_seconds) = block_on(runtime, timed);
        let (run_seconds, _) = watch.elapsed();
        // A component may leave text in the buffer of standard output, which is the program's and so must not wait.
        let _ = std::io::Write::flush(&mut std::io::stdout());
        let (exit, results) = match result {
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
            run_seconds,
            run_cpu_seconds,
            peak_linear_memory_bytes: progress.peak_linear_memory(),
            results,
            persistence,
        }
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
