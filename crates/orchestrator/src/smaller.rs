//! Foreseeing a long run from short ones: smaller inputs that the user gave or that are derived from the arguments, run as
//! trials, and the growth of what they count. What they take is timed in `timings.rs`.
//!
//! Derived sizes rise from next to nothing ([`forewarm_emulator::growth::Climb`]), so that however little may be spent, some of
//! them end; the last of them is most of what all execute together.

use std::collections::VecDeque;

use forewarm_emulator::Trials;
use forewarm_emulator::growth::{
    Climb, FEWEST_RUNS, Growth, Sample, Size, asymptotic, grown_distances, largest_between, peak, resized, sizes,
    together,
};
use forewarm_executor::Stdio;
use forewarm_planner::TrialProbe;
use forewarm_types::Estimate;
use forewarm_types::counts::ReuseHistogram;
use forewarm_types::plan::{Trial, TrialLimits};

use crate::Orchestrator;
use crate::consider::Considered;
use crate::request::Request;
use crate::samples::{self, Input};

/// Share of a run's operators that runs on smaller inputs may execute together, where it takes [`LONG_SECONDS`] or more: so that
/// where they may take less than that share of it, there is nothing to see to.
pub(crate) const MOST_SHARE: f64 = 0.1;

/// The longest wait that leaves a user's flow of thought unbroken (Nielsen, "Usability Engineering", 1993, chapter 5).
pub(crate) const LONG_SECONDS: f64 = 1.0;

/// By how much less the run that a working set's growth is judged by executes than the largest, at the least.
const APART: f64 = 8.0;

/// Numbers that are varied each by itself; more rise together.
const APART_AT_MOST: usize = 2;

/// What smaller runs foretell of the one that was asked for.
pub(crate) struct Grown {
    /// Operators of the whole run.
    pub operators: Estimate,
    /// The largest of the runs, whole.
    pub largest: Trial,
    /// What that was a run of.
    pub input: Input,
    /// The largest of those that executed much less, by which the growth of reuse distances is judged.
    pub apart: Option<(Trial, Input)>,
    /// How the count grows.
    growth: Growth,
    /// Peaks of linear memory.
    pub peaks: Vec<Sample>,
    /// Features of the run that was asked for.
    target: Vec<f64>,
    runs: usize,
    /// Operators that all of them executed.
    pub executed: f64,
}

impl Grown {
    /// The assumption in words.
    pub fn says(&self) -> String {
        format!(
            "operators: extrapolated from {} runs on smaller inputs, which grow as {}",
            self.runs,
            self.growth.law()
        )
    }

    /// Reuse distances of the largest run as they are in one that executes so many operators, where they are known.
    pub fn reuse_at(&self, operators: f64) -> Option<ReuseHistogram> {
        let smaller = self.apart.as_ref().and_then(|(apart, _)| apart.counts.as_ref());
        let ends = smaller.zip(self.largest.counts.as_ref());
        ends.and_then(|(small, large)| grown_distances(small, large, operators))
    }

    /// The whole run's peak of linear memory, where the smaller runs' peaks tell.
    pub fn peak_linear_memory_bytes(&self) -> Option<Estimate> {
        peak(asymptotic(&self.peaks), &self.target)
    }

    /// Operators of a run with these features, larger than all that were counted.
    pub fn operators_of(&self, features: &[f64]) -> Option<f64> {
        Some(self.growth.predict(features)?.expected)
    }

    /// Operators that runs on smaller inputs may execute together: a tenth of a long run, and one is long that would be as this counted.
    pub fn most_operators(&self) -> f64 {
        let whole = self.operators.expected;
        let each = self.largest.run_cpu_seconds / self.largest.ops as f64;
        if whole * each >= LONG_SECONDS { MOST_SHARE * whole } else { f64::INFINITY }
    }
}

impl Orchestrator {
    /// Runs smaller inputs within a trial's budget, smallest first, and extrapolates. `None` where they do not tell.
    pub(crate) fn grow(
        &self,
        trials: &mut Trials,
        considered: &mut Considered,
        request: &Request,
        probe: &TrialProbe,
    ) -> Option<Grown> {
        let began = self.clock.process_cpu();
        let (mut inputs, target) = Inputs::of(request)?;
        let mut runs = Runs::default();
        while let Some(left) = runs.left(&target, probe, (self.clock.process_cpu() - began).0)
            && let Some(input) = inputs.next(left.operators as f64)
        {
            let run = given(request, &input);
            let invocation = self.invocation(&run, considered, Stdio::Detached);
            let trial = trials.measure(&mut considered.program, &invocation, left).ok()?;
            if !trial.complete || trial.ops == 0 || !runs.are_like(&trial) {
                break;
            }
            inputs.took(trial.ops as f64);
            runs.take(input, trial);
        }
        runs.tell(&target)
    }
}

/// Runs that came to their end, by rising size.
#[derive(Default)]
struct Runs {
    counts: Vec<Sample>,
    peaks: Vec<Sample>,
    whole: Vec<(Trial, Input)>,
}

impl Runs {
    fn take(&mut self, input: Input, trial: Trial) {
        self.peaks.push(Sample { features: input.features.clone(), count: trial.peak_linear_memory_bytes.as_f64() });
        self.counts.push(Sample { features: input.features.clone(), count: trial.ops as f64 });
        self.whole.push((trial, input));
    }

    /// Whether a run ended as those before it did.
    fn are_like(&self, trial: &Trial) -> bool {
        self.whole.first().is_none_or(|(first, _)| first.failure == trial.failure)
    }

    /// What the next run may take where so many seconds are spent; `None` where nothing is left.
    fn left(&self, target: &[f64], probe: &TrialProbe, spent: f64) -> Option<TrialLimits> {
        let limits = probe.limits;
        let cpu_seconds = limits.cpu_seconds - spent;
        let done: f64 = self.counts.iter().map(|sample| sample.count).sum();
        let long = limits.cpu_seconds > MOST_SHARE * LONG_SECONDS;
        let whole = long.then(|| self.growth()?.predict(target)).flatten();
        let share = whole.map(|whole| MOST_SHARE * whole.expected);
        let allowed = share.unwrap_or(f64::INFINITY).min(limits.operators as f64) - done;
        let affords = self.pace().map_or(f64::INFINITY, |(entry, pace)| (cpu_seconds - entry) / pace);
        let operators = allowed.min(affords);
        (cpu_seconds > 0.0 && operators >= 1.0).then_some(TrialLimits {
            operators: operators as u64,
            cpu_seconds,
            ..limits
        })
    }

    /// Seconds that every run takes, and those of an operator beyond; the first run has compiled the program too.
    fn pace(&self) -> Option<(f64, f64)> {
        let (_, later) = self.whole.split_first()?;
        let (last, _) = later.last()?;
        let entry = later.iter().map(|(trial, _)| trial.cpu_seconds).fold(f64::INFINITY, f64::min);
        let beyond = (last.cpu_seconds - entry).max(last.run_cpu_seconds / 2.0);
        Some((entry, (beyond / last.ops as f64).max(f64::MIN_POSITIVE)))
    }

    fn growth(&self) -> Option<Growth> {
        Growth::fit(asymptotic(&self.counts))
    }

    fn tell(mut self, target: &[f64]) -> Option<Grown> {
        let growth = self.growth()?;
        let operators = growth.predict(target)?;
        let (runs, executed) = (self.counts.len(), self.counts.iter().map(|sample| sample.count).sum());
        self.whole.sort_by_key(|(trial, _)| trial.ops);
        let (largest, input) = self.whole.pop()?;
        let much_less = |(trial, _): &(Trial, Input)| APART * trial.ops as f64 <= largest.ops as f64;
        let apart = self.whole.into_iter().rfind(much_less);
        let (peaks, target) = (self.peaks, target.to_vec());
        Some(Grown { operators, largest, input, apart, growth, peaks, target, runs, executed })
    }
}

/// The request with another input.
pub(crate) fn given(request: &Request, input: &Input) -> Request {
    let Input { arguments, directories, .. } = input.clone();
    Request { arguments, directories, ..request.clone() }
}

/// Where smaller inputs come from.
pub(crate) enum Inputs {
    /// The user, by rising size.
    Given(VecDeque<Input>),
    /// The numbers among the arguments of a run.
    Derived(Box<Derived>),
}

/// Inputs made of a run's own.
pub(crate) struct Derived {
    request: Request,
    sizes: Vec<Size>,
    climb: Climb,
}

impl Derived {
    fn of(request: &Request) -> Option<Self> {
        let sizes = sizes(&request.arguments);
        let climb = Climb::below(&Self::features(&sizes))?;
        Some(Self { request: request.clone(), sizes, climb })
    }

    /// What varies in inputs of such sizes: each, or where there are more than can be told apart, the largest.
    fn features(sizes: &[Size]) -> Vec<u64> {
        let values = sizes.iter().map(|size| size.value);
        if sizes.len() > APART_AT_MOST { values.max().into_iter().collect() } else { values.collect() }
    }

    fn target(&self) -> Vec<u64> {
        Self::features(&self.sizes)
    }

    fn input(&self, features: &[u64]) -> Input {
        let values: Vec<u64> = self.sizes.iter().map(|size| size.value).collect();
        let values = match features {
            [scale] if values.len() > APART_AT_MOST => together(&values, *scale),
            _ => features.to_vec(),
        };
        let arguments = resized(&self.request.arguments, &self.sizes, &values).arguments;
        Input { arguments, directories: self.request.directories.clone(), features: numbers(features) }
    }
}

fn numbers(values: &[u64]) -> Vec<f64> {
    values.iter().map(|value| *value as f64).collect()
}

impl Inputs {
    /// With the features of the run that was asked for; `None` where there are none.
    pub fn of(request: &Request) -> Option<(Self, Vec<f64>)> {
        if !request.samples.is_empty() {
            let (given, target) = samples::inputs(request);
            return (given.len() >= FEWEST_RUNS).then_some((Self::Given(given), target));
        }
        let derived = Derived::of(request)?;
        let target = numbers(&derived.target());
        Some((Self::Derived(Box::new(derived)), target))
    }

    /// The next input, where so many operators may be executed, or seconds spent.
    pub fn next(&mut self, left: f64) -> Option<Input> {
        match self {
            Self::Given(inputs) => inputs.pop_front(),
            Self::Derived(derived) => {
                let features = derived.climb.next(left)?;
                Some(derived.input(&features))
            }
        }
    }

    /// Takes in what the last run cost, in the same unit.
    pub fn took(&mut self, cost: f64) {
        if let Self::Derived(derived) = self {
            derived.climb.cost(cost);
        }
    }

    /// The largest input beyond that of a run, on the way to the one asked for, whose features are allowed. Only derived ones lie on
    /// a way.
    pub fn beyond(&self, run: &Input, allows: impl Fn(&[f64]) -> bool) -> Option<Input> {
        let Self::Derived(derived) = self else { return None };
        let from: Vec<u64> = run.features.iter().map(|value| *value as u64).collect();
        let features = largest_between(&from, &derived.target(), |features| allows(&numbers(features)))?;
        Some(derived.input(&features))
    }
}

/// Whether there are smaller inputs than the one asked for.
pub(crate) fn any(request: &Request) -> bool {
    Inputs::of(request).is_some()
}
