//! Memory that is set aside: what wants more is run again with more, where nobody can have seen the first run.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Home, programs};
use serde_json::Value;

/// Grows by 4,000 pages for each byte of its arguments, its name included, of which it touches nothing; says so before or
/// afterwards, and then computes for as long as makes holding memory dearer than a second run is likely.
fn grows(before: &str, after: &str) -> String {
    format!(
        r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\10\00\00\00\06\00\00\00")
  (data (i32.const 16) "grown\n")
  (func $say (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func (export "_start") (local $rounds i32) {before}
    (drop (call $sizes (i32.const 32) (i32.const 36)))
    (if (i32.eq (memory.grow (i32.mul (i32.load (i32.const 36)) (i32.const 4000))) (i32.const -1)) (then unreachable))
    (local.set $rounds (i32.const 100000000))
    (loop $more (br_if $more (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
    {after}))"#
    )
}

fn report(home: &Home) -> Value {
    common::document(&std::fs::read(home.path("report.json")).unwrap())
}

const RUN: [&str; 5] = ["run", "--objective", "cost", "--report", "report.json"];

#[test]
fn what_wants_more_than_was_set_aside_is_run_again_and_said_once() {
    let home = Home::new();
    home.write("module.wat", grows("", "(call $say)"));
    home.write("component.wasm", programs::component(&grows("", "(call $say)")));
    for file in ["module.wat", "component.wasm"] {
        let ended = home.run([&RUN[..], &["--emulate", "never", file]].concat());
        assert_eq!((ended.code, ended.text().as_str(), ended.stderr.as_str()), (Some(0), "grown\n", ""), "{file}");
        let report = report(&home);
        let (plan, seen) = (&report["plan"]["chosen"], &report["observation"]);
        let aside = &plan["configuration"]["placements"][0]["memory_bytes"];
        assert_eq!(&seen["repeated"]["set_aside_bytes"], aside, "{seen}");
        assert!(seen["peak_linear_memory_bytes"].as_u64() > aside.as_u64(), "{seen}");
        let seconds = |part: &str| seen[format!("{part}_seconds")].as_f64().unwrap();
        let sum: f64 = ["plan", "emulation", "wait", "transition", "run"].map(seconds).iter().sum();
        assert!(
            (sum - seconds("wall")).abs() < 1e-6
                && seconds("wait") > seen["repeated"]["lost_seconds"].as_f64().unwrap() * 0.999
        );
        assert!(plan["cost"]["terms_dollars"]["retry"].as_f64().unwrap() > 0.0, "{plan}");
        assert!(plan["cost"]["retry"]["memory_bytes"].as_u64() >= seen["peak_linear_memory_bytes"].as_u64(), "{plan}");
        let [second, first] = &home.history()[..2] else { unreachable!("both attempts are on record") };
        assert_eq!((&first["exit"]["cause"], &first["censored"]), (&"memory".into(), &true.into()));
        assert_eq!((&second["exit"]["cause"], &second["censored"]), (&"exited".into(), &false.into()));
    }
}

#[test]
fn what_was_said_is_not_said_twice() {
    let home = Home::new();
    home.write("module.wat", grows("(call $say)", ""));
    let ended = home.run([&RUN[..], &["--emulate", "never", "module.wat"]].concat());
    assert_eq!((ended.code, ended.text().as_str(), ended.stderr.as_str()), (Some(0), "grown\n", ""));
    let seen = &report(&home)["observation"];
    assert!(seen["repeated"].is_null() && seen["peak_linear_memory_bytes"].as_u64() > Some(2 << 30), "{seen}");
    assert_eq!(home.history().len(), 1);
}

#[test]
fn the_plan_says_what_it_sets_aside_and_what_becomes_of_more() {
    let home = Home::new();
    home.write("module.wat", grows("", "(call $say)"));
    let text = home.run(["plan", "--objective", "cost", "--emulate", "never", "--explain", "module.wat"]).text();
    assert!(text.contains("sets aside") && text.contains("risk of a second run"), "{text}");
    // Someone who waits would rather hold memory than run twice.
    let aside = |objective: &str| {
        let plan = home.json(&["plan", "--emulate", "never", "--objective", objective, "module.wat"]);
        plan["chosen"]["configuration"]["placements"][0]["memory_bytes"].as_u64().unwrap()
    };
    assert!(aside("latency") > aside("cost"), "{} {}", aside("latency"), aside("cost"));
}

#[test]
fn a_limit_that_the_user_set_is_kept() {
    let home = Home::new();
    home.write("module.wat", grows("", "(call $say)"));
    let ended = home.run([&RUN[..], &["--emulate", "never", "--max-memory", "1GiB", "module.wat"]].concat());
    assert_eq!((ended.code, ended.text().as_str()), (Some(137), ""));
    assert!(ended.stderr.contains("raise --max-memory"), "{}", ended.stderr);
}
