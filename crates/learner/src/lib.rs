//! Observations to corrections, intervals and refined models: what each run teaches the next.
//!
//! Pure functions of the past: no clock, no SQL, no randomness. Runs cut short are lower bounds here, never averages,
//! and one input's time is never taken for another's. Called by the orchestrator before a plan (for [`corrections`]) and
//! after a run (for [`refine`]).
#![forbid(unsafe_code)]

mod drift;
mod estimator;
mod intervals;
mod pooling;
mod refine;
mod residual;
mod reuse;
mod statistics;
mod workload;

use std::collections::BTreeMap;

use forewarm_types::configuration::PROCESS_CLASS;
use forewarm_types::{Corrections, Estimate, Features, PastRun, ReuseStatistics, Tier};

pub use drift::{change_point, drift};
pub use intervals::{calibrate, nonconformity};
pub use refine::refine;
pub use reuse::expected_reuses;
pub use workload::meet;

use estimator::Sample;
use residual::Target;

/// What past runs of a code (newest first, on all tiers) say about a run with these features.
///
/// A tier that never ran stays absent: how tiers relate is the resource model's to say.
#[must_use]
pub fn corrections(past: &[PastRun], features: &Features, reuse: &ReuseStatistics) -> Corrections {
    let mut by_tier: BTreeMap<Tier, Vec<Sample>> = BTreeMap::new();
    for run in past {
        if let Some(tier) = tier_of(&run.configuration_class) {
            by_tier.entry(tier).or_default().push(Sample::new(run, run.run_cpu_seconds));
        }
    }
    let counted = past.iter().filter_map(|run| run.ops.map(|ops| Sample::new(run, ops as f64)));
    let memory = past.iter().map(|run| Sample::new(run, run.peak_linear_memory_bytes.as_f64()));
    let processes = past.iter().filter(|run| run.configuration_class == PROCESS_CLASS);
    let processes: Vec<_> = processes.map(|run| Sample::new(run, run.run_cpu_seconds)).collect();
    let run = by_tier.into_iter().filter_map(|(tier, past)| Some((tier, calibrated(&past, features)?)));
    Corrections {
        run_cpu_seconds: run.collect(),
        process_cpu_seconds: calibrated(&processes, features),
        ops: residual::predict(&counted.collect::<Vec<_>>(), &Target::new(features)).map(|(estimate, _)| estimate),
        peak_linear_memory_bytes: peak(&memory.collect::<Vec<_>>(), features),
        // Before any history the resource model's own default is the better word.
        expected_reuses: (reuse.runs > 0).then(|| expected_reuses(reuse)),
    }
}

/// The tier of a configuration class, such as `winch/native`.
pub(crate) fn tier_of(configuration_class: &str) -> Option<Tier> {
    configuration_class.split('/').next()?.parse().ok()
}

/// The prediction, with its interval stretched so that predictions of its kind would have covered the past.
fn calibrated(past: &[Sample], features: &Features) -> Option<Estimate> {
    let (estimate, kind) = residual::predict(past, &Target::new(features))?;
    Some(calibrate(&estimate, &residual::backtest(past, kind)))
}

/// Limit of a 32-bit linear memory: 65,536 pages of 64 KiB (WebAssembly Core Specification, section 4.2.8).
const MEMORY_LIMIT_BYTES: f64 = 4_294_967_296.0;

/// Peak memory. What this input once needed it may need again, so the high end is never below it; nor, where no input
/// needed more, above what a memory can be.
fn peak(past: &[Sample], features: &Features) -> Option<Estimate> {
    let (estimate, _) = residual::predict(past, &Target::new(features))?;
    let same = past.iter().filter(|sample| sample.input == features.input_hash);
    let seen = same.map(|sample| sample.value).fold(0.0, f64::max);
    let most = past.iter().map(|sample| sample.value).fold(MEMORY_LIMIT_BYTES, f64::max);
    let high = estimate.high.max(seen).min(most);
    Some(Estimate { low: estimate.low.min(high), expected: estimate.expected.min(high), high, ..estimate })
}

#[cfg(test)]
mod sample;
#[cfg(test)]
mod sample_code;
