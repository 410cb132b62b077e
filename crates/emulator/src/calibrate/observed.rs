//! What hinders the operators of each calibration kernel, counted as a trial counts a program: so that costs are fitted to
//! what is left, and mean the same when they are applied.

use std::collections::BTreeMap;

use forewarm_executor::Invocation;
use forewarm_types::CodeKind;
use forewarm_types::counts::{Chain, Counts};
use forewarm_types::plan::TrialLimits;

use super::Bench;
use crate::EmulateError;
use crate::counting::{self, Counting};
use crate::generate::kernels::{EXPORT, Kernel};
use crate::instrument::instrument;

/// Operators that a kernel is run for: some milliseconds, in which windows of every kind are opened.
const OPERATORS: f64 = 4e6;

/// Far more than that takes.
const LONGEST_SECONDS: f64 = 30.0;

/// What hinders one round.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hindered {
    /// Branches not foreseen.
    pub mispredictions: f64,
    /// Loops that carry something: operators, and those on the chain.
    pub chains: Vec<Chain>,
    /// By how much both are too many: rounds that were run.
    pub rounds: f64,
}

/// Runs each kernel, counted, on the tier that trials prefer.
pub(super) fn all(bench: &Bench<'_>, kernels: &[Kernel]) -> Result<BTreeMap<&'static str, Hindered>, EmulateError> {
    let Some(&tier) = bench.tiers.first() else { return Ok(BTreeMap::new()) };
    let engine = bench.engine(tier, 1)?;
    let mut all = BTreeMap::new();
    for kernel in kernels {
        let Ok(rewritten) = instrument(&kernel.wasm, true) else { continue };
        let sockets = counting::sockets(&rewritten.ports);
        let limits = TrialLimits::of(u64::MAX, LONGEST_SECONDS);
        let (counting, bytes) = Counting::new(rewritten, limits);
        let Ok((code, _)) = engine.compile(&bytes, CodeKind::WasmModule) else { continue };
        let rounds = (OPERATORS / kernel.counts.values().sum::<f64>().max(1.0)).clamp(64.0, 1e6) as u32;
        let invocation = Invocation {
            invoke: Some(EXPORT.to_owned()),
            arguments: vec![rounds.to_string()],
            ..Invocation::detached("calibration")
        };
        let (trial, counting) = engine.watch(&code, &invocation, &sockets, counting, limits)?;
        let counts = counting.counts(trial.peak_linear_memory_bytes, trial.stopped_by);
        all.insert(kernel.name, hindered(counts, f64::from(rounds)));
    }
    Ok(all)
}

fn hindered(counts: Counts, rounds: f64) -> Hindered {
    let mispredictions = counts.mispredictions().unwrap_or_default() / rounds;
    Hindered { mispredictions, chains: counts.chains, rounds }
}
