//! What went wrong, ready to be shown: the shape every error takes at the edge.
//!
//! Built from the errors of the rooms below and from how a program ended; rendered by [`crate::output`].

use std::path::{Path, PathBuf};

use forewarm_orchestrator::{Error, Outcome};
use forewarm_types::{Exit, ExitCause};
use serde::Serialize;

use crate::config::ConfigError;

/// An error as the user meets it, and as the JSON contract has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The exit code of the process.
    pub code: i32,
    /// What could not be done.
    pub message: String,
    /// The file concerned.
    pub file: Option<PathBuf>,
    /// Why.
    pub cause: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Exit code of a command line that cannot be followed.
pub const USAGE: i32 = 2;
/// Exit code of a run over its time limit.
pub const TIMEOUT: i32 = 124;
/// Exit code of Forewarm's own trouble.
pub const INTERNAL: i32 = 125;
/// Exit codes above this are a signal's number plus it.
pub const SIGNALLED: i32 = 128;

impl Failure {
    /// A command line that cannot be followed.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self { code: USAGE, message: message.into(), file: None, cause: None, hint: None }
    }

    /// A file of Forewarm's own (report, plan, model) that cannot be read or written.
    #[must_use]
    pub fn file(code: i32, message: &str, file: &Path, cause: impl std::fmt::Display) -> Self {
        let (file, cause) = (Some(file.to_owned()), Some(cause.to_string()));
        Self { code, message: message.to_owned(), file, cause, hint: None }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// What is to be said of how a program ended; `None` where its own words and status say it all.
    #[must_use]
    pub fn of_exit(exit: &Exit, file: &Path) -> Option<Self> {
        let (message, hint) = match exit.cause {
            ExitCause::Exited | ExitCause::Interrupted | ExitCause::Signal => return None,
            ExitCause::Trap => ("the program trapped", exit.message.as_deref().and_then(trap_hint)),
            ExitCause::Timeout => ("the program reached its time limit", Some("raise --timeout")),
            ExitCause::CpuTime => ("the program reached its limit on CPU time", Some("raise --max-cpu")),
            ExitCause::FileSize => {
                ("the program reached its limit on the size of a file", Some("raise --max-file-size"))
            }
            ExitCause::Memory => ("the program reached its memory limit", Some("raise --max-memory")),
        };
        Some(Self {
            code: exit.code,
            message: message.to_owned(),
            file: Some(file.to_owned()),
            cause: exit.message.clone(),
            hint: hint.map(str::to_owned),
        })
    }

    /// What is to be said of an event that got no answer; `None` where the function, or [`Self::of_exit`], says it.
    #[must_use]
    pub fn of_outcome(outcome: &Outcome, exit: &Exit, file: &Path) -> Option<Self> {
        let ended_itself = matches!(exit.cause, ExitCause::Exited | ExitCause::Signal);
        let (message, hint) = match outcome {
            Outcome::TooLarge => ("the function's response was larger than 6 MiB, the most that Lambda takes", None),
            Outcome::Unasked if ended_itself => (
                "the program ended before it asked for its event",
                Some("--event is for programs that ask the Lambda runtime API (AWS_LAMBDA_RUNTIME_API) for events"),
            ),
            Outcome::Unanswered if ended_itself => ("the program ended before it answered its event", None),
            _ => return None,
        };
        let cause = exit.signal.map(|signal| format!("by signal {signal}"));
        let (file, hint) = (Some(file.to_owned()), hint.map(str::to_owned));
        Some(Self { code: exit.code, message: message.to_owned(), file, cause, hint })
    }
}

/// What a trap means to whoever wrote the program. The engine's words are those of `wasmtime::Trap`'s `Display`.
fn trap_hint(message: &str) -> Option<&'static str> {
    let hints = [
        ("call stack exhausted", "the program recurses too deeply for the stack of WebAssembly"),
        ("`unreachable` instruction", "the program gave up: an abort, a panic or a failed assertion in its source"),
        ("out of bounds memory access", "the program read or wrote outside its memory, a defect of the program"),
        ("divide by zero", "the program divided an integer by zero, a defect of the program"),
        (
            "indirect call type mismatch",
            "the program called a function pointer of another type, a defect of the program",
        ),
    ];
    hints.into_iter().find(|(words, _)| message.contains(words)).map(|(_, hint)| hint)
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            code: error.exit_code(),
            message: error.to_string(),
            file: error.file().map(Path::to_owned),
            cause: error.cause().map(str::to_owned),
            hint: error.hint().map(str::to_owned),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let message = error.to_string();
        let (file, cause) = match error {
            ConfigError::Read { file, cause } => (file, cause.to_string()),
            ConfigError::Parse { file, cause, .. } => (file, cause),
        };
        Self::file(USAGE, &message, &file, cause).hint("`forewarm config default` prints every key that is known")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_program_cannot_say_itself_is_said() {
        let exit = |cause, code, message: Option<&str>| Exit {
            cause,
            code,
            signal: None,
            message: message.map(str::to_owned),
        };
        let said = |exit: &Exit| Failure::of_exit(exit, Path::new("p.wasm"));
        assert_eq!(said(&exit(ExitCause::Exited, 3, None)), None);
        assert_eq!(said(&exit(ExitCause::Interrupted, 130, None)), None);
        let trap = said(&exit(ExitCause::Trap, 134, Some("wasm trap: call stack exhausted"))).unwrap();
        assert_eq!(trap.code, 134);
        assert!(trap.hint.is_some_and(|hint| hint.contains("recurses")));
        assert_eq!(
            said(&exit(ExitCause::Memory, 137, None)).and_then(|failure| failure.hint),
            Some("raise --max-memory".into())
        );
    }

    #[test]
    fn errors_of_the_rooms_keep_code_file_and_hint() {
        let failure = Failure::from(Error::NotFound { file: "p.wasm".into() });
        assert_eq!((failure.code, failure.file.as_deref()), (127, Some(Path::new("p.wasm"))));
        assert!(failure.hint.is_some());
    }
}
