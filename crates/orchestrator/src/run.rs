//! The loop of a program that runs in this process: considered, decided on (`decide.rs`), allocated, warmed, run, and
//! learned from (`observe.rs`, `learn.rs`). That of a process is in `process.rs`.

use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::time::Duration;

use forewarm_executor::{Invocation, Progress, Stdio, WarmError};
use forewarm_sandbox::process::Surroundings;
use forewarm_types::observation::StepTiming;
use forewarm_types::plan::Trial;
use forewarm_types::{Exit, ExitCause, Plan, SCHEMA, Seconds};

use crate::consider::Considered;
use crate::error::Error;
use crate::memory::lock;
use crate::observe::{Measured, Used};
use crate::request::Request;
use crate::{Orchestrator, Report};

/// Between two looks whether a run that is given up on can be told of: planning takes about as long.
const SOON: Duration = Duration::from_millis(1);

/// A run in progress, as far as another thread needs it to give up on it.
pub(crate) struct InFlight {
    pub request: Request,
    pub considered: Considered,
    pub plan: Plan,
    pub trial: Option<Trial>,
    pub progress: Arc<Progress>,
    pub marks: Marks,
    pub steps: Vec<StepTiming>,
    /// What the machine does around it.
    pub around: Surroundings,
    /// Where another process runs it.
    pub elsewhere: Option<Elsewhere>,
}

/// A run in a process that stood ready.
pub(crate) struct Elsewhere {
    /// Key of the rung it started from.
    pub rung: &'static str,
    /// The number of its process.
    pub process: i32,
    /// By which it can be ended.
    pub handle: std::os::fd::OwnedFd,
    /// CPU time and peak memory of its process, and what it waited for a core, once it is over.
    pub used: Used,
}

/// Times at which the stages of a run ended, on the monotonic clock.
#[derive(Clone, Copy)]
pub(crate) struct Marks {
    pub planned: Seconds,
    pub leased: Seconds,
}

impl Orchestrator {
    /// The whole loop. The observation is recorded before this returns. Runs of one orchestrator take turns.
    ///
    /// # Errors
    /// As [`Self::plan`], and where the program cannot be warmed. A program that fails is no error: see
    /// [`Observation::exit`].
    pub fn run(&self, request: &Request) -> Result<Report, Error> {
        self.run_telling(request, &|| {})
    }

    /// The same; where a WebAssembly program ran, `over` is called when it has ended, before anything is learned from it.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn run_telling(&self, request: &Request, over: &dyn Fn()) -> Result<Report, Error> {
        let _turn = lock(&self.turn);
        // A process' place is laid out beside the planning.
        let laid = self.lay_out(request)?;
        // What stands ready begins beside the planning, unless there are bounds that only a plan can hold against it.
        let bounded = request.max_memory.is_some() || request.timeout_seconds.is_some();
        let asked = if bounded || laid.is_some() { None } else { self.ask_stand(request) };
        // A run whose client fails ends with its connection.
        let considered = self
            .consider_to_run(request, laid.is_none() && asked.is_none())
            .inspect_err(|_| self.asked.store(false, Release));
        let mut considered = considered?;
        if considered.analysis.code.kind.is_process() {
            return self.run_process(request, considered, laid);
        }
        if let Some(begun) = self.begun(asked)? {
            return self.run_begun(request, considered, begun, None, over);
        }
        if bounded && self.stands_ready() {
            let (plan, trial) = self.decide(&mut considered, request)?;
            if let Some(begun) = self.begun(self.ask_stand(request))? {
                return self.run_begun(request, considered, begun, Some((plan, trial)), over);
            }
        }
        self.run_here(request, considered, over)
    }

    /// Does what would otherwise keep the next run's program or its end waiting. Called beside that run, by another thread.
    pub fn get_ready(&self) {
        let around = Surroundings::of_time();
        *lock(&self.around) = Some(around);
        self.memory.expect_write();
    }

    /// What the machine does around a run that is about to begin.
    pub(crate) fn around_next(&self) -> Surroundings {
        lock(&self.around).take().unwrap_or_else(Surroundings::of_time)
    }

    /// The second half of the loop for a program that runs in this process.
    fn run_here(&self, request: &Request, mut considered: Considered, over: &dyn Fn()) -> Result<Report, Error> {
        let invocation = self.invocation(request, &considered, Stdio::Inherit);
        let (plan, trial, marks, ready) = loop {
            let (plan, trial) = self.decide(&mut considered, request)?;
            let planned = self.clock.monotonic();
            let lease = self.executor.allocate_for(&plan.chosen.configuration, plan.chosen.cost.pressure);
            let leased = self.clock.monotonic();
            let lease = lease.map(|lease| {
                lease.going_on_from(considered.ahead.take()).awaiting_artifact(considered.artifact_wait.is_some())
            });
            match lease.and_then(|lease| lease.warm(&mut considered.program, &invocation)) {
                Ok(ready) => break (plan, trial, Marks { planned, leased }, ready),
                Err(WarmError::Unsupported { tier, cause }) if considered.learn_unsupported(request, tier, &cause) => {}
                Err(error) => return Err(Error::from_warm(&request.file, error)),
            }
        };
        let steps = ready.steps().to_vec();
        let progress = Arc::clone(&invocation.progress);
        *lock(&self.in_flight) = {
            let (request, around) = (request.clone(), self.around_next());
            Some(InFlight { request, considered, plan, trial, progress, marks, steps, around, elsewhere: None })
        };
        let outcome = ready.run();
        let ended = self.clock.monotonic();
        over();
        let Some(in_flight) = lock(&self.in_flight).take() else {
            return Err(Error::Internal("the run was abandoned while it ended".into()));
        };
        Ok(self.learn(in_flight, outcome, ended))
    }

    /// Gives up on the run in progress, from another thread: records it as censored and reports it, with the exit code
    /// the process should end with. `None` where no run is in progress (nothing to record).
    pub fn abandon(&self, cause: ExitCause, signal: Option<i32>) -> Option<Report> {
        // What runs in another process already is planned for meanwhile, and can be told of soon.
        while self.asked.load(Acquire) {
            std::thread::sleep(SOON);
        }
        let mut in_flight = lock(&self.in_flight).take()?;
        let code = match (cause, signal) {
            (ExitCause::Timeout, _) => 124,
            (_, Some(signal)) => 128 + signal,
            _ => 125,
        };
        let elsewhere = in_flight.elsewhere.as_mut().map(Elsewhere::end);
        let ended = self.clock.monotonic();
        let (began, began_cpu) = in_flight.progress.started().unwrap_or((ended, self.clock.process_cpu()));
        let measured = Measured {
            exit: Exit { cause, code, signal, message: None },
            run_seconds: (ended - began).0,
            run_cpu_seconds: elsewhere.unwrap_or_else(|| (self.clock.process_cpu() - began_cpu).0),
            peak_memory: in_flight.progress.peak_linear_memory(),
            repeated: None,
        };
        let observation = self.conclude(&mut in_flight, &measured, ended);
        let prediction = observation.score();
        Some(Report {
            schema: SCHEMA,
            plan: in_flight.plan,
            observation,
            prediction,
            results: Vec::new(),
            outcome: None,
        })
    }

    pub(crate) fn invocation(&self, request: &Request, considered: &Considered, stdio: Stdio) -> Invocation {
        Invocation {
            program: considered.program.file_name().to_owned(),
            arguments: request.arguments.clone(),
            environment: request.environment.clone(),
            directories: request.directories.clone(),
            stdio,
            invoke: request.invoke.clone(),
            network: request.network && stdio == Stdio::Inherit,
            max_memory: request.max_memory,
            progress: Arc::new(Progress::default()),
        }
    }
}
