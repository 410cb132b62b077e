//! What counting costs and what its counts are worth: the figures behind `cargo xtask bench emulate`.
//!
//! `cargo run --profile ci -p forewarm-emulator --example emulate -- MODEL FILE…` calibrates this machine where MODEL does
//! not lie there yet, and prints a JSON line for each command: CPU times as it is and counted, on both compiling tiers and
//! in turn; compile times; its counts; what the run-time model makes of them; and how well representative intervals stand
//! for it.
#![expect(clippy::print_stdout, reason = "an example shows its result")]

use std::path::Path;
use std::sync::Arc;

use forewarm_emulator::counting::{self, Counting};
use forewarm_emulator::generate::SplitMix64;
use forewarm_emulator::instrument::instrument;
use forewarm_emulator::intervals::{representatives, weighted};
use forewarm_emulator::{Budget, calibrate};
use forewarm_executor::lease::CodeSource;
use forewarm_executor::wasm::{Engine, EngineSettings};
use forewarm_executor::{Executor, Invocation};
use forewarm_resources::{ResourceModel, inventory, run_model};
use forewarm_sandbox::{RealClock, RealFiles};
use forewarm_types::plan::TrialLimits;
use forewarm_types::{
    Bytes, CodeKind, Configuration, Counts, CpuSettings, Digest, IsaLevel, Placement, Rung, Settings, Tier,
};
use serde_json::{Value, json};

type Failure = Box<dyn std::error::Error>;

/// Timings of each kind; the least is taken, since what disturbs a timing only adds to it.
const REPEATS: usize = 3;

/// Longer runs, some seconds and more, are left out.
const MOST_OPERATORS: u64 = 5_000_000_000;

/// Far more than such a run takes.
const MOST_SECONDS: f64 = 600.0;

const TIERS: [Tier; 2] = [Tier::Winch, Tier::Cranelift];

struct Source(Arc<Vec<u8>>);

impl CodeSource for Source {
    fn name(&self) -> &str {
        "program.wasm"
    }
    fn digest(&self) -> Digest {
        Digest([0; 32])
    }
    fn kind(&self) -> CodeKind {
        CodeKind::WasmModule
    }
    fn bytes(&mut self) -> Result<Arc<Vec<u8>>, std::io::Error> {
        Ok(Arc::clone(&self.0))
    }
}

fn settings(tier: Tier) -> EngineSettings {
    EngineSettings { tier, isa: IsaLevel::Native, metered: false, threads: 1 }
}

fn configuration(tier: Tier) -> Configuration {
    let cpu = CpuSettings { tier, isa: IsaLevel::Native, threads: 1, pinned: false, prefault: false };
    let placement = Placement {
        region: "all".into(),
        node: "local".into(),
        processor: "cpu0".into(),
        units: 1,
        share: 1.0,
        memory_bytes: Bytes::ZERO,
        settings: Settings::Cpu(cpu),
    };
    Configuration { placements: vec![placement], warm_state: Rung::File }
}

/// CPU seconds of a real run.
fn plain(wasm: &Arc<Vec<u8>>, tier: Tier) -> Result<f64, Failure> {
    let executor = Executor::new(None, Arc::new(RealClock)).releasing_memory(true);
    let lease = executor.allocate(&configuration(tier))?;
    let ready = lease.warm(&mut Source(Arc::clone(wasm)), &Invocation::detached("program.wasm"))?;
    Ok(ready.run().run_cpu_seconds)
}

/// A counted run: compile seconds of the rewritten module, CPU seconds with and without watching, and the counts.
fn counted(wasm: &[u8], tier: Tier, tracing: bool) -> Result<(f64, f64, f64, Counts), Failure> {
    let rewritten = instrument(wasm, tracing)?;
    let sockets = counting::sockets(&rewritten.ports);
    let limits = TrialLimits::of(MOST_OPERATORS, MOST_SECONDS);
    let (counting, bytes) = Counting::new(rewritten, limits);
    let engine = Engine::new(settings(tier), Arc::new(RealClock))?;
    let (code, timing) = engine.compile(&bytes, CodeKind::WasmModule)?;
    let invocation = Invocation::detached("program.wasm");
    let (trial, counting) = engine.watch(&code, &invocation, &sockets, counting, limits)?;
    if let Some(cause) = trial.stopped_by {
        return Err(cause.into());
    }
    let own = trial.run_cpu_seconds - counting.watching_seconds();
    let counts = counting.counts(trial.peak_linear_memory_bytes, None);
    Ok((timing.cpu_seconds, trial.run_cpu_seconds, own, counts))
}

fn compile_seconds(wasm: &[u8], tier: Tier) -> Result<f64, Failure> {
    let engine = Engine::new(settings(tier), Arc::new(RealClock))?;
    Ok(engine.compile(wasm, CodeKind::WasmModule)?.1.cpu_seconds)
}

/// What representatives make of a run: their number, their time over the whole's, the error of the whole they give, and
/// the share of the run after which the last of them has passed.
fn represented(counts: &Counts) -> Value {
    let intervals = &counts.intervals;
    let chosen = representatives(intervals, &mut SplitMix64::new(1));
    let whole: f64 = intervals.iter().map(|interval| interval.cpu_seconds).sum();
    let found = weighted(intervals, &chosen, |interval| interval.cpu_seconds);
    let timed: f64 = chosen.iter().map(|one| intervals[one.interval].cpu_seconds).sum();
    let last = chosen.last().map_or(0, |one| one.interval + 1);
    let until: f64 = intervals.iter().take(last).map(|interval| interval.cpu_seconds).sum();
    json!({"intervals": intervals.len(), "representatives": chosen.len(), "error": found / whole - 1.0,
           "timed_share": timed / whole, "passed_share": until / whole})
}

fn least(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().fold(f64::INFINITY, f64::min)
}

fn row(path: &str, model: &ResourceModel) -> Result<Value, Failure> {
    let wasm = Arc::new(std::fs::read(path)?);
    let mut tiers = serde_json::Map::new();
    let (.., first) = counted(&wasm, Tier::Winch, false)?;
    let mut all = Some(first);
    for tier in TIERS {
        let (mut alone, mut traced, mut own, mut untraced) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (mut compile, mut compile_counted) = (Vec::new(), Vec::new());
        for _ in 0..REPEATS {
            alone.push(plain(&wasm, tier)?);
            let (compiling, watched, itself, counts) = counted(&wasm, tier, true)?;
            compile.push(compile_seconds(&wasm, tier)?);
            compile_counted.push(compiling);
            traced.push(watched);
            own.push(itself);
            let (_, watched, _, intervals) = counted(&wasm, tier, false)?;
            untraced.push(watched);
            all = Some(Counts { intervals: intervals.intervals, ..counts });
        }
        let counts = all.as_ref().ok_or("nothing was counted")?;
        let explained = run_model::explain(&model.op_costs, &model.hierarchy, counts, tier);
        let flat = model.op_costs.run_seconds(&counts.mix(), tier).map(|seconds| seconds.expected);
        tiers.insert(
            tier.name().to_owned(),
            json!({"seconds": least(alone), "counted_seconds": least(traced), "own_seconds": least(own),
                   "untraced_seconds": least(untraced), "compile_seconds": least(compile),
                   "counted_compile_seconds": least(compile_counted), "model": explained,
                   "without_memory_seconds": flat, "represented": represented(counts)}),
        );
    }
    let counts = all.ok_or("nothing was counted")?;
    let accesses = counts.accesses();
    Ok(json!({"file": path, "operators": counts.operators(), "bulk_bytes": counts.bulk_bytes, "accesses": accesses,
              "reuse": counts.reuse, "tiers": tiers}))
}

fn calibrated(path: &Path) -> Result<ResourceModel, Failure> {
    if path.exists() {
        return Ok(serde_json::from_slice(&std::fs::read(path)?)?);
    }
    let cores = std::thread::available_parallelism()?.get() as u32;
    let budget = Budget { module_bytes: Vec::new(), ..Budget::default() };
    let model = calibrate(inventory::detect(&RealFiles, cores), budget, Arc::new(RealClock), &mut |_| ())?;
    std::fs::write(path, serde_json::to_vec(&model)?)?;
    Ok(model)
}

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let model = calibrated(Path::new(&arguments.next().ok_or("usage: emulate MODEL FILE…")?))?;
    for path in arguments {
        let mut line = row(&path, &model).unwrap_or_else(|error| json!({"error": error.to_string()}));
        line["file"] = json!(path);
        println!("{line}");
    }
    Ok(())
}
