//! Starting other programs and saying what went wrong with them; the error of every task. Called by all tasks.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Why a task failed, in words for the person who started it.
#[derive(Debug)]
pub struct Failure(String);

impl Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The result of a task or a part of one.
pub type Outcome<T = ()> = Result<T, Failure>;

/// A failure with this message.
pub fn failure(message: impl Into<String>) -> Failure {
    Failure(message.into())
}

/// Turns a foreign error into a failure that says what was being done.
pub trait While<T> {
    /// Adds the words "while …".
    fn doing(self, what: impl Display) -> Outcome<T>;
}

impl<T, E: Display> While<T> for Result<T, E> {
    fn doing(self, what: impl Display) -> Outcome<T> {
        self.map_err(|error| failure(format!("{what}: {error}")))
    }
}

/// The repository's root: above the manifest that cargo names, else the current directory.
pub fn root() -> PathBuf {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let above = manifest.and_then(|manifest| manifest.parent().map(Path::to_path_buf));
    above.or_else(|| std::env::current_dir().ok()).unwrap_or_else(|| PathBuf::from("."))
}

/// The folder of everything built (`target` at the repository's root).
pub fn target() -> PathBuf {
    root().join("target")
}

/// A command that starts in the repository's root.
pub fn command(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root());
    command
}

/// The `cargo` that started this task.
pub fn cargo(arguments: &[&str]) -> Command {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), arguments)
}

/// Runs a command to its end with this process's own streams.
///
/// # Errors
/// It cannot be started, or ends otherwise than with 0.
pub fn require(command: &mut Command) -> Outcome {
    let status = command.status().doing(format_args!("starting {}", shown(command)))?;
    if status.success() { Ok(()) } else { Err(failure(format!("{} ended with {status}", shown(command)))) }
}

/// Runs a command to its end and returns its standard output.
///
/// # Errors
/// As [`require`].
pub fn output_of(command: &mut Command) -> Outcome<String> {
    let output = command.stderr(Stdio::inherit()).output().doing(format_args!("starting {}", shown(command)))?;
    if !output.status.success() {
        return Err(failure(format!("{} ended with {}", shown(command), output.status)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a program can be started at all (its `--version` succeeds).
pub fn exists(program: impl AsRef<std::ffi::OsStr>) -> bool {
    quietly(Command::new(program).arg("--version"))
}

/// Whether a command succeeds; its words are dropped.
pub fn quietly(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The command as a person would type it.
pub fn shown(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}
