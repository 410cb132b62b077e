//! Any bytes through the analyzer: `cargo fuzz run analyze`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| forewarm_analyzer::fuzz::analyze_bytes(data));
