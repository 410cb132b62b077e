//! What stops a program from being warmed, in words for whoever asked for the run.

use std::path::PathBuf;

use forewarm_types::Tier;

/// What stops a program from being warmed.
#[derive(Debug, thiserror::Error)]
pub enum WarmError {
    /// The file cannot be read.
    #[error("cannot read the program: {0}")]
    Read(#[source] std::io::Error),
    /// The engine rejects the code.
    #[error("invalid code: {0}")]
    Invalid(String),
    /// The tier cannot compile the code.
    #[error("{tier} cannot compile this code: {cause}")]
    Unsupported {
        /// The tier asked.
        tier: Tier,
        /// The engine's words.
        cause: String,
    },
    /// The program imports what is not offered.
    #[error("missing imports: {}", .0.join(", "))]
    MissingImports(Vec<String>),
    /// The program has no such entry point.
    #[error("no exported function {name:?}{}", if .exports.is_empty() { String::new() } else { format!(" (exported: {})", .exports.join(", ")) })]
    NoEntry {
        /// What was wanted.
        name: String,
        /// What there is.
        exports: Vec<String>,
    },
    /// The arguments of `--invoke` do not fit the function.
    #[error("{0}")]
    Arguments(String),
    /// A directory cannot be opened.
    #[error("cannot open directory {path}: {cause}")]
    Directory {
        /// The host path.
        path: PathBuf,
        /// The system's words.
        cause: std::io::Error,
    },
    /// The configuration asks for what this machine cannot give.
    #[error("cannot allocate: {0}")]
    Allocate(String),
    /// Instantiation failed: initial memory over the limit, a trapping start function.
    #[error("cannot instantiate: {0}")]
    Instantiate(String),
}
