//! The second half of the loop for a process: from nothing or from what is warm, measured, recorded.

use std::path::Path;

use forewarm_executor::bootstrap::Called;
use forewarm_executor::process::{LaidOut, ProcessOutcome, Wanted};
use forewarm_holder::Rung;
use forewarm_sandbox::process::{Denied, Ended, SpawnError};
use forewarm_types::{
    Bytes, CodeKind, Configuration, ExitCause, Observation, Plan, ProcessSettings, ProcessUsage, SCHEMA, Seconds,
    Settings,
};

use super::bootstrap;
use crate::consider::Considered;
use crate::error::Error;
use crate::observe::{Measured, warm_start};
use crate::request::{Overrides, Request};
use crate::run::Marks;
use crate::warm::planning;
use crate::warm_native::Asked;
use crate::{Orchestrator, Report};

/// Where a run started from.
struct FromWarm {
    rung: Rung,
    /// When that was asked for, on the monotonic clock, where the run may have been planned while it went on already.
    asked_at: Option<Seconds>,
}

impl Orchestrator {
    /// The second half of the loop for a process: allocated, run, learned from.
    pub(crate) fn run_process(
        &self,
        request: &Request,
        mut considered: Considered,
        laid: Option<(LaidOut, Option<Asked>)>,
    ) -> Result<Report, Error> {
        let (laid, asked) = laid.unzip();
        let asked = asked.flatten();
        let begun_at = laid.as_ref().and_then(LaidOut::begun_at);
        let plan = self.decide_for(&mut considered, request, asked.as_ref(), begun_at.is_some())?;
        let reading = self.read_ahead(&considered, &plan);
        let laid = match laid {
            Some(laid) => laid,
            None => {
                let (program, confinement, call) = self.commanded(request, considered.analysis.code.kind)?;
                LaidOut::later(program, confinement).called(call)
            }
        };
        let planned = self.clock.monotonic();
        let failed = |error| Error::from_warm(&request.file, error);
        let lease = self.executor.allocate_process(&plan.chosen.configuration).map_err(failed)?;
        let lease = lease.setting_aside(set_aside(&plan, request));
        let mut marks = Marks { planned, leased: self.clock.monotonic() };
        let mut from = None;
        let warm = |wanted: &Wanted<'_>| {
            let (over, warm) = self.run_from_warm(request, (&considered, &plan), wanted, asked)?;
            from = Some(warm);
            Some(over)
        };
        let meanwhile = || self.memory.expect_write();
        let mut outcome = lease.run(laid, warm, meanwhile).map_err(|error| refused(&request.file, &error))?;
        let ended = self.clock.monotonic();
        if let Some(asked_at) = from.as_ref().map_or(begun_at, |from| from.asked_at) {
            let earlier = |mark: Seconds| Seconds(mark.0.min(asked_at.0));
            marks = Marks { planned: earlier(marks.planned), leased: earlier(marks.leased) };
            outcome.step.wall_seconds = outcome.ended.began.map_or(0.0, |began| (began - asked_at).0.max(0.0));
        }
        self.key(&mut considered, request);
        let mut observation = self.observe_process(&considered, &plan, &outcome, (marks, ended), request);
        if let Some(FromWarm { rung, .. }) = from {
            // What was not imported or initialised in it was not measured in it: such runs are no measure of cold ones.
            if rung != Rung::Spawned {
                observation.configuration_class = format!("{}/{}", observation.configuration_class, rung.name());
            }
            observation.warm_state = Some(rung.name().to_owned());
            observation.predicted_transition_seconds = warm_start(&considered.resources, rung.name());
        }
        observation.steps.extend(self.read(&considered, reading));
        self.record(&considered, &plan, &observation);
        if request.prepare {
            let note = self.notes_pages(request, &considered, &plan, &observation);
            self.maintain_for_next(&considered, &plan, note.then_some(&request.python));
        }
        let prediction = observation.score();
        let outcome = outcome.called.map(|called| called.outcome);
        Ok(Report { schema: SCHEMA, plan, observation, prediction, results: Vec::new(), outcome })
    }

    /// The plan of a run that may have begun: it is then of the configuration that stood for it, or of one that says nothing.
    fn decide_for(
        &self,
        considered: &mut Considered,
        request: &Request,
        asked: Option<&Asked>,
        begun: bool,
    ) -> Result<Plan, Error> {
        if let Some(Asked::Begun(underway)) = asked {
            let configuration = underway.configuration()?;
            let threads = configuration.process().and_then(|settings| settings.library_threads);
            let overrides = Overrides { threads, ..request.overrides };
            let (mut plan, _) = self.decide(considered, &Request { overrides, ..request.clone() })?;
            plan.chosen.configuration = configuration;
            return Ok(plan);
        }
        let (mut plan, _) = self.decide(considered, request)?;
        if considered.analysis.code.kind == CodeKind::Elf
            && Self::begins_unplanned(request)
            && considered.known
            // Nothing is kept where nothing may be written.
            && self.memory.write(|_| Ok(())).is_some()
            && let Some(stamp) = considered.program.stamp()
        {
            self.executor.note_plain(&stamp.to_string(), &planning(request), &plan.chosen.configuration);
        }
        if begun {
            plan.chosen.configuration = plain(plan.chosen.configuration);
        }
        Ok(plan)
    }

    /// Runs a program from what is warm of it; `None` where it is to start from nothing. It may have been `asked` for already.
    fn run_from_warm(
        &self,
        request: &Request,
        (considered, plan): (&Considered, &Plan),
        wanted: &Wanted<'_>,
        asked: Option<Asked>,
    ) -> Option<((Ended, Option<Called>), FromWarm)> {
        let asked = match asked {
            // What has begun goes on, whatever was planned meanwhile; the plan's share holds it from here on.
            Some(Asked::Begun(underway)) => {
                underway.each_process(|process| wanted.admit(process));
                Asked::Begun(underway)
            }
            // What stands is bound to no cores of its own.
            _ if plan.chosen.configuration.process().is_some_and(|settings| settings.pinned) => return None,
            _ if considered.analysis.code.kind != CodeKind::Elf => {
                let (ended, rung) = self.run_warm(request, considered, wanted)?;
                return Some(((ended, None), FromWarm { rung, asked_at: None }));
            }
            Some(Asked::Nothing) => Asked::Nothing,
            None => self.ask_native(request, wanted),
        };
        let Asked::Begun(underway) = asked else { return None };
        let from = FromWarm { rung: underway.rung(), asked_at: Some(underway.asked_at) };
        Some((self.finish_native(underway, wanted)?, from))
    }

    fn observe_process(
        &self,
        considered: &Considered,
        plan: &Plan,
        outcome: &ProcessOutcome,
        (marks, ended): (Marks, Seconds),
        request: &Request,
    ) -> Observation {
        let measured = &outcome.ended;
        let usage = &measured.usage;
        // What a program does before it asks for its event is no part of what the event takes.
        let asked = outcome.called.as_ref().and_then(|called| called.asked);
        let initialised = asked.map(|asked| bootstrap::initialisation(&asked, measured.began, measured.wall));
        let before = initialised.as_ref().map_or((0.0, 0.0), |step| (step.wall_seconds, step.cpu_seconds));
        let run = Measured {
            exit: outcome.exit.clone(),
            run_seconds: measured.wall.0 - before.0,
            run_cpu_seconds: (usage.cpu().0 - before.1).max(0.0),
            peak_memory: measured.peak_memory,
            repeated: None,
        };
        let framed = self.framed(considered, plan, marks, &run, ended);
        Observation {
            cpu_seconds: framed.cpu_seconds + usage.cpu().0,
            measured_by: measured.tier.name().to_owned(),
            run_delay_seconds: measured.run_delay.map(|delay| delay.0),
            throttled_seconds: measured.throttled.map(|time| time.0),
            steal_seconds: measured.steal.map(|time| time.0),
            steps: std::iter::once(outcome.step.clone()).chain(initialised).collect(),
            first_instruction_seconds: measured.began.map(|began| (began - considered.began.monotonic).0),
            process: Some(ProcessUsage {
                user_seconds: usage.user.0,
                system_seconds: usage.system.0,
                minor_faults: usage.minor_faults,
                major_faults: usage.major_faults,
                voluntary_switches: usage.voluntary_switches,
                involuntary_switches: usage.involuntary_switches,
                read_bytes: measured.disk[0],
                written_bytes: measured.disk[1],
                oom_kills: measured.oom_kills,
                instructions: measured.instructions,
                outgrew_seconds: measured.outgrew.map(|after| after.0),
                pinned_by: outcome.pinned_by,
            }),
            denied: denied(outcome, request),
            ..framed
        }
    }
}

/// The memory to set aside for a run: where its plan knows how likely it needs more, or was given to be followed.
fn set_aside(plan: &Plan, request: &Request) -> Option<Bytes> {
    let placement = plan.chosen.configuration.placement()?;
    let decided = plan.chosen.cost.retry.is_some() || request.plan.is_some();
    decided.then_some(placement.memory_bytes).filter(|bytes| bytes.0 > 0)
}

/// The configuration of a run that began without being told anything. Its files can be read ahead all the same.
fn plain(mut configuration: Configuration) -> Configuration {
    for placement in &mut configuration.placements {
        if let Settings::Process(settings) = &mut placement.settings {
            *settings = ProcessSettings { read_ahead: settings.read_ahead, ..ProcessSettings::default() };
            placement.share = 1.0;
        }
    }
    configuration
}

/// The flags that would have allowed what a failed program was denied.
fn denied(outcome: &ProcessOutcome, request: &Request) -> Vec<String> {
    let flag = |denied: &Denied| match denied {
        Denied::Network => "--net",
        Denied::Processes => "--max-processes",
        Denied::Scratch => "--max-memory",
    };
    let failed = outcome.exit.cause != ExitCause::Exited || outcome.exit.code != 0;
    let flags = outcome.ended.denied.iter().filter(|_| failed).map(flag);
    flags.filter(|flag| !(request.network && *flag == "--net")).map(str::to_owned).collect()
}

/// An error of the sandbox with the file it concerns.
fn refused(file: &Path, error: &SpawnError) -> Error {
    let file = file.to_owned();
    match error {
        SpawnError::ZeroByte(_) => Error::Usage { message: error.to_string(), hint: None },
        SpawnError::Execute(cause) if cause.kind() == std::io::ErrorKind::PermissionDenied => {
            Error::Invalid { file, cause: cause.to_string(), hint: Some("make it executable: chmod +x".into()) }
        }
        SpawnError::Execute(cause) => Error::Invalid {
            file,
            cause: cause.to_string(),
            hint: Some("check that it is built for this machine, and that its dynamic linker is installed".into()),
        },
        SpawnError::System { .. } | SpawnError::Wait(_) => Error::Sandbox { file, cause: error.to_string() },
    }
}
