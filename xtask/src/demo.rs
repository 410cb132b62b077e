//! `cargo xtask demo`: the main job on a real program, from nothing: README's first command. It fetches CPython built
//! for WebAssembly, builds Forewarm, and runs the one with the other twice, saying what was decided and why.

use std::path::Path;

use crate::corpus;
use crate::process::{Outcome, cargo, command, require, target};

/// What CPython is asked: small, so that compiling it is what matters.
const PROGRAM: &str = "import sys; print('CPython', sys.version.split()[0], 'says', sum(i * i for i in range(1000)))";

/// Fetches, builds, runs twice.
///
/// # Errors
/// A step fails.
pub fn run() -> Outcome {
    corpus::prepare()?;
    require(&mut cargo(&["build", "--release", "--package", "forewarm"]))?;
    let python = target().join("corpus/wasm/python.wasm");
    println!("\n== the first run: nothing is known of the program");
    forewarm(&python)?;
    println!("\n== the second run: what the first one taught");
    forewarm(&python)?;
    println!("\nthe binary is {}; `cargo install --path crates/forewarm` installs it", binary());
    Ok(())
}

fn forewarm(program: &Path) -> Outcome {
    println!("$ forewarm run --verbose {} -- -c \"{PROGRAM}\"", program.display());
    let program = program.to_string_lossy();
    require(&mut command(binary(), &["run", "--verbose", &program, "--", "-c", PROGRAM]))
}

fn binary() -> String {
    target().join("release/forewarm").to_string_lossy().into_owned()
}
