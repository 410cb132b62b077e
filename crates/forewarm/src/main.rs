//! The binary: arguments, output, exit codes. The only crate that prints; it decides nothing.
//!
//! `main` parses ([`cli`]), carries out ([`commands`]), shows ([`output`]) and ends the process without dropping what
//! the system frees faster.
#![forbid(unsafe_code)]

mod cli;
mod commands;
mod config;
mod document;
mod failure;
mod human;
mod output;
mod quantities;
mod run;
mod session;
mod streams;
mod table;
mod warm;
mod watchdog;

use clap::error::ErrorKind;

use crate::cli::Cli;
use crate::failure::{Failure, USAGE};

#[global_allocator]
static ALLOCATOR: forewarm_sandbox::allocator::Allocator = forewarm_sandbox::allocator::Allocator;

fn main() {
    let code = match Cli::read(&std::env::args_os().collect::<Vec<_>>()) {
        Ok(cli) => commands::execute(cli),
        Err(error) => refuse(&error),
    };
    // Nothing is dropped: what is mapped and allocated goes with the process.
    let _ = std::io::Write::flush(&mut std::io::stdout());
    forewarm_sandbox::exit::now(code);
}

/// Shows help, the version, or what is wrong with the command line.
fn refuse(error: &clap::Error) -> i32 {
    let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if !asked && wants_json(std::env::args()) {
        let text = error.render().to_string();
        let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        let failure = Failure::usage(message).hint("`forewarm help` shows commands and flags");
        streams::complain(&output::Json, &failure);
        return USAGE;
    }
    // To standard output where it was asked for, else to standard error; a reader gone away is no trouble of ours.
    let _ = error.print();
    if asked { 0 } else { USAGE }
}

/// Whether a command line that could not be parsed asks for JSON.
fn wants_json(arguments: impl Iterator<Item = String>) -> bool {
    let ours: Vec<String> = arguments.take_while(|argument| argument != "--").collect();
    ours.iter().any(|argument| argument == "--format=json") || ours.windows(2).any(|pair| pair == ["--format", "json"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_recognised_before_the_programs_own_arguments() {
        let check = |line: &str, expected: bool| {
            assert_eq!(wants_json(line.split_whitespace().map(str::to_owned)), expected, "{line}");
        };
        check("forewarm plan --format json", true);
        check("forewarm plan --format=json", true);
        check("forewarm plan --format text", false);
        check("forewarm run p.wasm -- --format json", false);
    }
}
