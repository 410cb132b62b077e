//! Any text through the translator and the analyzer: `cargo fuzz run wat`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| forewarm_analyzer::fuzz::translate_text(data));
