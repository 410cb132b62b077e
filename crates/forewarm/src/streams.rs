//! Writing to standard output and standard error: the only place that does.
//!
//! A reader that went away (`forewarm history | head`) is no error.

use std::io::{ErrorKind, IsTerminal, Write};

use crate::failure::{Failure, INTERNAL};
use crate::output::Output;

/// Writes a result to standard output.
///
/// # Errors
/// Where it cannot be written, such as to a full disk.
pub fn answer(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure {
            code: INTERNAL,
            message: "cannot write the result".to_owned(),
            file: None,
            cause: Some(error.to_string()),
            hint: None,
        }),
        _ => Ok(()),
    }
}

/// Writes what a function responded to standard output, as a line. Where it cannot be written the program's own status
/// stands, as where a program's output has no reader.
pub fn deliver(response: &[u8]) {
    let mut stdout = std::io::stdout().lock();
    let end: &[u8] = if response.ends_with(b"\n") { b"" } else { b"\n" };
    let _ = stdout.write_all(response).and_then(|()| stdout.write_all(end)).and_then(|()| stdout.flush());
}

/// Writes words of Forewarm's own to standard error; nobody is left to tell where that fails.
pub fn note(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Writes an error to standard error.
pub fn complain(output: &dyn Output, failure: &Failure) {
    note(&output.failure(failure));
}

/// Writes warnings to standard error where somebody reads them: on a terminal, or where they were asked for.
pub fn warn(warnings: &[String], verbose: bool) {
    if !warnings.is_empty() && (verbose || std::io::stderr().is_terminal()) {
        note(&warnings.iter().map(|warning| format!("warning: {warning}\n")).collect::<String>());
    }
}
