//! A long run is foretold from runs on smaller inputs.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::process::Stdio;

use common::{Home, MARK, document, eventually, living};

/// Goes round ten operators as often as its first argument says.
const ROUNDS: &str = r#"
(module
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start") (local $at i32) (local $digit i32) (local $rounds i32) (local $sum i32)
    (drop (call $args_get (i32.const 0) (i32.const 1024)))
    (local.set $at (i32.load (i32.const 4)))
    (block $read
      (loop $digits
        (br_if $read (i32.eqz (local.tee $digit (i32.load8_u (local.get $at)))))
        (local.set $rounds
          (i32.add (i32.mul (local.get $rounds) (i32.const 10)) (i32.sub (local.get $digit) (i32.const 48))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $digits)))
    (loop $again
      (local.set $sum (i32.xor (local.get $sum) (local.get $rounds)))
      (br_if $again (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
    (i32.store (i32.const 0) (local.get $sum))))
"#;

/// Operators of a round: four to fold, five to count down.
const PER_ROUND: f64 = 9.0;

/// What the plan of so many rounds says of the run's operators, and whether it rests on smaller runs.
fn plan(options: &[&str], rounds: &str) -> (serde_json::Value, bool) {
    let home = Home::new();
    home.write("rounds.wat", ROUNDS);
    let asked = [&["plan", "--format", "json", "--emulate", "2"], options, &["rounds.wat", "--", rounds]].concat();
    let plan = document(&home.run(asked).stdout);
    let text = plan["assumptions"].to_string();
    (plan, text.contains("extrapolated from"))
}

#[test]
fn numbers_among_the_arguments_are_made_smaller() {
    // 36 thousand million operators: no trial of two seconds sees the end.
    let (long, foretold) = plan(&[], "4000000000");
    assert!(foretold, "{long}");
    let seconds = |plan: &serde_json::Value| plan["predicted_cpu_seconds"]["expected"].as_f64().unwrap();
    assert_eq!(long["predicted_cpu_seconds"]["basis"], "emulated");
    let (short, foretold) = plan(&[], "4000");
    assert!(!foretold, "what ends within a trial is counted: {short}");
    // Both by the same costs of the same operators, so that times are as rounds, but for the tier's choice.
    let per_round = seconds(&long) / 4e9;
    assert!(per_round > 1e-10 * PER_ROUND / 10.0 && per_round < 1e-8 * PER_ROUND, "{per_round}");
    let emulated = long["emulation_seconds"].as_f64().unwrap();
    assert!(emulated > 0.0, "{emulated}");
}

/// What took so many seconds was foretold, as far as that shows on a busy machine, where either may take twice as long: whether it
/// lies in the interval, which one in ten need not, is for `cargo xtask bench predict` to say.
#[track_caller]
fn assert_alike(took: f64, foretold: &serde_json::Value) {
    let expected = foretold["expected"].as_f64().unwrap();
    assert!((took / 4.0..4.0 * took).contains(&expected), "took {took}: {foretold}");
}

#[test]
fn what_is_timed_is_the_code_that_the_run_will_have() {
    let home = Home::new();
    home.write("rounds.wat", ROUNDS);
    let asked = ["plan", "--format", "json", "--emulate", "0.3", "rounds.wat", "--", "400000000"];
    let plan = document(&home.run(asked).stdout);
    let ended = home.run(["run", "--emulate", "never", "--report", "report.json", "rounds.wat", "--", "400000000"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let report = document(&std::fs::read(home.path("report.json")).unwrap());
    let steps = report["observation"]["steps"].to_string();
    assert!(steps.contains("map") && !steps.contains("compile"), "its artifact stands: {steps}");
    let took = report["observation"]["run_cpu_seconds"].as_f64().unwrap();
    assert_alike(took, &plan["predicted_cpu_seconds"]);
}

/// Goes round for ever with a size below a thousand million.
fn endless() -> String {
    let below = "(if (i32.lt_u (local.get $rounds) (i32.const 1000000000)) (then (loop $ever (br $ever))))";
    ROUNDS.replace("(loop $again", &format!("{below} (loop $again"))
}

#[test]
fn smaller_inputs_that_never_end_are_ended() {
    let home = Home::new();
    home.write("endless.wat", endless());
    let asked = ["plan", "--format", "json", "--emulate", "0.2", "endless.wat", "--", "4000000000"];
    let planned = home.command(asked).env(MARK, "never-ends").output().unwrap();
    let seconds = document(&planned.stdout)["emulation_seconds"].as_f64().unwrap();
    assert!((0.1..30.0).contains(&seconds), "{seconds}");
    assert_eq!(living("never-ends"), [""; 0]);
}

#[test]
fn what_fails_on_one_size_tells_nothing_of_others() {
    let home = Home::new();
    // Between sizes that are counted and the one asked for.
    let fails = "(if (i32.and (i32.gt_u (local.get $rounds) (i32.const 3000000))
                      (i32.lt_u (local.get $rounds) (i32.const 2000000000))) (then unreachable))";
    for (file, code) in [
        ("rounds.wat", ROUNDS.to_owned()),
        ("fails.wat", ROUNDS.replace("(loop $again", &format!("{fails} (loop $again"))),
    ] {
        home.write(file, code);
        let asked = ["plan", "--format", "json", "--emulate", "0.3", file, "--", "4000000000"];
        let seconds = document(&home.run(asked).stdout)["predicted_cpu_seconds"]["expected"].as_f64().unwrap();
        assert!(seconds > 0.3, "{file}: {seconds}");
    }
}

#[test]
fn who_times_ends_with_who_plans() {
    let home = Home::new();
    home.write("endless.wat", endless());
    let mut planning = home.command(["plan", "--emulate", "6", "endless.wat", "--", "4000000000"]);
    let planning = planning.env(MARK, "killed").stdout(Stdio::null()).stderr(Stdio::null());
    let mut planning = planning.spawn().unwrap();
    // Counted first, then timed by another.
    eventually("a run is timed", || living("killed").len() > 1);
    planning.kill().unwrap();
    planning.wait().unwrap();
    eventually("nothing is timed any more", || living("killed").is_empty());
}

#[test]
fn a_folder_of_argument_files_stands_for_the_runs_in_it() {
    let home = Home::new();
    home.write("rounds.wat", ROUNDS);
    for rounds in [1000, 2000, 5000] {
        home.write(&format!("samples/{rounds}.args"), format!("{rounds}\n"));
    }
    let asked = ["plan", "--format", "json", "--emulate", "2", "--sample", "samples", "rounds.wat", "--", "4000000000"];
    let plan = document(&home.run(asked).stdout);
    assert!(plan["assumptions"].to_string().contains("extrapolated from 3 runs"), "{plan}");
}

/// Whether there is no Python, which a test is skipped for.
fn without_python(home: &Home, test: &str) -> bool {
    let without = home.any("python3", ["--version"]).output().is_err();
    if without {
        common::skip(&format!("smaller::{test}"), "there is no python3");
    }
    without
}

/// Counts to the event's number, a million times; fails where it is told to.
const HANDLER: &str = r#"
def handler(event, context):
    if event["n"] < 0:
        raise ValueError("told to")
    total = 0
    for i in range(event["n"] * 1_000_000):
        total += i
    print("said aloud")
    return total
"#;

#[test]
fn events_of_a_folder_foretell_what_a_handler_takes() {
    let home = Home::new();
    if without_python(&home, "events_of_a_folder_foretell_what_a_handler_takes") {
        return;
    }
    home.write("handler.py", HANDLER);
    home.write("large.json", r#"{"n": 8}"#);
    for (name, n) in [("a", 1), ("b", 2), ("c", 4)] {
        home.write(&format!("events/{name}.json"), format!(r#"{{"n": {n}}}"#));
    }
    let asked = ["--emulate", "60", "--sample", "events", "--event", "large.json", "handler.py"];
    let emulated = home.json(&[&["emulate"], &asked[..]].concat());
    let runs = emulated["rehearsals"].as_array().unwrap();
    let names: Vec<&str> = runs.iter().filter_map(|run| run["sample"].as_str()).collect();
    assert_eq!(names, ["a.json", "b.json", "c.json"], "{emulated:#}");
    assert!(runs.iter().all(|run| run["exit_code"] == 0 && run["cpu_seconds"].as_f64() > Some(0.01)), "{runs:?}");
    let plan = &emulated["plan"];
    assert_eq!(plan["predicted_cpu_seconds"]["basis"], "emulated");
    assert!(plan["assumptions"].to_string().contains("from 3 runs on sample inputs"), "{plan:#}");
    assert!(plan["emulation_seconds"].as_f64() > Some(0.0));
    assert!(home.history().is_empty(), "a sample is no run");
    let text = home.run([&["emulate"], &asked[..]].concat()).text();
    assert!(text.contains("Runs on sample inputs") && !text.contains("said aloud"), "{text}");
    // What it took is foretold from them, and not from nothing.
    let ended = home.run(["run", "--report", "report.json", "--event", "large.json", "handler.py"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let report = document(&std::fs::read(home.path("report.json")).unwrap());
    let took = report["observation"]["run_cpu_seconds"].as_f64().unwrap();
    assert_alike(took, &plan["predicted_cpu_seconds"]);
}

/// Counts to the event's number; its file reads and says what it should not.
const COUNTER: &str = r#"
import sys

sys.stdin.read()
print("said at first", flush=True)

def handler(event, context):
    print("said aloud")
    total = 0
    for i in range(event["n"]):
        total += i
    return total
"#;

#[test]
fn a_handler_is_called_with_smaller_events_in_one_interpreter() {
    let home = Home::new();
    if without_python(&home, "a_handler_is_called_with_smaller_events_in_one_interpreter") {
        return;
    }
    home.write("handler.py", COUNTER);
    home.write("large.json", r#"{"n": 20000000}"#);
    let planned = home.run(["plan", "--format", "json", "--emulate", "1", "--event", "large.json", "handler.py"]);
    assert!(!String::from_utf8_lossy(&planned.stdout).contains("said"));
    let foretold = document(&planned.stdout)["predicted_cpu_seconds"].clone();
    assert_eq!(foretold["basis"], "emulated");
    assert!(home.history().is_empty(), "a smaller event is no run");
    let ended = home.run(["run", "--report", "report.json", "--event", "large.json", "handler.py"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let report = document(&std::fs::read(home.path("report.json")).unwrap());
    let took = report["observation"]["run_cpu_seconds"].as_f64().unwrap();
    assert_alike(took, &foretold);
    // What was run is known.
    let planned = home.run(["plan", "--format", "json", "--emulate", "1", "--event", "large.json", "handler.py"]);
    assert_eq!(document(&planned.stdout)["predicted_cpu_seconds"]["basis"], "observed");
}

#[test]
fn a_handler_that_answers_for_itself_does_no_harm() {
    let home = Home::new();
    if without_python(&home, "a_handler_that_answers_for_itself_does_no_harm") {
        return;
    }
    home.write("large.json", r#"{"n": 20000000}"#);
    let flood = "while True:\n    os.write(fd, b'x' * 65536)";
    for (what, body) in [("floods", flood), ("lies", "os.write(fd, b'{\"before\": -1e9}\\n')")] {
        let body = body.replace('\n', "\n            ");
        let handler = format!(
            "import os\n\ndef handler(event, context):\n    for fd in range(3, 64):\n        try:\n            {body}\n        \
             except OSError:\n            pass\n    return sum(range(event['n']))\n"
        );
        home.write("handler.py", handler);
        let planned = home.run(["plan", "--format", "json", "--emulate", "0.3", "--event", "large.json", "handler.py"]);
        assert_eq!(planned.code, Some(0), "{what}: {}", planned.stderr);
        let foretold = document(&planned.stdout)["predicted_cpu_seconds"]["expected"].as_f64().unwrap();
        assert!(foretold > 0.0, "{what}: {foretold}");
    }
}

#[test]
fn arguments_are_samples_of_native_programs_too() {
    let home = Home::new();
    let samples = ["--sample", "-c exit", "--sample", "-c false"];
    let asked = [&["emulate", "--format", "json"], &samples[..], &["/bin/sh", "--", "-c", "true"]].concat();
    let emulated = document(&home.run(asked).stdout);
    let runs: Vec<_> = emulated["rehearsals"].as_array().unwrap().iter().map(|run| &run["exit_code"]).collect();
    assert_eq!(runs, [0, 1], "{emulated:#}");
}

#[test]
fn smaller_inputs_can_be_given() {
    let samples = ["--sample", "1000", "--sample", "2000", "--sample", "5000"];
    let (plan, foretold) = plan(&samples, "4000000000");
    assert!(foretold && plan["assumptions"].to_string().contains("from 3 runs"), "{plan}");
}

#[test]
fn sizes_of_native_programs_are_made_smaller_where_a_time_is_given() {
    let home = Home::new();
    let expected = |size: &str| {
        let asked = ["plan", "--format", "json", "--emulate", "0.5", "/usr/bin/seq", "--", size];
        let plan = document(&home.run(asked).stdout);
        assert!(plan["assumptions"].to_string().contains("runs on sample inputs"), "{plan:#}");
        let run = &plan["chosen"]["cost"]["run_seconds"];
        assert_eq!(run["basis"], "emulated", "{run}");
        run["expected"].as_f64().unwrap()
    };
    let (small, large) = (expected("20000000"), expected("2000000000"));
    assert!(large > 5.0 * small, "{small} {large}");
    assert!(home.history().is_empty(), "a smaller size is no run");
    let plan = document(&home.run(["plan", "--format", "json", "/usr/bin/seq", "--", "2000000000"]).stdout);
    assert!(!plan["assumptions"].to_string().contains("runs on sample inputs"), "nobody asked: {plan:#}");
}

#[test]
fn samples_that_cannot_be_used_are_told_of() {
    let home = Home::new();
    std::fs::create_dir(home.path("empty")).unwrap();
    let ended = home.run(["--verbose", "plan", "--sample", "empty", "/bin/cat", "--", "/etc/passwd"]);
    assert!(ended.code == Some(0) && ended.stderr.contains("holds no file"), "{}", ended.stderr);
    let ended = home.run(["plan", "--sample", "./missing", "/bin/cat", "--", "/etc/passwd"]);
    assert!(ended.code == Some(2) && ended.stderr.contains("no such folder of samples"), "{}", ended.stderr);
}
