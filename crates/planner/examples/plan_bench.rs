//! How long planning takes: prints JSON with the median seconds of a plan over some thousand candidates and of a
//! typical one. Run by the benches; `cargo run --release -p forewarm-planner --example plan_bench [CANDIDATES]`.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a bench prints, and it alone may read the clock")]

use std::time::Instant;

use forewarm_planner::{Constraints, Inputs, ProbeMode, believe, candidates, choose, next_probe, weights};
use forewarm_resources::{ResourceModel, defaults, inventory};
use forewarm_types::demand::{CompileDemand, DemandProfile, IsaDemand, MemoryDemand, Parallelism, ParallelismKind};
use forewarm_types::{
    Analysis, Basis, Bytes, CodeInfo, CodeKind, Corrections, Digest, Estimate, Features, Objective, OpMix, Tier,
};

/// Repetitions of each measurement.
const ROUNDS: usize = 201;

fn main() {
    let wanted: usize = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(10_000);
    let analysis = analysis();
    let typical = defaults::model(inventory::unknown(2));
    let cores = (1..=1024).find(|cores| count(&analysis, &machine(*cores)) >= wanted).unwrap_or(1024);
    let big = machine(cores);
    let (few, many) = (measure(&analysis, &typical), measure(&analysis, &big));
    println!(
        "{{\"schema\": 1, \"candidates\": {}, \"choose_seconds\": {:.9}, \"plan_seconds\": {:.9}, \
         \"typical_candidates\": {}, \"typical_choose_seconds\": {:.9}, \"typical_plan_seconds\": {:.9}}}",
        count(&analysis, &big),
        many.0,
        many.1,
        count(&analysis, &typical),
        few.0,
        few.1
    );
}

fn machine(cores: u32) -> ResourceModel {
    let mut model = defaults::model(inventory::unknown(cores));
    model.inventory.enforceable_shares = vec![0.25, 0.5, 0.75];
    model
}

fn inputs<'a>(
    analysis: &'a Analysis,
    resources: &'a ResourceModel,
    corrections: &'a Corrections,
    features: &'a Features,
) -> Inputs<'a> {
    Inputs {
        analysis,
        resources,
        corrections,
        features,
        standing: &[],
        file_known: false,
        load: forewarm_types::Load::default(),
        absent: forewarm_planner::AbsentFiles::default(),
        constraints: Constraints { persist: true, ..Constraints::default() },
        spent_seconds: 0.001,
        smaller_inputs: false,
        timing: true,
    }
}

fn count(analysis: &Analysis, model: &ResourceModel) -> usize {
    let corrections = Corrections::default();
    candidates(&believe(&inputs(analysis, model, &corrections, &Features::default())), &weights(Objective::Latency))
        .considered()
}

/// Median seconds of enumerating and choosing, and of the whole from belief to plan.
fn measure(analysis: &Analysis, model: &ResourceModel) -> (f64, f64) {
    let weights = weights(Objective::Latency);
    let corrections = Corrections::default();
    let mut seconds: Vec<(f64, f64)> = (0..ROUNDS)
        .map(|_| {
            let started = Instant::now();
            let belief = believe(&inputs(analysis, model, &corrections, &Features::default()));
            let probe = next_probe(&belief, &weights, ProbeMode::Auto);
            let believed = Instant::now();
            let plan = choose(&belief, candidates(&belief, &weights), Objective::Latency, weights, 20);
            let done = Instant::now();
            std::hint::black_box((probe, plan.is_ok()));
            ((done - believed).as_secs_f64(), (done - started).as_secs_f64())
        })
        .collect();
    let middle = ROUNDS / 2;
    seconds.sort_by(|a, b| a.0.total_cmp(&b.0));
    let choosing = seconds[middle].0;
    seconds.sort_by(|a, b| a.1.total_cmp(&b.1));
    (choosing, seconds[middle].1)
}

fn analysis() -> Analysis {
    let code_bytes = Bytes(1_000_000);
    Analysis {
        code: CodeInfo {
            digest: Digest([7; 32]),
            kind: CodeKind::WasmModule,
            size_bytes: code_bytes,
            entry: "_start".into(),
        },
        profile: DemandProfile {
            ops: OpMix { total: Some(Estimate::new(1e3, 1e6, 1e9, Basis::Static)), ..OpMix::default() },
            memory: MemoryDemand {
                initial_bytes: Bytes(1 << 20),
                maximum_bytes: None,
                peak_bytes: None,
                traffic_bytes: None,
                ..MemoryDemand::default()
            },
            parallelism: Parallelism { kind: ParallelismKind::Serial, max_useful_threads: None },
            io: Vec::new(),
            libraries: Vec::new(),
            isa: IsaDemand::default(),
            contention: Vec::new(),
            compile: CompileDemand {
                code_bytes,
                functions: 2000,
                largest_function_bytes: Bytes(20_000),
                unsupported: [(Tier::Pulley, "none".to_owned())].into(),
            },
            input_dependent: true,
        },
        regions: Vec::new(),
        warnings: Vec::new(),
        native: None,
        python: None,
        seconds: 0.0,
    }
}
