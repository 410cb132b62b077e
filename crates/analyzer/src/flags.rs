//! Which regions would gain from which hardware, where a rule says so on good grounds. Called for the regions shown.

use forewarm_types::demand::{AccessPattern, Dependence, Flag};

use crate::dependence::Finding;
use crate::summary::LoopShare;

/// Share of the run from which on a loop is worth a flag.
const WORTH: f64 = 0.05;

/// Iterations below which vectors do not pay: two of the widest common vector of 32-bit numbers.
const SHORTEST: f64 = 16.0;

/// Flags of a loop.
pub(crate) fn of_loop(part: &LoopShare, finding: &Finding, pattern: &AccessPattern, share: f64) -> Vec<Flag> {
    let free = matches!(finding.dependence, Dependence::Independent | Dependence::Reduction);
    let long = part.trips.0.iter().all(|&trips| trips >= SHORTEST);
    if share < WORTH
        || !free
        || pattern.contiguous == 0
        || pattern.strided + pattern.indirect > 0
        || !long
        || part.vectors
    {
        return Vec::new();
    }
    let mut reason =
        "iterations are free of each other and go through memory in order, one element at a time".to_owned();
    if finding.accumulates.iter().any(|family| family.needs_reassociation()) {
        reason.push_str("; adding floats in another order changes the last digits");
    }
    vec![Flag { benefits_from: "simd".to_owned(), reason, confidence: None }]
}

/// Flags of a function that works with an algorithm.
pub(crate) fn of_algorithms<'a>(algorithms: impl IntoIterator<Item = &'a str>) -> Vec<Flag> {
    let flag = |algorithm: &str| Flag {
        benefits_from: "crypto".to_owned(),
        reason: format!("works as {algorithm} does, by its constants or its rounds"),
        confidence: None,
    };
    algorithms.into_iter().map(flag).collect()
}
