//! Times what the store costs a run, on this machine: prints medians in microseconds as JSON, asserts nothing.
//!
//! `cargo run --release -p forewarm-store --example store_bench [DIRECTORY]`
#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a bench reads the clock and prints")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

use forewarm_store::{Options, Record, Stamp, Store};
use forewarm_types::{Basis, Bytes, Digest, Estimate, Exit, ExitCause, Features, Observation, Step, StepTiming};

const ROUNDS: u32 = 41;
/// Size of a resource model's text, in bytes.
const MODEL_BYTES: usize = 3_600;
/// Size of an analysis' text, in bytes.
const ANALYSIS_BYTES: usize = 6_000;
const STAMP: Stamp = Stamp { device: 1, inode: 2, size: 3, mtime_ns: 4, ctime_ns: 5 };

fn observation(n: u32) -> Observation {
    let steps = Step::ALL.map(|step| StepTiming {
        step,
        wall_seconds: 0.012_345_678,
        cpu_seconds: 0.011_234_567,
        bytes: Bytes(123_456),
    });
    Observation {
        digest: Digest([7; 32]),
        configuration_class: "winch/native".to_owned(),
        features: Features {
            input_hash: u64::from(n) << 40,
            numbers: vec![64.0, f64::from(n)],
            arguments: 2,
            argument_bytes: Bytes(7),
            input_bytes: Bytes(10_240),
        },
        started_unix_seconds: 1.75e9 + f64::from(n),
        wall_seconds: 0.123_456_789,
        plan_seconds: 0.001_234_567,
        emulation_seconds: 0.0,
        wait_seconds: 0.0,
        transition_seconds: 0.045_678_912,
        run_seconds: 0.076_543_31,
        cpu_seconds: 0.112_345_678,
        run_cpu_seconds: 0.075_432_1,
        peak_memory_bytes: Bytes(34_567_890),
        peak_linear_memory_bytes: Bytes(1_179_648),
        exit: Exit { cause: ExitCause::Exited, code: 0, signal: None, message: None },
        censored: false,
        measured_by: "rusage".to_owned(),
        run_delay_seconds: Some(0.000_123),
        throttled_seconds: None,
        steal_seconds: None,
        steps: steps.to_vec(),
        first_instruction_seconds: None,
        warm_state: None,
        ops: Some(123_456_789),
        process: None,
        repeated: None,
        denied: Vec::new(),
        predicted_transition_seconds: None,
        predicted_cpu_seconds: Some(Estimate::new(0.05, 0.07, 0.11, Basis::Observed)),
        predicted_memory_bytes: Some(Estimate::new(1e6, 1.1e6, 1.3e6, Basis::Observed)),
    }
}

fn timed<T>(times: &mut Vec<f64>, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let value = work();
    times.push(start.elapsed().as_secs_f64() * 1e6);
    value
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}

fn create(root: &Path) -> Result<f64, Box<dyn Error>> {
    let mut times = Vec::new();
    for round in 0..ROUNDS {
        let directory = root.join(format!("new-{round}"));
        timed(&mut times, || Store::open(&directory, Options::default()))?;
        std::fs::remove_dir_all(&directory)?;
    }
    Ok(median(times))
}

/// Opening, looking up, recording and closing, each in its own open as in a run, over a history of `past` runs.
fn existing(directory: &Path, past: u32, maintained: bool) -> Result<serde_json::Value, Box<dyn Error>> {
    let model = "m".repeat(MODEL_BYTES);
    let seed = Store::open(directory, Options::default())?;
    seed.set_model(&model)?;
    seed.remember_file(&STAMP, &Digest([7; 32]))?;
    seed.remember_analysis(&Digest([7; 32]), 1, &"a".repeat(ANALYSIS_BYTES))?;
    for n in 0..past {
        let observation = observation(n);
        seed.record(&Record { observation: &observation, file_name: "x.wasm", plan_json: None }, |_| None)?;
    }
    seed.maintain()?;
    drop(seed);
    let (mut opens, mut look_ups, mut records, mut closes, mut log) = (vec![], vec![], vec![], vec![], vec![]);
    for round in 0..ROUNDS {
        let store = timed(&mut opens, || Store::open(directory, Options::default()))?;
        log.push(store.wal_bytes() as f64);
        timed(&mut look_ups, || store.look_up(&STAMP, 1, 32, 2e9))?;
        let run = observation(1000 + round);
        let record = Record { observation: &run, file_name: "x.wasm", plan_json: Some(&"p".repeat(1_500)) };
        timed(&mut records, || store.record(&record, |text| text))?;
        if maintained && store.wants_maintenance() {
            store.maintain()?;
        }
        timed(&mut closes, || drop(store));
    }
    Ok(serde_json::json!({
        "past_runs": past, "maintained": maintained, "log_bytes_median": median(log), "open_us": median(opens),
        "look_up_32_us": median(look_ups), "record_with_model_us": median(records), "close_us": median(closes),
    }))
}

fn main() -> Result<(), Box<dyn Error>> {
    let root = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let root = root.join(format!("forewarm-store-bench-{}", std::process::id()));
    std::fs::create_dir_all(&root)?;
    let report = serde_json::json!({
        "schema": 1, "rounds": ROUNDS, "model_bytes": MODEL_BYTES, "analysis_bytes": ANALYSIS_BYTES,
        "create_us": create(&root)?,
        "existing": [existing(&root.join("a"), 40, true)?, existing(&root.join("b"), 40, false)?,
                     existing(&root.join("c"), 5000, true)?],
    });
    println!("{report:#}");
    std::fs::remove_dir_all(&root)?;
    Ok(())
}
