//! The project's task runner: `cargo xtask demo | ci | tidy | corpus | bench`. It depends on no crate of the project; what it
//! measures, it measures through the built binary, as a user would.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a task runner talks to the person who started it")]
#![expect(clippy::disallowed_methods, reason = "benches read the clock; nothing here is replayed from a seed")]

mod bench;
mod ci;
mod corpus;
mod demo;
mod order;
mod process;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Tasks of the Forewarm repository.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// The main job on a real program, from nothing: fetches CPython for WebAssembly, builds Forewarm, runs it twice.
    Demo,
    /// Everything a change must pass: corpus, formatting, tidy, clippy, cargo-deny, build, tests.
    Ci,
    /// The checks that no compiler makes: crate floors, file headers, banned calls, listed dependencies.
    Tidy,
    /// Fetches and builds the programs that tests and benches run (into target/corpus; nothing is done twice).
    Corpus,
    /// Lists the functions a short run goes through, for the linker to put side by side.
    Order(order::Arguments),
    /// Measures Forewarm beside its peers; prints a table and writes target/bench/NAME.json.
    Bench(bench::Arguments),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().task {
        Task::Demo => demo::run(),
        Task::Ci => ci::run(),
        Task::Tidy => tidy::run(),
        Task::Corpus => corpus::prepare().map(|_| ()),
        Task::Order(arguments) => order::run(&arguments),
        Task::Bench(arguments) => bench::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}
