//! A WebAssembly program that stands on a rung between runs, in a process of its own: mapped, linked, instantiated.
//!
//! The process has one thread as long as it stands, and forks one per run ([`forewarm_sandbox::fork`]), so that each run has
//! an instance, a context and random numbers of its own. Called by the worker that the holder starts.

use std::sync::Arc;

use forewarm_types::host::Clock;
use forewarm_types::{Bytes, CodeKind, Configuration, CpuSettings, Digest, Step, StepTiming};
use tokio::runtime::Runtime;
use wasmtime::Store;

use crate::artifacts::ArtifactCache;
use crate::error::WarmError;
use crate::invocation::{Invocation, Progress};
use crate::lease::{Held, no_placement, not_instantiated, prefault, runtime, settings};
use crate::persist::Persistence;
use crate::run::{Program, Ready, block_on};
use crate::stopwatch::Stopwatch;
use crate::wasm::entry::Entry;
use crate::wasm::host::Host;
use crate::wasm::link::{Instance, Linked};
use crate::wasm::{Compiled, Engine};

/// A program that stands.
pub struct Standing {
    cpu: CpuSettings,
    engine: Engine,
    compiled: Compiled,
    linked: Option<Linked>,
    /// Whether its runs may use what needs an event loop with sockets.
    sockets: bool,
    clock: Arc<dyn Clock>,
}

/// A run that was given its invocation, of a program that may begin by itself when it is instantiated.
pub struct Entered {
    standing: Standing,
    store: Store<Host>,
    entry: Entry,
    runtime: Runtime,
    progress: Arc<Progress>,
}

/// An instance that waits for its run.
pub struct Waiting {
    store: Store<Host>,
    instance: Instance,
    runtime: Runtime,
}

impl Standing {
    /// Maps the artifact of a code, which must stand in the cache.
    ///
    /// # Errors
    /// Where there is none that can be trusted, or this host cannot have its engine.
    pub fn map(
        artifacts: &ArtifactCache,
        (digest, kind): (&Digest, CodeKind),
        configuration: &Configuration,
        network: bool,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, StepTiming), WarmError> {
        let cpu = configuration.cpu().ok_or_else(no_placement)?;
        let absent = || WarmError::Allocate("its artifact does not stand in the cache".to_owned());
        let found = artifacts.find(digest, cpu.tier, cpu.isa).ok_or_else(absent)?;
        let engine = Engine::new(settings(&cpu), Arc::clone(&clock))?;
        let (compiled, timing) = artifacts.load(found, &engine, kind).ok_or_else(absent)?;
        let sockets = network || kind == CodeKind::WasmComponent;
        Ok((Self { cpu, engine, compiled, linked: None, sockets, clock }, timing))
    }

    /// Resolves its imports.
    ///
    /// # Errors
    /// Where some are missing.
    pub fn link(&mut self) -> Result<StepTiming, WarmError> {
        let watch = Stopwatch::start(&*self.clock);
        self.linked = Some(Linked::new(&self.engine, &self.compiled.code)?);
        Ok(watch.stop(Step::Link, Bytes::ZERO))
    }

    /// Makes an instance for a run to come. Nothing of the program runs, as long as it has no start function.
    ///
    /// # Errors
    /// Where it cannot be linked or instantiated.
    pub fn wait(&mut self) -> Result<(Waiting, StepTiming), WarmError> {
        if self.linked.is_none() {
            self.link()?;
        }
        let watch = Stopwatch::start(&*self.clock);
        let linked = self.linked.as_ref().ok_or_else(unlinked)?;
        let runtime = runtime(self.sockets)?;
        let detached = Invocation::detached("");
        let mut store = Host::new(&detached)?.into_store(&self.engine.engine);
        let instance = block_on(&runtime, linked.instantiate(&mut store)).map_err(|error| not_instantiated(&error))?;
        if self.cpu.prefault {
            prefault(&*self.clock, &mut store, instance);
        }
        let timing = watch.stop(Step::Instantiate, detached.progress.peak_linear_memory());
        Ok((Waiting { store, instance, runtime }, timing))
    }

    /// Gives an invocation to an instance, and the rest of this process to its run.
    ///
    /// # Errors
    /// Where the invocation cannot be followed. Nothing of the program has run then.
    pub fn ready(self, waiting: Waiting, invocation: &Invocation) -> Result<Ready, WarmError> {
        let Waiting { mut store, instance, runtime } = waiting;
        let entry = Entry::find(&self.engine.engine, &self.compiled.code, invocation)?;
        store.data_mut().begin(invocation)?;
        let entered = Entered { standing: self, store, entry, runtime, progress: Arc::clone(&invocation.progress) };
        entered.with(instance)
    }

    /// Gives an invocation, and the rest of this process, to a run that is still to be instantiated.
    ///
    /// # Errors
    /// As [`Self::ready`]; nothing of the program has run yet.
    pub fn enter(mut self, invocation: &Invocation) -> Result<Entered, WarmError> {
        if self.linked.is_none() {
            self.link()?;
        }
        let entry = Entry::find(&self.engine.engine, &self.compiled.code, invocation)?;
        let runtime = runtime(self.sockets)?;
        let store = Host::new(invocation)?.into_store(&self.engine.engine);
        Ok(Entered { standing: self, store, entry, runtime, progress: Arc::clone(&invocation.progress) })
    }
}

impl Entered {
    /// Makes the instance; what begins by itself runs.
    ///
    /// # Errors
    /// Where it cannot be made, or traps.
    pub fn instantiate(mut self) -> Result<Ready, WarmError> {
        let linked = self.standing.linked.as_ref().ok_or_else(unlinked)?;
        let instance = block_on(&self.runtime, linked.instantiate(&mut self.store));
        let instance = instance.map_err(|error| not_instantiated(&error))?;
        if self.standing.cpu.prefault {
            prefault(&*self.standing.clock, &mut self.store, instance);
        }
        self.with(instance)
    }

    fn with(self, instance: Instance) -> Result<Ready, WarmError> {
        let Self { standing, store, entry, runtime, progress } = self;
        let linked = standing.linked.ok_or_else(unlinked)?;
        Ok(Ready {
            program: Program { store, instance, entry, runtime, linked, _code: standing.compiled },
            // It begins before it is planned, so that nothing was set aside for it.
            again: None,
            clock: standing.clock,
            progress,
            steps: Vec::new(),
            persistence: Persistence::standing(),
            release: false,
            held: Held::default(),
        })
    }
}

fn unlinked() -> WarmError {
    WarmError::Instantiate("it is not linked".to_owned())
}
