//! A bounded trial of a program: counted, without network, without the real standard input, writing nothing.

use std::sync::Arc;

use forewarm_sandbox::clock::thread_cpu;
use forewarm_types::plan::{Trial, TrialLimits};
use wasmtime::{AsContextMut, Caller, Extern, Linker, Module, Trap};
use wasmtime_wasi::I32Exit;
use wasmtime_wasi::p1::wasi_snapshot_preview1::{WasiSnapshotPreview1, path_open};

use super::entry::Entry;
use super::host::Host;
use super::link::Linked;
use super::patience::Patience;
use super::{Code, Compiled, Engine};
use crate::error::WarmError;
use crate::invocation::{Invocation, Progress, Stdio};
use crate::lease::runtime;
use crate::stopwatch::Stopwatch;

/// Operators between two looks at the clock: some 100 µs of Winch code, so that budgets of time are kept to within that.
const SLICE_OPS: u64 = 100_000;

/// Why a trial was ended from inside the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stop {
    /// It read the standard input, which is the real run's.
    #[error("reads standard input")]
    ReadsStandardInput,
    /// It wrote to a directory, which only the real run may.
    #[error("writes files")]
    WritesFiles,
    /// It has used as much CPU time as it may.
    #[error("CPU budget")]
    CpuBudget,
    /// Its time is up.
    #[error("wall budget")]
    WallBudget,
    /// It has executed as much as it may.
    #[error("operator budget")]
    OperatorBudget,
}

/// Functions of WASI preview 1 that change the file system whatever their arguments.
const WRITING: [&str; 7] = [
    "path_create_directory",
    "path_filestat_set_times",
    "path_link",
    "path_remove_directory",
    "path_rename",
    "path_symlink",
    "path_unlink_file",
];

/// `oflags` of `path_open` that create or truncate: creat (bit 0), trunc (bit 3). WASI preview 1, `oflags`.
const OPEN_CHANGES: i32 = 1 | 8;
/// Rights of `path_open` that write: fd_write (bit 6). WASI preview 1, `rights`. (wasi-libc asks for it to write only.)
const RIGHT_WRITE: i64 = 1 << 6;

impl Engine {
    /// Runs a command in the sandbox: no network, standard input unread, directories read-only, until it ends or has reached
    /// one of its limits, which are of the run alone. Where the engine is not metered, operators are neither counted nor limited,
    /// and time ends only what waits: what computes is ended with its process, by whoever started that.
    ///
    /// # Errors
    /// As [`crate::Lease::warm`].
    pub fn trial(&self, code: &Compiled, invocation: &Invocation, limits: TrialLimits) -> Result<Trial, WarmError> {
        self.tried(code)?.run(invocation, limits)
    }

    /// The code, linked for trials.
    ///
    /// # Errors
    /// As [`crate::Lease::warm`].
    pub fn tried(&self, code: &Compiled) -> Result<Tried, WarmError> {
        Ok(Tried { engine: self.clone(), linked: Linked::with(self, &code.code, guard)?, code: code.clone() })
    }
}

/// Code that is tried, once or several times.
pub struct Tried {
    engine: Engine,
    code: Compiled,
    linked: Linked,
}

impl Tried {
    /// As [`Engine::trial`].
    ///
    /// # Errors
    /// As [`crate::Lease::warm`].
    pub fn run(&self, invocation: &Invocation, limits: TrialLimits) -> Result<Trial, WarmError> {
        let invocation = confined(invocation);
        in_a_thread(|| self.run_here(&invocation, limits))
    }

    fn run_here(&self, invocation: &Invocation, limits: TrialLimits) -> Result<Trial, WarmError> {
        let Self { engine: Engine { engine, settings, clock }, code, linked } = self;
        let max_ops = limits.operators;
        let watch = Stopwatch::start(&**clock);
        let writable = invocation.directories.iter().any(|directory| !directory.read_only);
        if matches!(code.code, Code::Component(_)) && writable {
            // A component's writes are not told apart from its other failures, so its operators might be those of an
            // error path.
            return Ok(refused("has directories it may write to", watch.elapsed().0));
        }
        let entry = Entry::find(engine, &code.code, invocation)?;
        let mut store = Host::new(invocation)?.into_store(engine);
        if settings.metered {
            let metered =
                store.set_fuel(max_ops).and_then(|()| store.fuel_async_yield_interval(Some(SLICE_OPS.min(max_ops))));
            metered.map_err(|error| WarmError::Allocate(format!("operators cannot be limited: {error:#}")))?;
        }

        let runtime = runtime(true)?;
        let patience = Patience::begin(limits, Arc::clone(clock));
        let cpu = thread_cpu();
        let run = async {
            let instance = linked.instantiate(&mut store).await?;
            entry.call(&mut store, instance).await
        };
        let result = runtime.block_on(patience.bound(run));
        let run_cpu_seconds = (thread_cpu() - cpu).0;
        // A file operation that blocks is left behind in its thread rather than waited for.
        runtime.shutdown_background();
        Ok(Trial {
            ops: store.get_fuel().map_or(0, |left| max_ops.saturating_sub(left)),
            wall_seconds: watch.elapsed().0,
            cpu_seconds: run_cpu_seconds,
            run_cpu_seconds,
            peak_linear_memory_bytes: invocation.progress.peak_linear_memory(),
            ..ended(result)
        })
    }
}

/// The invocation without streams and network, its progress its own.
pub(super) fn confined(invocation: &Invocation) -> Invocation {
    Invocation { stdio: Stdio::Detached, network: false, progress: Arc::new(Progress::default()), ..invocation.clone() }
}

/// Runs in a thread of its own: whatever the program does to it, the caller's stack, affinity and runtime stay as they
/// are.
pub(super) fn in_a_thread<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| match scope.spawn(run).join() {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

/// How a trial ended, and nothing else of it.
pub(super) fn ended<T>(result: Result<wasmtime::Result<T>, Stop>) -> Trial {
    let stopped = |why: String| Trial { stopped_by: Some(why), ..Trial::default() };
    let itself = |failure: Option<String>| Trial { complete: true, failure, ..Trial::default() };
    let error = match result {
        Err(stop) => return stopped(stop.to_string()),
        Ok(Ok(_)) => return itself(None),
        Ok(Err(error)) => error,
    };
    if let Some(I32Exit(code)) = error.downcast_ref() {
        return itself((*code != 0).then(|| format!("exit code {code}")));
    }
    if let Some(stop) = error.chain().find_map(|cause| cause.downcast_ref::<Stop>()) {
        return stopped(stop.to_string());
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => stopped(Stop::OperatorBudget.to_string()),
        Some(trap) => itself(Some(trap.to_string())),
        None => stopped(error.root_cause().to_string()),
    }
}

/// An engine that fails where it cannot.
pub(super) fn broken(error: wasmtime::Error) -> WarmError {
    WarmError::Instantiate(format!("{error:#}"))
}

fn refused(why: &str, wall_seconds: f64) -> Trial {
    Trial { stopped_by: Some(why.to_owned()), wall_seconds, ..Trial::default() }
}

/// Puts guards before the functions of WASI preview 1 that write.
pub(super) fn guard(linker: &mut Linker<Host>, module: &Module) -> wasmtime::Result<()> {
    for import in module.imports() {
        let wasmtime::ExternType::Func(ty) = import.ty() else { continue };
        // The snapshot before it is rare enough that a trial stops at any file it opens.
        let old = import.module() == "wasi_unstable";
        if !old && import.module() != "wasi_snapshot_preview1" {
            continue;
        }
        let writes = WRITING.contains(&import.name());
        if writes || (old && import.name() == "path_open") {
            linker.func_new(import.module(), import.name(), ty, |_, _, _| Err(Stop::WritesFiles.into()))?;
        } else if import.name() == "path_open" {
            linker.func_wrap_async(import.module(), import.name(), |caller, arguments| {
                Box::new(guarded_open(caller, arguments))
            })?;
        }
    }
    Ok(())
}

/// Parameters of `path_open`: fd, dirflags, path, its length, oflags, rights, inheriting rights, fdflags, result.
type OpenArguments = (i32, i32, i32, i32, i32, i64, i64, i32, i32);

/// Lets `path_open` through to read, and stops the trial where it would write.
async fn guarded_open(mut caller: Caller<'_, Host>, arguments: OpenArguments) -> wasmtime::Result<i32> {
    let (fd, lookup, path, length, flags, rights, inherited, fd_flags, result) = arguments;
    if flags & OPEN_CHANGES != 0 || rights & RIGHT_WRITE != 0 {
        return Err(Stop::WritesFiles.into());
    }
    let Some(Extern::Memory(memory)) = caller.get_export("memory") else {
        return Err(wasmtime::Error::msg("missing required memory export"));
    };
    let fuel = caller.as_context_mut().hostcall_fuel();
    let (data, host) = memory.data_and_store_mut(&mut caller);
    host.wasi.set_hostcall_fuel(fuel);
    let mut data = wiggle::GuestMemory::Unshared(data);
    let wasi = &mut host.wasi;
    path_open(wasi, &mut data, fd, lookup, path, length, flags, rights, inherited, fd_flags, result).await
}
