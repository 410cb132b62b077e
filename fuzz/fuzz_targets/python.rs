//! Any bytes as Python source: `cargo fuzz run python`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| forewarm_analyzer::fuzz::analyze_python_bytes(data));
