//! Processes: a native program or an interpreter, confined and measured by the sandbox.
//!
//! What a plan chose (threads, share, cores) is put into the program's environment and place; what it may touch is the
//! caller's word. Nothing is chosen here.

use std::sync::Arc;

use forewarm_sandbox::cgroup;
use forewarm_sandbox::process::{Cause, Child, Confinement, Ended, Place, Program, SpawnError, prepare_place};
use forewarm_types::host::Clock;
use forewarm_types::{
    Bytes, Configuration, Exit, ExitCause, Load, Pinning, Pressure, ProcessSettings, Seconds, Step, StepTiming,
};

use crate::bootstrap::{self, Call, Called, Serving};
use crate::cores::Cores;
use crate::error::WarmError;
use crate::lease::{Executor, Held, no_placement, unbound};
use crate::levers;
use crate::stopwatch::Stopwatch;

/// A place for a process, held.
pub struct ProcessLease {
    settings: ProcessSettings,
    set_aside: Option<Bytes>,
    clock: Arc<dyn Clock>,
    held: Held,
}

/// A program with its place, laid out or still to be.
#[derive(Debug)]
pub struct LaidOut {
    /// What is executed.
    pub program: Program,
    /// What it may touch and use.
    pub confinement: Confinement,
    stage: Stage,
    call: Option<Call>,
}

/// How far a program has come before its run is planned.
#[derive(Debug)]
enum Stage {
    Unlaid,
    /// Its place is being laid out.
    Laid(Box<Place>),
    /// It has begun, at this time on the monotonic clock.
    Begun(Box<Child>, Seconds),
}

impl LaidOut {
    /// A program whose place is laid out when it runs.
    #[must_use]
    pub fn later(program: Program, confinement: Confinement) -> Self {
        Self { program, confinement, stage: Stage::Unlaid, call: None }
    }

    /// The same of a program that is to be served an event.
    #[must_use]
    pub fn called(self, call: Option<Call>) -> Self {
        Self { call, ..self }
    }

    /// Begins to lay the place out, which goes on beside whatever the caller does until the run. What refuses will refuse
    /// again, and be told of, then.
    #[must_use]
    pub fn begin(program: Program, confinement: Confinement) -> Self {
        let place = prepare_place(&program.executable, &program.directory, &confinement);
        Self {
            program,
            confinement,
            stage: place.map_or(Stage::Unlaid, |place| Stage::Laid(Box::new(place))),
            call: None,
        }
    }

    /// Has the program executed as soon as its place is laid out, for a run whose plan has nothing to say of that. What is
    /// refused has not begun, and will be refused again, and told of, when it runs.
    #[must_use]
    pub fn begin_now(self, now: Seconds) -> Self {
        let stage = match self.stage {
            Stage::Laid(place) => {
                place.start(&self.program.start()).map_or(Stage::Unlaid, |child| Stage::Begun(Box::new(child), now))
            }
            stage => stage,
        };
        Self { stage, ..self }
    }

    /// When the program was let go, on the monotonic clock; `None` where its run is still to begin.
    #[must_use]
    pub fn begun_at(&self) -> Option<Seconds> {
        match self.stage {
            Stage::Begun(_, at) => Some(at),
            Stage::Unlaid | Stage::Laid(_) => None,
        }
    }
}

/// A run that something warm is asked for.
pub struct Wanted<'a> {
    /// What would be executed.
    pub program: &'a Program,
    /// What it may touch and use.
    pub confinement: &'a Confinement,
    /// The event it is for, where it is for one.
    pub call: Option<&'a Call>,
    /// What its plan holds it to; `None` where it is asked for before it is planned.
    held: Option<&'a Held>,
}

impl<'a> Wanted<'a> {
    /// A run that is asked for before it is planned.
    #[must_use]
    pub fn unplanned(program: &'a Program, confinement: &'a Confinement) -> Self {
        Self { program, confinement, call: None, held: None }
    }

    /// Whether the program has been told what its plan says.
    #[must_use]
    pub fn is_planned(&self) -> bool {
        self.held.is_some()
    }

    /// Holds a process, and what it starts from then on, to what the plan says.
    pub fn admit(&self, process: i32) {
        self.held.iter().for_each(|held| held.admit(process));
    }
}

/// What is left of a place, and what held it, in the order they are let go of.
type Remains = (Option<Child>, Held);

/// How a process went.
pub struct ProcessOutcome {
    /// How it ended.
    pub exit: Exit,
    /// What the sandbox measured.
    pub ended: Ended,
    /// The start, timed.
    pub step: StepTiming,
    /// What kept it to its cores, where it was kept to some.
    pub pinned_by: Option<Pinning>,
    /// How the event went that it was run for.
    pub called: Option<Called>,
    /// What is still held, and ends with this: first what is left of the place, then what held it.
    _remains: Remains,
}

impl Executor {
    /// Holds the place a configuration describes for a process.
    ///
    /// # Errors
    /// [`WarmError::Allocate`] where the machine cannot give it, or the configuration is not a process'.
    pub fn allocate_process(&self, configuration: &Configuration) -> Result<ProcessLease, WarmError> {
        let settings = configuration.process().ok_or_else(no_placement)?;
        let units = configuration.placement().map_or(1, |placement| placement.units);
        let mut held = self.hold(configuration, Load::of(f64::from(units), Pressure::default()))?;
        held.cores = settings.pinned.then(|| Cores::keep(units)).transpose().map_err(|error| unbound(&error))?;
        Ok(ProcessLease { settings, set_aside: None, clock: Arc::clone(&self.clock), held })
    }
}

impl ProcessLease {
    /// The same with so much memory set aside for the program, which it is held to as long as it needs no more.
    #[must_use]
    pub fn setting_aside(self, memory: Option<Bytes>) -> Self {
        Self { set_aside: memory, ..self }
    }

    /// The program with what its libraries are told.
    #[must_use]
    pub fn told(&self, mut program: Program) -> Program {
        let variables = levers::variables(&self.settings, &program.environment);
        program.environment.extend(variables);
        program
    }

    /// Starts the program and waits for its end; by `warm` where that runs it, else in its place, where what is to be done
    /// `meanwhile` is done beside it.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub fn run(
        self,
        mut laid: LaidOut,
        warm: impl FnOnce(&Wanted<'_>) -> Option<(Ended, Option<Called>)>,
        meanwhile: impl FnOnce(),
    ) -> Result<ProcessOutcome, SpawnError> {
        let clock = Arc::clone(&self.clock);
        let watch = Stopwatch::start(&*clock);
        let began_cpu = clock.process_cpu();
        laid.program = self.told(laid.program);
        let LaidOut { program, confinement, call, .. } = &laid;
        let wanted = Wanted { program, confinement, call: call.as_ref(), held: Some(&self.held) };
        let warmed = if laid.begun_at().is_some() { None } else { warm(&wanted) };
        let (ended, called, remains) = match warmed {
            Some((ended, called)) => (ended, called, (None, self.held)),
            None => self.run_in_place(laid, meanwhile)?,
        };
        let pinned_by = remains.1.cores.as_ref().map(Cores::pinning);
        let (whole, _) = watch.elapsed();
        // What is not the program's own time is the start (and, within microseconds, the end).
        let step = StepTiming {
            step: Step::Spawn,
            wall_seconds: (whole - ended.wall.0).max(0.0),
            cpu_seconds: (clock.process_cpu() - began_cpu).0,
            bytes: Bytes::ZERO,
        };
        let exit = match &called {
            Some(called) => bootstrap::exit(&called.outcome, ended.cause, exit),
            None => exit(ended.cause),
        };
        Ok(ProcessOutcome { exit, ended, step, pinned_by, called, _remains: remains })
    }

    /// Runs the program from nothing; what was held comes back, so that the caller lets go of it.
    fn run_in_place(
        mut self,
        laid: LaidOut,
        meanwhile: impl FnOnce(),
    ) -> Result<(Ended, Option<Called>, Remains), SpawnError> {
        let LaidOut { program, confinement, stage, call } = laid;
        let mut child = match stage {
            Stage::Begun(child, _) => {
                self.held.admit_all(&child);
                *child
            }
            stage => {
                let place = match stage {
                    // A place laid out before this one's cores were held is not bound to them, unless a group takes it.
                    Stage::Laid(place) if self.held.cores.as_ref().is_none_or(Cores::takes_what_stands) => *place,
                    _ => prepare_place(&program.executable, &program.directory, &confinement)?,
                };
                self.held.admit_all(place.child());
                place.start(&program.start())?
            }
        };
        if let Some(memory) = self.set_aside {
            child.set_aside(memory);
        }
        let serving = call.map(|call| Serving::start(call, &child, Arc::clone(&self.clock))).transpose()?;
        let mut left = 0;
        let ended = child.finish_beside(|| {
            meanwhile();
            left = cgroup::sweep();
        });
        if left > 0 {
            // What was killed just before this start has gone by now, or will in milliseconds.
            cgroup::sweep_all();
        }
        let called = serving.map(Serving::finish);
        Ok((ended?, called, (Some(child), self.held)))
    }
}

/// `SIGHUP`, `SIGINT`, `SIGQUIT` and `SIGTERM`: signal(7).
const INTERRUPTIONS: [i32; 4] = [1, 2, 3, 15];

fn exit(cause: Cause) -> Exit {
    let kind = match cause {
        Cause::Exited(_) => ExitCause::Exited,
        // What a person or a service manager sends to end a program: it would have gone on.
        Cause::Signalled(signal) if INTERRUPTIONS.contains(&signal) => ExitCause::Interrupted,
        Cause::Signalled(_) => ExitCause::Signal,
        Cause::Wall => ExitCause::Timeout,
        Cause::Cpu => ExitCause::CpuTime,
        Cause::Memory => ExitCause::Memory,
        Cause::FileSize => ExitCause::FileSize,
    };
    Exit { cause: kind, code: cause.code(), signal: cause.signal(), message: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_told_from_signals() {
        assert_eq!((exit(Cause::Wall).cause, exit(Cause::Wall).code), (ExitCause::Timeout, 124));
        assert_eq!((exit(Cause::Signalled(11)).cause, exit(Cause::Signalled(11)).code), (ExitCause::Signal, 139));
        assert_eq!(exit(Cause::Signalled(2)).cause, ExitCause::Interrupted);
        assert!(exit(Cause::Memory).censored() && !exit(Cause::Exited(1)).censored());
    }
}
