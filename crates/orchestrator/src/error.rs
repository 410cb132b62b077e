//! What can go wrong, with the file, the cause, the hint and the exit code of each.

use std::path::{Path, PathBuf};

use forewarm_executor::lease::WarmError;
use forewarm_planner::ChooseError;

/// Why a command could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such file.
    #[error("no such file")]
    NotFound {
        /// The file.
        file: PathBuf,
    },
    /// The file cannot be read: a directory, no permission, an I/O error.
    #[error("cannot read the file")]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The system's words.
        cause: String,
        /// What to do.
        hint: Option<String>,
    },
    /// The file is not code Forewarm can run.
    #[error("not a program Forewarm can run")]
    Invalid {
        /// The file.
        file: PathBuf,
        /// What is wrong with it, with the offset where there is one.
        cause: String,
        /// What to do.
        hint: Option<String>,
    },
    /// The file is source text that its language does not take.
    #[error("not valid Python")]
    Syntax {
        /// The file.
        file: PathBuf,
        /// Place, line and caret.
        cause: String,
        /// What to do.
        hint: Option<String>,
    },
    /// A flag or plan that cannot be followed.
    #[error("{message}")]
    Usage {
        /// What cannot be followed.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
    /// No candidate satisfies the hard constraints.
    #[error("no configuration satisfies the constraints")]
    Infeasible {
        /// The file.
        file: PathBuf,
        /// The rules that rejected the candidates.
        cause: String,
        /// What to do.
        hint: Option<String>,
    },
    /// The memory limit does not even let the program start.
    #[error("the program does not fit in its memory limit")]
    Memory {
        /// The file.
        file: PathBuf,
        /// How much it wanted.
        cause: String,
    },
    /// The database or cache cannot do what was asked of it.
    #[error("{message}")]
    State {
        /// What cannot be done.
        message: String,
        /// The database or directory.
        file: PathBuf,
        /// Why.
        cause: String,
        /// What to do.
        hint: Option<String>,
    },
    /// The sandbox of a process could not be made.
    #[error("cannot confine the program")]
    Sandbox {
        /// The file.
        file: PathBuf,
        /// The step that was refused, and the system's words.
        cause: String,
    },
    /// A defect of Forewarm or of an engine.
    #[error("internal error: {0}")]
    Internal(String),
}

impl Error {
    /// From what stopped a program from being warmed.
    pub(crate) fn from_warm(file: &Path, error: WarmError) -> Self {
        let file = file.to_owned();
        let invalid = |cause: String, hint: Option<&str>| Self::Invalid {
            file: file.clone(),
            cause,
            hint: hint.map(str::to_owned),
        };
        match error {
            WarmError::Read(cause) => Self::Unreadable { file, cause: cause.to_string(), hint: None },
            WarmError::Invalid(cause) => invalid(cause, Some("rebuild the program, or check that the file is whole")),
            WarmError::Unsupported { .. } => invalid(error.to_string(), Some("leave out --tier, or choose cranelift")),
            WarmError::MissingImports(_) => invalid(
                error.to_string(),
                Some("Forewarm offers WASI preview 1 and 2; build for wasm32-wasip1 or wasm32-wasip2"),
            ),
            WarmError::NoEntry { .. } => {
                invalid(error.to_string(), Some("call an export of a library with --invoke NAME"))
            }
            WarmError::Instantiate(cause) => invalid(cause, None),
            WarmError::Arguments(message) => Self::Usage { message, hint: None },
            WarmError::Directory { .. } => Self::Usage {
                message: error.to_string(),
                hint: Some("--dir HOST[::GUEST] names an existing directory".into()),
            },
            WarmError::Allocate(cause) => Self::Internal(cause),
        }
    }

    /// From a planner that found every candidate rejected.
    pub(crate) fn infeasible(file: &Path, error: &ChooseError) -> Self {
        if error.for_memory() {
            return Self::Memory { file: file.to_owned(), cause: error.to_string() };
        }
        Self::Infeasible {
            file: file.to_owned(),
            cause: error.to_string(),
            hint: Some(
                "loosen --max-memory, --timeout, --tier or --threads; forewarm plan --explain shows each rejection"
                    .into(),
            ),
        }
    }

    /// The exit code, as DESIGN's contract names them.
    #[must_use]
    pub fn exit_code(&self) -> i32 {
        match self {
            Self::NotFound { .. } => 127,
            Self::Unreadable { .. } | Self::Invalid { .. } | Self::Syntax { .. } => 126,
            Self::Usage { .. } => 2,
            Self::Memory { .. } => 137,
            Self::Infeasible { .. } | Self::State { .. } | Self::Sandbox { .. } | Self::Internal(_) => 125,
        }
    }

    /// The file concerned.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::NotFound { file }
            | Self::Unreadable { file, .. }
            | Self::Invalid { file, .. }
            | Self::Syntax { file, .. }
            | Self::Infeasible { file, .. }
            | Self::Memory { file, .. }
            | Self::Sandbox { file, .. }
            | Self::State { file, .. } => Some(file),
            Self::Usage { .. } | Self::Internal(_) => None,
        }
    }

    /// Why, beyond the message.
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        match self {
            Self::Unreadable { cause, .. }
            | Self::Invalid { cause, .. }
            | Self::Syntax { cause, .. }
            | Self::Infeasible { cause, .. }
            | Self::Memory { cause, .. }
            | Self::Sandbox { cause, .. }
            | Self::State { cause, .. } => Some(cause),
            Self::NotFound { .. } | Self::Usage { .. } | Self::Internal(_) => None,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::NotFound { .. } => Some("check the path; arguments for the program go after --"),
            Self::Memory { .. } => Some("raise --max-memory"),
            Self::Sandbox { .. } => Some("forewarm doctor says what this machine allows"),
            Self::Internal(_) => Some("this is a defect; please report it with the command and the program"),
            Self::Unreadable { hint, .. }
            | Self::Invalid { hint, .. }
            | Self::Syntax { hint, .. }
            | Self::Usage { hint, .. }
            | Self::Infeasible { hint, .. }
            | Self::State { hint, .. } => hint.as_deref(),
        }
    }
}
