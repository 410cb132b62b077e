//! What hinders operators on a tier: how long a result is waited for, by the class of what makes it, what a branch costs that
//! was not foreseen, and what a run costs that does nothing.
//!
//! A chain of eight links in a round takes eight times the wait of one, and once that of the local which carries the result to
//! the next round; what that is, the same chain with every link's result in a local tells. Not measured on the
//! interpreter, where the work of each operator hides all of it.

use std::sync::Arc;

use forewarm_executor::{Executor, Invocation};
use forewarm_resources::{Figure, OpCosts};
use forewarm_types::{CodeKind, OpClass, Tier};

use super::climb::{Generated, configuration};
use super::{Bench, SOURCE, op_costs};
use crate::EmulateError;
use crate::generate::kernels::{self, Kernel};
use crate::generate::waits::{self, LINKS, Links};
use crate::statistics::{deviation, undisturbed};

/// Host calls of the run that does nothing: a command's start and end make some.
const HOST_CALLS: i32 = 2;

/// Measures all of it for a tier.
pub(super) fn measure(bench: &Bench<'_>, tier: Tier, costs: &mut OpCosts) -> Result<(), EmulateError> {
    let entry = entry(bench, tier)?;
    let tier_costs = costs.tiers.entry(tier).or_default();
    tier_costs.entry_seconds = Some(entry);
    if tier == Tier::Pulley {
        return Ok(());
    }
    let time = |kernel: &Kernel| -> Result<Vec<f64>, EmulateError> {
        let engine = bench.engine(tier, 1)?;
        let Ok((code, _)) = engine.compile(&kernel.wasm, CodeKind::WasmModule) else { return Ok(Vec::new()) };
        op_costs::round_seconds(bench, &engine, &code)
    };
    let chains = waits::chains();
    let Some(first) = chains.first() else { return Ok(()) };
    // T = LINKS link + local, and with each in a local LINKS (link + local).
    let (together, apart) = (time(&first.kernel)?, time(&waits::handed_on())?);
    let local = (undisturbed(&apart) - undisturbed(&together)).max(0.0) / f64::from(LINKS - 1);
    let known = &mut tier_costs.waiting_seconds;
    known.insert(
        OpClass::Local,
        Figure::measured(local, deviation(&apart) / f64::from(LINKS), apart.len() as u64, SOURCE),
    );
    for links in &chains {
        let timed = time(&links.kernel)?;
        if !timed.is_empty() {
            let others = links.others.and_then(|(class, count)| Some(known.get(&class)?.value * f64::from(count)));
            known.insert(links.class, wait(links, &timed, local, others.unwrap_or(0.0)));
        }
    }
    let (foreseen, unforeseen) = (time(&waits::branches(false))?, time(&waits::branches(true))?);
    let mispredicted = f64::from(waits::BRANCHES) / 2.0;
    let base = undisturbed(&foreseen);
    let costs: Vec<f64> = unforeseen.iter().map(|seconds| (seconds - base).max(0.0) / mispredicted).collect();
    tier_costs.mispredicted_seconds = (!costs.is_empty() && base > 0.0).then(|| measured(&costs));
    Ok(())
}

/// Seconds of one operator of the chain's own class.
fn wait(links: &Links, timed: &[f64], local: f64, others: f64) -> Figure {
    let one = |seconds: f64| (((seconds - local) / f64::from(LINKS)) - others).max(0.0) / f64::from(links.own);
    let values: Vec<f64> = timed.iter().map(|seconds| one(*seconds)).collect();
    measured(&values)
}

fn measured(values: &[f64]) -> Figure {
    Figure::measured(undisturbed(values), deviation(values), values.len() as u64, SOURCE)
}

/// CPU seconds of a command that returns at once, run as real ones are.
fn entry(bench: &Bench<'_>, tier: Tier) -> Result<Figure, EmulateError> {
    let wasm = Arc::new(kernels::host_calls(HOST_CALLS).0);
    let mut seconds = Vec::new();
    for _ in 0..bench.budget.repeats.max(2) {
        let executor = Executor::new(None, Arc::clone(&bench.clock)).releasing_memory(true);
        let lease = executor.allocate(&configuration(tier, false))?;
        let ready = lease.warm(&mut Generated(Arc::clone(&wasm)), &Invocation::detached("calibration"))?;
        seconds.push(ready.run().run_cpu_seconds);
    }
    Ok(measured(&seconds))
}
