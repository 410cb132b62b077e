//! The loop: considered, believed, probed, chosen, allocated, warmed, run, learned from.

use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::time::Duration;

use forewarm_executor::{Invocation, Outcome, Progress, Repeated, Stdio, WarmError};
use forewarm_planner::{Belief, ProbeKind, ProbeMode};
use forewarm_resources::inventory::HERE;
use forewarm_resources::{ResourceModel, run_model};
use forewarm_sandbox::process::{Around, Surroundings};
use forewarm_types::model::RunModel;
use forewarm_types::observation::StepTiming;
use forewarm_types::plan::Trial;
use forewarm_types::{
    Bytes, Counts, Estimate, Exit, ExitCause, IsaLevel, Observation, Plan, Repeat, SCHEMA, Seconds, Tier, Weights,
};

use crate::consider::Considered;
use crate::error::Error;
use crate::memory::lock;
use crate::process::rehearse::Rehearsed;
use crate::request::{Emulate, Request};
use crate::smaller::Grown;
use crate::{Emulation, Orchestrator, Report};

/// Candidates a plan lists unless all are asked for (the contract's number).
pub(crate) const LISTED: usize = 20;

/// The exit code of a run ended for want of memory (the contract's).
const MEMORY_CODE: i32 = 137;

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

/// What the process of a run used.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Used {
    pub cpu_seconds: f64,
    pub peak_memory: Bytes,
    pub run_delay_seconds: Option<f64>,
}

/// How a run went, whoever measured it: the executor to its end, or another thread that gave up on it.
pub(crate) struct Measured {
    pub exit: Exit,
    pub run_seconds: f64,
    pub run_cpu_seconds: f64,
    /// The greatest memory of the program's own.
    pub peak_memory: Bytes,
    /// The attempt before, which had too little memory.
    pub repeated: Option<Repeat>,
}

/// A choice, and what it rests on.
struct Decided {
    plan: Plan,
    trial: Option<Trial>,
    /// Of a WebAssembly program.
    belief: Option<Belief>,
    /// Of a process.
    rehearsals: Vec<Rehearsed>,
}

/// What was tried before a choice.
#[derive(Default)]
struct Probed {
    trial: Option<Trial>,
    grown: Option<Grown>,
    seconds: f64,
}

/// Times at which the stages of a run ended, on the monotonic clock.
#[derive(Clone, Copy)]
pub(crate) struct Marks {
    pub planned: Seconds,
    pub leased: Seconds,
}

impl Orchestrator {
    /// Plans a run without running it.
    ///
    /// # Errors
    /// As [`Self::analyze`], and where no candidate satisfies the hard constraints.
    pub fn plan(&self, request: &Request) -> Result<Plan, Error> {
        let mut considered = self.consider(request)?;
        self.decide_everywhere(&mut considered, request).map(|decided| decided.plan)
    }

    /// Runs a bounded trial and plans by it.
    ///
    /// # Errors
    /// As [`Self::plan`].
    pub fn emulate(&self, request: &Request) -> Result<Emulation, Error> {
        let mut considered = self.consider(request)?;
        let Decided { plan, trial, rehearsals, .. } = self.decide_everywhere(&mut considered, request)?;
        let models = models(&considered, trial.as_ref());
        Ok(Emulation { schema: SCHEMA, analysis: considered.analysis, trial, models, rehearsals, plan })
    }

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

    /// Belief, probes, choice. A plan given is taken as it stands.
    pub(crate) fn decide(
        &self,
        considered: &mut Considered,
        request: &Request,
    ) -> Result<(Plan, Option<Trial>), Error> {
        if let Some(plan) = &request.plan {
            return self.given(plan, considered).map(|plan| (plan, None));
        }
        let code = &considered.analysis.code;
        let standing = if code.kind.is_process() { Vec::new() } else { self.executor.standing(&code.digest) };
        self.decide_where(considered, request, &standing)
    }

    /// The same, with what the run would cost on other nodes listed too.
    fn decide_everywhere(&self, considered: &mut Considered, request: &Request) -> Result<Decided, Error> {
        if let Some(plan) = &request.plan {
            let plan = self.given(plan, considered)?;
            return Ok(Decided { plan, trial: None, belief: None, rehearsals: Vec::new() });
        }
        let code = &considered.analysis.code;
        let standing = if code.kind.is_process() { Vec::new() } else { self.executor.standing(&code.digest) };
        let mut decided = self.decide_believing(considered, request, &standing)?;
        let Decided { plan, trial, belief, .. } = &mut decided;
        let counts = trial.as_ref().and_then(|trial| trial.counts.as_ref());
        let inputs = self.inputs(considered, request, &standing);
        self.price_elsewhere(plan, (belief.as_ref(), counts), &inputs, request);
        Ok(decided)
    }

    /// The same where these artifacts stand, or are taken to.
    pub(crate) fn decide_where(
        &self,
        considered: &mut Considered,
        request: &Request,
        standing: &[(Tier, IsaLevel)],
    ) -> Result<(Plan, Option<Trial>), Error> {
        self.decide_believing(considered, request, standing).map(|decided| (decided.plan, decided.trial))
    }

    fn decide_believing(
        &self,
        considered: &mut Considered,
        request: &Request,
        standing: &[(Tier, IsaLevel)],
    ) -> Result<Decided, Error> {
        let started = self.clock.monotonic();
        let weights = request.weights.unwrap_or_else(|| forewarm_planner::weights(request.objective));
        let keep = if request.all_candidates { usize::MAX } else { LISTED };
        if considered.analysis.code.kind.is_process() {
            let (rehearsals, seconds) = self.rehearse(considered, request);
            let inputs = self.inputs(considered, request, &[]);
            let mut plan = forewarm_planner::plan_process(&inputs, request.objective, weights, keep)
                .map_err(|error| Error::infeasible(&request.file, &error))?;
            if !rehearsals.is_empty() {
                plan.assumptions.push(format!("run time and memory: from {} runs on sample inputs", rehearsals.len()));
            }
            plan.emulation_seconds = seconds;
            plan.plan_seconds = (self.clock.monotonic() - started).0 - seconds;
            return Ok(Decided { plan, trial: None, belief: None, rehearsals });
        }
        let mut belief = forewarm_planner::believe(&self.inputs(considered, request, standing));
        let probed = self.probe_for(&mut belief, considered, request, &weights);
        let candidates = forewarm_planner::candidates(&belief, &weights);
        let mut plan = forewarm_planner::choose(&belief, candidates, request.objective, weights, keep)
            .map_err(|error| Error::infeasible(&request.file, &error))?;
        if let Some(cpu) = plan.chosen.configuration.cpu() {
            considered.artifact_wait = forewarm_planner::artifact_wait(&belief, &weights, cpu.tier);
        }
        plan.assumptions.extend(probed.grown.map(|grown| grown.says()));
        plan.emulation_seconds = probed.seconds;
        plan.plan_seconds = (self.clock.monotonic() - started).0 - probed.seconds;
        Ok(Decided { plan, trial: probed.trial, belief: Some(belief), rehearsals: Vec::new() })
    }

    /// Trials, and runs on smaller inputs, as long as one is worth its price.
    fn probe_for(
        &self,
        belief: &mut Belief,
        considered: &mut Considered,
        request: &Request,
        weights: &Weights,
    ) -> Probed {
        let mut probed = Probed::default();
        let mut trials =
            forewarm_emulator::Trials::new(considered.resources.inventory.cores(), Arc::clone(&self.clock));
        while let Some(probe) = forewarm_planner::next_probe(belief, weights, mode(request.emulate)) {
            let (before, before_cpu) = (self.clock.monotonic(), self.clock.process_cpu());
            let told = match probe.kind {
                ProbeKind::Run => self.try_out(&mut trials, considered, request, &probe).map(|trial| {
                    belief.update(&trial);
                    probed.trial = Some(trial);
                }),
                ProbeKind::Smaller => {
                    let grown = self.grow(&mut trials, considered, request, &probe);
                    let (wall, cpu) = (self.clock.monotonic() - before, self.clock.process_cpu() - before_cpu);
                    match grown {
                        Some(grown) => {
                            belief.foresee(grown.operators, wall.0, cpu.0);
                            belief.resemble(&grown.largest, grown.reuse.as_ref());
                            if let Some(peak) = grown.peak_linear_memory_bytes {
                                belief.foresee_peak(peak);
                            }
                            probed.grown = Some(grown);
                        }
                        None => belief.not_foretold(wall.0, cpu.0),
                    }
                    Some(())
                }
                ProbeKind::Timed(tier) => {
                    self.time(&trials, considered, request, tier, &probe).map(|trial| belief.timed(&trial, tier))
                }
            };
            probed.seconds += (self.clock.monotonic() - before).0;
            if told.is_none() {
                break;
            }
        }
        probed
    }

    /// A trial that times the beginning of the run on a tier.
    fn time(
        &self,
        trials: &forewarm_emulator::Trials,
        considered: &mut Considered,
        request: &Request,
        tier: Tier,
        probe: &forewarm_planner::TrialProbe,
    ) -> Option<Trial> {
        let invocation = self.invocation(request, considered, Stdio::Detached);
        self.tried(trials.time(&mut considered.program, &invocation, tier, probe.limits))
    }

    fn tried(&self, trial: Result<Trial, forewarm_emulator::EmulateError>) -> Option<Trial> {
        trial.inspect_err(|error| self.memory.warn(format!("no trial was possible: {error}"))).ok()
    }

    fn given(&self, plan: &Plan, considered: &Considered) -> Result<Plan, Error> {
        let digest = considered.analysis.code.digest;
        let chosen = &plan.chosen.configuration;
        let process = considered.analysis.code.kind.is_process();
        let placed = if process { chosen.process().is_some() } else { chosen.cpu().is_some() };
        let node = chosen.placement().map_or(HERE, |placement| &placement.node);
        if node != HERE {
            return Err(Error::Usage {
                message: format!("the plan is for node {node}, which is not this machine"),
                hint: Some("run it there, or make a plan for this machine: forewarm plan FILE --format json".into()),
            });
        }
        if plan.code.digest == digest && placed {
            // What was tried when it was made took none of this run's time.
            return Ok(Plan { emulation_seconds: 0.0, ..plan.clone() });
        }
        Err(Error::Usage {
            message: format!("the plan is for {}, the program is {digest}", plan.code.digest),
            hint: Some("make a plan for this program: forewarm plan FILE --format json".into()),
        })
    }

    fn try_out(
        &self,
        trials: &mut forewarm_emulator::Trials,
        considered: &mut Considered,
        request: &Request,
        probe: &forewarm_planner::TrialProbe,
    ) -> Option<Trial> {
        let invocation = self.invocation(request, considered, Stdio::Detached);
        self.tried(trials.measure(&mut considered.program, &invocation, probe.limits))
    }

    pub(crate) fn believe(&self, considered: &Considered, request: &Request) -> Belief {
        let standing = self.executor.standing(&considered.analysis.code.digest);
        forewarm_planner::believe(&self.inputs(considered, request, &standing))
    }

    pub(crate) fn inputs<'a>(
        &self,
        considered: &'a Considered,
        request: &Request,
        standing: &'a [(Tier, IsaLevel)],
    ) -> forewarm_planner::Inputs<'a> {
        forewarm_planner::Inputs {
            analysis: &considered.analysis,
            resources: &considered.resources,
            corrections: &considered.corrections,
            features: &considered.features,
            standing,
            file_known: considered.known,
            load: self.executor.load(),
            absent: self.absent(considered),
            constraints: forewarm_planner::Constraints {
                deadline_seconds: request.timeout_seconds,
                max_memory: request.max_memory,
                available_memory: considered.resources.inventory.memory_bytes,
                tier: request.overrides.tier,
                threads: request.overrides.threads,
                levers: request.overrides.levers,
                persist: self.executor.artifacts().is_some(),
            },
            spent_seconds: (self.clock.monotonic() - considered.began.monotonic).0,
            smaller_inputs: crate::smaller::any(request),
        }
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

    /// What was measured, beside what had been predicted.
    fn observe(&self, in_flight: &InFlight, measured: &Measured, ended: Seconds) -> Observation {
        let InFlight { considered, plan, trial, marks, steps, progress, around, elsewhere, .. } = in_flight;
        // What a run shorter than a tick would be told is chance.
        let long = measured.run_seconds >= forewarm_sandbox::clock::tick().0;
        let around = if long { around.so_far() } else { Around::default() };
        let framed = self.framed(considered, plan, *marks, measured, ended);
        let used = elsewhere.as_ref().map(|elsewhere| elsewhere.used);
        let own_delay = || forewarm_sandbox::measure::run_delay().map(|delay| delay.0);
        Observation {
            cpu_seconds: framed.cpu_seconds + used.map_or(0.0, |used| used.cpu_seconds),
            peak_memory_bytes: used.map_or_else(forewarm_sandbox::measure::peak_resident, |used| used.peak_memory),
            run_delay_seconds: used.map_or_else(own_delay, |used| used.run_delay_seconds),
            throttled_seconds: around.throttled.map(|time| time.0),
            steal_seconds: around.steal.map(|time| time.0),
            first_instruction_seconds: progress.started().map(|(began, _)| (began - considered.began.monotonic).0),
            warm_state: elsewhere.as_ref().map(|elsewhere| elsewhere.rung.to_owned()),
            predicted_transition_seconds: match elsewhere {
                Some(elsewhere) => warm_start(&considered.resources, elsewhere.rung),
                None => framed.predicted_transition_seconds,
            },
            steps: steps.clone(),
            ops: trial.as_ref().filter(|trial| trial.complete).map(|trial| trial.ops),
            ..framed
        }
    }

    /// What an observation of any run says: its stages, its end, what had been predicted.
    pub(crate) fn framed(
        &self,
        considered: &Considered,
        plan: &Plan,
        marks: Marks,
        measured: &Measured,
        ended: Seconds,
    ) -> Observation {
        let wall = (ended - considered.began.monotonic).0;
        let planning = (marks.planned - considered.began.monotonic).0 - plan.emulation_seconds;
        let lost = measured.repeated.map_or(0.0, |repeat| repeat.lost_seconds);
        let wait = (marks.leased - marks.planned).0 + lost;
        Observation {
            digest: considered.analysis.code.digest,
            configuration_class: plan.chosen.configuration.class(),
            features: considered.features.clone(),
            started_unix_seconds: considered.began.unix.0,
            wall_seconds: wall,
            plan_seconds: planning,
            emulation_seconds: plan.emulation_seconds,
            wait_seconds: wait,
            transition_seconds: wall - planning - plan.emulation_seconds - wait - measured.run_seconds,
            run_seconds: measured.run_seconds,
            cpu_seconds: self.clock.process_cpu().0,
            run_cpu_seconds: measured.run_cpu_seconds,
            peak_memory_bytes: measured.peak_memory,
            peak_linear_memory_bytes: measured.peak_memory,
            exit: measured.exit.clone(),
            censored: measured.exit.censored(),
            measured_by: "rusage".into(),
            run_delay_seconds: None,
            throttled_seconds: None,
            steal_seconds: None,
            steps: Vec::new(),
            first_instruction_seconds: None,
            warm_state: None,
            ops: None,
            process: None,
            repeated: measured.repeated,
            denied: Vec::new(),
            predicted_transition_seconds: Some(plan.chosen.cost.transition_seconds),
            predicted_cpu_seconds: Some(plan.predicted_cpu_seconds),
            predicted_memory_bytes: Some(plan.chosen.cost.memory_bytes),
        }
    }

    /// Measures and records a run that is over.
    fn conclude(&self, in_flight: &mut InFlight, measured: &Measured, ended: Seconds) -> Observation {
        self.key(&mut in_flight.considered, &in_flight.request);
        let observation = self.observe(in_flight, measured, ended);
        self.record(&in_flight.considered, &in_flight.plan, &observation);
        observation
    }

    /// Records an attempt that had too little memory as a run that was cut short: all that it says are lower bounds. Its
    /// climb is told of by the second, which had it done for it.
    fn record_first(&self, in_flight: &mut InFlight, first: &Repeated, ended: Seconds) {
        let message = format!("{} bytes were set aside, {} wanted", first.set_aside.0, first.wanted.0);
        let measured = Measured {
            exit: Exit { cause: ExitCause::Memory, code: MEMORY_CODE, signal: None, message: Some(message) },
            run_seconds: first.run_seconds,
            run_cpu_seconds: first.run_cpu_seconds,
            peak_memory: first.wanted,
            repeated: None,
        };
        let began = in_flight.progress.started().map_or(ended, |(began, _)| began);
        let steps = std::mem::take(&mut in_flight.steps);
        self.conclude(in_flight, &measured, Seconds(began.0 + first.run_seconds));
        in_flight.steps = steps;
        // The file and its analysis are remembered by now.
        in_flight.considered.known = true;
    }

    pub(crate) fn learn(&self, mut in_flight: InFlight, outcome: Outcome, ended: Seconds) -> Report {
        if let Some(first) = &outcome.repeated {
            self.record_first(&mut in_flight, first, ended);
        }
        let measured = Measured {
            exit: outcome.exit,
            run_seconds: outcome.run_seconds,
            run_cpu_seconds: outcome.run_cpu_seconds,
            peak_memory: outcome.peak_linear_memory_bytes,
            repeated: outcome.repeated.as_ref().map(|first| Repeat {
                set_aside_bytes: first.set_aside,
                lost_seconds: first.lost_seconds,
                lost_cpu_seconds: first.run_cpu_seconds,
            }),
        };
        let observation = self.conclude(&mut in_flight, &measured, ended);
        let InFlight { request, mut considered, plan, .. } = in_flight;
        if let Some(stamp) = considered.program.stamp() {
            self.executor.remember_for_ahead(&stamp.to_string(), &observation.digest, &observation.steps);
        }
        if let Some(most) = considered.artifact_wait {
            outcome.persistence.wait(Duration::try_from_secs_f64(most).unwrap_or(Duration::ZERO));
        }
        if request.prepare {
            self.prepare_for_next(&mut considered, &request, &plan, &observation, outcome.persistence.outstanding());
        }
        let prediction = observation.score();
        Report { schema: SCHEMA, plan, observation, prediction, results: outcome.results, outcome: None }
    }
}

/// What starts from a rung took so far; `None` before the first.
pub(crate) fn warm_start(resources: &ResourceModel, rung: &str) -> Option<Estimate> {
    resources.transitions.warm_starts.get(rung).map(forewarm_resources::Figure::estimate)
}

/// What the model makes of a trial's counts on each tier; of those that the code itself tells where there was none. A program
/// that is a process of its own runs on no tier.
fn models(considered: &Considered, trial: Option<&Trial>) -> Vec<RunModel> {
    if considered.analysis.code.kind.is_process() {
        return Vec::new();
    }
    let foreseen = || {
        let classes = considered.analysis.profile.ops.classes.iter();
        let classes = classes.map(|(class, count)| (*class, count.expected.max(0.0) as u64)).collect();
        Counts { classes, ..Counts::default() }
    };
    let counts = trial.and_then(|trial| trial.counts.clone()).unwrap_or_else(foreseen);
    let ResourceModel { op_costs, hierarchy, .. } = &considered.resources;
    Tier::ALL.into_iter().filter_map(|tier| run_model::explain(op_costs, hierarchy, &counts, tier)).collect()
}

fn mode(emulate: Emulate) -> ProbeMode {
    match emulate {
        Emulate::Auto => ProbeMode::Auto,
        Emulate::Never => ProbeMode::Never,
        Emulate::Seconds(seconds) => ProbeMode::Seconds(seconds),
    }
}
