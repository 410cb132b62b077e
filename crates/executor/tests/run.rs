//! Programs from first instruction to last, on every tier: how they end is theirs, or says why not.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::sync::Arc;

use common::{Program, configuration, executor, run, warm};
use forewarm_executor::lease::WarmError;
use forewarm_executor::{Directory, Invocation};
use forewarm_types::{Bytes, Exit, ExitCause, Rung, Step, Tier};

const EXIT: &str = r#"(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))"#;

fn check_exit(body: &str, cause: ExitCause, code: i32, message: &str) {
    let source = format!("(module {EXIT} (memory (export \"memory\") 1) {body})");
    for tier in Tier::ALL {
        let outcome = run(tier, &source, &Invocation::detached("test.wasm"));
        assert_eq!((outcome.exit.cause, outcome.exit.code), (cause, code), "{tier}: {:?}", outcome.exit);
        let words = outcome.exit.message.unwrap_or_default();
        assert!(words.contains(message), "{tier}: {words:?} lacks {message:?}");
    }
}

#[test]
fn a_program_ends_as_it_ends() {
    use ExitCause::{Exited, Trap};
    check_exit("(func (export \"_start\"))", Exited, 0, "");
    check_exit("(func (export \"_start\") (call $exit (i32.const 0)))", Exited, 0, "");
    check_exit("(func (export \"_start\") (call $exit (i32.const 42)))", Exited, 42, "");
    check_exit("(func $f (export \"_start\") unreachable)", Trap, 134, "wasm trap: wasm `unreachable`");
    check_exit("(func $boom unreachable) (func (export \"_start\") (call $boom))", Trap, 134, "0: boom");
    check_exit("(func (export \"_start\") (drop (i32.load (i32.const -4))))", Trap, 134, "out of bounds memory");
    check_exit("(func $deep (call $deep)) (func (export \"_start\") (call $deep))", Trap, 134, "stack");
    let divide = "(func (export \"_start\") (drop (i32.div_s (i32.const 1) (i32.load (i32.const 0)))))";
    check_exit(divide, Trap, 134, "divide by zero");
}

#[test]
fn the_baseline_level_runs_too() {
    for tier in Tier::ALL {
        let mut configuration = configuration(tier, Rung::File);
        let forewarm_types::configuration::Settings::Cpu(cpu) = &mut configuration.placements[0].settings else {
            unreachable!()
        };
        cpu.isa = forewarm_types::IsaLevel::Baseline;
        cpu.threads = 2;
        let invocation = Invocation {
            invoke: Some("add".to_owned()),
            arguments: vec!["1".into(), "2".into()],
            ..Invocation::detached("x")
        };
        let lease = executor(None).allocate(&configuration).unwrap();
        let outcome = lease.warm(&mut Program::module(FUNCTIONS), &invocation).unwrap().run();
        assert_eq!(outcome.results, ["3"], "{tier}");
    }
}

#[test]
fn a_denied_growth_is_told_apart_from_other_traps() {
    let grow = |after: &str| {
        format!("(func (export \"_start\") (if (i32.eq (memory.grow (i32.const 100)) (i32.const -1)) (then {after})))")
    };
    let rows = [
        ("unreachable", ExitCause::Memory, 137),
        ("(call $exit (i32.const 9))", ExitCause::Exited, 9),
        ("", ExitCause::Exited, 0),
    ];
    for (after, cause, code) in rows {
        let invocation = Invocation { max_memory: Some(Bytes(2 << 16)), ..Invocation::detached("test.wasm") };
        let source = format!("(module {EXIT} (memory (export \"memory\") 1) {})", grow(after));
        let outcome = run(Tier::Winch, &source, &invocation);
        assert_eq!((outcome.exit.cause, outcome.exit.code), (cause, code), "{after}");
        assert!(invocation.progress.was_memory_denied());
        assert_eq!(outcome.peak_linear_memory_bytes, Bytes(1 << 16));
    }
}

#[test]
fn memory_growth_is_counted_over_all_memories() {
    let source = "(module (memory 1) (memory $second 2) (func (export \"_start\")
        (drop (memory.grow $second (i32.const 3)))))";
    let outcome = run(Tier::Cranelift, source, &Invocation::detached("test.wasm"));
    assert_eq!(outcome.peak_linear_memory_bytes, Bytes(6 << 16));
}

#[test]
fn an_initial_memory_over_the_limit_is_refused() {
    let invocation = Invocation { max_memory: Some(Bytes(1 << 16)), ..Invocation::detached("test.wasm") };
    let mut program = Program::module("(module (memory 2) (func (export \"_start\")))");
    let error = warm(Tier::Winch, &mut program, &invocation).err().unwrap();
    assert!(matches!(&error, WarmError::Instantiate(words) if words.contains("memory")), "{error}");
    assert!(invocation.progress.was_memory_denied());
}

fn check_refused(source: &str, tier: Tier, expected: &str) {
    let mut program = Program::module(source);
    let error = warm(tier, &mut program, &Invocation::detached("test.wasm")).err().unwrap();
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn what_cannot_be_warmed_says_why() {
    let missing = r#"(module (import "env" "a" (func)) (import "env" "b" (memory 1))
        (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "no_such" (func)) (func (export "_start")))"#;
    check_refused(missing, Tier::Winch, "missing imports: env.a, env.b, wasi_snapshot_preview1.no_such");
    check_refused(
        "(module (func (export \"other\")))",
        Tier::Winch,
        "no exported function \"_start\" (exported: other)",
    );
    check_refused("(module (func (export \"_start\") (param i32)))", Tier::Winch, "takes parameters");
    let tail = "(module (func $f (return_call $f)) (func (export \"_start\") (call $f)))";
    check_refused(tail, Tier::Winch, "winch cannot compile this code");
    check_refused("(module (func $s unreachable) (start $s) (func (export \"_start\")))", Tier::Winch, "trap");
}

#[test]
fn bytes_that_are_no_module_are_invalid() {
    for bytes in [&b""[..], b"\0asm", b"hello", &[0; 1000], b"\0asm\x01\0\0\0\x0a\xff"] {
        for tier in Tier::ALL {
            let error = warm(tier, &mut Program::raw(bytes), &Invocation::detached("x")).err().unwrap();
            assert!(matches!(error, WarmError::Invalid(_)), "{tier} {bytes:?}: {error}");
        }
    }
}

const FUNCTIONS: &str = r#"(module
    (global $ready (mut i32) (i32.const 0))
    (func (export "_initialize") (global.set $ready (i32.const 1)))
    (func (export "ready") (result i32) (global.get $ready))
    (func (export "add") (param i32 i64) (result i64) (i64.add (i64.extend_i32_s (local.get 0)) (local.get 1)))
    (func (export "half") (param f32 f64) (result f32 f64)
        (f32.mul (local.get 0) (f32.const 0.5)) (f64.mul (local.get 1) (f64.const 0.5))))"#;

fn check_invoke(name: &str, arguments: &[&str], expected: Result<&[&str], &str>) {
    let invocation = Invocation {
        invoke: Some(name.to_owned()),
        arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
        ..Invocation::detached("test.wasm")
    };
    let ready = warm(Tier::Winch, &mut Program::module(FUNCTIONS), &invocation);
    match (ready.map(forewarm_executor::Ready::run), expected) {
        (Ok(outcome), Ok(expected)) => assert_eq!(outcome.results, expected, "{name} {arguments:?}"),
        (Err(error), Err(words)) => assert!(error.to_string().contains(words), "{name}: {error}"),
        (got, _) => panic!("{name} {arguments:?}: {:?}", got.map(|outcome| outcome.results)),
    }
}

#[test]
fn an_export_is_called_with_its_arguments() {
    check_invoke("add", &["-1", "0x10"], Ok(&["15"]));
    check_invoke("half", &["3", "-1e300"], Ok(&["1.5", &format!("{}", -5e299)]));
    check_invoke("ready", &[], Ok(&["1"]));
    check_invoke("add", &["1"], Err("takes 2 arguments, 1 were given"));
    check_invoke("add", &["1", "x"], Err("argument \"x\" is no i64"));
    check_invoke("none", &[], Err("no exported function \"none\" (exported: _initialize, ready, add, half)"));
}

#[test]
fn a_read_only_directory_denies_writing_to_the_program_not_to_us() {
    // path_open(fd 3, "f", O_CREAT, FD_WRITE) must fail with an errno of WASI, and the program goes on.
    let source = r#"(module
        (import "wasi_snapshot_preview1" "path_open"
            (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1) (data (i32.const 0) "f")
        (func (export "_start") (call $exit (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 1)
            (i32.const 1) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 8)))))"#;
    for (read_only, allowed) in [(true, false), (false, true)] {
        let directory = tempfile::tempdir().unwrap();
        let given = Directory { host: directory.path().to_owned(), guest: "/d".to_owned(), read_only };
        let invocation = Invocation {
            directories: vec![given],
            stdio: forewarm_executor::Stdio::Inherit,
            ..Invocation::detached("test.wasm")
        };
        let outcome = run(Tier::Winch, source, &invocation);
        assert_eq!(outcome.exit.code == 0, allowed, "{:?}", outcome.exit);
        assert_eq!(directory.path().join("f").exists(), allowed);
    }
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let given = Directory { host: "/no/such".into(), guest: "/d".to_owned(), read_only: false };
    let invocation = Invocation { directories: vec![given], ..Invocation::detached("test.wasm") };
    let mut program = Program::module("(module (func (export \"_start\")))");
    let error = warm(Tier::Winch, &mut program, &invocation).err().unwrap();
    assert!(error.to_string().starts_with("cannot open directory /no/such: No such file"), "{error}");
}

#[test]
fn every_step_is_timed() {
    let mut program = Program::module("(module (memory (export \"memory\") 16) (func (export \"_start\")))");
    let mut configuration = configuration(Tier::Winch, Rung::File);
    let forewarm_types::configuration::Settings::Cpu(cpu) = &mut configuration.placements[0].settings else {
        unreachable!()
    };
    cpu.prefault = true;
    let lease = executor(None).allocate(&configuration).unwrap();
    let ready = lease.warm(&mut program, &Invocation::detached("test.wasm")).unwrap();
    let steps: Vec<_> = ready.steps().iter().map(|step| step.step).collect();
    assert_eq!(steps, [Step::Compile, Step::Link, Step::Instantiate, Step::Prefault]);
    assert!(ready.steps().iter().all(|step| step.wall_seconds > 0.0));
    assert_eq!(ready.steps()[3].bytes, Bytes(16 << 16));
}

#[test]
fn a_pinned_lease_binds_and_lets_go() {
    let before = forewarm_sandbox::affinity::allowed().unwrap();
    let mut configuration = configuration(Tier::Winch, Rung::File);
    let forewarm_types::configuration::Settings::Cpu(cpu) = &mut configuration.placements[0].settings else {
        unreachable!()
    };
    cpu.pinned = true;
    let lease = executor(None).allocate(&configuration).unwrap();
    assert_eq!(forewarm_sandbox::affinity::allowed().unwrap().len(), 1);
    let mut program = Program::module("(module (func (export \"_start\")))");
    let outcome = lease.warm(&mut program, &Invocation::detached("test.wasm")).unwrap().run();
    assert_eq!(outcome.exit, Exit { cause: ExitCause::Exited, code: 0, signal: None, message: None });
    assert_eq!(forewarm_sandbox::affinity::allowed().unwrap(), before);
}

#[test]
fn a_run_inside_an_asynchronous_runtime_works() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let outcome = runtime.block_on(async {
        run(Tier::Winch, "(module (func (export \"_start\")))", &Invocation::detached("test.wasm"))
    });
    assert_eq!(outcome.exit.code, 0);
}

#[test]
fn progress_is_seen_from_outside() {
    let invocation = Invocation::detached("test.wasm");
    let progress = Arc::clone(&invocation.progress);
    assert_eq!(progress.started(), None);
    run(Tier::Winch, "(module (memory 3) (func (export \"_start\")))", &invocation);
    assert!(progress.started().is_some());
    assert_eq!(progress.peak_linear_memory(), Bytes(3 << 16));
}

/// A program that looks at a counter it keeps nowhere (every run finds its memory fresh), grows by 100 pages and returns their
/// number, after `before`.
fn grows(before: &str) -> String {
    format!(
        r#"(module {WRITE} (memory (export "memory") 1) (data (i32.const 8) "\10\00\00\00\03\00\00\00")
            (data (i32.const 16) "on\n")
            (func (export "grow") (result i32) {before}
                (if (i32.load (i32.const 0)) (then unreachable))
                (i32.store (i32.const 0) (i32.const 1))
                (drop (memory.grow (i32.const 100))) (memory.size)))"#
    )
}

const WRITE: &str =
    r#"(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))"#;

fn set_aside(bytes: u64, source: &str, invocation: Invocation) -> forewarm_executor::Outcome {
    set_aside_by(executor(None), bytes, source, invocation)
}

fn set_aside_by(
    executor: forewarm_executor::Executor,
    bytes: u64,
    source: &str,
    invocation: Invocation,
) -> forewarm_executor::Outcome {
    let mut configuration = configuration(Tier::Winch, Rung::File);
    configuration.placements[0].memory_bytes = Bytes(bytes);
    let invocation = Invocation { invoke: Some("grow".to_owned()), ..invocation };
    let lease = executor.allocate(&configuration).unwrap();
    lease.warm(&mut Program::module(source), &invocation).unwrap().run()
}

/// A clock by which whatever comes next takes longer than all that was before.
struct Doubling(std::sync::atomic::AtomicU32);

impl forewarm_types::host::Clock for Doubling {
    fn monotonic(&self) -> forewarm_types::Seconds {
        let calls = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        forewarm_types::Seconds(2_f64.powi(calls.min(1000) as i32))
    }

    fn unix(&self) -> forewarm_types::Seconds {
        self.monotonic()
    }

    fn process_cpu(&self) -> forewarm_types::Seconds {
        self.monotonic()
    }
}

#[test]
fn a_run_longer_than_its_warming_is_not_thrown_away() {
    let clock = Arc::new(Doubling(0.into()));
    let executor = forewarm_executor::Executor::new(None, clock).releasing_memory(true);
    let outcome = set_aside_by(executor, 2 << 16, &grows(""), Invocation::detached("test.wasm"));
    assert_eq!((outcome.results, outcome.repeated), (vec!["101".to_owned()], None));
}

#[test]
fn a_run_that_wants_more_than_was_set_aside_is_made_again_with_more() {
    let outcome = set_aside(2 << 16, &grows(""), Invocation::detached("test.wasm"));
    assert_eq!((outcome.exit.code, &*outcome.results), (0, &["101".to_owned()][..]));
    let first = outcome.repeated.unwrap();
    assert_eq!((first.set_aside, first.wanted), (Bytes(2 << 16), Bytes(101 << 16)));
    assert!(first.lost_seconds >= first.run_seconds && first.run_seconds > 0.0);
    assert_eq!(outcome.peak_linear_memory_bytes, Bytes(101 << 16));
    assert_eq!(set_aside(101 << 16, &grows(""), Invocation::detached("test.wasm")).repeated, None);
}

#[test]
fn what_may_have_been_seen_is_not_done_twice() {
    let on = "(drop (call $write (i32.const 2) (i32.const 8) (i32.const 1) (i32.const 4)))";
    let inherited = || Invocation { stdio: forewarm_executor::Stdio::Inherit, ..Invocation::detached("test.wasm") };
    let folder = tempfile::tempdir().unwrap();
    let given = |read_only| Directory { host: folder.path().to_owned(), guest: "/d".to_owned(), read_only };
    let rows = [
        (grows(""), inherited(), true),
        (grows(on), inherited(), false),
        (grows(on), Invocation::detached("test.wasm"), true),
        (grows(""), Invocation { directories: vec![given(true)], ..inherited() }, true),
        (grows(""), Invocation { directories: vec![given(false)], ..inherited() }, false),
        (grows(""), Invocation { network: true, ..inherited() }, false),
    ];
    for (row, (source, invocation, again)) in rows.into_iter().enumerate() {
        let outcome = set_aside(2 << 16, &source, invocation);
        assert_eq!(outcome.results, ["101"], "row {row}: it has the memory either way");
        assert_eq!(outcome.repeated.is_some(), again, "row {row}");
    }
}

#[test]
fn a_limit_of_the_users_is_no_reason_to_run_again() {
    let invocation = Invocation { max_memory: Some(Bytes(50 << 16)), ..Invocation::detached("test.wasm") };
    let outcome = set_aside(2 << 16, &grows(""), invocation);
    assert_eq!((outcome.results, outcome.repeated), (vec!["1".to_owned()], None));
}
