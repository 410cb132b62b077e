//! Times what learning costs a run, on this machine: prints medians in microseconds as JSON, asserts nothing.
//!
//! `cargo run --release -p forewarm-learner --example corrections_bench`
#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a bench reads the clock and prints")]

#[path = "../src/sample.rs"]
mod sample;

use std::time::Instant;

use forewarm_learner::corrections;
use forewarm_types::{Features, PastRun, ReuseStatistics};
use sample::Normal;

/// Median microseconds of the corrections from `past` for an input.
fn median_micros(past: &[PastRun], features: &Features) -> f64 {
    let mut times: Vec<f64> = (0..201)
        .map(|_| {
            let start = Instant::now();
            std::hint::black_box(corrections(std::hint::black_box(past), features, &ReuseStatistics::default()));
            start.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}

fn main() {
    let mut rows = Vec::new();
    for runs in [1_usize, 8, 32, 64] {
        let mut normal = Normal::new(1);
        let mut run = |input: usize| {
            let number = 64.0 + input as f64;
            let mut run =
                sample::run("winch/native", input as u64, 1e-6 * number * number * (0.05 * normal.next()).exp());
            run.features.numbers = vec![number];
            run.features.argument_bytes = forewarm_types::Bytes(3 + input as u64 % 2);
            run.ops = Some(1000 + input as u64);
            run
        };
        let one: Vec<_> = (0..runs).map(|_| run(7)).collect();
        let many: Vec<_> = (0..runs).map(&mut run).collect();
        let (known, new) = (run(7).features, run(5000).features);
        rows.push(serde_json::json!({
            "past_runs": runs, "same_input_us": median_micros(&one, &known), "new_input_us": median_micros(&many, &new),
        }));
    }
    println!("{:#}", serde_json::json!({ "schema": 1, "corrections": rows }));
}
