//! A Python handler called with one smaller event after the other in one interpreter, each call timed: starting an interpreter for
//! each would take most of a short time. What the calls take is extrapolated as counts are; the start comes on top.
//!
//! Whatever comes back is a guest's word: it is read within bounds, and believed only of the guest itself.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::AsFd;

use forewarm_emulator::growth::{Climb, Growth, Sample, asymptotic};
use forewarm_resources::defaults::{TIMING_LOG_DEVIATION, TREND_CHANGE_LOG_DEVIATION};
use forewarm_sandbox::process::spawn_on;
use forewarm_types::estimate::Z95;
use forewarm_types::{Basis, Bytes, CodeKind, Estimate, Features};
use rustix::pipe::{PipeFlags, pipe_with};
use serde::Deserialize;

use super::rehearse::{Bounded, Rehearsed, Sizes, WAITING, sized, sizes_of};
use super::{CALLED, is_handled};
use crate::Orchestrator;
use crate::features::features;
use crate::request::Request;

/// Given to the interpreter in place of [`CALLED`]: calls the handler with each line of its standard input.
const REHEARSED: &str = concat!(include_str!("runner.py"), "\nrehearse()\n");

/// Bytes of an answer, at the most: three numbers with their names.
const MOST_ANSWER: u64 = 1 << 10;

/// Calls of which times tell how they grow, and CPU seconds of the longest, at the least: what is shorter is the call itself.
const FEWEST_CALLS: usize = 4;
const LEAST_SECONDS: f64 = 0.001;

/// What the runner tells of a call.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
struct Answer {
    /// CPU seconds of the process, and of those it has waited for, before it.
    before: f64,
    cpu_seconds: f64,
    peak_bytes: u64,
}

/// A call that ended, and the sizes in its event.
struct Called {
    sizes: Vec<u64>,
    answer: Answer,
}

/// What calls with smaller events told.
#[derive(Default)]
pub(super) struct Calls {
    /// As runs of the program; none where they do not tell how they grow, and say no more than one start.
    pub runs: Vec<Rehearsed>,
    /// CPU seconds of the run that was asked for.
    pub law: Option<Estimate>,
}

/// Whether a request is of a handler with an event, whose numbers can be made smaller.
pub(super) fn fits(request: &Request, kind: CodeKind) -> bool {
    kind == CodeKind::Python && request.samples.is_empty() && request.event.is_some() && is_handled(request)
}

impl Orchestrator {
    /// Calls the handler with smaller events for so many seconds of CPU time, its start included.
    pub(super) fn call_towards(&self, request: &Request, kind: CodeKind, most: f64) -> Calls {
        let Some((climb, Sizes::Event(event))) = Sizes::of(request) else { return Calls::default() };
        let called = self.called(request, kind, most, (climb, &event)).unwrap_or_else(|why| {
            self.memory.warn(format!("no call with a smaller event was possible: {why}"));
            Vec::new()
        });
        let Some(start) = called.first().map(|first| first.answer.before) else { return Calls::default() };
        let numbers = |called: &Called| called.sizes.iter().map(|size| *size as f64).collect::<Vec<f64>>();
        let time = |called: &Called| Sample {
            features: numbers(called),
            count: called.answer.cpu_seconds.max(f64::MIN_POSITIVE),
        };
        let times: Vec<Sample> = called.iter().map(time).collect();
        let Some(law) = extrapolated(&times, &sizes_of(&event), start) else { return Calls::default() };
        let salt = self.memory.recall(forewarm_store::Store::salt).unwrap_or_default();
        let known = features(request, &salt);
        let run = |called: &Called| Rehearsed {
            sample: sized(&event, &called.sizes).to_string(),
            features: Features { numbers: numbers(called), ..known.clone() },
            wall_seconds: start + called.answer.cpu_seconds,
            cpu_seconds: start + called.answer.cpu_seconds,
            peak_memory_bytes: Bytes(called.answer.peak_bytes),
            exit_code: Some(0),
        };
        Calls { runs: called.iter().map(run).collect(), law: Some(law) }
    }

    /// The calls that ended. One that fails ends them all.
    fn called(
        &self,
        request: &Request,
        kind: CodeKind,
        most: f64,
        (mut climb, event): (Climb, &serde_json::Value),
    ) -> Result<Vec<Called>, String> {
        let bounded = Bounded { wall: most * WAITING, cpu: Some(most) };
        let words = |error: &dyn std::fmt::Display| error.to_string();
        let (mut program, confinement) = self.confined(request, kind, bounded)?;
        program.arguments.iter_mut().filter(|code| **code == CALLED).for_each(|code| *code = OsString::from(REHEARSED));
        let (theirs, events) = pipe_with(PipeFlags::CLOEXEC).map_err(|error| words(&error))?;
        let (answers, told) = pipe_with(PipeFlags::CLOEXEC).map_err(|error| words(&error))?;
        let nowhere = File::options().write(true).open("/dev/null").map_err(|error| words(&error))?;
        let child = spawn_on(&program, &confinement, [theirs.as_fd(), told.as_fd(), nowhere.as_fd()]);
        let child = child.map_err(|error| words(&error))?;
        drop((theirs, told));
        let ender = child.ender().map_err(|error| words(&error))?;
        std::thread::scope(|scope| {
            // It holds the process to its limits.
            let waiting = std::thread::Builder::new().spawn_scoped(scope, || child.wait());
            let waiting = waiting.map_err(|error| words(&error))?;
            let (mut events, mut answers) = (File::from(events), BufReader::new(File::from(answers)));
            let (mut called, mut used): (Vec<Called>, f64) = (Vec::new(), 0.0);
            while let Some(sizes) = climb.next(most - used) {
                let line = format!("{}\n", sized(event, &sizes));
                let asked = events.write_all(line.as_bytes()).is_ok();
                let Some(answer) = asked.then(|| read(&mut answers, used)).flatten() else { break };
                used = answer.before + answer.cpu_seconds;
                climb.cost(answer.cpu_seconds.max(f64::MIN_POSITIVE));
                called.push(Called { sizes, answer });
            }
            // Whatever it would still do, nobody waits for.
            ender.end();
            waiting.join().map_err(|_| "its supervisor failed".to_owned())?.map_err(|error| words(&error))?;
            Ok(called)
        })
    }
}

/// The next answer of a guest that had used so much CPU time by the last; `None` where there is none, or none that can be.
fn read(answers: &mut impl BufRead, used: f64) -> Option<Answer> {
    let mut line = String::new();
    answers.take(MOST_ANSWER).read_line(&mut line).ok()?;
    let answer: Answer = serde_json::from_str(line.strip_suffix('\n')?).ok()?;
    (answer.before >= used && answer.cpu_seconds >= 0.0).then_some(answer)
}

/// CPU seconds of a run of this size, its start included, by what calls with smaller ones took: as unsure as those of WebAssembly
/// programs are.
fn extrapolated(times: &[Sample], target: &[f64], start: f64) -> Option<Estimate> {
    let longest = times.iter().map(|sample| sample.count).fold(0.0, f64::max);
    if times.len() < FEWEST_CALLS || longest < LEAST_SECONDS {
        return None;
    }
    let call = Growth::fit_times(asymptotic(times))?.predict(target)?;
    let folds = (call.expected / longest).max(1.0).ln();
    let drift = (Z95 * TIMING_LOG_DEVIATION.hypot(TREND_CHANGE_LOG_DEVIATION * folds)).exp();
    let call = call.mul_independent(Estimate::new(1.0 / drift, 1.0, drift, Basis::Emulated));
    Some(call.add_correlated(Estimate::exact(start, Basis::Emulated)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_guest_answers_is_read_within_bounds() {
        let check = |bytes: &[u8]| read(&mut &*bytes, 0.5);
        let told = check(b"{\"before\": 0.5, \"cpu_seconds\": 0.25, \"peak_bytes\": 7}\n");
        assert_eq!(told, Some(Answer { before: 0.5, cpu_seconds: 0.25, peak_bytes: 7 }));
        for bytes in [
            &b""[..],
            b"said aloud\n",
            b"\xff\n",
            b"{\"before\": 0.5, \"cpu_seconds\": 0.25, \"peak_bytes\": 7}",
            b"{\"before\": 0.4, \"cpu_seconds\": 0.25, \"peak_bytes\": 7}\n",
            b"{\"before\": -1e9, \"cpu_seconds\": 0.25, \"peak_bytes\": 7}\n",
            b"{\"before\": 0.5, \"cpu_seconds\": -0.25, \"peak_bytes\": 7}\n",
            b"{\"before\": 0.5, \"cpu_seconds\": 1e999, \"peak_bytes\": 7}\n",
        ] {
            assert_eq!(check(bytes), None, "{}", String::from_utf8_lossy(bytes));
        }
        // One that never ends a line is not waited for, nor kept.
        let mut endless = BufReader::new(std::io::repeat(b'x'));
        assert_eq!(read(&mut endless, 0.0), None);
    }

    #[test]
    fn calls_tell_of_a_larger_one_with_their_start() {
        let times = |sizes: &[f64]| -> Vec<Sample> {
            sizes.iter().map(|size| Sample { features: vec![*size], count: 1e-6 * size }).collect()
        };
        let told = extrapolated(&times(&[100.0, 1000.0, 10_000.0, 50_000.0]), &[5e6], 0.06).unwrap();
        assert!((told.expected - 5.06).abs() < 0.1 && told.contains(5.06), "{told:?}");
        assert!((1.2..4.0).contains(&told.width_ratio()), "{told:?}");
        assert_eq!(extrapolated(&times(&[100.0, 1000.0, 10_000.0]), &[5e6], 0.06), None, "too few");
        assert_eq!(extrapolated(&times(&[1.0, 2.0, 3.0, 4.0]), &[5e6], 0.06), None, "too short");
    }
}
