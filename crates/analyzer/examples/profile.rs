//! What the analyzer says of each file, as `forewarm analyze --format json` does but without the rest of the binary.
//!
//! `cargo run --profile ci -p forewarm-analyzer --example profile -- FILE.wasm…` prints one JSON line per file; benches
//! and development read it.
#![expect(clippy::print_stdout, reason = "an example shows its result")]

use forewarm_analyzer::{Depth, analyze, binary, study};
use forewarm_types::{Bytes, Digest};
use serde_json::json;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for path in std::env::args().skip(1) {
        let text = std::fs::read(&path)?;
        let bytes = binary(&text)?;
        let mut line = match analyze(&bytes, Digest([0; 32]), Bytes(bytes.len() as u64), Depth::Full) {
            Ok(analysis) => serde_json::to_value(&analysis)?,
            Err(error) => json!({"error": error.to_string()}),
        };
        let loops = study::loops(&bytes).unwrap_or_default().into_iter().map(|entry| {
            json!({"function": entry.function, "offset": entry.offset, "kind": entry.kind, "early": entry.early,
                   "ending": entry.ending,
                   "unknown_around": entry.unknown_around, "trips": entry.trips})
        });
        line["loops"] = loops.collect();
        line["file"] = json!(path);
        println!("{line}");
    }
    Ok(())
}
