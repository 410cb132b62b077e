//! Foreseeing a long run from short ones: smaller inputs that the user gave or that are derived from the arguments, run as
//! trials, and the growth of what they count.

use std::collections::VecDeque;

use forewarm_emulator::Trials;
use forewarm_emulator::growth::{FEWEST_RUNS, Growth, Sample, Smaller, grown_distances, peak, smaller};
use forewarm_executor::Stdio;
use forewarm_planner::TrialProbe;
use forewarm_types::Estimate;
use forewarm_types::counts::ReuseHistogram;
use forewarm_types::plan::{Trial, TrialLimits};

use crate::Orchestrator;
use crate::consider::Considered;
use crate::request::Request;
use crate::samples::{self, Input};

/// Share of a run's operators that runs on smaller inputs may execute together.
const MOST_SHARE: f64 = 0.1;

/// What five runs of a linear program execute together, in the smallest one's operators.
const LADDER: f64 = 12.0;

/// How far inputs are made smaller beyond what a share of the run asks for: below, a program's start is all there is.
const MOST_SHRUNK: f64 = 1e6;

/// What smaller runs foretell of the one that was asked for.
pub(crate) struct Grown {
    /// Operators of the whole run.
    pub operators: Estimate,
    /// Its peak of linear memory, where the smaller runs' peaks tell.
    pub peak_linear_memory_bytes: Option<Estimate>,
    /// The largest of the runs, whole.
    pub largest: Trial,
    /// Its reuse distances, grown to what they are in the run that was asked for.
    pub reuse: Option<ReuseHistogram>,
    runs: usize,
    law: String,
}

impl Grown {
    /// The assumption in words.
    pub fn says(&self) -> String {
        format!("operators: extrapolated from {} runs on smaller inputs, which grow as {}", self.runs, self.law)
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
        let (mut inputs, target) = inputs(request, 1.0)?;
        let mut whole: Vec<Trial> = Vec::new();
        let (mut samples, mut peaks): (Vec<Sample>, Vec<Sample>) = (Vec::new(), Vec::new());
        let mut left = probe.limits.operators as f64;
        let mut shrink = 1.0;
        while let Some(Input { arguments, directories, features }) = inputs.pop_front() {
            let cpu_seconds = probe.limits.cpu_seconds - (self.clock.process_cpu() - began).0;
            if cpu_seconds <= 0.0 || left < 1.0 || exceeds(&samples, &target) {
                break;
            }
            let run = Request { arguments, directories, ..request.clone() };
            let limits = TrialLimits { operators: left as u64, cpu_seconds, ..probe.limits };
            let invocation = self.invocation(&run, considered, Stdio::Detached);
            let trial = trials.measure(&mut considered.program, &invocation, limits).ok()?;
            let (count, complete) = (trial.ops as f64, trial.complete);
            left -= count;
            if complete && count > 0.0 {
                peaks.push(Sample { features: features.clone(), count: trial.peak_linear_memory_bytes.as_f64() });
                samples.push(Sample { features, count });
                whole.push(trial);
            }
            let given = !request.samples.is_empty();
            if !complete && (given || samples.len() >= FEWEST_RUNS) {
                break;
            }
            // Where this one leaves too little for the others, they must be smaller still.
            let wanted = LADDER * count / left.max(1.0);
            if !given && (!complete || (samples.len() == 1 && wanted > 1.0)) {
                shrink *= if complete { wanted } else { LADDER * LADDER };
                let Some((smaller, _)) = self::inputs(request, shrink).filter(|_| shrink < MOST_SHRUNK) else { break };
                inputs = smaller;
            }
        }
        let growth = Growth::fit(&samples)?;
        let peak_linear_memory_bytes = peak(&peaks, &target);
        let operators = growth.predict(&target)?;
        whole.sort_by_key(|trial| trial.ops);
        let largest = whole.pop()?;
        let ends = whole.first().and_then(|small| small.counts.as_ref()).zip(largest.counts.as_ref());
        let reuse = ends.and_then(|(small, large)| grown_distances(small, large, operators.expected));
        Some(Grown { operators, peak_linear_memory_bytes, largest, reuse, runs: samples.len(), law: growth.law() })
    }
}

/// Whether there are smaller inputs than the one asked for.
pub(crate) fn any(request: &Request) -> bool {
    inputs(request, 1.0).is_some_and(|(inputs, _)| inputs.len() >= FEWEST_RUNS)
}

/// Whether one more run, as large again as those so far together, would exceed what smaller runs may execute.
fn exceeds(samples: &[Sample], target: &[f64]) -> bool {
    if samples.len() < FEWEST_RUNS {
        return false;
    }
    let done: f64 = samples.iter().map(|sample| sample.count).sum();
    let whole = Growth::fit(samples).and_then(|growth| growth.predict(target));
    whole.is_some_and(|whole| 2.0 * done > MOST_SHARE * whole.expected)
}

/// Smaller inputs by rising size, and the features of the run that was asked for.
fn inputs(request: &Request, shrink: f64) -> Option<(VecDeque<Input>, Vec<f64>)> {
    if !request.samples.is_empty() {
        return Some(samples::inputs(request));
    }
    let (runs, target) = smaller(&request.arguments, shrink)?;
    let directories = &request.directories;
    let input =
        |run: Smaller| Input { arguments: run.arguments, directories: directories.clone(), features: run.numbers };
    Some((runs.into_iter().map(input).collect(), target))
}
