//! Mapping ahead: what ran last of a known file is mapped before a lease asks for it, and taken only by a lease for it.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use common::{Program, configuration, executor};
use forewarm_executor::{CodeSource, Executor, Invocation};
use forewarm_types::{Bytes, Digest, Rung, Step, StepTiming, Tier};

const STAMP: &str = "fe00-1-2-3-4";

/// A module whose artifact is large enough to be worth a thread.
fn large() -> Program {
    Program::module(&format!(
        "(module (memory 64) (data (i32.const 0) \"{}\") (func (export \"_start\")))",
        "x".repeat(3 << 20)
    ))
}

fn cache() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
    directory
}

/// Runs a program on a tier from what was mapped ahead, where something was; its steps.
fn run(executor: &Executor, tier: Tier, program: &mut Program) -> Vec<StepTiming> {
    let lease = executor.allocate(&configuration(tier, Rung::Artifact)).unwrap();
    let lease = lease.going_on_from(executor.map_ahead(STAMP));
    let ready = lease.warm(program, &Invocation::detached("test.wasm")).unwrap();
    let steps = ready.steps().to_vec();
    assert_eq!(ready.run().exit.code, 0);
    executor.remember_for_ahead(STAMP, &program.digest(), &steps);
    steps
}

fn links(cache: &Path) -> usize {
    fs::read_dir(cache.join("files")).map_or(0, Iterator::count)
}

fn two_cores() -> bool {
    forewarm_sandbox::affinity::allowed().unwrap().len() > 1
}

#[test]
fn what_ran_last_is_mapped_ahead_and_taken() {
    let directory = cache();
    let executor = executor(Some(directory.path()));
    let mut program = large();
    assert!(executor.map_ahead(STAMP).is_none(), "nothing is remembered yet");
    assert_eq!(run(&executor, Tier::Winch, &mut program)[0].step, Step::Compile);
    assert_eq!(links(directory.path()), 1);
    assert_eq!(executor.map_ahead(STAMP).is_some(), two_cores());
    let steps = run(&executor, Tier::Winch, &mut program);
    assert_eq!(steps[0].step, Step::Map);
    assert!(steps[0].bytes.0 > 3 << 20 && steps[0].wall_seconds > 0.0 && steps[0].cpu_seconds >= 0.0, "{steps:?}");
    assert_eq!(program.reads, 1, "only compiling reads the program");
}

#[test]
fn a_lease_for_another_tier_or_code_does_not_take_it() {
    let directory = cache();
    let executor = executor(Some(directory.path()));
    let mut program = large();
    run(&executor, Tier::Winch, &mut program);
    assert_eq!(run(&executor, Tier::Cranelift, &mut program)[0].step, Step::Compile);
    // The file has other content now, which a stamp of its own would have told.
    let mut other = Program::module("(module (func (export \"_start\")))");
    assert_eq!(run(&executor, Tier::Cranelift, &mut other)[0].step, Step::Compile);
}

#[test]
fn small_artifacts_are_not_worth_a_thread() {
    let directory = cache();
    let executor = executor(Some(directory.path()));
    let mut program = Program::module("(module (func (export \"_start\")))");
    run(&executor, Tier::Winch, &mut program);
    assert_eq!(run(&executor, Tier::Winch, &mut program)[0].step, Step::Map);
    assert!(executor.map_ahead(STAMP).is_none());
    assert_eq!(links(directory.path()), 0);
}

#[test]
fn what_is_not_as_it_was_written_is_not_mapped() {
    let directory = cache();
    let executor = executor(Some(directory.path()));
    let mut program = large();
    run(&executor, Tier::Winch, &mut program);
    let home = directory.path().join(program.digest().hex());
    let artifact = fs::read_dir(home).unwrap().map(|entry| entry.unwrap().path());
    let artifact = artifact.filter(|path| path.extension().unwrap() == "cwasm").last().unwrap();
    let mut bytes = fs::read(&artifact).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&artifact, bytes).unwrap();
    assert_eq!(run(&executor, Tier::Winch, &mut program)[0].step, Step::Compile);
}

#[test]
fn links_that_lead_nowhere_are_pruned() {
    let directory = cache();
    let executor = executor(Some(directory.path()));
    let mut program = large();
    let steps = run(&executor, Tier::Winch, &mut program);
    executor.remember_for_ahead("fe00-5-6-7-8", &Digest([7; 32]), &steps);
    assert_eq!(links(directory.path()), 2);
    let artifacts = executor.artifacts().unwrap();
    artifacts.prune(Bytes(u64::MAX)).unwrap();
    assert_eq!(links(directory.path()), 1);
    artifacts.prune(Bytes(0)).unwrap();
    assert_eq!(links(directory.path()), 0);
    assert!(executor.map_ahead(STAMP).is_none());
}
