//! A run of a rewritten module that lets a watcher look at it now and then: in the sandbox of a trial.
//!
//! The module itself calls, through a table it exports, whenever the clock it keeps in a global has run out; the watcher
//! then reads what the module has written down in a memory it exports, winds the clock up, or ends the run. What the
//! numbers mean only the watcher knows. Called by the emulator.

use std::sync::{Arc, Mutex, PoisonError};

use forewarm_sandbox::clock::thread_cpu;
use forewarm_types::plan::{Trial, TrialLimits};
use wasmtime::{AsContextMut, Caller, Func, Global, Memory, Ref, Store, Val};

use super::entry::Entry;
use super::host::Host;
use super::link::{Instance, Linked};
use super::patience::Patience;
use super::trial::{self, Stop};
use super::{Compiled, Engine};
use crate::error::WarmError;
use crate::invocation::Invocation;
use crate::lease::runtime;
use crate::stopwatch::Stopwatch;

/// Names of a rewritten module's exports.
#[derive(Debug, Clone)]
pub struct Sockets {
    /// The memory the watcher sees.
    pub memory: String,
    /// Its size, which is none of the program's.
    pub memory_bytes: u64,
    /// The table into whose first element the call goes.
    pub table: String,
    /// Globals of type `i32` or `i64`, in the order the watcher knows them.
    pub globals: Vec<String>,
    /// Called first, where there is one.
    pub start: Option<String>,
}

/// What a watcher sees, and may change.
#[derive(Debug)]
pub struct View<'a> {
    /// The module's memory.
    pub memory: &'a mut [u8],
    /// Its globals.
    pub globals: &'a mut [i64],
    /// CPU time of the run so far.
    pub cpu_seconds: f64,
    /// Size of the program's own memories.
    pub linear_memory_bytes: u64,
    /// Whether the run is over.
    pub ended: bool,
}

/// Why a watcher ends a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enough {
    /// It has executed as much as it may.
    Operators,
}

/// Whoever looks at a run.
pub trait Watcher: Send {
    /// Looks, and says whether that is enough.
    fn look(&mut self, view: View<'_>) -> Option<Enough>;
}

/// Where the sockets are, once there is an instance.
#[derive(Clone)]
struct Found {
    memory: Memory,
    globals: Vec<Global>,
}

impl Engine {
    /// Runs a rewritten command in the sandbox, as [`Engine::trial`] does, until it ends, its watcher has seen enough, or a
    /// limit of time is reached. The engine must not be metered. The operators of the result are left 0.
    ///
    /// # Errors
    /// As [`crate::Lease::warm`], and where the module lacks a socket.
    pub fn watch<W: Watcher + 'static>(
        &self,
        code: &Compiled,
        invocation: &Invocation,
        sockets: &Sockets,
        watcher: W,
        limits: TrialLimits,
    ) -> Result<(Trial, W), WarmError> {
        let invocation = trial::confined(invocation);
        let watcher = Arc::new(Mutex::new(watcher));
        let run = || self.watch_here(code, &invocation, sockets, &watcher, limits);
        let trial = trial::in_a_thread(run)?;
        // Every store that held it is gone.
        let watcher = Arc::into_inner(watcher).ok_or_else(|| WarmError::Allocate("the watcher is held".into()))?;
        Ok((trial, watcher.into_inner().unwrap_or_else(PoisonError::into_inner)))
    }

    fn watch_here<W: Watcher + 'static>(
        &self,
        code: &Compiled,
        invocation: &Invocation,
        sockets: &Sockets,
        watcher: &Arc<Mutex<W>>,
        limits: TrialLimits,
    ) -> Result<Trial, WarmError> {
        let watch = Stopwatch::start(&*self.clock);
        let entry = Entry::find(&self.engine, &code.code, invocation)?;
        let linked = Linked::with(self, &code.code, trial::guard)?;
        let mut store = Host::new(invocation)?.with_foreign_memory(sockets.memory_bytes).into_store(&self.engine);
        let runtime = runtime(true)?;
        let cpu = thread_cpu();
        let patience = Patience::begin(limits, Arc::clone(&self.clock));
        let look = {
            let (watcher, patience) = (Arc::clone(watcher), patience.clone());
            move |caller: &mut Caller<'_, Host>, found: &Found| -> wasmtime::Result<()> {
                if let Some(stop) = patience.over() {
                    return Err(stop.into());
                }
                let cpu_seconds = (thread_cpu() - cpu).0;
                match look_at(caller, found, &watcher, cpu_seconds, false)? {
                    Some(Enough::Operators) => Err(Stop::OperatorBudget.into()),
                    None => Ok(()),
                }
            }
        };
        let mut plugged = None;
        let result = {
            let run = async {
                let instance = linked.instantiate(&mut store).await?;
                let (module, found) = plug(&mut store, instance, sockets, look)?;
                plugged = Some(found);
                if let Some(start) = &sockets.start {
                    module.get_typed_func::<(), ()>(&mut store, start)?.call_async(&mut store, ()).await?;
                }
                entry.call(&mut store, instance).await
            };
            runtime.block_on(patience.bound(run))
        };
        let run_cpu_seconds = (thread_cpu() - cpu).0;
        runtime.shutdown_background();
        if let Some(found) = &plugged {
            look_at(&mut store, found, watcher, run_cpu_seconds, true).map_err(trial::broken)?;
        }
        Ok(Trial {
            wall_seconds: watch.elapsed().0,
            cpu_seconds: run_cpu_seconds,
            run_cpu_seconds,
            peak_linear_memory_bytes: invocation.progress.peak_linear_memory(),
            ..trial::ended(result)
        })
    }
}

/// Finds the sockets, lets the watcher look once, and puts its call into the table.
fn plug(
    store: &mut Store<Host>,
    instance: Instance,
    sockets: &Sockets,
    look: impl Fn(&mut Caller<'_, Host>, &Found) -> wasmtime::Result<()> + Send + Sync + 'static,
) -> wasmtime::Result<(wasmtime::Instance, Found)> {
    let Instance::Module(module) = instance else {
        return Err(wasmtime::Error::msg("a component has no sockets"));
    };
    let missing = |name: &str| wasmtime::Error::msg(format!("no export {name:?}"));
    let memory = module.get_memory(&mut *store, &sockets.memory).ok_or_else(|| missing(&sockets.memory))?;
    let table = module.get_table(&mut *store, &sockets.table).ok_or_else(|| missing(&sockets.table))?;
    let global = |name: &String| module.get_global(&mut *store, name).ok_or_else(|| missing(name));
    let globals = sockets.globals.iter().map(global).collect::<wasmtime::Result<Vec<_>>>()?;
    let found = Found { memory, globals };
    let seen = found.clone();
    let call = Func::wrap(&mut *store, move |mut caller: Caller<'_, Host>| look(&mut caller, &seen));
    table.set(&mut *store, 0, Ref::Func(Some(call)))?;
    Ok((module, found))
}

fn look_at<W: Watcher>(
    store: &mut impl AsContextMut<Data = Host>,
    found: &Found,
    watcher: &Mutex<W>,
    cpu_seconds: f64,
    ended: bool,
) -> wasmtime::Result<Option<Enough>> {
    let mut globals = Vec::with_capacity(found.globals.len());
    for global in &found.globals {
        globals.push(match global.get(&mut *store) {
            Val::I32(value) => i64::from(value),
            Val::I64(value) => value,
            _ => return Err(wasmtime::Error::msg("a socket of another type")),
        });
    }
    let before = globals.clone();
    let (memory, host) = found.memory.data_and_store_mut(&mut *store);
    let linear_memory_bytes = host.linear_memory_bytes();
    let view = View { memory, globals: &mut globals, cpu_seconds, linear_memory_bytes, ended };
    let enough = watcher.lock().unwrap_or_else(PoisonError::into_inner).look(view);
    for ((global, before), after) in found.globals.iter().zip(before).zip(globals) {
        if before != after {
            let value = match global.get(&mut *store) {
                Val::I32(_) => Val::I32(after as i32),
                _ => Val::I64(after),
            };
            global.set(&mut *store, value)?;
        }
    }
    Ok(enough)
}
