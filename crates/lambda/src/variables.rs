//! The variables that a custom runtime finds in its environment: AWS Lambda Developer Guide, "Defined runtime environment
//! variables".
//!
//! Those that name somebody's account (region, keys) are left to the caller's own environment; `_X_AMZN_TRACE_ID` is the
//! runtime's to set, from a header of each event.

use std::path::Path;

use forewarm_types::Bytes;

/// The variable that says where the interface is.
pub const ADDRESS: &str = "AWS_LAMBDA_RUNTIME_API";

/// The port of Lambda's own execution environments, taken where the program has a loopback of its own.
pub const PORT: u16 = 9001;

/// What a function is called and has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Function<'a> {
    /// Its name.
    pub name: &'a str,
    /// The handler that is configured for it, which means something to some runtimes only.
    pub handler: &'a str,
    /// The folder of its code.
    pub folder: &'a Path,
    /// The memory it may have.
    pub memory: Bytes,
}

/// The value of [`ADDRESS`] for a port of the loopback.
#[must_use]
pub fn address(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

/// The variables, [`ADDRESS`] apart.
#[must_use]
pub fn variables(function: &Function<'_>) -> Vec<(&'static str, String)> {
    let folder = function.folder.to_string_lossy().into_owned();
    vec![
        ("_HANDLER", function.handler.to_owned()),
        ("LAMBDA_TASK_ROOT", folder.clone()),
        ("LAMBDA_RUNTIME_DIR", folder),
        ("AWS_LAMBDA_FUNCTION_NAME", function.name.to_owned()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", (function.memory.0 / Bytes::MIB.0).to_string()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", function.name)),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "local".to_owned()),
        ("TZ", ":UTC".to_owned()),
    ]
}
