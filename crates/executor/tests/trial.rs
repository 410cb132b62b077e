//! Trials count and stop; they never read, write, wait or hang. Calibration calls measure something.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::sync::Arc;

use common::Program;
use forewarm_executor::wasm::{Engine, EngineSettings};
use forewarm_executor::{Directory, Invocation};
use forewarm_sandbox::RealClock;
use forewarm_types::plan::{Trial, TrialLimits};
use forewarm_types::{Bytes, CodeKind, IsaLevel, Step, Tier};

fn engine(tier: Tier, metered: bool) -> Engine {
    let settings = EngineSettings { tier, isa: IsaLevel::Native, metered, threads: 1 };
    Engine::new(settings, Arc::new(RealClock)).unwrap()
}

fn trial(body: &str, invocation: &Invocation, limits: TrialLimits) -> Trial {
    trial_on(&engine(Tier::Winch, true), body, invocation, limits)
}

fn trial_on(engine: &Engine, body: &str, invocation: &Invocation, limits: TrialLimits) -> Trial {
    let source = format!(
        r#"(module
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "path_create_directory" (func $mkdir (param i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "path_open"
            (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
        (memory (export "memory") 1) (data (i32.const 0) "f")
        (data (i32.const 64) "\80\00\00\00\05\00\00\00") (data (i32.const 128) "hello")
        (func (export "_start") {body}))"#
    );
    let program = Program::module(&source);
    let (code, _) = engine.compile(&program.bytes, CodeKind::WasmModule).unwrap();
    engine.trial(&code, invocation, limits).unwrap()
}

fn check(body: &str, complete: bool, stopped_by: Option<&str>) -> Trial {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("f"), "kept").unwrap();
    let given = Directory { host: directory.path().to_owned(), guest: "/d".to_owned(), read_only: false };
    let invocation = Invocation { directories: vec![given], ..Invocation::detached("test.wasm") };
    let trial = trial(body, &invocation, TrialLimits::of(3_000_000, 0.3));
    assert_eq!((trial.complete, trial.stopped_by.as_deref()), (complete, stopped_by), "{body}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "a trial left something behind");
    assert_eq!(std::fs::read_to_string(directory.path().join("f")).unwrap(), "kept");
    trial
}

/// `path_open` of "f" with the given open flags and rights.
fn open(flags: u32, rights: u64) -> String {
    format!(
        "(call $exit (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const {flags})
            (i64.const {rights}) (i64.const 0) (i32.const 0) (i32.const 32)))"
    )
}

#[test]
fn a_trial_ends_with_the_program_or_at_what_it_may_not_do() {
    check("", true, None);
    check("(call $exit (i32.const 3))", true, None);
    check("unreachable", true, None);
    check("(drop (call $write (i32.const 1) (i32.const 64) (i32.const 1) (i32.const 32)))", true, None);
    check(&open(0, 2), true, None);
    let read = "(drop (call $read (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 32)))";
    check(read, false, Some("reads standard input"));
    check("(drop (call $mkdir (i32.const 3) (i32.const 0) (i32.const 1)))", false, Some("writes files"));
    check(&open(1, 2), false, Some("writes files"));
    check(&open(8, 2), false, Some("writes files"));
    check(&open(0, 64), false, Some("writes files"));
    let counted = check("(loop $forever (br $forever))", false, Some("operator budget"));
    assert!(counted.ops >= 2_900_000, "{counted:?}");
}

#[test]
fn a_trial_keeps_to_its_budgets_of_time() {
    let limits = |cpu_seconds, wall_seconds| TrialLimits { operators: u64::MAX, cpu_seconds, wall_seconds };
    let forever = trial("(loop $forever (br $forever))", &Invocation::detached("x"), limits(0.05, 600.0));
    assert_eq!(forever.stopped_by.as_deref(), Some("CPU budget"));
    assert!(forever.ops > 0 && (0.05..1.0).contains(&forever.run_cpu_seconds), "{forever:?}");
    // poll_oneoff on a relative monotonic clock of 2^40 ns, 18 minutes: subscription at 256, tag 0 at 264, clock 1 at
    // 272, timeout at 280.
    let sleep = "(i32.store (i32.const 272) (i32.const 1)) (i64.store (i32.const 280) (i64.const 1099511627776))
        (drop (call $poll (i32.const 256) (i32.const 512) (i32.const 1) (i32.const 32)))";
    let asleep = trial(sleep, &Invocation::detached("x"), limits(600.0, 0.05));
    assert_eq!(asleep.stopped_by.as_deref(), Some("wall budget"));
    assert!(asleep.wall_seconds < 5.0 && asleep.run_cpu_seconds < 1.0, "{asleep:?}");
}

#[test]
fn what_is_not_metered_runs_as_it_is() {
    let rounds = "(local $i i32) (loop $l
        (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000))))";
    let engine = engine(Tier::Cranelift, false);
    let timed = |body: &str| trial_on(&engine, body, &Invocation::detached("x"), TrialLimits::of(1, 60.0));
    let ended = timed(rounds);
    assert!(ended.complete && ended.ops == 0 && ended.run_cpu_seconds > 0.0, "operators are not limited: {ended:?}");
    let read = "(drop (call $read (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 32)))";
    assert_eq!(timed(read).stopped_by.as_deref(), Some("reads standard input"));
}

#[test]
fn how_a_program_ended_is_told() {
    let failure = |body: &str| check(body, true, None).failure;
    assert_eq!((failure(""), failure("(call $exit (i32.const 0))")), (None, None));
    assert_eq!(failure("(call $exit (i32.const 3))").as_deref(), Some("exit code 3"));
    assert!(failure("unreachable").is_some_and(|trap| trap.contains("unreachable")));
}

#[test]
fn counts_carry_no_noise_and_grow_with_the_work() {
    let work = |trips: u32| {
        let body = format!(
            "(local $i i32) (loop $l (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i)
            (i32.const 1))) (i32.const {trips}))))"
        );
        trial(&body, &Invocation::detached("x"), TrialLimits::of(1 << 40, 60.0)).ops
    };
    let (once, again, twice) = (work(1000), work(1000), work(2000));
    assert_eq!(once, again);
    assert_eq!((twice - once) % 1000, 0);
    assert!((twice - once) / 1000 >= 5, "{once} {twice}");
}

const ADDING: &str = r#"(module (memory 1) (func (export "run") (param i32) (result i32) (local i32)
    (loop $l (local.set 1 (i32.add (local.get 1) (local.get 0)))
        (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (local.get 1)))"#;

#[test]
fn calibration_times_each_step() {
    for tier in Tier::ALL {
        let engine = engine(tier, false);
        let (code, compiled) = engine.compile(&Program::module(ADDING).bytes, CodeKind::WasmModule).unwrap();
        assert!(compiled.bytes > Bytes::ZERO);
        let bytes = engine.serialize(&code).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &bytes).unwrap();
        let (mapped, timing) = engine.map(&file.reopen().unwrap(), CodeKind::WasmModule).unwrap();
        assert_eq!((timing.step, timing.bytes), (Step::Map, Bytes(bytes.len() as u64)));
        assert_eq!(engine.link(&mapped).unwrap().step, Step::Link);
        for (pooled, step) in [(false, Step::Instantiate), (true, Step::Pool)] {
            let timings = engine.instantiate(&mapped, pooled, 5).unwrap();
            assert_eq!(timings.len(), 5);
            assert!(timings.iter().all(|timing| timing.step == step && timing.wall_seconds > 0.0));
        }
        let calls = engine.time_calls(&mapped, "run", &[1, 1_000_000]).unwrap();
        assert!(calls[1].cpu_seconds > calls[0].cpu_seconds, "{tier}: {calls:?}");
    }
}

#[test]
fn threads_compile_the_same_code() {
    let program = Program::module(ADDING);
    let compile = |threads| {
        let settings = EngineSettings { tier: Tier::Cranelift, isa: IsaLevel::Baseline, metered: false, threads };
        let engine = Engine::new(settings, Arc::new(RealClock)).unwrap();
        let (code, _) = engine.compile(&program.bytes, CodeKind::WasmModule).unwrap();
        engine.serialize(&code).unwrap()
    };
    assert!(compile(1) == compile(3));
}
