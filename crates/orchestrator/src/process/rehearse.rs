//! Runs of native and Python programs on sample inputs before the run that was asked for: confined, without a network, a
//! directory to write to or anybody's streams, measured and shown to the learner beside the past.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;

use forewarm_sandbox::process::{Cause, spawn_on};
use forewarm_types::{Basis, Bytes, CodeKind, Features, PastRun, Seconds};
use serde::{Deserialize, Serialize};

use super::bootstrap;
use crate::Orchestrator;
use crate::consider::Considered;
use crate::features::features;
use crate::request::{Emulate, Request};
use crate::samples;

/// How long all samples together are run where no time is given: the longest wait that leaves a user's flow of thought
/// unbroken (Nielsen, "Usability Engineering", 1993, chapter 5).
const REHEARSAL_SECONDS: f64 = 1.0;

/// A run on a sample input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rehearsed {
    /// The event's or file's name, or the arguments.
    pub sample: String,
    /// What is known of its input.
    pub features: Features,
    /// Wall time.
    pub wall_seconds: f64,
    /// CPU time of all its processes.
    pub cpu_seconds: f64,
    /// Peak memory.
    pub peak_memory_bytes: Bytes,
    /// Its exit code; `None` where a signal or the end of the time ended it.
    pub exit_code: Option<i32>,
}

impl Orchestrator {
    /// Runs the samples of a process, as far as there is time, and takes what they tell into the considered past; what was run,
    /// and the seconds it took.
    pub(crate) fn rehearse(&self, considered: &mut Considered, request: &Request) -> (Vec<Rehearsed>, f64) {
        let kind = considered.analysis.code.kind;
        let most = match request.emulate {
            _ if request.samples.is_empty() => return (Vec::new(), 0.0),
            Emulate::Never => return (Vec::new(), 0.0),
            Emulate::Auto => REHEARSAL_SECONDS,
            Emulate::Seconds(seconds) => seconds,
        };
        let began = self.clock.monotonic();
        let took = || (self.clock.monotonic() - began).0;
        let mut rehearsed = Vec::new();
        for sample in samples::requests(request) {
            let left = most - took();
            if left <= 0.0 {
                break;
            }
            match self.rehearse_one(&sample, kind, left) {
                Ok(run) => rehearsed.push(run),
                Err(why) => self.memory.warn(format!("no run on a sample was possible: {why}")),
            }
        }
        if !rehearsed.is_empty() {
            // What ended by itself says what such inputs take; what was ended, at least so much.
            considered.past.extend(rehearsed.iter().map(past));
            let Considered { past, features, reuse, .. } = &*considered;
            let mut corrections = forewarm_learner::corrections(past, features, reuse);
            if past.len() == rehearsed.len() {
                // Nothing but samples was ever run.
                for foretold in [&mut corrections.process_cpu_seconds, &mut corrections.peak_linear_memory_bytes] {
                    *foretold = foretold.map(|estimate| estimate.with_basis(Basis::Emulated));
                }
            }
            considered.corrections = corrections;
        }
        (rehearsed, took())
    }

    fn rehearse_one(&self, sample: &Request, kind: CodeKind, seconds: f64) -> Result<Rehearsed, String> {
        if bootstrap::is_called(sample, kind) {
            return Err("programs that are served events are not rehearsed".into());
        }
        let words = |error: &dyn std::fmt::Display| error.to_string();
        let sample = Request { directories: Vec::new(), network: false, ..sample.clone() };
        let program = self.command(&sample, kind).map_err(|error| words(&error))?;
        let mut confinement = super::confinement(&sample, &program, false).map_err(|error| words(&error))?;
        confinement.bounds.wall = Some(Seconds(seconds));
        let nowhere = File::options().read(true).write(true).open("/dev/null").map_err(|error| words(&error))?;
        let streams = [nowhere.as_fd(), nowhere.as_fd(), nowhere.as_fd()];
        let child = spawn_on(&program, &confinement, streams).map_err(|error| words(&error))?;
        let ended = child.wait().map_err(|error| words(&error))?;
        let salt = self.memory.recall(forewarm_store::Store::salt).unwrap_or_default();
        Ok(Rehearsed {
            sample: named(&sample),
            features: features(&sample, &salt),
            wall_seconds: ended.wall.0,
            cpu_seconds: ended.usage.cpu().0,
            peak_memory_bytes: ended.peak_memory,
            exit_code: match ended.cause {
                Cause::Exited(code) => Some(code),
                _ => None,
            },
        })
    }
}

fn named(sample: &Request) -> String {
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    sample.event.as_deref().and_then(name).unwrap_or_else(|| sample.arguments.join(" "))
}

fn past(run: &Rehearsed) -> PastRun {
    PastRun {
        configuration_class: forewarm_types::configuration::PROCESS_CLASS.to_owned(),
        features: run.features.clone(),
        run_cpu_seconds: run.cpu_seconds,
        peak_linear_memory_bytes: run.peak_memory_bytes,
        ops: None,
        censored: run.exit_code.is_none(),
    }
}
