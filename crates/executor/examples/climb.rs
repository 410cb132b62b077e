//! Runs a program on a given tier and tells what each step took: `climb TIER THREADS CACHE|- FILE [ARGS…]`.
//!
//! The executor alone, with nothing predicted or chosen: what the orchestrator drives, laid bare for timing.
#![expect(clippy::print_stderr, reason = "an example's whole point is to be seen")]

use std::error::Error;
use std::sync::Arc;

use forewarm_executor::{ArtifactCache, CodeSource, Directory, Executor, Invocation, Stdio};
use forewarm_sandbox::RealClock;
use forewarm_types::host::Clock;
use forewarm_types::{
    Bytes, CodeKind, Configuration, CpuSettings, Digest, IsaLevel, Placement, Rung, configuration::Settings,
};
use sha2::Digest as _;

struct Program(String, Arc<Vec<u8>>, CodeKind, Digest);

impl CodeSource for Program {
    fn name(&self) -> &str {
        &self.0
    }
    fn digest(&self) -> Digest {
        self.3
    }
    fn kind(&self) -> CodeKind {
        self.2
    }
    fn bytes(&mut self) -> Result<Arc<Vec<u8>>, std::io::Error> {
        Ok(Arc::clone(&self.1))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [tier, threads, cache, file, rest @ ..] = &arguments[..] else {
        return Err("usage: climb TIER THREADS CACHE|- FILE [ARGS…]".into());
    };
    let bytes = std::fs::read(file)?;
    // The layer field of the preamble tells a component (1) from a module (0): component-model Binary.md.
    let kind = if bytes.get(6) == Some(&1) { CodeKind::WasmComponent } else { CodeKind::WasmModule };
    let digest = Digest(sha2::Sha256::digest(&bytes).into());
    let mut program = Program(file.clone(), bytes.into(), kind, digest);
    let settings = CpuSettings {
        tier: tier.parse()?,
        isa: IsaLevel::Native,
        threads: threads.parse()?,
        pinned: false,
        prefault: std::env::var_os("PREFAULT").is_some(),
    };
    let configuration = Configuration {
        placements: vec![Placement {
            region: "all".into(),
            node: "local".into(),
            processor: "cpu0".into(),
            units: settings.threads,
            share: 1.0,
            memory_bytes: Bytes(1 << 30),
            settings: Settings::Cpu(settings),
        }],
        warm_state: Rung::Artifact,
    };
    let clock = Arc::new(RealClock);
    let artifacts = (cache != "-").then(|| ArtifactCache::open(cache.into(), Bytes(1 << 30))).transpose()?;
    let executor = Executor::new(artifacts, clock.clone());
    let directories = std::env::var("DIR").map(|directory| {
        let (host, guest) = directory.split_once("::").unwrap_or((&directory, &directory));
        vec![Directory { host: host.into(), guest: guest.to_owned(), read_only: false }]
    });
    let invocation = Invocation {
        arguments: rest.to_vec(),
        directories: directories.unwrap_or_default(),
        stdio: Stdio::Inherit,
        invoke: std::env::var("INVOKE").ok(),
        ..Invocation::detached(file)
    };
    if std::env::var_os("PREPARE").is_some() {
        executor.allocate(&configuration)?.prepare(&mut program)?;
    }
    let asked = clock.monotonic();
    let standing = executor.standing(&digest);
    let standing_seconds = (clock.monotonic() - asked).0;
    let start = clock.monotonic();
    let ready = executor.allocate(&configuration)?.warm(&mut program, &invocation)?;
    let warmed = (clock.monotonic() - start).0;
    let steps = ready.steps().to_vec();
    let outcome = ready.run();
    if std::env::var_os("QUIET").is_none() {
        eprintln!("{:>12} {:9.3} ms {standing:?}", "standing", standing_seconds * 1e3);
        for step in steps {
            eprintln!(
                "{:>12} {:9.3} ms {:9.3} cpu ms {:>10} bytes",
                step.step.name(),
                step.wall_seconds * 1e3,
                step.cpu_seconds * 1e3,
                step.bytes.0
            );
        }
        eprintln!("{:>12} {:9.3} ms", "warm", warmed * 1e3);
        eprintln!("{:>12} {:9.3} ms {:9.3} cpu ms", "run", outcome.run_seconds * 1e3, outcome.run_cpu_seconds * 1e3);
        eprintln!(
            "{:?} {:?} {:?} {:?}",
            outcome.exit,
            outcome.results,
            outcome.peak_linear_memory_bytes,
            outcome.persistence.state()
        );
    }
    std::process::exit(outcome.exit.code)
}
