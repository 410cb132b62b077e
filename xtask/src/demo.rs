//! `cargo xtask demo`: the main job on a real program, from nothing: README's first command. It fetches CPython built
//! for WebAssembly, builds Forewarm, and runs the one with the other twice, saying what was decided and why.

use std::path::Path;

use crate::corpus;
use crate::process::{Outcome, While, cargo, command, require, target};

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
    // So that nothing is known of the program, whatever this user ran before.
    let state = target().join("demo");
    if state.exists() {
        std::fs::remove_dir_all(&state).doing("emptying the folder for the demonstration's state")?;
    }
    println!("\n== the first run: nothing is known of the program");
    forewarm(&python, &state)?;
    println!("\n== the second run: what the first one taught");
    forewarm(&python, &state)?;
    println!("\nthe binary is {}; `cargo install --path crates/forewarm` installs it", binary());
    Ok(())
}

fn forewarm(program: &Path, state: &Path) -> Outcome {
    println!("$ forewarm run --verbose {} -- -c \"{PROGRAM}\"", program.display());
    let program = program.to_string_lossy();
    let mut run = command(binary(), &["run", "--verbose", &program, "--", "-c", PROGRAM]);
    require(run.env("XDG_DATA_HOME", state.join("data")).env("XDG_CACHE_HOME", state.join("cache")))
}

fn binary() -> String {
    target().join("release/forewarm").to_string_lossy().into_owned()
}
