//! What runs count at several sizes, and what the growth of the small ones foretells of the largest: the truth that
//! `cargo xtask bench growth` reports.
//!
//! `cargo run --profile ci -p forewarm-emulator --example growth -- FILE RUN… LARGE`, a run being its arguments with commas
//! between them, prints one JSON line. The largest run is counted, too, so that the error is exact.
#![expect(clippy::print_stdout, reason = "an example shows its result")]

use std::sync::Arc;

use forewarm_emulator::growth::{Growth, Sample};
use forewarm_executor::Invocation;
use forewarm_executor::lease::CodeSource;
use forewarm_sandbox::RealClock;
use forewarm_types::plan::TrialLimits;
use forewarm_types::{CodeKind, Digest};
use serde_json::json;

type Failure = Box<dyn std::error::Error>;

/// Bounds of one run, far above what the corpus's take.
const MOST_OPERATORS: u64 = 1 << 36;
const MOST_SECONDS: f64 = 120.0;

struct File(Vec<u8>);

impl CodeSource for File {
    fn name(&self) -> &str {
        "module.wasm"
    }

    fn digest(&self) -> Digest {
        Digest([0; 32])
    }

    fn kind(&self) -> CodeKind {
        CodeKind::WasmModule
    }

    fn bytes(&mut self) -> std::io::Result<Arc<Vec<u8>>> {
        Ok(Arc::new(self.0.clone()))
    }
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, small @ .., large] = arguments.as_slice() else { return Err("usage: growth FILE RUN… LARGE".into()) };
    let bytes = std::fs::read(file)?;
    let samples: Vec<Sample> = small.iter().map(|run| count(&bytes, run)).collect::<Result<_, _>>()?;
    let truth = count(&bytes, large)?;
    let growth = Growth::fit(&samples).ok_or("nothing fits")?;
    let foreseen = growth.predict(&truth.features).ok_or("nothing is foretold")?;
    let most = samples.iter().map(|sample| sample.count).fold(0.0, f64::max);
    println!(
        "{}",
        json!({"file": file, "law": growth.law(), "factor": truth.count / most, "truth": truth.count,
               "low": foreseen.low, "expected": foreseen.expected, "high": foreseen.high})
    );
    Ok(())
}

fn count(bytes: &[u8], run: &str) -> Result<Sample, Failure> {
    let arguments: Vec<String> = run.split(',').map(str::to_owned).collect();
    let features = arguments.iter().map(|argument| argument.parse()).collect::<Result<_, _>>()?;
    let invocation = Invocation { arguments, ..Invocation::detached("module.wasm") };
    let mut code = File(bytes.to_vec());
    let clock = Arc::new(RealClock);
    let trial =
        forewarm_emulator::measure(&mut code, &invocation, TrialLimits::of(MOST_OPERATORS, MOST_SECONDS), 1, clock)?;
    match trial.stopped_by {
        None => Ok(Sample { features, count: trial.ops as f64 }),
        Some(why) => Err(format!("{run}: {why}").into()),
    }
}
