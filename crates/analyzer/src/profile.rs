//! Puts the demand profile together from what the analyses found. Called by [`crate::analyze`].

use std::collections::BTreeMap;

use forewarm_types::demand::{Allocation, Contention, IoDemand, IoKind, MemoryDemand, OpMix, ParallelismKind};
use forewarm_types::{Basis, Bytes, DemandProfile, Estimate, OpClass};

use crate::Depth;
use crate::dependence::Accesses;
use crate::frontend::{Allocator, Facts, Service};
use crate::lanes::{Lanes, LogNormal};
use crate::memory;
use crate::mix::{self, LOAD_BYTES, STORE_BYTES, VECTORS};
use crate::summary::{Asked, Run};

/// An interval wider than this, high over low, means that what matters is not known.
const WIDE: f64 = 1.5;

/// What unrolled, vectorised and sampled loops leave of error where the rest is known: a factor.
const MARGIN: f64 = 1.02;

/// The same where branches are guessed too, and the width from which on the guesses of trip counts cover most of it
/// and less is enough.
const MOST_MARGIN: f64 = 1.08;
const MARGIN_UNTIL: f64 = 3.0;
const WIDE_MARGIN: f64 = 1.06;

/// Bytes in a page of linear memory.
const PAGE_BYTES: f64 = 65_536.0;

/// Growth of linear memory by an allocator whose requests are not known, in bytes: median, and spread to the 95th
/// percentile. A default: from nothing much to a gigabyte.
const UNKNOWN_GROWTH: (f64, f64) = (1_048_576.0, 256.0);

/// The profile, and what is uncertain about it in words.
pub(crate) fn assemble(mut facts: Facts, run: Option<&Run>, depth: Depth) -> (DemandProfile, Vec<String>) {
    let mut warnings = Vec::new();
    let ops = run.map(op_mix).unwrap_or_default();
    let input_dependent = input_dependent(&ops, run, &mut warnings) || facts.interpreter.is_some();
    if let Some(place) = facts.interpreter.take() {
        warnings.push(format!(
            "an interpreter in {place}: what that runs, and for how long, depends on its input, not on this code"
        ));
    }
    let mut memory = memory(&facts, run, &ops, &mut warnings);
    if depth == Depth::Full {
        memory.footprint_bytes = run.and_then(footprint);
    }
    contend(&mut facts, run);
    let Facts { parallelism, services, libraries, isa, contention, compile, .. } = facts;
    let io = services.into_iter().map(|service| host_demand(service, run)).collect();
    let profile = DemandProfile { ops, memory, parallelism, io, libraries, isa, contention, compile, input_dependent };
    (profile, warnings)
}

/// Distinct bytes that the loops of the run touch: at least those of the function whose loops touch most, at most those
/// of all functions together.
fn footprint(run: &Run) -> Option<Estimate> {
    let of = |(&function, accesses): (&u32, &Accesses)| {
        let trips = |of: u32| run.loops.get(&(function, of)).map_or(Lanes::ONE, |part| part.trips);
        memory::footprint_of_all(accesses, &trips)
    };
    let all: Vec<Lanes> = run.accesses.iter().filter(|(_, a)| !a.references.is_empty()).map(of).collect();
    let most = all.iter().copied().reduce(|a, b| a.zip(b, f64::max))?;
    let sum = all.iter().fold(Lanes::ZERO, |sum, &one| sum + one);
    let [low, high] = [most, sum].map(|lanes| lanes.weighted_estimate(&run.weights, Basis::Static));
    Some(Estimate::new(low.low, f64::midpoint(low.expected, high.expected), high.high, Basis::Static))
}

/// Counts by class: their means share the total's relative error, since all come of the same trip counts.
fn op_mix(run: &Run) -> OpMix {
    let total = run.cost.ops.weighted_estimate(&run.weights, Basis::Static);
    // What is not exact is not known to the last operator either.
    let total = if run.cost.ops.exact().is_some() { total } else { total.widen(margin(total.width_ratio())) };
    let executed = run.cost.ops.weighted_estimate(&run.weights, Basis::Static);
    let counted = run.mix[..LOAD_BYTES].iter().sum::<f64>() + run.entries;
    // What was too small to look into is taken to be of the same mix; means of few scenarios are brought to what is expected.
    let told = counted > run.entries || run.cost.ops.exact().is_some();
    let scale = if counted > 0.0 { executed.expected / counted } else { 0.0 };
    let scale = if (scale - 1.0).abs() < 1e-9 { 1.0 } else { scale };
    let share = |part: f64| {
        let expected = part * scale;
        if run.cost.ops.exact().is_some() {
            return Estimate::exact(whole(expected), Basis::Static);
        }
        let end = |end: f64| expected * end / executed.expected;
        Estimate::new(end(executed.low), expected, end(executed.high), Basis::Static)
    };
    let classes: BTreeMap<_, _> = (0..LOAD_BYTES)
        .filter(|&counter| run.mix[counter] > 0.0)
        .filter_map(|counter| Some((mix::class(counter)?, share(run.mix[counter]))))
        .collect();
    OpMix {
        total: Some(total),
        classes,
        // Of a run all of which is guessed nothing was counted.
        load_bytes: told.then(|| share(run.mix[LOAD_BYTES])),
        store_bytes: told.then(|| share(run.mix[STORE_BYTES])),
        bulk_bytes: Some(run.cost.bulk.weighted_estimate(&run.weights, Basis::Static)),
        vectors_by_bits: VECTORS
            .into_iter()
            .filter(|&(counter, _)| run.mix[counter] > 0.0)
            .map(|(counter, bits)| (bits, share(run.mix[counter])))
            .collect(),
    }
}

/// By how much to move the ends of an interval of this width out: what is counted by parts errs in each part.
fn margin(width: f64) -> f64 {
    if width > MARGIN_UNTIL { WIDE_MARGIN } else { width.powf(0.2).clamp(MARGIN, MOST_MARGIN) }
}

/// A count without the rounding errors of a sum.
fn whole(count: f64) -> f64 {
    if (count - count.round()).abs() < 1e-9 * count { count.round() } else { count }
}

fn input_dependent(ops: &OpMix, run: Option<&Run>, warnings: &mut Vec<String>) -> bool {
    let Some((total, run)) = ops.total.zip(run) else {
        warnings.push("no entry point: what a run executes cannot be told".to_owned());
        return true;
    };
    if run.endless {
        warnings.push("a loop without an exit: it runs until it is stopped".to_owned());
    }
    if run.dispatch {
        warnings
            .push("an interpreter's dispatch loop: how long it runs depends on its input, not on this code".to_owned());
    }
    if run.beyond {
        warnings.push(
            "functions that were not looked into (too large, or too far from the entry point): what they do is guessed"
                .to_owned(),
        );
    }
    if run.recursive {
        warnings.push("recursive calls: their depth is guessed".to_owned());
    }
    let wide = total.width_ratio() > WIDE;
    if wide {
        warnings.push(format!(
            "trip counts that the code does not tell: the operator count may lie anywhere from {:.1e} to {:.1e}",
            total.low, total.high
        ));
    }
    wide || run.dispatch || run.beyond
}

fn memory(facts: &Facts, run: Option<&Run>, ops: &OpMix, warnings: &mut Vec<String>) -> MemoryDemand {
    let (initial, maximum, grows) = (facts.initial_bytes, facts.maximum_bytes, facts.grows);
    let ceiling = maximum.unwrap_or(u64::MAX) as f64;
    let peak = run.map(|run| {
        let asked = run.cost.grown_pages;
        let base = Lanes::splat(initial as f64);
        if !grows {
            return Estimate::exact(initial as f64, Basis::Static);
        }
        if asked.is_zero() {
            // The code can grow memory though no scenario got there; as often as not it stays below the median.
            let high = (initial as f64 + UNKNOWN_GROWTH.0).min(ceiling);
            return Estimate::new(initial as f64, initial as f64, high, Basis::Default);
        }
        if let Some(pages) = asked.exact() {
            let peak = (initial as f64 + pages * PAGE_BYTES).min(ceiling);
            return Estimate::new(initial as f64, peak, peak, Basis::Static);
        }
        if let Some(bytes) = told_growth(run) {
            // What is asked for is known, not what the allocator had to spare: nothing freed, nothing to spare; or enough.
            let high = (base + bytes).map(|bytes| bytes.min(ceiling)).weighted_estimate(&run.weights, Basis::Static);
            return Estimate::new(initial as f64, high.expected, (high.high + PAGE_BYTES).min(ceiling), Basis::Static);
        }
        warnings.push("memory grows by amounts the code does not tell".to_owned());
        let growth = Lanes::draw(&LogNormal::new(UNKNOWN_GROWTH, 0.0), 0x6077);
        let peak = (base + growth).map(|bytes| bytes.min(ceiling)).estimate(Basis::Default);
        Estimate { low: initial as f64, ..peak }
    });
    let traffic = [ops.load_bytes, ops.store_bytes, ops.bulk_bytes].into_iter().flatten();
    MemoryDemand {
        initial_bytes: Bytes(initial),
        maximum_bytes: maximum.map(Bytes),
        peak_bytes: peak,
        traffic_bytes: ops.load_bytes.and(traffic.reduce(Estimate::add_correlated)),
        footprint_bytes: None,
        allocations: run.map(allocations).unwrap_or_default(),
    }
}

/// Bytes that the run asks of allocators, where nearly all calls tell how much.
fn told_growth(run: &Run) -> Option<Lanes> {
    /// Share of calls by their mean whose amounts must be told.
    const NEARLY_ALL: f64 = 0.99;
    let sum = |of: fn(&Asked) -> Lanes| run.asked.iter().fold(Lanes::ZERO, |sum, asked| sum + of(&asked.1));
    let [calls, told] =
        [sum(|asked| asked.calls), sum(|asked| asked.told)].map(|lanes| lanes.weighted_mean(&run.weights));
    (calls > 0.0 && told >= NEARLY_ALL * calls).then(|| sum(|asked| asked.bytes))
}

/// How the run asks for memory.
fn allocations(run: &Run) -> Vec<Allocation> {
    let estimate = |lanes: Lanes| lanes.weighted_estimate(&run.weights, Basis::Static);
    let named = |(allocator, asked): &(Allocator, Asked)| Allocation {
        via: allocator.name.clone(),
        calls: Some(estimate(asked.calls)),
        bytes: (asked.told == asked.calls).then(|| estimate(asked.bytes)),
    };
    let mut out: Vec<Allocation> = run.asked.iter().map(named).collect();
    if !run.cost.grown_pages.is_zero() {
        let bytes = run.cost.grown_pages.exact().map(|pages| Estimate::exact(pages * PAGE_BYTES, Basis::Static));
        out.push(Allocation { via: "memory.grow".to_owned(), calls: None, bytes });
    }
    out
}

/// Where the run may wait for others, or slow them, by what it executes.
fn contend(facts: &mut Facts, run: Option<&Run>) {
    let contention = |kind: &str, location: &str| Contention { kind: kind.to_owned(), location: location.to_owned() };
    let atomics = run.map_or(0.0, |run| run.mix[OpClass::Atomic as usize]);
    if atomics > 0.0 {
        let place = format!("atomic operations on shared memory, some {atomics:.0} in a run");
        facts.contention.push(contention("lock", &place));
    }
    if facts.parallelism.kind == ParallelismKind::Threads {
        facts.contention.push(contention("shared-memory", "the memory that the threads it starts share"));
        if facts.services.iter().any(|service| service.kind == IoKind::Filesystem) {
            facts.contention.push(contention("lock", "the host's locks on files that its threads share"));
        }
    }
}

/// A host service with the calls that the run makes of it.
fn host_demand(service: Service, run: Option<&Run>) -> IoDemand {
    let Service { kind, via, function } = service;
    let calls = function.zip(run).map(|(function, run)| {
        run.host_calls
            .get(&function)
            .map_or(Estimate::exact(0.0, Basis::Static), |calls| calls.weighted_estimate(&run.weights, Basis::Static))
    });
    IoDemand { kind, via, calls }
}
