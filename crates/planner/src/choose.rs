//! The choice: the cheapest candidate that every rule lets pass, with all that led to it.

use std::collections::BTreeMap;

use forewarm_types::plan::Choice;
use forewarm_types::{Basis, Candidate, Estimate, Objective, Plan, SCHEMA, Weights};

use crate::belief::Belief;
use crate::candidates::{Candidates, Priced};
use crate::cost::Pricing;
use crate::rules::{RULES, Rejection};
use crate::{explain, warmth};

/// No candidate satisfies the hard constraints.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("every candidate was rejected: {}", describe(.rejected))]
pub struct ChooseError {
    /// Candidates rejected, by rule.
    pub rejected: BTreeMap<String, u64>,
}

impl ChooseError {
    /// Whether candidates were left but for memory.
    #[must_use]
    pub fn for_memory(&self) -> bool {
        let rules = [Rejection::MemoryBelowInitial, Rejection::MemoryUnfit];
        rules.iter().any(|rejection| self.rejected.contains_key(rejection.rule().name))
    }
}

fn describe(rejected: &BTreeMap<String, u64>) -> String {
    let reason = |name: &str| RULES.iter().find(|rule| rule.name == name).map_or("", |rule| rule.reason);
    let rules = rejected.iter().map(|(name, count)| format!("{count} by {name} ({})", reason(name)));
    rules.collect::<Vec<_>>().join(", ")
}

/// Takes the cheapest candidate and lists `keep` of them: the best, and up to a quarter of them examples of what was
/// rejected; all, where `keep` is at least their number.
///
/// # Errors
/// [`ChooseError`] where every candidate was rejected.
pub fn choose(
    belief: &Belief,
    candidates: Candidates,
    objective: Objective,
    weights: Weights,
    keep: usize,
) -> Result<Plan, ChooseError> {
    let rejected = rejected(&candidates);
    let pricing = candidates.pricing(belief);
    let ranked = ranked(&candidates, keep);
    let Some(best) = ranked.first().copied() else { return Err(ChooseError { rejected }) };
    let rivals = with_rival(&candidates, &ranked, best);
    let shape = candidates.shape(best);
    let chosen = candidates.candidate(&pricing, best);
    let nothing = Estimate::exact(0.0, Basis::Default);
    Ok(Plan {
        schema: SCHEMA,
        code: belief.code.clone(),
        objective,
        weights,
        chosen: Choice {
            configuration: chosen.configuration,
            cost: chosen.cost,
            why: explain::why(&candidates, &pricing, best, &rivals),
        },
        candidates: listed(&candidates, &pricing, &ranked, keep),
        warm_up: explain::warm_up(belief, shape, best.variant.warm_state),
        schedule: explain::schedule(belief, shape),
        considered: candidates.considered() as u64,
        rejected,
        assumptions: explain::assumptions(belief, shape),
        prepare: warmth::preparation_after(belief, &weights, &candidates.risk, shape, best.variant.warm_state),
        predicted_cpu_seconds: belief.run_cpu_seconds(shape.tier).unwrap_or(nothing),
        plan_seconds: 0.0,
        emulation_seconds: belief.probe_seconds,
    })
}

fn rejected(candidates: &Candidates) -> BTreeMap<String, u64> {
    let counts = RULES.iter().zip(candidates.rejected).filter(|(_, count)| *count > 0);
    counts.map(|(rule, count)| (rule.name.to_owned(), count)).collect()
}

/// The `keep` cheapest candidates that pass, cheapest first; equal costs in the order of enumeration.
fn ranked(candidates: &Candidates, keep: usize) -> Vec<&Priced> {
    let mut passing: Vec<(usize, &Priced)> =
        candidates.priced.iter().enumerate().filter(|(_, priced)| priced.rejection.is_none()).collect();
    let order = |a: &(usize, &Priced), b: &(usize, &Priced)| {
        a.1.total_dollars.total_cmp(&b.1.total_dollars).then(a.0.cmp(&b.0))
    };
    let keep = keep.max(1);
    if passing.len() > keep {
        passing.select_nth_unstable_by(keep - 1, order);
        passing.truncate(keep);
    }
    passing.sort_by(order);
    passing.into_iter().map(|(_, priced)| priced).collect()
}

/// The ranked ones, with the best of another tier behind them where none is among them: the rival the reader asks for.
fn with_rival<'a>(candidates: &'a Candidates, ranked: &[&'a Priced], best: &Priced) -> Vec<&'a Priced> {
    let tier = candidates.shape(best).tier;
    let mut rivals = ranked.to_vec();
    if ranked.iter().all(|priced| candidates.shape(priced).tier == tier) {
        let others = candidates.priced.iter().filter(|p| p.rejection.is_none() && candidates.shape(p).tier != tier);
        rivals.extend(others.min_by(|a, b| a.total_dollars.total_cmp(&b.total_dollars)));
    }
    rivals
}

/// Share of the list that examples of rejected candidates may take from the ranked ones.
const EXAMPLES: usize = 4;

/// The candidates a plan lists: the best, then an example of each rule and tier that rejected any; or simply all.
fn listed(candidates: &Candidates, pricing: &Pricing<'_>, ranked: &[&Priced], keep: usize) -> Vec<Candidate> {
    let all = keep >= candidates.considered();
    let rejects = candidates.priced.iter().filter(|priced| priced.rejection.is_some());
    let rejects: Vec<&Priced> = if all { rejects.collect() } else { examples(candidates, rejects, keep / EXAMPLES) };
    let best = if all { ranked.len() } else { ranked.len().min(keep - rejects.len().min(keep)).max(1) };
    ranked.iter().take(best).copied().chain(rejects).map(|priced| candidates.candidate(pricing, priced)).collect()
}

/// The first candidate rejected by each rule for each tier, hard constraints before pointless shapes.
fn examples<'a>(candidates: &Candidates, rejects: impl Iterator<Item = &'a Priced>, most: usize) -> Vec<&'a Priced> {
    let mut first: BTreeMap<_, &Priced> = BTreeMap::new();
    for priced in rejects {
        if let Some(rejection) = priced.rejection {
            first.entry((!rejection.rule().hard, rejection, candidates.shape(priced).tier)).or_insert(priced);
        }
    }
    first.into_values().take(most).collect()
}
