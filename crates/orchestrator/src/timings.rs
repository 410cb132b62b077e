//! What smaller inputs take on a tier's own code, in a process of their own ([`forewarm_emulator::timing`]).
//!
//! Where runs on smaller inputs were counted, the law of their counts says how much any size executes: the largest that was
//! counted is timed, then the largest for which there is time. Where they were not, since compiling to count would have taken too
//! much of it, sizes rise from next to nothing and the times themselves are extrapolated; on a further tier, one of those sizes
//! tells how the two compare.

use std::io::{BufRead, Write};
use std::path::Path;

use forewarm_emulator::growth::{Growth, Sample, Usual, asymptotic, peak};
use forewarm_emulator::timing::{self, CPU_BUDGET, Timer};
use forewarm_executor::Stdio;
use forewarm_planner::{Belief, TimedRun, TrialProbe};
use forewarm_types::plan::{Trial, TrialLimits};
use forewarm_types::{CodeKind, Digest, Estimate, Tier};

use crate::consider::Considered;
use crate::decide::Probed;
use crate::program::Program;
use crate::request::Request;
use crate::samples::Input;
use crate::smaller::{Grown, Inputs, LONG_SECONDS, MOST_SHARE, given};
use crate::{Error, Orchestrator};

/// Shares of what is left of the time for a tier that the last two runs are to take by what is foretold of them: the first tells what an
/// operator comes to take in larger runs, so that the second, the largest, ends in time. Choices, as is [`CHEAP`].
const AIMS: [f64; 2] = [0.15, AIM];
const AIM: f64 = 0.6;

/// By which factor the longest of runs outlasts the shortest, at the least, where their times tell how they grow.
const GROWN: f64 = 4.0;

/// Share of what is left up to which a run may be made twice, since something larger is to follow.
const CHEAP: f64 = 0.05;

/// Seconds of the longest, at the least: what is shorter is mostly entering and leaving.
const LEAST_SECONDS: f64 = 0.0005;

/// Runs that tell by their times how these grow with one number, and with two, which grow in many ways.
const FEWEST_TIMES: [usize; 2] = [3, 7];

/// So many times as long as on one tier a run is thought to take on another before it was run there.
const SLOWER: f64 = 2.0;

/// How many times as long as it had by then what was cut short lasts at the most, in one case of twenty: `P[T > t | T > b] = b / t`
/// (Harchol-Balter, UCB/CSD-94-826, 1994).
const LASTING: f64 = 20.0;

/// Runs whose times were extrapolated, by rising size.
pub(crate) struct Risen {
    tier: Tier,
    runs: Vec<(Input, Trial)>,
}

/// Runs on smaller inputs, being timed on a tier within a budget.
struct Timing<'a> {
    orchestrator: &'a Orchestrator,
    timer: &'a mut Timer,
    considered: &'a Considered,
    request: &'a Request,
    tier: Tier,
    limits: TrialLimits,
    /// CPU seconds beyond these, kept for another tier.
    kept: f64,
    spent: f64,
    warming: f64,
    /// Operators that runs on smaller inputs have executed, and may.
    executed: f64,
    most_operators: f64,
}

impl Orchestrator {
    /// Times smaller inputs on a tier and tells the belief.
    pub(crate) fn time(
        &self,
        timer: &mut Timer,
        (considered, request): (&Considered, &Request),
        probed: &mut Probed,
        (tier, probe): (Tier, &TrialProbe),
        belief: &mut Belief,
    ) {
        let began = self.clock.monotonic();
        let (executed, most_operators) = match &probed.grown {
            Some(grown) => (grown.executed, grown.most_operators()),
            None => (0.0, f64::INFINITY),
        };
        let mut timing = Timing {
            orchestrator: self,
            timer,
            considered,
            request,
            tier,
            limits: probe.limits,
            kept: probe.kept_cpu_seconds,
            spent: 0.0,
            warming: 0.0,
            executed,
            most_operators,
        };
        match (&mut probed.grown, &probed.risen) {
            (Some(grown), _) => {
                let runs = timing.sized_by(grown);
                belief.execute(timing.executed - executed);
                grown.executed = timing.executed;
                if let Some(peak) = grown.peak_linear_memory_bytes() {
                    belief.foresee_peak(peak);
                }
                belief.take_timings(tier, &runs);
            }
            (None, Some(risen)) => {
                if let Some(ratio) = timing.compared_with(risen) {
                    belief.foresee_by(tier, risen.tier, ratio);
                }
            }
            (None, None) => probed.risen = timing.rising(belief),
        }
        let wall = (self.clock.monotonic() - began).0;
        let (cpu, own_code) =
            if probe.own_code { (timing.spent, Some(timing.warming)) } else { (timing.spent + timing.warming, None) };
        belief.timed(tier, wall, cpu, own_code);
    }

    /// Carries out orders to time runs of a program, a line each, until there are no more: the body of the process that times.
    ///
    /// # Errors
    /// Where the program cannot be opened, or there is no one to answer to.
    pub fn time_runs(&self, file: &Path, orders: impl BufRead, answers: impl Write) -> Result<(), Error> {
        let open = |digest: Digest, kind: CodeKind| -> Result<Program, String> {
            let mut program = Program::open(file, self.clock.unix()).map_err(|error| error.to_string())?;
            program.recognise(digest, kind);
            Ok(program)
        };
        timing::serve(&self.executor, open, orders, answers).map_err(|cause| Error::Unreadable {
            file: file.to_owned(),
            cause: cause.to_string(),
            hint: None,
        })
    }
}

impl Timing<'_> {
    fn left(&self) -> f64 {
        self.limits.cpu_seconds - self.spent
    }

    /// Times a run that executes so many operators, as far as that is known, and of which nobody knows whether it ends in time; once more,
    /// where there is time, if another thread shared the core or that is cheap, of which the shorter counts: others on the machine only
    /// ever make a run longer.
    fn once(&mut self, input: &Input, operators: f64) -> Option<Trial> {
        let (trial, shared) = self.run(input, operators)?;
        let again = shared || trial.run_cpu_seconds <= CHEAP * self.left();
        let again = again && trial.complete && trial.run_cpu_seconds < self.left();
        let again = again.then(|| self.run(input, operators)).flatten().map(|(trial, _)| trial);
        let alike = |again: &Trial| again.complete && again.failure == trial.failure;
        let shorter = |again: &Trial| alike(again) && again.run_cpu_seconds < trial.run_cpu_seconds;
        Some(again.filter(shorter).unwrap_or(trial))
    }

    /// That run, and whether another thread shared the core.
    fn run(&mut self, input: &Input, operators: f64) -> Option<(Trial, bool)> {
        let run = given(self.request, input);
        let invocation = self.orchestrator.invocation(&run, self.considered, Stdio::Detached);
        let limits = TrialLimits { cpu_seconds: self.left(), ..self.limits };
        if limits.cpu_seconds <= 0.0 || self.executed + operators > self.most_operators {
            return None;
        }
        self.executed += operators;
        let timed = self.timer.time(&self.considered.program, &invocation, self.tier, limits);
        let warn = |error: &forewarm_emulator::EmulateError| {
            self.orchestrator.memory.warn(format!("nothing could be timed: {error}"));
        };
        let timed = timed.inspect_err(warn).ok()?;
        self.spent += timed.trial.cpu_seconds;
        self.warming += timed.warming_cpu_seconds;
        if let Some(why) = timed.trial.stopped_by.as_deref().filter(|why| *why != CPU_BUDGET) {
            self.orchestrator.memory.warn(format!("a smaller input was not timed to its end: {why}"));
        }
        Some((timed.trial, timed.core_was_shared))
    }

    /// A run that ends in time, and as the one that is known does.
    fn whole(&mut self, input: &Input, operators: f64, failure: Option<&str>) -> Option<Trial> {
        self.once(input, operators).filter(|trial| trial.complete && trial.failure.as_deref() == failure)
    }

    /// The shorter of this run and another, where there is time for one.
    fn least(&mut self, input: &Input, operators: f64, trial: Trial) -> Trial {
        let fits = trial.run_cpu_seconds < self.left();
        let again = fits.then(|| self.whole(input, operators, trial.failure.as_deref())).flatten();
        again.filter(|again| again.run_cpu_seconds < trial.run_cpu_seconds).unwrap_or(trial)
    }

    /// What was counted, then larger ones, the last of them the largest for which there is time: by rising size, as far as they ended.
    fn sized_by(&mut self, grown: &mut Grown) -> Vec<TimedRun> {
        let (mut runs, failure) = (Vec::new(), grown.largest.failure.clone());
        let counted = grown.apart.iter().map(|(trial, input)| (trial, input)).chain([(&grown.largest, &grown.input)]);
        let counted: Vec<(f64, Input)> = counted.map(|(trial, input)| (trial.ops as f64, input.clone())).collect();
        for (operators, input) in counted {
            let Some(trial) = self.whole(&input, operators, failure.as_deref()) else { return runs };
            runs.push(sized(grown, operators, &trial));
        }
        let mut from = grown.input.clone();
        for aim in AIMS {
            let Some(last) = runs.last() else { return runs };
            let (each, drift) = (last.cpu_seconds / last.operators, drift(&runs));
            let takes = |operators: f64| each * operators * (operators / last.operators).powf(drift);
            let most_operators = (self.most_operators - self.executed) / 2.0;
            let (most, before) = (aim * self.left(), last.memory_bytes);
            let fits = |operators: f64| operators <= most_operators && takes(operators) <= most;
            let allows = |features: &[f64]| grown.operators_of(features).is_some_and(fits);
            let beyond = Inputs::of(self.request).and_then(|(inputs, _)| inputs.beyond(&from, allows));
            let Some(input) = beyond else { continue };
            let Some(operators) = grown.operators_of(&input.features) else { continue };
            let least = each * operators;
            let Some(larger) = self.once(&input, operators) else { return runs };
            if larger.complete && larger.failure == failure {
                runs.push(sized(grown, operators, &larger));
                let count = larger.peak_linear_memory_bytes.as_f64();
                grown.peaks.push(Sample { features: input.features.clone(), count });
                from = input;
            } else {
                if larger.run_cpu_seconds > least {
                    // It would have taken at least so much, and had at least as much memory as the one before.
                    runs.push(TimedRun { memory_bytes: before, ..sized(grown, operators, &larger) });
                }
                return runs;
            }
        }
        runs
    }

    /// Sizes that rise from next to nothing; what ran, where it told anything.
    fn rising(&mut self, belief: &mut Belief) -> Option<Risen> {
        let (mut inputs, target) = Inputs::of(self.request)?;
        let (mut runs, mut failure, mut cut): (Vec<(Input, Trial)>, _, _) = (Vec::new(), None, None);
        while let Some(input) = inputs.next(self.left()).or_else(|| {
            // Two tiers of which nothing is told are worth less than one of which something is.
            let tells = tells(runs.iter().map(|(_, trial)| trial.run_cpu_seconds), &target);
            self.limits.cpu_seconds += if tells { 0.0 } else { std::mem::take(&mut self.kept) };
            inputs.next(self.left())
        }) {
            if self.is_too_much(&input, &runs, &target) {
                break;
            }
            // The first run of all finds nothing in the caches.
            if runs.is_empty() {
                failure = self.run(&input, 0.0)?.0.failure;
            }
            let Some(trial) = self.once(&input, 0.0) else { break };
            inputs.took(trial.run_cpu_seconds);
            if !trial.complete {
                cut = Some(Sample { features: input.features, count: trial.run_cpu_seconds });
                break;
            }
            if trial.failure != failure {
                break;
            }
            runs.push((input, trial));
        }
        if let Some((input, trial)) = runs.pop() {
            let trial = self.least(&input, 0.0, trial);
            runs.push((input, trial));
        }
        if let Some(peak) = peak(asymptotic(&samples(&runs, |trial| trial.peak_linear_memory_bytes.as_f64())), &target)
        {
            belief.foresee_peak(peak);
        }
        let (median, log_deviation) = belief.usual_run_seconds();
        let usual = Usual { median, log_deviation };
        let seconds = extrapolated(&samples(&runs, |trial| trial.run_cpu_seconds), cut.as_ref(), &target, usual)?;
        let (_, longest) = runs.last()?;
        belief.foresee_seconds(self.tier, seconds, &timed(f64::NAN, longest), runs.len());
        Some(Risen { tier: self.tier, runs })
    }

    /// Whether a run, made twice, would exceed the share of a long one that may be executed of it, as far as runs so far tell.
    fn is_too_much(&self, input: &Input, runs: &[(Input, Trial)], target: &[f64]) -> bool {
        if self.spent < MOST_SHARE * LONG_SECONDS {
            return false;
        }
        let told = || {
            let growth = Growth::fit_times(asymptotic(&samples(runs, |trial| trial.run_cpu_seconds)))?;
            Some((growth.predict(target)?.expected, growth.predict(&input.features)?.expected))
        };
        told().is_some_and(|(whole, next)| whole >= LONG_SECONDS && self.spent + 2.0 * next > MOST_SHARE * whole)
    }

    /// How many times as long as there the largest of these runs takes for which there is time.
    fn compared_with(&mut self, risen: &Risen) -> Option<f64> {
        let told = LEAST_SECONDS..=AIM * self.left() / SLOWER;
        let (input, there) = risen.runs.iter().rfind(|(_, trial)| told.contains(&trial.run_cpu_seconds))?;
        let here = self.whole(input, 0.0, there.failure.as_deref())?;
        Some(here.run_cpu_seconds / there.run_cpu_seconds)
    }
}

/// What runs come to by some count.
fn samples(runs: &[(Input, Trial)], count: fn(&Trial) -> f64) -> Vec<Sample> {
    let sample = |(input, trial): &(Input, Trial)| Sample { features: input.features.clone(), count: count(trial) };
    runs.iter().map(sample).collect()
}

/// A run whose operators the counts of smaller ones tell.
fn sized(grown: &Grown, operators: f64, trial: &Trial) -> TimedRun {
    TimedRun { reuse: grown.reuse_at(operators), ..timed(operators, trial) }
}

/// With which exponent what an operator takes grew in the last step, where it did.
fn drift(runs: &[TimedRun]) -> f64 {
    let [.., before, last] = runs else { return 0.0 };
    let each = |run: &TimedRun| run.cpu_seconds / run.operators;
    let drift = (each(last) / each(before)).ln() / (last.operators / before.operators).ln();
    if drift.is_finite() { drift.clamp(0.0, 1.0) } else { 0.0 }
}

fn timed(operators: f64, trial: &Trial) -> TimedRun {
    let memory_bytes = trial.peak_linear_memory_bytes.as_f64();
    TimedRun { operators, cpu_seconds: trial.run_cpu_seconds, memory_bytes, reuse: None }
}

/// Whether the seconds that runs took tell how these grow with as many numbers: starts say nothing of what comes after them, and one run
/// that outlasts them nothing of where it goes.
fn tells(seconds: impl Iterator<Item = f64> + Clone, target: &[f64]) -> bool {
    let (shortest, longest) = (seconds.clone().fold(f64::INFINITY, f64::min), seconds.clone().fold(0.0, f64::max));
    let wanted = FEWEST_TIMES[target.len().clamp(1, FEWEST_TIMES.len()) - 1];
    let grown = seconds.clone().filter(|seconds| *seconds >= 2.0 * shortest).count();
    grown >= 2 && seconds.count() >= wanted && longest >= LEAST_SECONDS.max(GROWN * shortest)
}

/// Seconds of a run with these features by those of smaller ones. Where one that was cut short had outlasted what the others foretell of
/// it, they foretell too little of all.
fn extrapolated(times: &[Sample], cut: Option<&Sample>, target: &[f64], usual: Usual) -> Option<Estimate> {
    if !tells(times.iter().map(|sample| sample.count), target) {
        return None;
    }
    let growth = Growth::fit_times(asymptotic(times))?;
    let foretold = growth.predict_among(target, usual)?;
    let short = cut.and_then(|cut| Some(cut.count / growth.predict(&cut.features)?.expected));
    Some(match short.filter(|short| *short > 1.0) {
        Some(short) => {
            Estimate { expected: foretold.expected * short, high: foretold.high * short * LASTING, ..foretold }
        }
        None => foretold,
    })
}
