//! Tidy checks, corpus, benches.
fn main() {}
