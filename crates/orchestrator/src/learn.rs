//! The last part of the loop: the run is recorded, the models refined, and the next run's artifact prepared.

use std::process::{Command, Stdio};
use std::time::Duration;

use forewarm_executor::{ArtifactCache, Outcome};
use forewarm_resources::ResourceModel;
use forewarm_store::{Found, Record};
use forewarm_types::plan::Preparation;
use forewarm_types::{Configuration, Observation, PastRun, Plan, Repeat, SCHEMA, Seconds};

use crate::consider::Considered;
use crate::error::Error;
use crate::observe::Measured;
use crate::program::Program;
use crate::python::PythonOptions;
use crate::request::Request;
use crate::run::InFlight;
use crate::{ANALYZER_VERSION, Orchestrator, Report};

impl Orchestrator {
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

    /// Records a run, what was learned of its file, and the models it refined. A failure costs a warning.
    pub(crate) fn record(&self, considered: &Considered, plan: &Plan, observation: &Observation) {
        // Of processes the model learns how they start from what is warm, and from each code's first run what such programs are
        // like: later ones speak for their own code alone.
        let known_process = considered.analysis.code.kind.is_process() && !considered.past.is_empty();
        let teaches = !known_process || observation.warm_state.is_some();
        let refine = |stored: Option<String>| teaches.then(|| self.refined(stored, considered, observation)).flatten();
        let chosen = serde_json::to_string(&plan.chosen).ok();
        let record = Record { observation, file_name: considered.program.file_name(), plan_json: chosen.as_deref() };
        let analysis = if considered.known { None } else { serde_json::to_string(&considered.analysis).ok() };
        let found = analysis.as_deref().map(|analysis| Found {
            stamp: considered.program.stamp(),
            analyzer_version: ANALYZER_VERSION,
            analysis,
        });
        self.memory.write(|store| store.record_found(&record, found.as_ref(), refine));
    }

    /// Remembers what was found of a file that was not run, so that its first run need not look again.
    pub(crate) fn remember(&self, considered: &Considered) {
        let (false, Ok(text)) = (considered.known, serde_json::to_string(&considered.analysis)) else { return };
        let digest = considered.analysis.code.digest;
        self.memory.write(|store| store.remember_analysis(&digest, ANALYZER_VERSION, &text));
        if let Some(stamp) = considered.program.stamp() {
            self.memory.write(|store| store.remember_file(stamp, &digest));
        }
    }

    /// The stored model (or the one this run went by, where none is stored) refined by an observation.
    fn refined(&self, stored: Option<String>, considered: &Considered, observation: &Observation) -> Option<String> {
        // Where nobody else has learned anything meanwhile, what this run went by is what is stored.
        let news = stored.filter(|text| considered.model.as_ref() != Some(text));
        let mut model = match news.and_then(|text| serde_json::from_str::<ResourceModel>(&text).ok()) {
            Some(stored) => forewarm_resources::merge(considered.resources.clone(), &stored),
            None => considered.resources.clone(),
        };
        forewarm_learner::refine(&mut model, observation, &considered.analysis);
        if considered.past.is_empty() {
            forewarm_learner::meet(&mut model, observation, &considered.analysis);
        }
        serde_json::to_string(&forewarm_resources::without_defaults(model)).ok()
    }

    /// Where an artifact is worth preparing for the runs to come, the one wanted was not written in time, or the database
    /// wants upkeep, starts a process of low priority that sees to it and outlives this one.
    pub(crate) fn prepare_for_next(
        &self,
        considered: &mut Considered,
        request: &Request,
        plan: &Plan,
        observation: &Observation,
        outstanding: bool,
    ) {
        if self.prepare_command.is_none() {
            return;
        }
        let wanted = self.preparation(considered, request, plan, observation).map(|wanted| wanted.configuration);
        let wanted = wanted.or_else(|| outstanding.then(|| plan.chosen.configuration.clone()));
        // What a run just before this one asked for may still be in the making.
        let digest = considered.analysis.code.digest;
        let making = |artifacts: &ArtifactCache| artifacts.being_prepared(&digest);
        match wanted {
            Some(wanted) if !self.executor.artifacts().is_some_and(making) => {
                self.detach(considered.program.path(), &wanted, None);
            }
            _ => self.maintain_for_next(considered, plan, None),
        }
    }

    /// Starts the detached step where the database wants upkeep, or a process' files are to be noted (by its interpreter,
    /// where it has one), after a run that leaves no artifact to be prepared.
    pub(crate) fn maintain_for_next(&self, considered: &Considered, plan: &Plan, note: Option<&PythonOptions>) {
        if note.is_some() || self.memory.recall(|store| Ok(store.wants_maintenance())) == Some(true) {
            self.detach(considered.program.path(), &plan.chosen.configuration, note);
        }
    }

    fn detach(&self, file: &std::path::Path, configuration: &Configuration, note: Option<&PythonOptions>) {
        let Some(command) = &self.prepare_command else { return };
        let Ok(configuration) = serde_json::to_string(configuration) else { return };
        let mut command = Command::new(command);
        command.arg("prepare").arg("--configuration").arg(configuration);
        if let Some(options) = note {
            command.arg("--pages");
            if let Some(python) = &options.python {
                command.arg("--python").arg(python);
            }
        }
        let started =
            command.arg("--").arg(file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        if let Err(error) = started {
            self.memory.warn(format!("the next run's artifact is not being prepared: {error}"));
        }
    }

    /// The artifact worth preparing: the plan's word, where past runs bore it out and this one did too, for the user waits;
    /// else that of another plan, with what the run taught.
    fn preparation(
        &self,
        considered: &mut Considered,
        request: &Request,
        plan: &Plan,
        observation: &Observation,
    ) -> Option<Preparation> {
        if !considered.past.is_empty() && observation.score().inside_interval == Some(true) {
            return plan.prepare.clone();
        }
        considered.past.insert(0, PastRun::from(observation));
        considered.reuse.runs += 1;
        considered.reuse.code_runs += 1;
        considered.corrections =
            forewarm_learner::corrections(&considered.past, &considered.features, &considered.reuse);
        forewarm_planner::preparation(&self.believe(considered, request), &plan.weights)
    }

    /// Sees to the database where it wants upkeep: the first half of the detached step.
    ///
    /// It holds the lock that the record of every run needs, so it must not be done by a process that has given way to all
    /// others: on a busy machine that one would keep the lock from them.
    pub fn maintain(&self) {
        self.memory.write(|store| if store.wants_maintenance() { store.maintain() } else { Ok(()) });
    }

    /// Makes the artifact a plan's [`forewarm_types::plan::Preparation`] asks for, unless it stands: the second half of the
    /// detached step.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn prepare(&self, file: &std::path::Path, configuration: &Configuration) -> Result<(), Error> {
        if configuration.process().is_some() {
            return Ok(());
        }
        let mut program = Program::open(file, self.clock.unix())?;
        self.identify(&mut program)?;
        let lease = self.executor.allocate_idle(configuration);
        lease.and_then(|lease| lease.prepare(&mut program)).map_err(|error| Error::from_warm(file, error))?;
        Ok(())
    }
}
