//! Counts of rewritten modules are exact, and rewriting changes nothing that the program does.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::sync::Arc;

use forewarm_emulator::generate::memory::Walk;
use forewarm_emulator::generate::{SplitMix64, memory, programs, waits};
use forewarm_emulator::instrument::{InstrumentError, instrument};
use forewarm_emulator::{Trial, measure};
use forewarm_executor::Invocation;
use forewarm_executor::lease::CodeSource;
use forewarm_sandbox::RealClock;
use forewarm_types::counts::Chain;
use forewarm_types::plan::TrialLimits;
use forewarm_types::{Bytes, CodeKind, Counts, Digest, OpClass};
use proptest::prelude::*;
use wasmtime::{Config, Engine, Instance, Module, Store, Strategy, Val};

struct Source(Arc<Vec<u8>>);

impl CodeSource for Source {
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

fn trial(wasm: &[u8], ops: u64) -> Trial {
    let mut source = Source(Arc::new(wasm.to_vec()));
    let clock = Arc::new(RealClock);
    measure(&mut source, &Invocation::detached("module.wasm"), TrialLimits::of(ops, 60.0), 1, clock).unwrap()
}

fn counts(wat: &str) -> Counts {
    let trial = trial(&wat::parse_str(wat).unwrap(), u64::MAX);
    trial.counts.unwrap_or_else(|| panic!("not rewritten: {wat}"))
}

/// Counts of a generated module's export, called with so many rounds.
fn counts_of_rounds(wasm: Vec<u8>, rounds: u32) -> Counts {
    let invocation = Invocation {
        invoke: Some("run".to_owned()),
        arguments: vec![rounds.to_string()],
        ..Invocation::detached("module.wasm")
    };
    let trial =
        measure(&mut Source(Arc::new(wasm)), &invocation, TrialLimits::of(u64::MAX, 60.0), 1, Arc::new(RealClock));
    trial.unwrap().counts.unwrap()
}

/// Fuel that a command uses, by the optimising tier's own count.
fn fuel(wasm: &[u8]) -> u64 {
    let engine = Engine::new(Config::new().consume_fuel(true)).unwrap();
    let module = Module::new(&engine, wasm).unwrap();
    let mut store = Store::new(&engine, ());
    store.set_fuel(u64::MAX / 4).unwrap();
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let before = store.get_fuel().unwrap();
    instance.get_typed_func::<(), ()>(&mut store, "_start").unwrap().call(&mut store, ()).unwrap();
    before - store.get_fuel().unwrap()
}

/// Commands with every kind of control flow, and what moves bytes in bulk.
const COMMANDS: [&str; 9] = [
    "(module (func (export \"_start\")))",
    // A loop that ends by falling out of it, code after it, and an if with one arm that is not taken.
    r#"(module (memory 1) (func (export "_start") (local i32)
        (loop (local.set 0 (i32.add (local.get 0) (i32.const 1))) (br_if 0 (i32.lt_s (local.get 0) (i32.const 1000))))
        (if (i32.eqz (local.get 0)) (then (unreachable)))
        (i32.store (i32.const 8) (local.get 0))))"#,
    // Nested loops, the inner one with a header of nothing but a block; br_table with three targets.
    r#"(module (func (export "_start") (local i32 i32)
        (loop (local.set 1 (i32.const 0))
          (loop (block (block (block (br_table 0 1 2 (i32.rem_u (local.get 1) (i32.const 4))))
                 (local.set 1 (i32.add (local.get 1) (i32.const 2))) (br 1))
               (local.set 1 (i32.add (local.get 1) (i32.const 1))))
             (local.set 1 (i32.add (local.get 1) (i32.const 1)))
             (br_if 0 (i32.lt_u (local.get 1) (i32.const 50))))
          (local.set 0 (i32.add (local.get 0) (i32.const 1)))
          (br_if 0 (i32.lt_u (local.get 0) (i32.const 30))))))"#,
    // Recursion, early return, dead code after it, calls through a table, select, a result carried by a block.
    r#"(module (type $t (func (param i32) (result i32))) (table 2 funcref) (elem (i32.const 0) $fib $id)
        (func $fib (param i32) (result i32)
          (if (i32.lt_s (local.get 0) (i32.const 2)) (then (return (local.get 0)) (drop (i32.const 9))))
          (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
                   (call_indirect (type $t) (i32.sub (local.get 0) (i32.const 2)) (i32.const 0))))
        (func $id (param i32) (result i32) (block (result i32) (br 0 (local.get 0))))
        (func (export "_start") (drop (call $fib (i32.const 15)))
          (drop (call_indirect (type $t) (i32.const 5) (i32.const 1)))))"#,
    // Bulk memory: 100 + 70 bytes, and 5 of a passive segment.
    r#"(module (memory 1) (data $d "hello")
        (func (export "_start") (local i32) (local.set 0 (i32.const 70))
          (memory.fill (i32.const 0) (i32.const 7) (i32.const 100))
          (memory.copy (i32.const 200) (i32.const 0) (local.get 0))
          (memory.init $d (i32.const 0) (i32.const 0) (i32.const 5)) (data.drop $d)))"#,
    // Every width of load and store, floats, growth, globals.
    r#"(module (memory 1) (global $g (mut f64) (f64.const 1)) (func (export "_start")
        (i32.store8 offset=3 (i32.const 0) (i32.load8_s (i32.const 4)))
        (i64.store16 (i32.const 8) (i64.load32_u offset=16 (i32.const 0)))
        (f32.store (i32.const 8) (f32.load (i32.const 4)))
        (f64.store (i32.const 16) (f64.add (global.get $g) (f64.load (i32.const 8))))
        (drop (memory.grow (i32.const 2))) (drop (memory.size))
        (i64.store (i32.const 70000) (i64.const 1))))"#,
    // Vectors, a lane loaded and one stored.
    r#"(module (memory 1) (func (export "_start") (local v128)
        (local.set 0 (v128.load (i32.const 0)))
        (local.set 0 (v128.load8_lane 1 (i32.const 5) (local.get 0)))
        (v128.store32_lane 2 (i32.const 9) (local.get 0))
        (v128.store (i32.const 16) (i32x4.add (local.get 0) (local.get 0)))))"#,
    // Blocks with parameters and several results.
    r#"(module (func (export "_start") (local i32)
        (i32.const 1) (i32.const 2)
        (block (param i32 i32) (result i32 i32) (i32.add) (i32.const 5))
        (loop (param i32 i32) (result i32) (i32.add)
           (local.tee 0) (i32.const 1) (br_if 0 (i32.lt_u (local.get 0) (i32.const 40))) (i32.add))
        (drop)))"#,
    // More accesses in one stretch than are held at once.
    r#"(module (memory 1) (func (export "_start")
        (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.add (i32.load (i32.const 4))
          (i32.add (i32.load (i32.const 8)) (i32.add (i32.load (i32.const 12)) (i32.add (i32.load (i32.const 16))
          (i32.add (i32.load (i32.const 20)) (i32.add (i32.load (i32.const 24)) (i32.add (i32.load (i32.const 28))
          (i32.add (i32.load (i32.const 32)) (i32.load (i32.const 36))))))))))))
        ))"#,
];

#[test]
fn branches_are_foreseen_or_not() {
    let share = |unforeseen| {
        let counts = counts_of_rounds(waits::branches(unforeseen).wasm, 2000);
        counts.mispredictions().unwrap() / (2000.0 * f64::from(waits::BRANCHES))
    };
    let (chance, steady) = (share(true), share(false));
    assert!((0.4..0.6).contains(&chance), "{chance}");
    assert!(steady < 0.02, "{steady}");
}

#[test]
fn loads_that_wait_for_loads_are_told_from_others() {
    for (walk, least, most) in [(Walk::Chased, 0.3, 1.01), (Walk::Scattered, -0.01, 0.1)] {
        let counts = counts_of_rounds(memory::walk(Bytes(1 << 20), walk), 10_000_000);
        let reuse = counts.reuse.clone().unwrap();
        let chased = reuse.fresh.chased_share;
        // The first window sees how the set is written, line after line.
        assert!((least..most).contains(&chased), "{walk:?}: {reuse:?}");
        let waits = |chain: &Chain| chain.path.get(&OpClass::Load).is_some_and(|loads| *loads > 1e6);
        assert_eq!(counts.chains.iter().any(waits), walk == Walk::Chased, "{:?}", counts.chains);
    }
}

#[test]
fn a_chain_goes_through_what_each_round_hands_on() {
    // x = 3 (x + i) is carried, y = x is not; the counter's own chain is shorter; what is done once in four rounds is left out.
    let counts = counts(
        r#"(module (func (export "_start") (local $x i32) (local $y i32) (local $i i32)
            (loop
              (local.set $x (i32.mul (i32.add (local.get $x) (local.get $i)) (i32.const 3)))
              (local.set $y (i32.mul (local.get $x) (i32.const 5)))
              (block (br_if 0 (i32.and (local.get $i) (i32.const 3)))
                (local.set $x (i32.div_u (local.get $x) (i32.const 7))))
              (local.set $i (i32.add (local.get $i) (i32.const 1)))
              (br_if 0 (i32.lt_u (local.get $i) (i32.const 10000))))))"#,
    );
    let chain = &counts.chains[0];
    let path = [(OpClass::Local, 10_000.0), (OpClass::IntAlu, 10_000.0), (OpClass::IntMul, 10_000.0)];
    assert_eq!(chain.path, path.into());
    assert_eq!((chain.operators[&OpClass::IntMul], chain.operators[&OpClass::IntDiv]), (20_000, 2500));
}

#[test]
fn counts_equal_fuel() {
    let generated = [memory::command(1, false), memory::command(1000, false)];
    let written = COMMANDS.iter().map(|wat| wat::parse_str(wat).unwrap());
    for wasm in written.chain(generated) {
        let trial = trial(&wasm, u64::MAX);
        let text = wasm.len();
        let counts = trial.counts.unwrap_or_else(|| panic!("not rewritten: {text} bytes"));
        assert_eq!(counts.operators() + counts.bulk_bytes, fuel(&wasm), "{counts:?}");
        assert_eq!(trial.ops, counts.operators() + counts.bulk_bytes);
        let by_function: u64 = counts.functions.iter().map(|function| function.operators).sum();
        assert_eq!(by_function, counts.operators());
    }
}

#[test]
fn loops_functions_and_bytes_are_told_apart() {
    let nested = counts(COMMANDS[2]);
    let loops: Vec<_> = nested.loops.iter().map(|one| (one.depth, one.entered, one.iterations)).collect();
    assert_eq!(loops.len(), 2);
    assert_eq!((loops[0].0, loops[0].1), (2, 30), "{loops:?}");
    assert_eq!(loops[1], (1, 1, 30));
    let bulk = counts(COMMANDS[4]);
    assert_eq!((bulk.bulk_bytes, bulk.of(OpClass::Bulk)), (175, 4));
    let widths = counts(COMMANDS[5]);
    assert_eq!((widths.load_bytes, widths.store_bytes), (1 + 4 + 4 + 8, 1 + 2 + 4 + 8 + 8));
    assert_eq!(widths.peak_linear_memory_bytes.0, 3 * 65536, "what was added is none of the program's");
    let recursive = counts(COMMANDS[3]);
    let fib = &recursive.functions[0];
    assert_eq!(fib.entered, 1973, "fib(15) is entered 2 fib(16) - 1 times");
    assert_eq!(recursive.functions_entered, 1973 + 2);
}

#[test]
fn calls_of_the_host_are_counted_by_name_and_an_exit_ends_the_count_there() {
    let counts = counts(
        r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
            (memory (export "memory") 1)
            (func (export "_start") (local i32)
              (loop (drop (call $yield)) (local.set 0 (i32.add (local.get 0) (i32.const 1)))
                (br_if 0 (i32.lt_u (local.get 0) (i32.const 7))))
              (call $exit (i32.const 0)) (drop (call $yield))))"#,
    );
    assert!(counts.complete);
    let calls: Vec<_> = counts.host_calls.into_iter().collect();
    let name = |of: &str| format!("wasi_snapshot_preview1.{of}");
    assert_eq!(calls, [(name("proc_exit"), 1), (name("sched_yield"), 7)]);
    assert_eq!(counts.classes[&OpClass::HostCall], 8);
    // Entry; per round 1 call, 4 of the sum, 4 of the branch; then a constant and the call that never returns.
    assert_eq!(counts.classes.values().sum::<u64>() + counts.functions_entered, 1 + 7 * 9 + 2);
}

#[test]
fn a_start_function_runs_first_and_is_counted() {
    let counts = counts(
        r#"(module (global $g (mut i32) (i32.const 0)) (start $s)
            (func $s (global.set $g (i32.const 5)))
            (func (export "_start") (if (i32.ne (global.get $g) (i32.const 5)) (then (unreachable)))))"#,
    );
    assert!(counts.complete, "{counts:?}");
    assert_eq!(counts.operators(), 3 + 5);
}

#[test]
fn an_endless_start_function_stops_too() {
    let wasm = wat::parse_str("(module (start $s) (func $s (loop (br 0))) (func (export \"_start\")))").unwrap();
    let trial = trial(&wasm, 1_000_000);
    assert_eq!((trial.complete, trial.stopped_by.as_deref()), (false, Some("operator budget")));
}

#[test]
fn a_partial_run_has_partial_counts() {
    let trial = trial(&memory::command(0, true), 3_000_000);
    let counts = trial.counts.unwrap();
    assert!(!counts.complete && !trial.complete);
    assert_eq!(counts.stopped_by.as_deref(), Some("operator budget"));
    assert!((3_000_000..4_000_000).contains(&counts.operators()), "{}", counts.operators());
    assert!(counts.intervals.len() >= 2, "{counts:?}");
    let sum: u64 = counts.intervals.iter().map(|interval| interval.operators).sum();
    assert_eq!(sum, counts.operators());
}

#[test]
fn endless_recursion_ends_by_its_own_trap() {
    let wasm = wat::parse_str("(module (func $f (call $f)) (func (export \"_start\") (call $f)))").unwrap();
    let trial = trial(&wasm, u64::MAX);
    assert!(trial.complete && trial.ops > 1000, "{trial:?}");
}

#[test]
fn names_that_the_module_has_already_are_left_to_it() {
    let counts = counts(
        r#"(module (memory (export "forewarm:memory") 1) (global (export "forewarm:clock") (mut i32) (i32.const 1))
            (func (export "_start") (i32.store (i32.const 0) (i32.const 77))))"#,
    );
    assert_eq!(counts.operators(), 1 + 3);
}

#[test]
fn a_walk_over_memory_is_seen_in_its_reuse() {
    // 64 KiB by lines, over and over: every access comes back after 1023 other lines.
    let counts = counts(
        r#"(module (memory 1) (func (export "_start") (local i32 i32)
            (loop (drop (i64.load (i32.and (local.get 0) (i32.const 0xffc0))))
              (local.set 0 (i32.add (local.get 0) (i32.const 64)))
              (br_if 0 (i32.lt_u (local.get 0) (i32.const 0x10000000))))))"#,
    );
    let reuse = counts.reuse.unwrap();
    assert!(reuse.sampled > 8_000, "{reuse:?}");
    assert!((reuse.total() / counts.classes[&OpClass::Load] as f64 - 1.0).abs() < 1e-9);
    assert!(reuse.misses(512.0) > 0.99 * reuse.total(), "{reuse:?}");
    assert!(reuse.misses(1024.0) < 0.02 * reuse.total(), "{reuse:?}");
    assert!(reuse.reused.sequential_share > 0.95, "{reuse:?}");
}

#[test]
fn components_and_rubbish_are_refused() {
    assert!(matches!(instrument(b"\0asm\x0d\0\x01\0", true), Err(InstrumentError::Unsupported(_))));
    for bytes in [&b""[..], b"\0asm", b"\0asm\x01\0\0\0\x0a\xff\xff\xff\xff\x0f", &[0; 4096]] {
        assert!(instrument(bytes, true).is_err());
    }
}

/// Calls `run` with a number on a tier; its result, the memory's digest, or the trap.
fn outcome(wasm: &[u8], strategy: Strategy, argument: i32) -> Result<(i32, Vec<u8>), String> {
    let mut config = Config::new();
    config.strategy(strategy).consume_fuel(false).epoch_interruption(false);
    let engine = Engine::new(&config).unwrap();
    let module = Module::new(&engine, wasm).map_err(|error| format!("{error:#}"))?;
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let function = instance.get_func(&mut store, "run").unwrap();
    let mut results = [Val::I32(0)];
    let called = function.call(&mut store, &[Val::I32(argument)], &mut results);
    called.map_err(|error| format!("{:?}", error.downcast_ref::<wasmtime::Trap>()))?;
    let memory = instance.get_memory(&mut store, "memory").unwrap();
    Ok((results[0].unwrap_i32(), memory.data(&store).to_vec()))
}

/// One statement of a generated function, chosen by a byte: arithmetic on locals, memory, branches, bounded loops.
fn statement(choice: u8, depth: u32, rest: &mut std::slice::Iter<'_, u8>) -> String {
    let mut next = || u32::from(*rest.next().unwrap_or(&3));
    let (a, b, c) = (next() % 3, next() % 3, next());
    let leaf = |text: String| text;
    match choice % 9 {
        0 => leaf(format!("(local.set {a} (i32.add (local.get {b}) (i32.const {c})))")),
        1 => leaf(format!("(local.set {a} (i32.mul (local.get {b}) (i32.const {})))", c | 1)),
        2 => leaf(format!("(i32.store16 offset={c} (i32.and (local.get {a}) (i32.const 0xfff)) (local.get {b}))")),
        3 => leaf(format!("(local.set {a} (i32.load8_u offset={c} (i32.and (local.get {b}) (i32.const 0xfff))))")),
        4 => leaf(format!("(local.set {a} (i32.div_s (local.get {b}) (i32.and (local.get {a}) (i32.const {c}))))")),
        5 => leaf(format!("(local.set {a} (call $leaf (local.get {b})))")),
        6 if depth < 4 => {
            let (then, other) = (body(depth + 1, rest), body(depth + 1, rest));
            format!("(if (i32.and (local.get {a}) (i32.const {})) (then {then}) (else {other}))", c | 1)
        }
        7 if depth < 4 => {
            // A counter of its own for each depth, so that every loop ends.
            let counter = 3 + depth;
            let inner = body(depth + 1, rest);
            format!(
                "(local.set {counter} (i32.const {}))
                 (loop {inner} (local.set {counter} (i32.sub (local.get {counter}) (i32.const 1)))
                   (br_if 0 (i32.gt_s (local.get {counter}) (i32.const 0))))",
                c % 6
            )
        }
        8 if depth < 4 => {
            let inner = body(depth + 1, rest);
            format!("(block (br_if 0 (i32.gt_u (local.get {a}) (local.get {b}))) {inner} (br 0) (drop (i32.const 1)))")
        }
        _ => String::new(),
    }
}

fn body(depth: u32, rest: &mut std::slice::Iter<'_, u8>) -> String {
    let statements = rest.next().map_or(0, |count| count % 5 + 1);
    let mut text = String::new();
    for _ in 0..statements {
        let Some(choice) = rest.next().copied() else { break };
        text += &statement(choice, depth, rest);
    }
    text
}

/// A module whose `run` does what the bytes say, and whose `_start` calls it.
fn generated(bytes: &[u8], argument: i32) -> Vec<u8> {
    let mut rest = bytes.iter();
    let mut text = String::new();
    while rest.len() > 0 {
        text += &body(0, &mut rest);
    }
    let wat = format!(
        r#"(module (memory (export "memory") 1)
            (func $leaf (param i32) (result i32) (i32.xor (local.get 0) (i32.const 0x5bd1)))
            (func $run (export "run") (param i32) (result i32) (local i32 i32 i32 i32 i32 i32)
                {text} (i32.add (local.get 0) (i32.add (local.get 1) (local.get 2))))
            (func (export "_start") (drop (call $run (i32.const {argument})))))"#
    );
    wat::parse_str(&wat).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn rewriting_changes_nothing_and_counts_all(bytes in prop::collection::vec(any::<u8>(), 0..160), argument: i32) {
        let wasm = generated(&bytes, argument);
        let plain = outcome(&wasm, Strategy::Cranelift, argument);
        for tracing in [false, true] {
            let rewritten = instrument(&wasm, tracing).unwrap().bytes;
            for strategy in [Strategy::Cranelift, Strategy::Winch] {
                let outcome = outcome(&rewritten, strategy, argument);
                prop_assert_eq!(&outcome, &plain, "{:?} {}", strategy, tracing);
            }
        }
        if plain.is_ok() {
            let counts = trial(&wasm, u64::MAX).counts.unwrap();
            prop_assert_eq!(counts.operators(), fuel(&wasm));
        }
    }

    #[test]
    fn any_module_stays_valid(seed: u64) {
        let wasm = programs::random_module(6000, &mut SplitMix64::new(seed));
        for tracing in [false, true] {
            let rewritten = instrument(&wasm, tracing).unwrap().bytes;
            wasmparser::Validator::new().validate_all(&rewritten).unwrap();
        }
    }

    #[test]
    fn any_bytes_are_refused_or_rewritten(at in 0_usize..4000, byte: u8) {
        let mut wasm = programs::random_module(3000, &mut SplitMix64::new(1));
        let at = at % wasm.len();
        wasm[at] = byte;
        // What does not validate may be rewritten or refused, but nothing panics.
        let _ = instrument(&wasm, true);
    }
}
