//! What is measured of a run, as an observation beside what had been predicted.
//!
//! What is made of observations is in `learn.rs`.

use forewarm_executor::Repeated;
use forewarm_resources::ResourceModel;
use forewarm_sandbox::process::Around;
use forewarm_types::{Bytes, Estimate, Exit, ExitCause, Observation, Plan, Repeat, Seconds};

use crate::Orchestrator;
use crate::consider::Considered;
use crate::run::{InFlight, Marks};

/// The exit code of a run ended for want of memory (the contract's).
const MEMORY_CODE: i32 = 137;

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

impl Orchestrator {
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
    pub(crate) fn conclude(&self, in_flight: &mut InFlight, measured: &Measured, ended: Seconds) -> Observation {
        self.key(&mut in_flight.considered, &in_flight.request);
        let observation = self.observe(in_flight, measured, ended);
        self.record(&in_flight.considered, &in_flight.plan, &observation);
        observation
    }

    /// Records an attempt that had too little memory as a run that was cut short: all that it says are lower bounds. Its
    /// climb is told of by the second, which had it done for it.
    pub(crate) fn record_first(&self, in_flight: &mut InFlight, first: &Repeated, ended: Seconds) {
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
}

/// What starts from a rung took so far; `None` before the first.
pub(crate) fn warm_start(resources: &ResourceModel, rung: &str) -> Option<Estimate> {
    resources.transitions.warm_starts.get(rung).map(forewarm_resources::Figure::estimate)
}
