//! Allocation: a plan's place is held, climbed to readiness, and run in.

use std::path::PathBuf;
use std::sync::Arc;

use forewarm_sandbox::cgroup::CpuShare;
use forewarm_sandbox::memory;
use forewarm_sandbox::process::Child;
use forewarm_types::host::Clock;
use forewarm_types::{
    Bytes, CodeKind, Configuration, CpuSettings, Digest, IsaLevel, Load, Pressure, Rung, Step, StepTiming, Tier,
};
use wasmtime::Store;

use crate::ahead::Ahead;
use crate::artifacts::ArtifactCache;
use crate::cores::Cores;
pub use crate::error::WarmError;
use crate::invocation::Invocation;
use crate::occupancy::{Occupancy, Seat};
use crate::persist::Persistence;
use crate::run::{Again, Program, block_on};
pub use crate::run::{Outcome, Ready};
use crate::stopwatch::Stopwatch;
use crate::wasm::entry::Entry;
use crate::wasm::host::Host;
use crate::wasm::link::{Instance, Linked};
use crate::wasm::{Compiled, Engine, EngineSettings};

/// The code to run, whose bytes are read only when a step needs them.
pub trait CodeSource: Send {
    /// Name for messages: the file's path as given.
    fn name(&self) -> &str;
    /// SHA-256 of the file.
    fn digest(&self) -> Digest;
    /// Kind of code.
    fn kind(&self) -> CodeKind;
    /// The WebAssembly binary (text already translated).
    ///
    /// # Errors
    /// Where the file cannot be read or has changed since it was digested.
    fn bytes(&mut self) -> Result<Arc<Vec<u8>>, std::io::Error>;
}

/// Executes plans on this machine.
pub struct Executor {
    pub(crate) artifacts: Option<Arc<ArtifactCache>>,
    pub(crate) clock: Arc<dyn Clock>,
    occupancy: Option<Occupancy>,
    release: bool,
}

/// Cores, memory and an engine, held.
pub struct Lease {
    cpu: CpuSettings,
    set_aside: Bytes,
    warm_state: Rung,
    artifacts: Option<Arc<ArtifactCache>>,
    clock: Arc<dyn Clock>,
    release: bool,
    held: Held,
    ahead: Option<Ahead>,
    awaited: bool,
}

/// What a lease holds of the machine; dropping it gives it back.
#[derive(Default)]
pub(crate) struct Held {
    _seat: Option<Seat>,
    share: Option<CpuShare>,
    pub(crate) cores: Option<Cores>,
}

impl Held {
    /// Holds another process, and what it starts from then on, to the same share of the CPU, as far as the system lets.
    pub(crate) fn admit(&self, process: i32) {
        if let Some(share) = &self.share {
            let _ = share.extend(process);
        }
    }

    /// The same of all processes of a program's place, and of the cores.
    pub(crate) fn admit_all(&mut self, child: &Child) {
        self.share.iter().for_each(|share| share.hold(child));
        self.cores.iter_mut().for_each(|cores| cores.take(child));
    }
}

impl Executor {
    /// An executor that keeps artifacts in `artifacts`, or none.
    #[must_use]
    pub fn new(artifacts: Option<ArtifactCache>, clock: Arc<dyn Clock>) -> Self {
        Self { artifacts: artifacts.map(Arc::new), clock, occupancy: None, release: false }
    }

    /// Announces leases to other processes, and counts theirs, by seats in `directory` (made where missing).
    #[must_use]
    pub fn with_leases_in(mut self, directory: PathBuf) -> Self {
        self.occupancy = Some(Occupancy::new(directory));
        self
    }

    /// Whether a run gives its memory back when it is over. It does not by default: a process about to end spares its
    /// user the time. An embedder that goes on should say `true`.
    #[must_use]
    pub fn releasing_memory(mut self, release: bool) -> Self {
        self.release = release;
        self
    }

    /// What leases of other processes ask for now; nothing where nothing is announced.
    #[must_use]
    pub fn load(&self) -> Load {
        self.occupancy.as_ref().map_or_else(Load::default, Occupancy::load)
    }

    /// The artifact cache, where there is one.
    #[must_use]
    pub fn artifacts(&self) -> Option<&ArtifactCache> {
        self.artifacts.as_deref()
    }

    /// The tiers and instruction-set levels for which a trusted artifact of the code stands on disk.
    #[must_use]
    pub fn standing(&self, digest: &Digest) -> Vec<(Tier, IsaLevel)> {
        self.artifacts.as_ref().map_or_else(Vec::new, |artifacts| artifacts.standing(digest))
    }

    /// Holds the place a configuration describes: cores bound and a share enforced where it says so, thread pool sized.
    /// Linear memory is bounded by the invocation's limit; by what the configuration sets aside only as long as the program
    /// can run again ([`Ready::run`]).
    ///
    /// # Errors
    /// [`WarmError::Allocate`] where the machine cannot give it.
    pub fn allocate(&self, configuration: &Configuration) -> Result<Lease, WarmError> {
        self.allocate_for(configuration, Pressure::default())
    }

    /// The same for a run of which it is known what it asks of memory, so that others can plan for that.
    ///
    /// # Errors
    /// As [`Self::allocate`].
    pub fn allocate_for(&self, configuration: &Configuration, pressure: Pressure) -> Result<Lease, WarmError> {
        let cpu = configuration.cpu().ok_or_else(no_placement)?;
        let mut held = self.hold(configuration, Load::of(f64::from(cpu.threads), pressure))?;
        held.cores = cpu.pinned.then(|| Cores::bind(cpu.threads)).transpose().map_err(|error| unbound(&error))?;
        Ok(self.lease(configuration, cpu, held))
    }

    /// Holds a seat, and a share of the cores where the configuration says so.
    pub(crate) fn hold(&self, configuration: &Configuration, load: Load) -> Result<Held, WarmError> {
        let placement = configuration.placement().ok_or_else(no_placement)?;
        let seat = self.occupancy.as_ref().and_then(|occupancy| occupancy.take(load));
        let mut held = Held { _seat: seat, ..Held::default() };
        if placement.share > 0.0 && placement.share < 1.0 {
            let share = CpuShare::enforce(placement.share, placement.units);
            held.share =
                Some(share.map_err(|error| {
                    WarmError::Allocate(format!("a share of {} of the CPU: {error}", placement.share))
                })?);
        }
        Ok(held)
    }

    /// Holds nothing of the machine: for work of the lowest priority, which yields to whoever wants the cores, so that
    /// nobody should plan around it.
    ///
    /// # Errors
    /// [`WarmError::Allocate`] where the configuration places nothing on a CPU.
    pub fn allocate_idle(&self, configuration: &Configuration) -> Result<Lease, WarmError> {
        let cpu = configuration.cpu().ok_or_else(no_placement)?;
        Ok(self.lease(configuration, cpu, Held::default()))
    }

    /// The code that an engine makes of a program, from its artifact where one stands, else compiled, and kept as its artifact.
    ///
    /// # Errors
    /// Any [`WarmError`] of compiling; an artifact that cannot be written is not one.
    pub fn code(&self, settings: EngineSettings, code: &mut dyn CodeSource) -> Result<(Engine, Compiled), WarmError> {
        let engine = Engine::new(settings, Arc::clone(&self.clock))?;
        let artifacts = self.artifacts.as_deref();
        let mapped = artifacts.and_then(|artifacts| {
            let found = artifacts.find(&code.digest(), settings.tier, settings.isa)?;
            artifacts.load(found, &engine, code.kind())
        });
        if let Some((compiled, _)) = mapped {
            return Ok((engine, compiled));
        }
        let (compiled, _) = engine.compile(&code.bytes().map_err(WarmError::Read)?, code.kind())?;
        // Whoever wants it later compiles it again.
        let _ = artifacts.map(|artifacts| artifacts.store(&code.digest(), &engine, &compiled));
        Ok((engine, compiled))
    }

    fn lease(&self, configuration: &Configuration, cpu: CpuSettings, held: Held) -> Lease {
        Lease {
            cpu,
            set_aside: configuration.placement().map_or(Bytes::ZERO, |placement| placement.memory_bytes),
            warm_state: configuration.warm_state,
            artifacts: self.artifacts.clone(),
            clock: Arc::clone(&self.clock),
            release: self.release,
            held,
            ahead: None,
            awaited: false,
        }
    }
}

/// The engine that runs what a placement describes.
pub(crate) fn settings(cpu: &CpuSettings) -> EngineSettings {
    let CpuSettings { tier, isa, threads, .. } = *cpu;
    EngineSettings { tier, isa, metered: false, threads }
}

pub(crate) fn no_placement() -> WarmError {
    WarmError::Allocate("the configuration has no placement on a CPU".to_owned())
}

/// Cores that a run cannot be bound to.
pub(crate) fn unbound(error: &std::io::Error) -> WarmError {
    WarmError::Allocate(format!("binding to cores: {error}"))
}

impl Lease {
    /// Holds a process that runs in this one's stead to the same share of the CPU, as far as the system lets.
    pub fn admit(&self, process: i32) {
        self.held.admit(process);
    }

    /// The same with what was begun before it was clear what to hold; climbed from there if it is what the lease is for.
    #[must_use]
    pub fn going_on_from(self, ahead: Option<Ahead>) -> Self {
        Self { ahead, ..self }
    }

    /// The same of which the artifact, should one be written, will be waited for when the run is over.
    #[must_use]
    pub fn awaiting_artifact(self, awaited: bool) -> Self {
        Self { awaited, ..self }
    }

    /// Climbs from the highest standing rung to an instance ready for its first instruction.
    ///
    /// # Errors
    /// Any [`WarmError`]; a corrupt artifact is not one: it is rebuilt.
    pub fn warm(mut self, code: &mut dyn CodeSource, invocation: &Invocation) -> Result<Ready, WarmError> {
        let mut steps = Vec::with_capacity(Step::ALL.len());
        let (engine, compiled, persistence) = self.obtain(code, &mut steps)?;

        let watch = Stopwatch::start(&*self.clock);
        let linked = Linked::new(&engine, &compiled.code)?;
        let entry = Entry::find(&engine.engine, &compiled.code, invocation)?;
        steps.push(watch.stop(Step::Link, Bytes::ZERO));

        let watch = Stopwatch::start(&*self.clock);
        let runtime = runtime(invocation.network || code.kind() == CodeKind::WasmComponent)?;
        let mut store = Host::new(invocation)?.into_store(&engine.engine);
        let instance = block_on(&runtime, linked.instantiate(&mut store)).map_err(|error| not_instantiated(&error))?;
        steps.push(watch.stop(Step::Instantiate, invocation.progress.peak_linear_memory()));

        if self.cpu.prefault {
            steps.push(prefault(&*self.clock, &mut store, instance));
        }
        Ok(Ready {
            program: Program { store, instance, entry, runtime, linked, _code: compiled },
            again: Some(Again {
                set_aside: self.set_aside,
                invocation: invocation.clone(),
                prefault: self.cpu.prefault,
            }),
            clock: self.clock,
            progress: Arc::clone(&invocation.progress),
            steps,
            persistence,
            release: self.release,
            held: self.held,
        })
    }

    /// Prepares the artifact alone, on disk when this returns: the body of a detached step. Returns what was climbed;
    /// nothing where a trusted artifact stands already, or another process is at it.
    ///
    /// # Errors
    /// Any [`WarmError`]; [`WarmError::Allocate`] where there is no cache, or it cannot be written.
    pub fn prepare(self, code: &mut dyn CodeSource) -> Result<Vec<StepTiming>, WarmError> {
        let Some(artifacts) = &self.artifacts else {
            return Err(WarmError::Allocate("there is no artifact cache to prepare into".to_owned()));
        };
        if artifacts.standing(&code.digest()).contains(&(self.cpu.tier, self.cpu.isa)) {
            return Ok(Vec::new());
        }
        let unwritable = |error: std::io::Error| WarmError::Allocate(format!("writing the artifact: {error}"));
        let Some(_alone) = artifacts.begin_preparing(&code.digest()).map_err(unwritable)? else {
            return Ok(Vec::new());
        };
        let bytes = code.bytes().map_err(WarmError::Read)?;
        let engine = Engine::new(self.settings(), Arc::clone(&self.clock))?;
        let (compiled, timing) = engine.compile(&bytes, code.kind())?;
        let written = artifacts.store(&code.digest(), &engine, &compiled).map_err(unwritable)?;
        Ok(vec![timing, written])
    }

    /// Code from its artifact where one stands, else compiled, and then kept where the plan says so.
    fn obtain(
        &mut self,
        code: &mut dyn CodeSource,
        steps: &mut Vec<StepTiming>,
    ) -> Result<(Engine, Compiled, Persistence), WarmError> {
        let digest = code.digest();
        if let Some(mapped) = self.ahead.take().and_then(|ahead| ahead.take(&digest, self.cpu.tier, self.cpu.isa)) {
            let (engine, compiled, timing) = mapped;
            steps.push(timing);
            return Ok((engine, compiled, Persistence::standing()));
        }
        if let Some(artifacts) = &self.artifacts
            && let Some(found) = artifacts.find(&digest, self.cpu.tier, self.cpu.isa)
        {
            let engine = Engine::new(self.settings(), Arc::clone(&self.clock))?;
            if let Some((compiled, timing)) = artifacts.load(found, &engine, code.kind()) {
                steps.push(timing);
                return Ok((engine, compiled, Persistence::standing()));
            }
        }
        let bytes = code.bytes().map_err(WarmError::Read)?;
        let engine = Engine::new(self.settings(), Arc::clone(&self.clock))?;
        let (compiled, timing) = engine.compile(&bytes, code.kind())?;
        let text = timing.bytes;
        steps.push(timing);
        let persistence = match &self.artifacts {
            Some(artifacts) if self.warm_state >= Rung::Artifact => {
                Persistence::begin(artifacts, digest, &engine, &compiled, text, self.awaited)
            }
            _ => Persistence::not_asked(),
        };
        steps.extend(persistence.timing());
        Ok((engine, compiled, persistence))
    }

    fn settings(&self) -> EngineSettings {
        settings(&self.cpu)
    }
}

/// Why an instance could not be made.
pub(crate) fn not_instantiated(error: &wasmtime::Error) -> WarmError {
    WarmError::Instantiate(match error.downcast_ref::<wasmtime::Trap>() {
        Some(_) => format!("its start function trapped: {}", crate::run::message(error)),
        None => format!("{error:#}"),
    })
}

/// Backs the exported memory of a module before its first instruction.
pub(crate) fn prefault(clock: &dyn Clock, store: &mut Store<Host>, instance: Instance) -> StepTiming {
    let watch = Stopwatch::start(clock);
    let memory = match instance {
        Instance::Module(instance) => instance.get_memory(&mut *store, "memory"),
        Instance::Component(_) => None,
    };
    let backed = memory.map_or(0, |memory| {
        let data = memory.data_mut(&mut *store);
        // Where the system cannot back memory ahead, the program's own first touch will.
        memory::populate(data, false).map_or(0, |()| data.len())
    });
    watch.stop(Step::Prefault, Bytes(backed as u64))
}

/// The asynchronous runtime WASI calls run in: one thread, the calling one; with sockets only where they may be used.
pub(crate) fn runtime(sockets: bool) -> Result<tokio::runtime::Runtime, WarmError> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    if sockets {
        builder.enable_io();
    }
    builder.enable_time().build().map_err(|error| WarmError::Allocate(format!("an event loop: {error}")))
}
