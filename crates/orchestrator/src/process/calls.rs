//! A Python handler called with one smaller event after the other in one interpreter, each call timed: starting an interpreter for
//! each would take most of a short time. What the calls take is extrapolated as counts are; the start comes on top.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsFd;

use forewarm_emulator::growth::{Growth, Sample, asymptotic};
use forewarm_sandbox::process::spawn_on;
use forewarm_types::{Basis, Bytes, CodeKind, Estimate, Features};
use rustix::pipe::{PipeFlags, pipe_with};
use serde::Deserialize;

use super::is_handled;
use super::rehearse::{Bounded, Rehearsed, Sizes, WAITING, sized, sizes_of};
use crate::Orchestrator;
use crate::features::features;
use crate::request::Request;

/// What the runner is given for an event where it is to call the handler with each line of its standard input.
const EACH_LINE: &str = "+";

/// Calls of which times tell how they grow, and CPU seconds of the longest, at the least: what is shorter is the call itself.
const FEWEST_CALLS: usize = 4;
const LEAST_SECONDS: f64 = 0.001;

/// Deviation of the logarithm by which what a call takes strays from how it grew, for each e-fold beyond the longest, and that of
/// one time. As for WebAssembly programs (`forewarm_resources::defaults`).
const STRAYING: f64 = forewarm_resources::defaults::TREND_CHANGE_LOG_DEVIATION;
const NOISE: f64 = forewarm_resources::defaults::TIMING_LOG_DEVIATION;

/// The 95th percentile of the standard normal distribution.
const Z95: f64 = 1.644_853_626_951_472_2;

/// What the runner tells of a call.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Answer {
    /// CPU seconds of the process before it.
    before: f64,
    cpu_seconds: f64,
    peak_bytes: u64,
}

/// Whether a request is of a handler with an event, whose numbers can be made smaller.
pub(super) fn fits(request: &Request, kind: CodeKind) -> bool {
    kind == CodeKind::Python && request.samples.is_empty() && request.event.is_some() && is_handled(request)
}

impl Orchestrator {
    /// Calls the handler with smaller events for so many seconds of CPU time, its start included. What ran, and CPU seconds of the run
    /// that was asked for where they tell.
    pub(super) fn call_towards(
        &self,
        request: &Request,
        kind: CodeKind,
        most: f64,
    ) -> (Vec<Rehearsed>, Option<Estimate>) {
        let called = self.called(request, kind, most).unwrap_or_else(|why| {
            self.memory.warn(format!("no call with a smaller event was possible: {why}"));
            Vec::new()
        });
        let [first, ..] = called.as_slice() else { return (Vec::new(), None) };
        let start = first.1.before;
        let Some((_, Sizes::Event(event))) = Sizes::of(request) else { return (Vec::new(), None) };
        let salt = self.memory.recall(forewarm_store::Store::salt).unwrap_or_default();
        let known = features(request, &salt);
        let times: Vec<Sample> = called
            .iter()
            .map(|(values, answer)| Sample {
                features: values.iter().map(|value| *value as f64).collect(),
                count: answer.cpu_seconds.max(f64::MIN_POSITIVE),
            })
            .collect();
        let law = extrapolated(&times, &sizes_of(&event), start);
        let run = |(values, answer): &(Vec<u64>, Answer)| Rehearsed {
            sample: sized(&event, values).to_string(),
            features: Features { numbers: values.iter().map(|value| *value as f64).collect(), ..known.clone() },
            wall_seconds: start + answer.cpu_seconds,
            cpu_seconds: start + answer.cpu_seconds,
            peak_memory_bytes: Bytes(answer.peak_bytes),
            exit_code: Some(0),
        };
        // Without a law they say no more than one start.
        if law.is_some() { (called.iter().map(run).collect(), law) } else { (Vec::new(), None) }
    }

    /// Sizes and what the calls with them took, as far as they ended. What fails says nothing.
    fn called(&self, request: &Request, kind: CodeKind, most: f64) -> Result<Vec<(Vec<u64>, Answer)>, String> {
        let Some((mut climb, Sizes::Event(event))) = Sizes::of(request) else { return Ok(Vec::new()) };
        let lines = Request { event: Some(EACH_LINE.into()), ..request.clone() };
        let bounded = Bounded { wall: most * WAITING, cpu: Some(most) };
        let (program, confinement) = self.confined(&lines, kind, bounded)?;
        let words = |error: &dyn std::fmt::Display| error.to_string();
        let (theirs, events) = pipe_with(PipeFlags::CLOEXEC).map_err(|error| words(&error))?;
        let (answers, told) = pipe_with(PipeFlags::CLOEXEC).map_err(|error| words(&error))?;
        let nowhere = File::options().write(true).open("/dev/null").map_err(|error| words(&error))?;
        let child = spawn_on(&program, &confinement, [theirs.as_fd(), told.as_fd(), nowhere.as_fd()]);
        let child = child.map_err(|error| words(&error))?;
        drop((theirs, told));
        let (mut events, mut answers) = (File::from(events), BufReader::new(File::from(answers)));
        std::thread::scope(|scope| {
            // It holds the process to its limits.
            let ending = scope.spawn(|| child.wait());
            let (mut called, mut left) = (Vec::new(), most);
            while let Some(values) = climb.next(left) {
                let mut line = String::new();
                let asked = events.write_all(format!("{}\n", sized(&event, &values)).as_bytes());
                if asked.is_err() || answers.read_line(&mut line).map_or(0, |length| length) == 0 {
                    break;
                }
                let Ok(answer) = serde_json::from_str::<Answer>(&line) else { break };
                left = most - answer.before - answer.cpu_seconds;
                climb.cost(answer.cpu_seconds.max(f64::MIN_POSITIVE));
                called.push((values, answer));
            }
            drop(events);
            ending.join().map_err(|_| "its supervisor failed".to_owned())?.map_err(|error| words(&error))?;
            Ok(called)
        })
    }
}

/// CPU seconds of a run of this size, its start included, by what calls with smaller ones took.
fn extrapolated(times: &[Sample], target: &[f64], start: f64) -> Option<Estimate> {
    let longest = times.iter().map(|sample| sample.count).fold(0.0, f64::max);
    if times.len() < FEWEST_CALLS || longest < LEAST_SECONDS {
        return None;
    }
    let call = Growth::fit_times(asymptotic(times))?.predict(target)?;
    let drift = Z95 * NOISE.hypot(STRAYING * (call.expected / longest).max(1.0).ln());
    let [low, high] = [call.low, call.high].map(|end| (end / call.expected).ln().hypot(drift));
    let end = |factor: f64| start + call.expected * factor;
    Some(Estimate::new(end((-low).exp()), end(1.0), end(high.exp()), Basis::Emulated))
}
