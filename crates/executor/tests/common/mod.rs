//! What the executor's tests share: programs from text, configurations, and a whole run in one call.
#![expect(dead_code, reason = "each test binary uses its own part of this")]

use std::path::Path;
use std::sync::Arc;

use forewarm_executor::lease::WarmError;
use forewarm_executor::{ArtifactCache, CodeSource, Executor, Invocation, Outcome, Ready};
use forewarm_sandbox::RealClock;
use forewarm_types::configuration::Settings;
use forewarm_types::{Bytes, CodeKind, Configuration, CpuSettings, Digest, IsaLevel, Placement, Rung, Tier};
use sha2::Digest as _;

/// A program in memory.
pub struct Program {
    /// Its binary.
    pub bytes: Arc<Vec<u8>>,
    /// How often its bytes were asked for.
    pub reads: u32,
    kind: CodeKind,
}

impl Program {
    /// A module, from text or binary.
    pub fn module(source: &str) -> Self {
        Self { bytes: wat::parse_str(source).unwrap().into(), reads: 0, kind: CodeKind::WasmModule }
    }

    /// A component, from its binary.
    pub fn component(bytes: Vec<u8>) -> Self {
        Self { bytes: bytes.into(), reads: 0, kind: CodeKind::WasmComponent }
    }

    /// A module from bytes that may be anything.
    pub fn raw(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec().into(), reads: 0, kind: CodeKind::WasmModule }
    }
}

impl CodeSource for Program {
    fn name(&self) -> &str {
        "test.wasm"
    }
    fn digest(&self) -> Digest {
        Digest(sha2::Sha256::digest(&*self.bytes).into())
    }
    fn kind(&self) -> CodeKind {
        self.kind
    }
    fn bytes(&mut self) -> Result<Arc<Vec<u8>>, std::io::Error> {
        self.reads += 1;
        Ok(Arc::clone(&self.bytes))
    }
}

/// A configuration of one thread.
pub fn configuration(tier: Tier, warm_state: Rung) -> Configuration {
    let settings = CpuSettings { tier, isa: IsaLevel::Native, threads: 1, pinned: false, prefault: false };
    Configuration {
        placements: vec![Placement {
            region: "all".to_owned(),
            node: "local".to_owned(),
            processor: "cpu0".to_owned(),
            units: 1,
            share: 1.0,
            memory_bytes: Bytes(1 << 30),
            settings: Settings::Cpu(settings),
        }],
        warm_state,
    }
}

/// An executor that gives memory back, with a cache where a directory is given.
pub fn executor(cache: Option<&Path>) -> Executor {
    let cache = cache.map(|path| ArtifactCache::open(path.to_owned(), Bytes(1 << 30)).unwrap());
    Executor::new(cache, Arc::new(RealClock)).releasing_memory(true)
}

/// Warms a program on a tier, keeping nothing.
pub fn warm(tier: Tier, program: &mut Program, invocation: &Invocation) -> Result<Ready, WarmError> {
    executor(None).allocate(&configuration(tier, Rung::File))?.warm(program, invocation)
}

/// Runs a program on a tier.
pub fn run(tier: Tier, source: &str, invocation: &Invocation) -> Outcome {
    warm(tier, &mut Program::module(source), invocation).unwrap().run()
}
