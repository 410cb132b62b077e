//! Which regions would gain from which hardware, where a rule says so on good grounds. Called for the regions shown.

use forewarm_types::demand::{Dependence, Flag};

use crate::summary::LoopShare;

/// Share of the run from which on a loop is worth a flag.
const WORTH: f64 = 0.05;

/// Iterations below which vectors do not pay: two of the widest common vector of 32-bit numbers.
const SHORTEST: f64 = 16.0;

/// Flags of a loop.
pub(crate) fn of_loop(part: &LoopShare, share: f64) -> Vec<Flag> {
    let Some(finding) = part.finding else { return Vec::new() };
    let free = matches!(finding.dependence, Dependence::Independent | Dependence::Reduction);
    let long = part.trips.0.iter().all(|&trips| trips >= SHORTEST);
    if share < WORTH || !free || !finding.contiguous || !long || part.vectors {
        return Vec::new();
    }
    vec![Flag {
        benefits_from: "simd".to_owned(),
        reason: "iterations are free of each other and go through memory in order, one element at a time".to_owned(),
        confidence: None,
    }]
}

/// Flags of a function that works with an algorithm.
pub(crate) fn of_algorithms<'a>(algorithms: impl IntoIterator<Item = &'a str>) -> Vec<Flag> {
    let flag = |algorithm: &str| Flag {
        benefits_from: "crypto".to_owned(),
        reason: format!("holds the constants of {algorithm}"),
        confidence: None,
    };
    algorithms.into_iter().map(flag).collect()
}
