//! Who is run: Forewarm, the peer in each of its ways, and node, each made to run the same case. Called by the benches.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde::Serialize;

use super::run::{Finished, Scratch, measure, wait_for_left_behind};
use crate::corpus::Corpus;
use crate::corpus::cases::Case;
use crate::process::{Outcome, While, failure, require, root, target};

/// One way to run a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Runner {
    /// `wasmtime run -C cache=n`.
    Cranelift,
    /// `wasmtime run -C cache=n -C compiler=winch`.
    Winch,
    /// `wasmtime run --allow-precompiled` on this artifact of this compiler.
    Precompiled(PathBuf, String),
    /// `node` with its own WASI.
    Node,
    /// `forewarm run` with all of its state in fresh, empty folders.
    ForewarmFirst,
    /// `forewarm run` with its state in this folder.
    Forewarm(PathBuf),
}

impl Runner {
    /// The column's heading.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Cranelift => "cranelift",
            Self::Winch => "winch",
            Self::Precompiled(..) => "precompiled",
            Self::Node => "node",
            Self::ForewarmFirst | Self::Forewarm(_) => "forewarm",
        }
    }

    /// Runs the case once in a fresh scratch folder and waits for whatever it leaves behind.
    ///
    /// # Errors
    /// The command cannot be started, or what it leaves behind does not end.
    pub fn run(&self, corpus: &Corpus, case: &Case) -> Outcome<Finished> {
        self.run_with(corpus, case, &[])
    }

    /// As [`Runner::run`], with further options of the runner itself.
    ///
    /// # Errors
    /// As [`Runner::run`].
    pub fn run_with(&self, corpus: &Corpus, case: &Case, options: &[&str]) -> Outcome<Finished> {
        let scratch = Scratch::new(case)?;
        let finished = measure(self.command(corpus, case, &scratch, options), case, &scratch)?;
        match self {
            Self::ForewarmFirst => wait_for_left_behind(scratch.path())?,
            Self::Forewarm(state) => wait_for_left_behind(state)?,
            _ => {}
        }
        Ok(finished)
    }

    /// What runs the case in a scratch folder.
    pub fn command(&self, corpus: &Corpus, case: &Case, scratch: &Scratch, options: &[&str]) -> Command {
        match self {
            Self::Cranelift => wasmtime(corpus, case, scratch, &case.file, &["-C", "cache=n"]),
            Self::Winch => wasmtime(corpus, case, scratch, &case.file, &["-C", "cache=n", "-C", "compiler=winch"]),
            Self::Precompiled(artifact, compiler) => {
                // An engine set up for another compiler refuses the artifact.
                let compiler = format!("compiler={compiler}");
                wasmtime(corpus, case, scratch, artifact, &["-C", "cache=n", "--allow-precompiled", "-C", &compiler])
            }
            Self::Node => node(case, scratch),
            Self::ForewarmFirst => forewarm(case, scratch, &scratch.path().join("state"), options),
            Self::Forewarm(state) => forewarm(case, scratch, state, options),
        }
    }
}

static BINARY: OnceLock<PathBuf> = OnceLock::new();

/// Names another binary to put under test, before the first run.
pub fn use_binary(path: PathBuf) {
    // A second name would be a second bench in one process, which there is not.
    let _ = BINARY.set(path);
}

/// The binary under test: this tree's, unless another was named.
pub fn forewarm_binary() -> PathBuf {
    BINARY.get_or_init(|| target().join("release/forewarm")).clone()
}

/// Compiles a program with the peer; returns the way to run it.
///
/// # Errors
/// The peer cannot compile it.
pub fn precompile(corpus: &Corpus, case: &Case, compiler: &str) -> Outcome<Runner> {
    let folder = target().join("bench/precompiled");
    fs::create_dir_all(&folder).doing("making the folder of precompiled programs")?;
    let artifact = folder.join(format!("{}-{compiler}.cwasm", case.name));
    let mut command = Command::new(corpus.wasmtime());
    command.args(["compile", "-C", &format!("compiler={compiler}"), "-o"]).arg(&artifact).arg(&case.file);
    require(&mut command)?;
    Ok(Runner::Precompiled(artifact, compiler.to_owned()))
}

fn wasmtime(corpus: &Corpus, case: &Case, scratch: &Scratch, file: &Path, options: &[&str]) -> Command {
    let mut command = Command::new(corpus.wasmtime());
    command.arg("run").args(options);
    with_surroundings(&mut command, case, scratch);
    command.arg(file).args(&case.args);
    command
}

fn forewarm(case: &Case, scratch: &Scratch, state: &Path, options: &[&str]) -> Command {
    let mut command = Command::new(forewarm_binary());
    command.arg("run").args(options);
    with_surroundings(&mut command, case, scratch);
    command.arg(&case.file);
    if !case.args.is_empty() {
        command.arg("--").args(&case.args);
    }
    with_state(&mut command, state);
    command
}

/// Gives Forewarm a folder for all of its state.
pub fn with_state(command: &mut Command, state: &Path) {
    let homes = [
        ("XDG_DATA_HOME", "data"),
        ("XDG_CACHE_HOME", "cache"),
        ("XDG_CONFIG_HOME", "config"),
        ("XDG_RUNTIME_DIR", "runtime"),
    ];
    command.envs(homes.map(|(key, folder)| (key, state.join(folder))));
}

/// Gives Forewarm, or the peer, a case's directories and environment.
pub fn with_surroundings(command: &mut Command, case: &Case, scratch: &Scratch) {
    for (index, directory) in case.dirs.iter().enumerate() {
        command.arg("--dir").arg(format!("{}::{}", scratch.directory(index).display(), directory.guest));
    }
    for (key, value) in &case.env {
        command.arg("--env").arg(format!("{key}={value}"));
    }
}

fn node(case: &Case, scratch: &Scratch) -> Command {
    let directories = case.dirs.iter().enumerate();
    let preopens: BTreeMap<_, _> =
        directories.map(|(index, directory)| (directory.guest.as_str(), scratch.directory(index))).collect();
    let environment: BTreeMap<_, _> = case.env.iter().map(|(key, value)| (key, value)).collect();
    let json = |value: Result<String, serde_json::Error>| value.unwrap_or_else(|_| "{}".to_owned());
    let mut command = Command::new("node");
    command.arg("--no-warnings").arg(root().join("xtask/src/bench/runner.mjs")).arg(&case.file);
    command.arg(json(serde_json::to_string(&preopens))).arg(json(serde_json::to_string(&environment)));
    command.args(&case.args);
    command
}

/// Says how a run differs from what was expected, or from the peer's.
pub fn difference(case: &Case, finished: &Finished, peer: Option<&Finished>) -> Option<String> {
    let words = |finished: &Finished| finished.stderr.lines().take(2).collect::<Vec<_>>().join(" / ");
    if case.expect.exit.is_some_and(|exit| exit != finished.exit) {
        return Some(format!("exit {} ({})", finished.exit, words(finished)));
    }
    if case.expect.stdout.as_ref().is_some_and(|expected| expected.as_bytes() != finished.stdout) {
        return Some("unexpected output".to_owned());
    }
    let peer = peer?;
    if peer.stdout != finished.stdout {
        return Some("output differs from the peer's".to_owned());
    }
    (peer.files != finished.files).then(|| "files differ from the peer's".to_owned())
}

/// A failure that names the runner and what was wrong.
pub fn wrong(case: &Case, runner: &Runner, what: &str) -> crate::process::Failure {
    failure(format!("{}: {}: {what}", case.name, runner.name()))
}
