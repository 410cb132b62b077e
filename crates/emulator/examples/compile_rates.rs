//! Compares compile time and code size of generated with real modules:
//! `cargo run --release -p forewarm-emulator --example compile_rates -- real.wasm …`.
#![expect(clippy::print_stdout, reason = "an example shows its result")]

use std::sync::Arc;

use forewarm_emulator::generate::{SplitMix64, programs};
use forewarm_executor::wasm::{Engine, EngineSettings};
use forewarm_sandbox::RealClock;
use forewarm_types::{CodeKind, IsaLevel, Tier};

fn code_bytes(wasm: &[u8]) -> f64 {
    let sections = wasmparser::Parser::new(0).parse_all(wasm).filter_map(Result::ok);
    let code = sections.filter_map(|payload| match payload {
        wasmparser::Payload::CodeSectionStart { range, .. } => Some((range.end - range.start) as f64),
        _ => None,
    });
    code.sum()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut modules = Vec::new();
    for size in [2_000, 50_000, 200_000, 1_000_000] {
        modules.push((format!("generated {size}"), programs::random_module(size, &mut SplitMix64::new(size))));
    }
    for path in std::env::args().skip(1) {
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        modules.push((name, std::fs::read(path)?));
    }
    for tier in [Tier::Winch, Tier::Cranelift] {
        let settings = EngineSettings { tier, isa: IsaLevel::Native, metered: false, threads: 1 };
        let engine = Engine::new(settings, Arc::new(RealClock))?;
        for (name, wasm) in &modules {
            let size = code_bytes(wasm);
            let _ = engine.compile(wasm, CodeKind::WasmModule)?;
            let (_, timing) = engine.compile(wasm, CodeKind::WasmModule)?;
            let rate = timing.cpu_seconds / (size / 1e6);
            let share = timing.bytes.as_f64() / size;
            println!(
                "{tier:10} {name:24} {size:10.0} B  {rate:.3} s/MB  {share:.2} B/B  {:.2} ms",
                timing.cpu_seconds * 1e3
            );
        }
    }
    Ok(())
}
