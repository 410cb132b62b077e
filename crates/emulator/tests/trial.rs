//! Trials are bounded, exact in what they count, and leave nothing behind.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::path::Path;
use std::sync::Arc;

use forewarm_emulator::generate::memory;
use forewarm_emulator::{EmulateError, Trial, measure};
use forewarm_executor::lease::CodeSource;
use forewarm_executor::{Directory, Invocation, Progress, Stdio};
use forewarm_sandbox::RealClock;
use forewarm_types::plan::TrialLimits;
use forewarm_types::{CodeKind, Digest};

struct Module(Arc<Vec<u8>>);

impl CodeSource for Module {
    fn name(&self) -> &str {
        "module.wasm"
    }
    fn digest(&self) -> Digest {
        Digest([0; 32])
    }
    fn kind(&self) -> CodeKind {
        CodeKind::WasmModule
    }
    fn bytes(&mut self) -> Result<Arc<Vec<u8>>, std::io::Error> {
        Ok(Arc::clone(&self.0))
    }
}

fn invocation() -> Invocation {
    Invocation {
        program: "module.wasm".into(),
        arguments: Vec::new(),
        environment: Vec::new(),
        directories: Vec::new(),
        stdio: Stdio::Inherit,
        invoke: None,
        network: false,
        max_memory: None,
        progress: Arc::new(Progress::default()),
    }
}

fn attempt(wasm: &[u8], invocation: &Invocation, ops: u64, seconds: f64) -> Result<Trial, EmulateError> {
    measure(&mut Module(wasm.to_vec().into()), invocation, TrialLimits::of(ops, seconds), 1, Arc::new(RealClock))
}

fn text(wat: &str) -> Vec<u8> {
    wat::parse_str(wat).unwrap()
}

#[test]
fn a_finished_program_is_counted_exactly() {
    // Fuel: one per function entered, one per operator, structural ones free; a round of the generated loop executes
    // local.get, i32.const, i32.add, local.set, local.get, br_if after an i32.const and a local.set before it.
    for rounds in [1, 10, 1000] {
        let trial = attempt(&memory::command(rounds, false), &invocation(), 1 << 40, 10.0).unwrap();
        assert!(trial.complete, "{trial:?}");
        assert_eq!(trial.ops, 3 + 6 * rounds as u64, "{rounds} rounds");
        assert_eq!(trial.peak_linear_memory_bytes.0, 65536);
        assert!(trial.wall_seconds > 0.0);
    }
}

#[test]
fn an_endless_loop_stops_at_its_operator_budget() {
    let budget = 10_000_000;
    let trial = attempt(&memory::command(0, true), &invocation(), budget, 60.0).unwrap();
    assert!(!trial.complete && trial.stopped_by.is_some(), "{trial:?}");
    assert!(trial.ops >= budget / 2 && trial.ops <= 2 * budget, "{trial:?}");
}

#[test]
fn an_endless_loop_stops_at_its_cpu_budget() {
    let limits = TrialLimits { operators: u64::MAX, cpu_seconds: 0.2, wall_seconds: 600.0 };
    let mut code = Module(memory::command(0, true).into());
    let trial = measure(&mut code, &invocation(), limits, 1, Arc::new(RealClock)).unwrap();
    assert!(!trial.complete && trial.ops > 0, "{trial:?}");
    assert_eq!(trial.stopped_by.as_deref(), Some("CPU budget"));
    assert!(trial.cpu_seconds >= trial.run_cpu_seconds && trial.cpu_seconds < 2.0, "{trial:?}");
}

#[test]
fn no_budget_means_no_trial() {
    let trial = attempt(&memory::command(0, true), &invocation(), u64::MAX, 0.0).unwrap();
    assert_eq!((trial.ops, trial.complete), (0, false));
    assert!(trial.stopped_by.unwrap().contains("CPU budget"));
}

#[test]
fn reading_standard_input_stops_a_trial() {
    let wasm = text(
        r#"(module
            (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1)
            (data (i32.const 0) "\10\00\00\00\08\00\00\00")
            (func (export "_start")
                (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
                (loop (br 0))))"#,
    );
    let trial = attempt(&wasm, &invocation(), 1_000_000_000_000, 20.0).unwrap();
    assert!(!trial.complete, "{trial:?}");
    let why = trial.stopped_by.unwrap();
    assert!(why.contains("input"), "{why}");
}

/// Opens `made` in the first given directory for writing and writes four bytes to it, then exits with the error.
const WRITER: &str = r#"(module
    (import "wasi_snapshot_preview1" "path_open"
        (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_unlink_file" (func $unlink (param i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "madekept\00\00\00\00\00\00\00\00\04\00\00\00")
    (func (export "_start")
        (drop (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 9)
            (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 32)))
        (drop (call $write (i32.load (i32.const 32)) (i32.const 12) (i32.const 1) (i32.const 40)))
        (drop (call $open (i32.const 3) (i32.const 0) (i32.const 4) (i32.const 4) (i32.const 8)
            (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 32)))
        (drop (call $unlink (i32.const 3) (i32.const 4) (i32.const 4)))))"#;

fn contents(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn a_given_directory_is_left_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("kept"), b"kept").unwrap();
    let given = Directory { host: directory.path().to_owned(), guest: "/".into(), read_only: false };
    let invocation = Invocation { directories: vec![given], ..invocation() };
    let trial = attempt(&text(WRITER), &invocation, 1_000_000, 10.0).unwrap();
    assert!(trial.ops > 0, "the program ran: {trial:?}");
    assert_eq!(contents(directory.path()), [("kept".to_owned(), b"kept".to_vec())]);
}

#[test]
fn what_winch_cannot_compile_cranelift_counts() {
    let wasm = text(
        r#"(module (memory (export "memory") 1)
            (func $last)
            (func (export "_start") return_call $last))"#,
    );
    let trial = attempt(&wasm, &invocation(), 1_000_000, 10.0).unwrap();
    assert!(trial.complete && trial.ops > 0, "{trial:?}");
}

#[test]
fn rubbish_is_an_error_not_a_panic() {
    for bytes in [&b""[..], b"\0asm", b"\0asm\x01\0\0\0\x0a\xff\xff\xff\xff\x0f", &[0; 4096]] {
        assert!(attempt(bytes, &invocation(), 1000, 1.0).is_err());
    }
}
