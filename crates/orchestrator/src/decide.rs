//! The first half of the loop: what is believed of a run, what is tried beforehand, what is chosen.
//!
//! Considering (`consider.rs`) has gathered all that is known; what is chosen is carried out in `run.rs` and `process.rs`.

use std::sync::Arc;

use forewarm_emulator::timing::Timer;
use forewarm_executor::Stdio;
use forewarm_planner::{Belief, ProbeKind, ProbeMode};
use forewarm_resources::inventory::HERE;
use forewarm_resources::{ResourceModel, run_model};
use forewarm_types::model::RunModel;
use forewarm_types::plan::Trial;
use forewarm_types::{Counts, IsaLevel, Plan, SCHEMA, Tier};

use crate::consider::Considered;
use crate::error::Error;
use crate::process::rehearse::Rehearsed;
use crate::request::{Emulate, Request};
use crate::smaller::Grown;
use crate::timings::Risen;
use crate::{Emulation, Orchestrator};

/// Candidates a plan lists unless all are asked for (the contract's number).
pub(crate) const LISTED: usize = 20;

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
pub(crate) struct Probed {
    trial: Option<Trial>,
    /// What smaller inputs counted.
    pub grown: Option<Grown>,
    /// What they took, where they were not counted.
    pub risen: Option<Risen>,
    seconds: f64,
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
        let keep = if request.all_candidates { usize::MAX } else { LISTED };
        if considered.analysis.code.kind.is_process() {
            let (rehearsals, seconds) = self.rehearse(considered, request);
            let inputs = self.inputs(considered, request, &[]);
            let mut plan = forewarm_planner::plan_process(&inputs, request.objective, request.weights, keep)
                .map_err(|error| Error::infeasible(&request.file, &error))?;
            if !rehearsals.is_empty() {
                plan.assumptions.push(format!("run time and memory: from {} runs on sample inputs", rehearsals.len()));
            }
            plan.emulation_seconds = seconds;
            plan.plan_seconds = (self.clock.monotonic() - started).0 - seconds;
            return Ok(Decided { plan, trial: None, belief: None, rehearsals });
        }
        let mut belief = forewarm_planner::believe(&self.inputs(considered, request, standing));
        let probed = self.probe_for(&mut belief, considered, request);
        let weights = request.weights_for(&belief);
        let candidates = forewarm_planner::candidates(&belief, &weights);
        let mut plan = forewarm_planner::choose(&belief, candidates, request.objective, weights, keep)
            .map_err(|error| Error::infeasible(&request.file, &error))?;
        if let Some(cpu) = plan.chosen.configuration.cpu() {
            considered.artifact_wait = forewarm_planner::artifact_wait(&belief, &weights, cpu.tier);
        }
        let counted = probed.trial.as_ref().is_some_and(|trial| trial.complete);
        plan.assumptions.extend(probed.grown.filter(|_| !counted).map(|grown| grown.says()));
        plan.emulation_seconds = probed.seconds;
        plan.plan_seconds = (self.clock.monotonic() - started).0 - probed.seconds;
        Ok(Decided { plan, trial: probed.trial, belief: Some(belief), rehearsals: Vec::new() })
    }

    /// Trials, and runs on smaller inputs, as long as one is worth its price.
    fn probe_for(&self, belief: &mut Belief, considered: &mut Considered, request: &Request) -> Probed {
        let mut probed = Probed::default();
        if request.emulate != Emulate::Never {
            crate::samples::unusable(request).into_iter().for_each(|why| self.memory.warn(why));
        }
        // More threads compile sooner, and never with less CPU time.
        let budgeted = matches!(request.emulate, Emulate::Seconds(_));
        let threads = if budgeted { 1 } else { considered.resources.inventory.cores() };
        let mut trials = forewarm_emulator::Trials::new(threads, Arc::clone(&self.clock));
        let command = self.timing_command.clone();
        let alone = considered.resources.metering.unshared_ratio.as_ref().map(|figure| figure.value);
        let mut timer =
            command.map(|command| Timer::new(command, considered.program.path().to_owned(), threads, alone));
        let next =
            |belief: &Belief| forewarm_planner::next_probe(belief, &request.weights_for(belief), mode(request.emulate));
        while let Some(probe) = next(belief) {
            let (before, before_cpu) = (self.clock.monotonic(), self.clock.process_cpu());
            if !probe.windows {
                trials.leave_windows_out();
            }
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
                            belief.execute(grown.executed);
                            if let Some(peak) = grown.peak_linear_memory_bytes() {
                                belief.foresee_peak(peak);
                            }
                            belief.resemble(&grown.largest, grown.reuse_at(grown.operators.expected).as_ref());
                            probed.grown = Some(grown);
                        }
                        None => belief.not_foretold(wall.0, cpu.0),
                    }
                    Some(())
                }
                ProbeKind::Timed(tier) => timer.as_mut().map(|timer| {
                    self.time(timer, (considered, request), &mut probed, (tier, &probe), belief);
                }),
            };
            probed.seconds += (self.clock.monotonic() - before).0;
            if told.is_none() {
                break;
            }
        }
        probed
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
            timing: self.timing_command.is_some(),
        }
    }
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
