//! WebAssembly programs between runs: having them warmed, and runs that begin in a process that stands ready.
//!
//! What stands was planned for as a program that runs often, so that a run that begins there needs no plan before its first
//! instruction; it is planned, for its report and the record, while it runs already.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::Release;
use std::time::Duration;

use forewarm_executor::lease::CodeSource;
use forewarm_executor::persist::Persistence;
use forewarm_executor::{ArtifactCache, Outcome, Progress, WarmError};
use forewarm_holder::{
    Asked, Begun, End, Errand, FileStamp, MOST_DESCRIPTORS, Over, Program, Rung, StartedWasm, WasmProgram, end,
    stamp_of,
};
use forewarm_sandbox::measure;
use forewarm_sandbox::process::Surroundings;
use forewarm_types::plan::Trial;
use forewarm_types::{
    Bytes, Configuration, CpuSettings, Exit, ExitCause, IsaLevel, Plan, Seconds, Settings, Step, StepTiming, Tier,
};
use rustix::fs::{Mode, OFlags, open};

use crate::consider::Considered;
use crate::error::Error;
use crate::memory::lock;
use crate::observe::Used;
use crate::request::{Emulate, Overrides, Request};
use crate::run::{Elsewhere, InFlight, Marks};
use crate::stand::Orders;
use crate::warm::{Warmed, planning, unkept};
use crate::{Orchestrator, Report};

/// How far a file system's clock may lag behind the system's: a tick of 10 ms at the slowest (`CONFIG_HZ=100`). A file that
/// changed within it may change once more and look the same.
const TICK: Duration = Duration::from_millis(10);

/// Between two looks whether an artifact that another process prepares stands.
const LOOK: Duration = Duration::from_millis(10);

/// Descriptors of a run that are no directories: its client and three streams.
const OTHERS: usize = 4;

/// A run that was asked for, and when.
pub(crate) struct Pending {
    asked: Asked,
    at: Seconds,
}

/// A run that began, when it was asked for, and what the machine does around it.
pub(crate) struct Underway {
    begun: Begun,
    asked_at: Seconds,
    around: Surroundings,
}

impl Orchestrator {
    /// Has a WebAssembly program warmed: planned for as one that runs often, its artifact made, climbed for.
    pub(crate) fn warm_wasm(
        &self,
        request: &Request,
        mut considered: Considered,
        stamp: Option<FileStamp>,
        rung: Rung,
    ) -> Result<Warmed, Error> {
        let refused = |cause: &str| Error::Usage {
            message: format!("{} cannot be kept warm: {cause}", request.file.display()),
            hint: None,
        };
        let bytes =
            considered.program.bytes().map_err(|error| Error::from_warm(&request.file, WarmError::Read(error)))?;
        let starts = forewarm_analyzer::starts_by_itself(&bytes);
        let cache = self.executor.artifacts().map(|cache| cache.directory().to_owned());
        let cache = cache.ok_or_else(|| refused("there is no artifact cache"))?;
        let configuration = self.prepared(request, &mut considered)?;
        if stamp.is_none() || settled(&request.file) != stamp {
            return Err(refused("its file is changing"));
        }
        let analysis = &considered.analysis.code;
        let orders = Orders {
            digest: analysis.digest,
            kind: analysis.kind,
            configuration,
            cache,
            network: request.network,
            starts,
        };
        let orders = serde_json::to_string(&orders).map_err(|error| refused(&error.to_string()))?;
        let program = wasm_program(request, stamp.unwrap_or_default(), orders);
        let program = program.map_err(|error| refused(&error.to_string()))?;
        let climb = self.climb(&considered, Program::Wasm(program), rung)?;
        Ok(Warmed::of(request, climb.map_err(|why| unkept(request, why))?, None))
    }

    /// The configuration that is best once its artifact stands, with that artifact standing.
    fn prepared(&self, request: &Request, considered: &mut Considered) -> Result<Configuration, Error> {
        let every: Vec<_> = Tier::ALL.into_iter().map(|tier| (tier, IsaLevel::Native)).collect();
        let calm = Request { emulate: Emulate::Never, max_memory: None, timeout_seconds: None, ..request.clone() };
        loop {
            let (plan, _) = self.decide_where(considered, &calm, &every)?;
            let mut configuration = plan.chosen.configuration;
            // A run has the cores of who asks for it.
            change(&mut configuration, |cpu| cpu.pinned = false);
            let mut compiled = configuration.clone();
            let cores = considered.resources.inventory.cores();
            change(&mut compiled, |cpu| cpu.threads = cores.max(1));
            let lease = self.executor.allocate(&compiled);
            match lease.and_then(|lease| lease.prepare(&mut considered.program)) {
                Ok(_) => {
                    self.await_artifact(considered);
                    return Ok(configuration);
                }
                Err(WarmError::Unsupported { tier, cause }) if considered.learn_unsupported(&calm, tier, &cause) => {}
                Err(error) => return Err(Error::from_warm(&request.file, error)),
            }
        }
    }

    /// Waits while another process prepares an artifact of the code.
    fn await_artifact(&self, considered: &Considered) {
        let digest = considered.analysis.code.digest;
        while self.executor.artifacts().is_some_and(|cache: &ArtifactCache| cache.being_prepared(&digest)) {
            std::thread::sleep(LOOK);
        }
    }

    /// Whether there is a holder. This costs a look at the file system.
    pub(crate) fn stands_ready(&self) -> bool {
        self.holder.as_ref().is_some_and(|place| place.socket().exists())
    }

    /// Asks the holder, where there is one, for a run of a WebAssembly program; what cannot be asked for runs as usual.
    pub(crate) fn ask_stand(&self, request: &Request) -> Option<Pending> {
        if request.plan.is_some() || matches!(request.emulate, Emulate::Seconds(_)) || !self.stands_ready() {
            return None;
        }
        let found = std::fs::metadata(&request.file).ok().filter(std::fs::Metadata::is_file)?;
        let program = wasm_program(request, stamp_of(&found), String::new()).ok()?;
        let directories: Option<Vec<OwnedFd>> =
            request.directories.iter().map(|given| directory(&given.host)).collect();
        let directories = directories.filter(|all| all.len() + OTHERS <= MOST_DESCRIPTORS)?;
        let holder = self.holder().map_err(|error| error.cause().unwrap_or_default().to_owned()).transpose()?;
        let at = self.clock.monotonic();
        // Before it is asked: the program may begin, and a signal come, sooner than this thread goes on.
        self.asked.store(true, Release);
        let asked = match holder {
            Ok(holder) => holder.ask_wasm(program, &errand(request), &directories).map_err(|error| error.to_string()),
            Err(why) => Err(why),
        };
        let asked = asked.inspect_err(|why| self.memory.warn(format!("the holder is not used: {why}"))).ok();
        self.asked.store(asked.is_some(), Release);
        asked.map(|asked| Pending { asked, at })
    }

    /// Hears whether a run that was asked for began; where it did not, it is to run as usual, with a warning where something
    /// stands and cannot serve it.
    pub(crate) fn begun(&self, pending: Option<Pending>) -> Result<Option<Underway>, Error> {
        let Some(Pending { asked, at }) = pending else { return Ok(None) };
        match asked.answer() {
            StartedWasm::Begun(begun) => Ok(Some(Underway { begun, asked_at: at, around: self.around_next() })),
            StartedWasm::Cold(why) => {
                self.asked.store(false, Release);
                if !why.starts_with("nothing is warm") {
                    self.memory.warn(format!("not started from what is warm: {why}"));
                }
                Ok(None)
            }
            StartedWasm::Lost => {
                self.asked.store(false, Release);
                Err(self.failed("the run was lost", &"the process that ran it was ended"))
            }
        }
    }

    /// Sees to the end of a run that began, and learns from it.
    pub(crate) fn run_begun(
        &self,
        request: &Request,
        mut considered: Considered,
        underway: Underway,
        planned: Option<(Plan, Option<Trial>)>,
        over: &dyn Fn(),
    ) -> Result<Report, Error> {
        let Underway { begun, asked_at, around } = underway;
        let (plan, trial, handle) = match self.plan_begun(request, &mut considered, &begun, planned) {
            Ok(planned) => planned,
            Err(error) => {
                self.asked.store(false, Release);
                let _ = begun.handle().map(|handle| end(&handle));
                return Err(error);
            }
        };
        // So that other runs plan around it, and its share holds it.
        let held = self.executor.allocate(&plan.chosen.configuration);
        held.iter().for_each(|lease| lease.admit(begun.process));
        let (began, rung) = (Seconds(begun.began_seconds), begun.rung);
        let progress = Arc::new(Progress::default());
        progress.run_started(began, self.clock.process_cpu());
        *lock(&self.in_flight) = Some(InFlight {
            request: request.clone(),
            considered,
            plan,
            trial,
            progress,
            marks: Marks { planned: asked_at, leased: asked_at },
            steps: vec![handed_over(began - asked_at)],
            around,
            elsewhere: Some(Elsewhere { rung: rung.name(), process: begun.process, handle, used: Used::default() }),
        });
        self.asked.store(false, Release);
        let end = begun.finish(!self.goes_on);
        let ended = self.clock.monotonic();
        over();
        let Some(mut in_flight) = lock(&self.in_flight).take() else {
            return Err(Error::Internal("the run was abandoned while it ended".into()));
        };
        let outcome = match end {
            End::Over(over) => {
                if let Some(elsewhere) = &mut in_flight.elsewhere {
                    elsewhere.used = used(&over);
                }
                outcome(*over)
            }
            End::Failed(why) => return Err(Error::from_warm(&request.file, WarmError::Instantiate(why))),
            End::Lost(signal) => lost(signal, (ended - began).0),
        };
        Ok(self.learn(in_flight, outcome, ended))
    }

    /// The plan of a run that began, and the handle of its process.
    fn plan_begun(
        &self,
        request: &Request,
        considered: &mut Considered,
        begun: &Begun,
        planned: Option<(Plan, Option<Trial>)>,
    ) -> Result<(Plan, Option<Trial>, OwnedFd), Error> {
        let unheard = |error: &dyn std::fmt::Display| Error::Internal(format!("what stands warm: {error}"));
        let orders: Orders = serde_json::from_str(&begun.orders).map_err(|error| unheard(&error))?;
        let handle = begun.handle().map_err(|error| unheard(&error))?;
        let tier = orders.configuration.cpu().map(|cpu| cpu.tier);
        let fits = |plan: &Plan| plan.chosen.configuration.class() == orders.configuration.class();
        let (mut plan, trial) = match planned.filter(|(plan, _)| fits(plan)) {
            Some(planned) => planned,
            None => {
                let overrides = Overrides { tier, ..request.overrides };
                let fixed = Request { overrides, emulate: Emulate::Never, ..request.clone() };
                self.decide(considered, &fixed)?
            }
        };
        plan.chosen.configuration = orders.configuration;
        Ok((plan, trial, handle))
    }
}

impl Elsewhere {
    /// Ends the run; returns the CPU time of its process until then.
    pub(crate) fn end(&mut self) -> f64 {
        let cpu_seconds = measure::cpu_of(self.process).map_or(0.0, |cpu| cpu.0);
        let peak_memory = measure::peak_resident_of(&self.process.to_string()).unwrap_or(Bytes::ZERO);
        self.used = Used { cpu_seconds, peak_memory, run_delay_seconds: None };
        end(&self.handle);
        cpu_seconds
    }
}

fn change(configuration: &mut Configuration, change: impl Fn(&mut CpuSettings)) {
    for placement in &mut configuration.placements {
        if let Settings::Cpu(cpu) = &mut placement.settings {
            change(cpu);
        }
    }
}

/// What a stand is of, or would be.
fn wasm_program(request: &Request, stamp: FileStamp, orders: String) -> std::io::Result<WasmProgram> {
    let directories = request
        .directories
        .iter()
        .map(|given| Ok((std::fs::canonicalize(&given.host)?, given.guest.clone(), given.read_only)));
    Ok(WasmProgram {
        file: std::path::absolute(&request.file)?,
        stamp,
        environment: request.environment.clone(),
        directories: directories.collect::<std::io::Result<_>>()?,
        network: request.network,
        planning: planning(request),
        orders,
    })
}

fn errand(request: &Request) -> Errand {
    Errand {
        program: crate::program::name_of(&request.file),
        arguments: request.arguments.clone(),
        environment: request.environment.clone(),
        directories: request.directories.iter().map(|given| (given.guest.clone(), given.read_only)).collect(),
        invoke: request.invoke.clone(),
        network: request.network,
        max_memory: request.max_memory,
    }
}

/// A directory as it is handed over: by what it is, wherever its path leads by then.
fn directory(host: &Path) -> Option<OwnedFd> {
    open(host, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).ok()
}

/// What a file is, once it has not changed within the last tick of a clock; `None` where there is none, or it never rests.
pub(crate) fn settled(file: &Path) -> Option<FileStamp> {
    for _ in 0..3 {
        let found = std::fs::metadata(file).ok()?;
        let rested = found.modified().ok().and_then(|changed| changed.elapsed().ok());
        // A time that is still to come says nothing of how long ago it was.
        if rested.is_none_or(|rested| rested >= 2 * TICK) {
            return Some(stamp_of(&found));
        }
        std::thread::sleep(2 * TICK);
    }
    None
}

/// From asking to the first instruction.
fn handed_over(seconds: Seconds) -> StepTiming {
    StepTiming { step: Step::Spawn, wall_seconds: seconds.0.max(0.0), cpu_seconds: 0.0, bytes: Bytes::ZERO }
}

fn used(over: &Over) -> Used {
    Used {
        cpu_seconds: over.cpu_seconds,
        peak_memory: over.peak_memory_bytes,
        run_delay_seconds: over.run_delay_seconds,
    }
}

fn outcome(over: Over) -> Outcome {
    Outcome {
        exit: over.exit,
        run_seconds: over.run_seconds,
        run_cpu_seconds: over.run_cpu_seconds,
        peak_linear_memory_bytes: over.peak_linear_memory_bytes,
        repeated: None,
        results: over.results,
        persistence: Persistence::standing(),
    }
}

/// A run whose process a signal ended.
fn lost(signal: i32, run_seconds: f64) -> Outcome {
    let exit = Exit { cause: ExitCause::Signal, code: 128 + signal, signal: Some(signal), message: None };
    Outcome {
        exit,
        run_seconds,
        run_cpu_seconds: 0.0,
        peak_linear_memory_bytes: Bytes::ZERO,
        repeated: None,
        results: Vec::new(),
        persistence: Persistence::standing(),
    }
}
