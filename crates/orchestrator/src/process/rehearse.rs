//! Runs of native and Python programs on sample inputs before the run that was asked for: confined, without a network, a
//! directory to write to or anybody's streams, measured and shown to the learner beside the past.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;

use forewarm_emulator::growth::{Climb, FEWEST_RUNS, Size, resized, sizes};
use forewarm_sandbox::process::{Cause, Confinement, Program as Command, spawn_on};
use forewarm_types::{Basis, Bytes, CodeKind, Estimate, Features, PastRun, Seconds};
use serde::{Deserialize, Serialize};

use super::{bootstrap, calls};
use crate::Orchestrator;
use crate::consider::Considered;
use crate::features::features;
use crate::request::{Emulate, Request};
use crate::samples;

/// How long all samples together are run where no time is given: the longest wait that leaves a user's flow of thought
/// unbroken (Nielsen, "Usability Engineering", 1993, chapter 5).
const REHEARSAL_SECONDS: f64 = 1.0;

/// Wall seconds that a run may take for each of CPU time: what waits for others is no measure of itself.
pub(super) const WAITING: f64 = 4.0;

/// By which factor a run outlasts the shortest, at the least, where more than starting is seen of it.
const GROWN: f64 = 2.0;

/// Runs of which that is so, at the least.
const FEWEST_GROWN: usize = 2;

/// Largest event that smaller ones are made of: more than most have.
const MOST_EVENT: u64 = 64 << 10;

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
    /// Runs the samples of a process, or smaller inputs derived from its own where a time for that is given, as far as that goes;
    /// takes what they tell into the considered past. What was run, and the seconds it took.
    pub(crate) fn rehearse(&self, considered: &mut Considered, request: &Request) -> (Vec<Rehearsed>, f64) {
        let kind = considered.analysis.code.kind;
        let began = self.clock.monotonic();
        let mut law = None;
        let rehearsed = match request.emulate {
            Emulate::Never => Vec::new(),
            Emulate::Auto if request.samples.is_empty() => Vec::new(),
            Emulate::Auto => self.rehearse_samples(request, kind, REHEARSAL_SECONDS),
            Emulate::Seconds(seconds) if calls::fits(request, kind) => {
                let called = self.call_towards(request, kind, seconds);
                law = called.law;
                called.runs
            }
            Emulate::Seconds(seconds) if request.samples.is_empty() => self.climb_towards(request, kind, seconds),
            Emulate::Seconds(seconds) => self.rehearse_samples(request, kind, seconds),
        };
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
                corrections.process_cpu_seconds = law.or(corrections.process_cpu_seconds);
            }
            if request.samples.is_empty() {
                corrections.process_cpu_seconds =
                    corrections.process_cpu_seconds.map(|foretold| outlasting(foretold, &rehearsed));
            }
            considered.corrections = corrections;
        }
        (rehearsed, (self.clock.monotonic() - began).0)
    }

    /// Runs the samples that were given, one after the other, for so many seconds.
    fn rehearse_samples(&self, request: &Request, kind: CodeKind, most: f64) -> Vec<Rehearsed> {
        samples::unusable(request).into_iter().for_each(|why| self.memory.warn(why));
        let began = self.clock.monotonic();
        let mut rehearsed = Vec::new();
        for sample in samples::requests(request) {
            let left = most - (self.clock.monotonic() - began).0;
            if left <= 0.0 {
                break;
            }
            match self.rehearse_one(&sample, kind, Bounded { wall: left, cpu: None }) {
                Ok(run) => rehearsed.push(run),
                Err(why) => self.memory.warn(format!("no run on a sample was possible: {why}")),
            }
        }
        rehearsed
    }

    /// Runs the program on sizes that rise from next to nothing, for so many seconds of CPU time together. What fails says nothing.
    fn climb_towards(&self, request: &Request, kind: CodeKind, most: f64) -> Vec<Rehearsed> {
        let Some((mut climb, sizes)) = Sizes::of(request) else { return Vec::new() };
        let (mut rehearsed, mut left) = (Vec::new(), most);
        while let Some(values) = climb.next(left) {
            let bounds = Bounded { wall: left * WAITING, cpu: Some(left) };
            let made = sizes.with(request, &values).and_then(|sized| self.rehearse_one(&sized.request, kind, bounds));
            let Ok(run) = made else { break };
            let cut = run.exit_code.is_none();
            let ended = run.exit_code == Some(0);
            left -= run.cpu_seconds;
            climb.cost(run.cpu_seconds);
            // What was cut short has taken at least so much.
            rehearsed.extend((ended || cut).then_some(run));
            if !ended {
                break;
            }
        }
        // Starts say nothing of what comes after them, nor does a single size beyond them of how it grows from one to the next.
        let whole = rehearsed.iter().filter(|run| run.exit_code.is_some()).count();
        let seconds = || rehearsed.iter().map(|run| run.cpu_seconds);
        let start = seconds().fold(f64::INFINITY, f64::min);
        let grew = seconds().filter(|seconds| *seconds > GROWN * start).count();
        if whole >= FEWEST_RUNS && grew >= FEWEST_GROWN { rehearsed } else { Vec::new() }
    }

    /// The program of a request, and what confines it: no network, nothing to write to, so much time.
    pub(super) fn confined(
        &self,
        request: &Request,
        kind: CodeKind,
        bounded: Bounded,
    ) -> Result<(Command, Confinement), String> {
        let request = Request { directories: Vec::new(), network: false, ..request.clone() };
        let program = self.command(&request, kind).map_err(|error| error.to_string())?;
        let mut confinement = super::confinement(&request, &program, false).map_err(|error| error.to_string())?;
        confinement.bounds.wall = Some(Seconds(bounded.wall));
        confinement.bounds.cpu = bounded.cpu.map(Seconds).or(confinement.bounds.cpu);
        Ok((program, confinement))
    }

    fn rehearse_one(&self, sample: &Request, kind: CodeKind, bounded: Bounded) -> Result<Rehearsed, String> {
        if bootstrap::is_called(sample, kind) {
            return Err("programs that are served events are not rehearsed".into());
        }
        let words = |error: &dyn std::fmt::Display| error.to_string();
        let (program, confinement) = self.confined(sample, kind, bounded)?;
        let nowhere = File::options().read(true).write(true).open("/dev/null").map_err(|error| words(&error))?;
        let streams = [nowhere.as_fd(), nowhere.as_fd(), nowhere.as_fd()];
        let child = spawn_on(&program, &confinement, streams).map_err(|error| words(&error))?;
        let ended = child.wait().map_err(|error| words(&error))?;
        let salt = self.memory.recall(forewarm_store::Store::salt).unwrap_or_default();
        Ok(Rehearsed {
            sample: named(sample),
            features: features(sample, &salt),
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

/// Seconds that one run may take.
#[derive(Clone, Copy)]
pub(super) struct Bounded {
    pub wall: f64,
    pub cpu: Option<f64>,
}

/// Numbers of a request that could be sizes: in its arguments, or where it has an event, in that.
pub(super) enum Sizes {
    Arguments(Vec<Size>),
    Event(serde_json::Value),
}

/// A request of another size, with the file that its event is in.
struct Sized {
    request: Request,
    _event: Option<tempfile::NamedTempFile>,
}

impl Sizes {
    /// With where a climb to them begins; `None` where there are none, or too many.
    pub fn of(request: &Request) -> Option<(Climb, Self)> {
        let Some(path) = request.event.as_deref() else {
            let sizes = sizes(&request.arguments);
            let values: Vec<u64> = sizes.iter().map(|size| size.value).collect();
            return Climb::below(&values).map(|climb| (climb, Self::Arguments(sizes)));
        };
        // The standard input is the run's own.
        std::fs::metadata(path).ok().filter(|found| found.is_file() && found.len() <= MOST_EVENT)?;
        let mut event: serde_json::Value = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
        let mut values = Vec::new();
        each_size(&mut event, &mut |number| values.extend(number.as_u64()));
        Climb::below(&values).map(|climb| (climb, Self::Event(event)))
    }

    fn with(&self, request: &Request, values: &[u64]) -> Result<Sized, String> {
        match self {
            Self::Arguments(sizes) => {
                let arguments = resized(&request.arguments, sizes, values).arguments;
                Ok(Sized { request: Request { arguments, ..request.clone() }, _event: None })
            }
            Self::Event(event) => {
                let event = sized(event, values);
                let mut file = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
                serde_json::to_writer(&mut file, &event).map_err(|error| error.to_string())?;
                let request = Request { event: Some(file.path().to_owned()), ..request.clone() };
                Ok(Sized { request, _event: Some(file) })
            }
        }
    }
}

/// An event with other sizes in their places.
pub(super) fn sized(event: &serde_json::Value, values: &[u64]) -> serde_json::Value {
    let (mut event, mut values) = (event.clone(), values.iter());
    each_size(&mut event, &mut |number| {
        if let Some(value) = values.next() {
            *number = (*value).into();
        }
    });
    event
}

/// Every number of an event that could be a size.
pub(super) fn sizes_of(event: &serde_json::Value) -> Vec<f64> {
    let mut sizes = Vec::new();
    each_size(&mut event.clone(), &mut |number| sizes.extend(number.as_f64()));
    sizes
}

/// Visits every number of a document that could be a size, in the order of their names.
fn each_size(value: &mut serde_json::Value, visit: &mut impl FnMut(&mut serde_json::Number)) {
    use serde_json::Value;
    match value {
        Value::Number(number) if number.as_u64().is_some_and(Size::fits) => visit(number),
        Value::Array(values) => values.iter_mut().for_each(|value| each_size(value, visit)),
        Value::Object(fields) => fields.values_mut().for_each(|value| each_size(value, visit)),
        _ => {}
    }
}

/// What is foretold of a run, and at least what smaller ones took. One that was cut short would have lasted for `t` with the
/// chance `b / t` (Harchol-Balter, UCB/CSD-94-826, 1994): in the median twice its bound, and twenty times as long in one case of twenty.
fn outlasting(foretold: Estimate, smaller: &[Rehearsed]) -> Estimate {
    smaller.iter().fold(foretold, |foretold, run| {
        let least = run.cpu_seconds;
        let [middle, most] = if run.exit_code.is_none() { [2.0 * least, 20.0 * least] } else { [least; 2] };
        Estimate {
            low: foretold.low.max(least),
            expected: foretold.expected.max(middle),
            high: foretold.high.max(most),
            ..foretold
        }
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_larger_size_takes_no_less_than_a_smaller_one() {
        let run = |cpu_seconds, exit_code| Rehearsed {
            sample: String::new(),
            features: Features::default(),
            wall_seconds: cpu_seconds,
            cpu_seconds,
            peak_memory_bytes: Bytes::ZERO,
            exit_code,
        };
        let foretold = Estimate::new(0.001, 0.01, 0.1, Basis::Emulated);
        let whole = outlasting(foretold, &[run(0.002, Some(0)), run(0.05, Some(0))]);
        assert_eq!((whole.low, whole.expected, whole.high), (0.05, 0.05, 0.1));
        let cut = outlasting(foretold, &[run(0.002, Some(0)), run(0.2, None)]);
        assert_eq!((cut.low, cut.expected, cut.high), (0.2, 0.4, 4.0));
    }
}
