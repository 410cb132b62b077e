//! The whole climb of a real run, from a generated command's bytes to its first instruction, for the steps that only
//! the executor's own path times truly: linking with WASI, instantiating with a host state, backing memory ahead.

use std::sync::Arc;

use forewarm_executor::lease::CodeSource;
use forewarm_executor::{Executor, Invocation};
use forewarm_types::{
    Bytes, CodeKind, Configuration, CpuSettings, Digest, IsaLevel, Placement, Rung, Settings, StepTiming, Tier,
};

use super::Bench;
use crate::EmulateError;

/// A generated command, already in memory.
pub(super) struct Generated(pub Arc<Vec<u8>>);

impl CodeSource for Generated {
    fn name(&self) -> &str {
        "calibration"
    }

    fn digest(&self) -> Digest {
        // There is no artifact cache here that could take one code for another.
        Digest([0; 32])
    }

    fn kind(&self) -> CodeKind {
        CodeKind::WasmModule
    }

    fn bytes(&mut self) -> Result<Arc<Vec<u8>>, std::io::Error> {
        Ok(Arc::clone(&self.0))
    }
}

/// The timed steps of a climb to the command's first instruction, which then is not run.
pub(super) fn climb(
    bench: &Bench<'_>,
    tier: Tier,
    wasm: &Arc<Vec<u8>>,
    prefault: bool,
) -> Result<Vec<StepTiming>, EmulateError> {
    let executor = Executor::new(None, Arc::clone(&bench.clock)).releasing_memory(true);
    let lease = executor.allocate(&configuration(tier, prefault))?;
    let ready = lease.warm(&mut Generated(Arc::clone(wasm)), &Invocation::detached("calibration"))?;
    Ok(ready.steps().to_vec())
}

/// One thread on a tier.
pub(super) fn configuration(tier: Tier, prefault: bool) -> Configuration {
    let cpu = CpuSettings { tier, isa: IsaLevel::Native, threads: 1, pinned: false, prefault };
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
