//! How many cases the fuzz bodies are run on: as many as a test says, or, for longer runs on the stable toolchain, as
//! `PROPTEST_CASES` does.

use proptest::prelude::ProptestConfig;

/// Bodies run so many times, unless the environment asks for another number; nothing is kept of what fails but its print.
pub fn cases(usual: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(asked.unwrap_or(usual)) }
}
