//! The whole loop inside another program: `cargo run --release -p forewarm-orchestrator --example embed -- FILE [ARGS]`.
#![expect(clippy::print_stderr, reason = "an example shows what it got")]

use std::sync::Arc;

use forewarm_orchestrator::{Emulate, Orchestrator, Overrides, ProcessLimits, PythonOptions, Request, Settings};
use forewarm_sandbox::RealClock;
use forewarm_types::{Bytes, Objective};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Before anything grows or starts a thread: from then on native and Python programs start as fast as from a small process.
    forewarm_orchestrator::stand_by()?;
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("which program?")?.into();
    let home = std::env::temp_dir().join("forewarm-embedded");
    let (data, cache) = (home.join("data"), home.join("cache"));
    let settings = Settings {
        data_directory: Some(data),
        cache_directory: Some(cache),
        cache_limit: Bytes(1 << 30),
        record: true,
        release_memory: true,
        prepare_command: None,
        timing_command: None,
    };
    let forewarm = Orchestrator::open(settings, Arc::new(RealClock));
    #[rustfmt::skip]
    let request = Request {
        file, arguments: arguments.collect(), environment: Vec::new(), directories: Vec::new(), invoke: None,
        network: false, max_memory: Some(Bytes(1 << 30)), timeout_seconds: None, objective: Objective::Balanced,
        weights: None, emulate: Emulate::Auto, samples: Vec::new(), overrides: Overrides::default(), plan: None, prepare: false,
        all_candidates: false, python: PythonOptions::default(), event: None, limits: ProcessLimits::default(),
    };
    let report = forewarm.run(&request)?;
    eprintln!("{}", report.plan.chosen.why);
    eprintln!("ran {:.6} s, ended with {}", report.observation.run_seconds, report.observation.exit.code);
    Ok(())
}
