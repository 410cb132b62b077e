//! Puts the demand profile together from what the analyses found. Called by [`crate::analyze`].

use std::collections::BTreeMap;

use forewarm_types::demand::{
    CompileDemand, IoDemand, IoKind, IsaDemand, MemoryDemand, OpMix, Parallelism, ParallelismKind,
};
use forewarm_types::{Basis, Bytes, DemandProfile, Estimate};

use crate::frontend::wasm::features::{self, Feature};
use crate::frontend::wasm::module::Module;
use crate::frontend::wasm::parse::Program;
use crate::io;
use crate::lanes::{Lanes, LogNormal};
use crate::mix::{self, LOAD_BYTES, STORE_BYTES};
use crate::summary::Run;

/// An interval wider than this, high over low, means that what matters is not known.
const WIDE: f64 = 1.5;

/// Bytes in a page of linear memory.
const PAGE_BYTES: f64 = 65_536.0;

/// Growth of linear memory by an allocator whose requests are not known, in bytes: median, and spread to the 95th
/// percentile. A default: from nothing much to a gigabyte.
const UNKNOWN_GROWTH: (f64, f64) = (1_048_576.0, 256.0);

/// The profile, and what is uncertain about it in words.
pub(crate) fn assemble(program: &Program<'_>, main: &Module<'_>, run: Option<&Run>) -> (DemandProfile, Vec<String>) {
    let mut warnings = Vec::new();
    let set = program.modules.iter().fold(0, |set, module| set | module.features);
    let ops = run.map(op_mix).unwrap_or_default();
    let input_dependent = input_dependent(&ops, run, &mut warnings);
    let profile = DemandProfile {
        memory: memory(program, run, &ops, &mut warnings),
        parallelism: parallelism(program, set),
        io: services(program, main, run),
        libraries: libraries(program),
        isa: IsaDemand { required: features::names(set), may_use: Vec::new() },
        contention: Vec::new(),
        compile: compile(program, set),
        input_dependent,
        ops,
    };
    (profile, warnings)
}

/// Counts by class: their means share the total's relative error, since all come of the same trip counts.
fn op_mix(run: &Run) -> OpMix {
    let total = run.cost.total().weighted_estimate(&run.weights, Basis::Static);
    let executed = run.cost.ops.weighted_estimate(&run.weights, Basis::Static);
    let mean = run.cost.ops.weighted_mean(&run.weights);
    let counted = run.mix[..LOAD_BYTES].iter().sum::<f64>() + run.entries;
    // What was too small to look into is taken to be of the same mix.
    let scale = if counted > 0.0 { mean / counted } else { 0.0 };
    let scale = if (scale - 1.0).abs() < 1e-9 { 1.0 } else { scale };
    let share = |part: f64| {
        let expected = part * scale;
        if run.cost.ops.exact().is_some() {
            return Estimate::exact(expected, Basis::Static);
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
        load_bytes: Some(share(run.mix[LOAD_BYTES])),
        store_bytes: Some(share(run.mix[STORE_BYTES])),
        bulk_bytes: Some(run.cost.bulk.weighted_estimate(&run.weights, Basis::Static)),
    }
}

fn input_dependent(ops: &OpMix, run: Option<&Run>, warnings: &mut Vec<String>) -> bool {
    let Some((total, run)) = ops.total.zip(run) else {
        warnings.push("no entry point: what a run executes cannot be told".to_owned());
        return true;
    };
    if run.dispatch {
        warnings
            .push("an interpreter's dispatch loop: how long it runs depends on its input, not on this code".to_owned());
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
    wide || run.dispatch
}

fn memory(program: &Program<'_>, run: Option<&Run>, ops: &OpMix, warnings: &mut Vec<String>) -> MemoryDemand {
    let memories = || program.modules.iter().flat_map(|module| &module.memories);
    let initial: u64 = memories().fold(0, |sum, memory| sum.saturating_add(memory.initial_bytes));
    let maximum = memories().try_fold(0_u64, |sum, memory| Some(sum.saturating_add(memory.maximum_bytes?)));
    let ceiling = maximum.unwrap_or(u64::MAX) as f64;
    let grows = program.modules.iter().any(|module| module.features & Feature::MemoryGrowth.bit() != 0);
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
        traffic_bytes: traffic.reduce(Estimate::add_correlated),
    }
}

fn parallelism(program: &Program<'_>, set: u32) -> Parallelism {
    let spawns = program
        .modules
        .iter()
        .flat_map(|module| &module.imports)
        .any(|import| io::kind(import.module, import.name) == IoKind::Threads);
    let shared = program.modules.iter().flat_map(|module| &module.memories).any(|memory| memory.shared);
    if spawns && (shared || set & Feature::Threads.bit() != 0) {
        return Parallelism { kind: ParallelismKind::Threads, max_useful_threads: None };
    }
    let one = Estimate::exact(1.0, Basis::Static);
    Parallelism { kind: ParallelismKind::Serial, max_useful_threads: Some(one) }
}

fn services(program: &Program<'_>, main: &Module<'_>, run: Option<&Run>) -> Vec<IoDemand> {
    if !program.component_imports.is_empty() {
        let interface = |&via: &&str| IoDemand { kind: io::kind(via, ""), via: via.to_owned(), calls: None };
        return program.component_imports.iter().map(interface).collect();
    }
    let service = |(index, import): (usize, &crate::frontend::wasm::module::ImportedFunction<'_>)| IoDemand {
        kind: io::kind(import.module, import.name),
        via: format!("{}.{}", import.module, import.name),
        calls: run.map(|run| {
            run.host_calls.get(&(index as u32)).map_or(Estimate::exact(0.0, Basis::Static), |calls| {
                calls.weighted_estimate(&run.weights, Basis::Static)
            })
        }),
    };
    main.imports.iter().enumerate().map(service).collect()
}

/// Languages, tools and kits named by the `producers` sections, and Go's mark.
fn libraries(program: &Program<'_>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for module in &program.modules {
        for (field, name, version) in &module.producers {
            let text =
                if version.is_empty() { format!("{field}: {name}") } else { format!("{field}: {name} {version}") };
            out.push(text.chars().take(200).collect());
        }
        if module.go {
            out.push("language: Go".to_owned());
        }
    }
    out.sort();
    out.dedup();
    out
}

fn compile(program: &Program<'_>, set: u32) -> CompileDemand {
    let bodies = || program.modules.iter().flat_map(|module| &module.bodies);
    CompileDemand {
        code_bytes: program.modules.iter().map(|module| Bytes(module.code_bytes)).sum(),
        functions: bodies().count() as u64,
        largest_function_bytes: Bytes(bodies().map(|body| body.bytes.len() as u64).max().unwrap_or(0)),
        unsupported: features::unsupported(set),
    }
}
