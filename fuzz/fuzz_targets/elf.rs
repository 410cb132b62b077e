//! Any bytes as native code, and behind an ELF header: `cargo fuzz run elf`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| forewarm_analyzer::fuzz::analyze_code(data));
