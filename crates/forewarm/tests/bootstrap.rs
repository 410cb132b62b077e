//! Programs written for the Lambda runtime API, run for an event: a tiny one in C that does as it is told, well or badly,
//! and a real one on the `lambda_runtime` crate.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Ended, Home, document, feed, skip};
use serde_json::{Value, json};

/// The runtime in C, built once per home; `None` where there is no compiler.
fn built(home: &Home, test: &str) -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/common/bootstrap.c");
    std::fs::create_dir_all(home.path("echoes")).unwrap();
    let program = home.path("echoes/bootstrap");
    match Command::new("cc").arg("-O1").arg("-o").arg(&program).arg(&source).output() {
        Ok(output) if output.status.success() => Some(program),
        Ok(output) => panic!("{}", String::from_utf8_lossy(&output.stderr)),
        Err(_) => {
            skip(test, "there is no C compiler");
            None
        }
    }
}

/// The function on the `lambda_runtime` crate that `cargo xtask corpus` builds.
fn real(test: &str) -> Option<PathBuf> {
    let program = common::corpus().join("lambda/bootstrap");
    if !program.exists() {
        skip(test, "the corpus has no lambda/bootstrap");
        return None;
    }
    Some(program)
}

fn call(home: &Home, flags: &[&str], program: &Path, event: &str, mode: &str) -> Ended {
    home.write("event.json", event);
    let words = [&["run", "--event", "event.json"], flags, &[program.to_str().unwrap(), "--", mode]].concat();
    home.run(words)
}

#[test]
fn an_event_is_answered_on_standard_output() {
    let home = Home::new();
    let Some(program) = built(&home, "an_event_is_answered") else { return };
    let report = home.path("report.json");
    let report_text = report.to_str().unwrap();
    let ended = call(&home, &["--report", report_text, "--handler", "app.go"], &program, r#"{"a": [1, 2]}"#, "echo");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let text = ended.text();
    let (log, answer) = text.split_once('\n').unwrap();
    assert_eq!(log, "log 1", "what the program writes is its own");
    let answer: Value = serde_json::from_str(answer).unwrap();
    let folder = home.path("echoes");
    let expected = json!({"event": {"a": [1, 2]}, "call": 1, "handler": "app.go", "name": "echoes", "root": folder});
    assert_eq!(answer, expected);
    let observed = document(&std::fs::read(&report).unwrap())["observation"].clone();
    let steps: Vec<_> = observed["steps"].as_array().unwrap().iter().map(|step| step["step"].clone()).collect();
    assert_eq!(steps, ["spawn", "initialise"]);
    assert_eq!((&observed["exit"]["cause"], &observed["exit"]["code"]), (&json!("exited"), &json!(0)));
    assert_eq!(home.history().len(), 1);
}

/// A custom runtime as it is written for a shell.
const SHELL_RUNTIME: &str = r#"#!/bin/sh
set -eu
base="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
calls=0
while :; do
  headers=$(mktemp)
  event=$(curl -sS -D "$headers" "$base/next")
  id=$(sed -n 's/^[Ll]ambda-[Rr]untime-[Aa]ws-[Rr]equest-[Ii]d: *//p' "$headers" | tr -d '\r')
  calls=$((calls + 1))
  echo "log $calls" >&2
  curl -sS -o /dev/null -d "{\"event\": $event, \"call\": $calls, \"handler\": \"$_HANDLER\"}" "$base/$id/response"
done
"#;

#[test]
fn a_shell_script_is_a_runtime_too() {
    if common::installed("curl").is_none() {
        return skip("a_shell_script_is_a_runtime_too", "there is no curl");
    }
    let home = Home::new();
    let program = home.write("shell/bootstrap", SHELL_RUNTIME);
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let ended = call(&home, &[], &program, r#"{"a": 1}"#, "-");
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), "log 1\n"), "{ended:?}");
    let answer: Value = serde_json::from_str(&ended.text()).unwrap();
    assert_eq!(answer, json!({"event": {"a": 1}, "call": 1, "handler": "bootstrap"}));
    let analysis = home.json(&["analyze", program.to_str().unwrap()]);
    assert!(analysis["warnings"].to_string().contains("a script for /bin/sh"), "{analysis:#}");
    let Some((warm, program)) = Warm::new("a_shell_script", |home| {
        let program = home.write("shell/bootstrap", SHELL_RUNTIME);
        std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        Some(program)
    }) else {
        return;
    };
    for number in 1..3 {
        let (ended, answer, observed) = warm.run(&["--event", "-", &program]);
        assert_eq!((ended.code, &answer["call"]), (Some(0), &json!(number)), "{ended:?}");
        assert_eq!(observed["warm_state"], json!("waiting"));
    }
}

#[test]
fn initialisation_is_told_from_the_event() {
    let home = Home::new();
    let Some(program) = built(&home, "initialisation_is_told") else { return };
    let report = home.path("report.json");
    let ended = call(&home, &["--report", report.to_str().unwrap()], &program, "{}", "slow");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let observed = document(&std::fs::read(&report).unwrap())["observation"].clone();
    let initialised = observed["steps"][1]["wall_seconds"].as_f64().unwrap();
    // It sleeps 0.3 s before it asks.
    assert!(initialised >= 0.3 && observed["transition_seconds"].as_f64().unwrap() >= initialised, "{observed:#}");
    let sum = ["plan", "emulation", "wait", "transition", "run"].map(|key| observed[format!("{key}_seconds")].as_f64());
    let sum: f64 = sum.into_iter().flatten().sum();
    assert!((sum - observed["wall_seconds"].as_f64().unwrap()).abs() < 1e-6, "{observed:#}");
}

#[test]
fn events_come_from_standard_input_or_are_empty() {
    let home = Home::new();
    let Some(program) = built(&home, "events_come_from_standard_input") else { return };
    let program = program.to_str().unwrap();
    let ended = feed(home.command(["run", "--event", "-", program]), b"[7]");
    assert!(ended.code == Some(0) && ended.text().contains(r#""event": [7]"#), "{ended:?}");
    let ended = home.run(["run", "--handler", "h", program]);
    assert!(ended.code == Some(0) && ended.text().contains(r#""event": {}"#), "{ended:?}");
    for (text, said) in [("{", "no JSON"), ("", "no JSON")] {
        home.write("bad.json", text);
        let ended = home.run(["run", "--event", "bad.json", program]);
        assert!(ended.code == Some(2) && ended.stderr.contains(said), "{ended:?}");
    }
    let ended = home.run(["run", "--event", "none.json", program]);
    assert!(ended.code == Some(2) && ended.stderr.contains("none.json"), "{ended:?}");
}

#[test]
fn what_goes_wrong_is_told() {
    let home = Home::new();
    let Some(program) = built(&home, "what_goes_wrong") else { return };
    // How the program does, the exit code, and what is said on standard error.
    let cases = [
        ("exit", 7, "before it asked for its event"),
        ("exit-zero", 1, "before it asked for its event"),
        ("abort", 134, "before it asked for its event"),
        ("die", 3, "before it answered its event"),
        ("fail", 1, "Broken: it broke\n  here\n  there\n"),
        ("init-error", 1, "Broken: it broke\n"),
        ("large", 1, "larger than 6 MiB"),
    ];
    for (mode, code, said) in cases {
        let ended = call(&home, &[], &program, "{}", mode);
        assert!(ended.code == Some(code) && ended.stderr.contains(said), "{mode}: {ended:?}");
        assert_eq!(ended.text(), "", "{mode}");
    }
    for mode in ["never", "hang"] {
        let ended = call(&home, &["--timeout", "500ms"], &program, "{}", mode);
        assert!(ended.code == Some(124) && ended.stderr.contains("time limit"), "{mode}: {ended:?}");
    }
    let json = call(&home, &["--format", "json"], &program, "{}", "die");
    assert_eq!(document(json.stderr.as_bytes())["code"], json!(3), "{json:?}");
}

#[test]
fn the_interface_holds_its_own() {
    let home = Home::new();
    let Some(program) = built(&home, "the_interface_holds") else { return };
    // Statuses that the program was replied, and that it could answer all the same.
    for (mode, said) in [("twice", "again 403\n"), ("garbage", "nonsense 400\nstranger 400\nnowhere 404\n")] {
        let ended = call(&home, &[], &program, "{}", mode);
        assert!(ended.code == Some(0) && ended.stderr.contains(said), "{mode}: {ended:?}");
        assert!(ended.text().contains(r#""call": 1"#), "{mode}: {ended:?}");
    }
    let large = call(&home, &[], &program, "{}", "large");
    assert_eq!(large.code, Some(1), "{large:?}");
    // What is no JSON is passed on as it is, as Lambda does.
    let text = call(&home, &[], &program, "{}", "text");
    assert_eq!((text.code, text.text().as_str()), (Some(0), "no json\n"), "{text:?}");
    let event = format!("\"{}\"", "x".repeat(5 << 20));
    let large = call(&home, &[], &program, &event, "echo");
    assert!(large.code == Some(0) && large.stdout.len() > 5 << 20, "{:?} {}", large.code, large.stdout.len());
    home.write("event.json", format!("\"{}\"", "x".repeat(7 << 20)));
    let refused = home.run(["run", "--event", "event.json", program.to_str().unwrap()]);
    assert!(refused.code == Some(2) && refused.stderr.contains("6291556 bytes"), "{refused:?}");
}

#[test]
fn the_machines_network_serves_it_too() {
    let home = Home::new();
    let Some(program) = built(&home, "the_machines_network") else { return };
    let ended = call(&home, &["--net"], &program, "[1]", "echo");
    assert!(ended.code == Some(0) && ended.text().contains(r#""event": [1]"#), "{ended:?}");
}

#[test]
fn nothing_is_left_of_it() {
    let home = Home::new();
    let Some(program) = built(&home, "nothing_is_left") else { return };
    let ended = call(&home, &[], &program, "{}", "spawn");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let program = program.to_str().unwrap();
    common::eventually("all its processes have ended", || living(program) == 0);
}

#[test]
fn a_function_on_the_usual_crate_runs_unmodified() {
    let Some(program) = real("a_function_on_the_usual_crate") else { return };
    let home = Home::new();
    let run = |event: &str| {
        home.write("event.json", event);
        home.run(["run", "--max-memory", "512MiB", "--event", "event.json", program.to_str().unwrap()])
    };
    let ended = run(r#"{"numbers": [1, 2.5, 3]}"#);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let expected = json!({"sum": 6.5, "call": 1, "request_id_length": 36, "memory_megabytes": 512});
    assert_eq!(serde_json::from_slice::<Value>(&ended.stdout).unwrap(), expected);
    assert!(ended.stderr.contains("call 1 of lambda"), "{ended:?}");
    let failed = run(r#"{"fail": "no luck"}"#);
    assert!(failed.code == Some(1) && failed.stderr.contains("no luck"), "{failed:?}");
}

/// A home whose holder ends with it.
struct Warm(Home);

impl Warm {
    /// `None` where this machine cannot keep a program.
    fn new(test: &str, program: impl Fn(&Home) -> Option<PathBuf>) -> Option<(Self, String)> {
        let warm = Self(Home::new());
        std::fs::DirBuilder::new().mode(0o700).create(warm.0.path("runtime")).unwrap();
        let program = program(&warm.0)?.to_str().unwrap().to_owned();
        let climb = warm.warm(&[&program]);
        if climb["refused"].to_string().contains("namespaces") {
            skip(test, "this system has no namespaces to keep a program in");
            return None;
        }
        assert_eq!(climb["rung"], json!("waiting"), "{climb:#}");
        Some((warm, program))
    }

    fn warm(&self, arguments: &[&str]) -> Value {
        let ended = self.0.run([&["warm", "--format", "json"], arguments].concat());
        assert_eq!(ended.code, Some(0), "{ended:?}");
        document(&ended.stdout)["warmed"][0].clone()
    }

    /// Runs for an event; how it went, its answer, and what was observed.
    fn run(&self, arguments: &[&str]) -> (Ended, Value, Value) {
        let report = self.0.path("report.json");
        let words = [&["run", "--report", report.to_str().unwrap()], arguments].concat();
        let ended = feed(self.0.command(words), b"{\"numbers\": [1, 2]}");
        let observed = document(&std::fs::read(&report).unwrap())["observation"].clone();
        let answer = ended.text().lines().last().and_then(|line| serde_json::from_str(line).ok()).unwrap_or_default();
        (ended, answer, observed)
    }

    fn held(&self) -> Vec<Value> {
        self.0.json(&["warm", "--list"])["held"].as_array().unwrap().clone()
    }
}

impl Drop for Warm {
    fn drop(&mut self) {
        self.0.run(["warm", "--drop"]);
    }
}

#[test]
fn a_share_of_the_cpu_holds_for_an_event() {
    let test = "a_share_of_the_cpu";
    let Some((warm, program)) = Warm::new(test, |home| built(home, test)) else { return };
    let checks = warm.0.json(&["doctor"])["checks"].as_array().unwrap().clone();
    if checks.iter().any(|check| check["name"] == "cpu shares" && check["ok"] == false) {
        return skip(test, "this machine enforces no shares");
    }
    assert_eq!(warm.warm(&[&program, "--", "busy"])["rung"], json!("waiting"));
    let mut plan = warm.0.json(&["plan", &program]);
    // The least there is: on a machine that others keep busy, a program may not come to a larger one anyhow.
    plan["chosen"]["configuration"]["placements"][0]["share"] = 0.05.into();
    let plan = warm.0.write("plan.json", plan.to_string());
    let words = ["--plan", plan.to_str().unwrap(), "--event", "-", &program, "--", "busy"];
    let (ended, answer, observed) = warm.run(&words);
    assert_eq!((ended.code, &answer["call"], &observed["warm_state"]), (Some(0), &json!(1), &json!("waiting")));
    let held_back = observed["throttled_seconds"].as_f64().unwrap();
    assert!(held_back > 0.0, "{observed:#}");
    // The next event is held to nothing of it, but to what holds all of this machine's work.
    let (_, answer, observed) = warm.run(&["--event", "-", &program, "--", "busy"]);
    assert_eq!((&answer["call"], &observed["warm_state"]), (&json!(2), &json!("waiting")));
    assert!(observed["throttled_seconds"].as_f64().unwrap() < held_back, "{observed:#}");
}

#[test]
fn a_waiting_program_serves_one_event_after_another() {
    let test = "a_waiting_program";
    let Some((warm, program)) = Warm::new(test, |home| built(home, test)) else { return };
    let climb = warm.warm(&[&program]);
    let rungs: Vec<_> = climb["steps"].as_array().unwrap().iter().map(|step| step["rung"].clone()).collect();
    assert_eq!(rungs, ["page-cache", "waiting"], "{climb:#}");
    for call in 1..4 {
        let (ended, answer, observed) = warm.run(&["--event", "-", &program]);
        assert_eq!((ended.code, &answer["call"]), (Some(0), &json!(call)), "{ended:?}");
        assert!(ended.text().starts_with(&format!("log {call}\n")), "what it writes goes to who is served: {ended:?}");
        assert_eq!(observed["warm_state"], json!("waiting"), "{observed:#}");
        assert!(observed["run_cpu_seconds"].as_f64().unwrap() > 0.0, "{observed:#}");
        assert!(observed["configuration_class"].as_str().unwrap().ends_with("/waiting"), "{observed:#}");
        let known = [&observed["steal_seconds"], &observed["process"]["oom_kills"], &observed["run_delay_seconds"]];
        let known = known.into_iter().all(Value::is_number);
        assert!(known, "as of a cold run: {observed:#}");
    }
    let held = warm.held();
    assert_eq!((&held[0]["rung"], &held[0]["runs"]), (&json!("waiting"), &json!(3)), "{held:#?}");
    assert!(held[0]["held_bytes"].as_u64().unwrap() > 0);
    let database = rusqlite::Connection::open(warm.0.database()).unwrap();
    let stored: i64 =
        database.query_row("SELECT count(*) FROM rungs WHERE rung = 'waiting'", [], |row| row.get(0)).unwrap();
    assert_eq!(stored, 1);
    // Other walls, another environment, other arguments: from nothing.
    for flags in [&["--net"][..], &["--env", "A=b"], &["--max-processes", "99"], &["--max-memory", "1GiB"]] {
        let (ended, answer, observed) = warm.run(&[&["--event", "-", &program], flags].concat());
        assert_eq!(
            (ended.code, &answer["call"], &observed["warm_state"]),
            (Some(0), &json!(1), &Value::Null),
            "{flags:?}"
        );
    }
    let (_, answer, observed) = warm.run(&["--event", "-", &program, "--", "echo"]);
    assert_eq!((&answer["call"], &observed["warm_state"]), (&json!(1), &Value::Null));
    // It still waits, and goes when it is let go.
    assert_eq!(warm.run(&["--event", "-", &program]).1["call"], json!(4));
    warm.0.run(["warm", "--drop", &program]);
    assert!(warm.held().is_empty());
    common::eventually("it has ended", || living(&program) == 0);
    assert_eq!(warm.run(&["--event", "-", &program]).1["call"], json!(1));
}

/// Processes that run a program.
fn living(program: &str) -> usize {
    let entries = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let programs = entries.filter_map(|entry| std::fs::read_link(entry.path().join("exe")).ok());
    programs.filter(|path| path.as_os_str() == program).count()
}

#[test]
fn a_waiting_program_is_held_to_the_limits_of_its_event() {
    let test = "held_to_the_limits";
    let Some((warm, program)) = Warm::new(test, |home| built(home, test)) else { return };
    let climb = warm.warm(&[&program, "--", "hang"]);
    assert_eq!(climb["rung"], json!("waiting"), "{climb:#}");
    let (ended, _, observed) = warm.run(&["--timeout", "300ms", "--event", "-", &program, "--", "hang"]);
    assert_eq!((ended.code, &observed["warm_state"]), (Some(124), &json!("waiting")), "{ended:?} {observed:#}");
    common::eventually("its process has ended", || living(&program) <= 1);
    // Its own end is its run's, and a failing function is one.
    for (mode, code, said) in [("die", 3, "before it answered"), ("fail", 1, "Broken: it broke"), ("large", 1, "6 MiB")]
    {
        assert_eq!(warm.warm(&[&program, "--", mode])["rung"], json!("waiting"), "{mode}");
        let (ended, _, observed) = warm.run(&["--event", "-", &program, "--", mode]);
        assert_eq!((ended.code, &observed["warm_state"]), (Some(code), &json!("waiting")), "{mode}: {ended:?}");
        assert!(ended.stderr.contains(said), "{mode}: {ended:?}");
    }
}

#[test]
fn what_cannot_wait_is_warm_in_the_page_cache() {
    let test = "what_cannot_wait";
    let Some((warm, program)) = Warm::new(test, |home| built(home, test)) else { return };
    for (mode, why) in [("exit", "before it asked"), ("init-error", "it broke")] {
        let climb = warm.warm(&[&program, "--", mode]);
        assert_eq!(climb["rung"], json!("page-cache"), "{climb:#}");
        assert!(climb["refused"].to_string().contains(why), "{climb:#}");
    }
    warm.0.run(["warm", "--drop", &program]);
    // A program's files can be in memory alone, which nobody holds.
    let tool = common::installed("ls").unwrap();
    let tool = tool.to_str().unwrap();
    let climb = warm.warm(&["--rung", "page-cache", tool]);
    assert_eq!((&climb["rung"], &climb["refused"]), (&json!("page-cache"), &Value::Null), "{climb:#}");
    let step = &climb["steps"][0];
    assert!(climb["files"].as_u64().unwrap() > 1 && step["bytes"].as_u64().unwrap() > 100_000, "{climb:#}");
    assert!(warm.held().is_empty());
}

#[test]
fn an_edit_is_seen_by_the_next_run() {
    let test = "an_edit_is_seen";
    let Some((warm, program)) = Warm::new(test, |home| built(home, test)) else { return };
    assert_eq!(warm.run(&["--event", "-", &program]).1["call"], json!(1));
    // Another file in its place, as a build leaves it.
    let copy = warm.0.path("echoes/new");
    std::fs::copy(&program, &copy).unwrap();
    std::fs::rename(&copy, &program).unwrap();
    let (ended, answer, observed) = warm.run(&["--event", "-", &program]);
    assert_eq!((&answer["call"], &observed["warm_state"]), (&json!(1), &Value::Null), "{ended:?}");
    // It is warmed anew in the background.
    common::eventually("it waits again", || warm.held().first().is_some_and(|held| held["rung"] == json!("waiting")));
    let (_, answer, observed) = warm.run(&["--event", "-", &program]);
    assert_eq!((&answer["call"], &observed["warm_state"]), (&json!(1), &json!("waiting")));
}

#[test]
fn clients_take_turns_and_take_their_events_along() {
    let test = "clients_take_turns";
    let Some((warm, program)) = Warm::new(test, |home| built(home, test)) else { return };
    assert_eq!(warm.warm(&[&program, "--", "hang"])["rung"], json!("waiting"));
    warm.0.write("event.json", "{}");
    let mut first = warm.0.command(["run", "--event", "event.json", &program, "--", "hang"]).spawn().unwrap();
    common::eventually("it is served", || warm.held().iter().any(|held| held["active"] == json!(1)));
    // Another finds it busy, and does without.
    let (ended, _, observed) = warm.run(&["--timeout", "200ms", "--event", "-", &program, "--", "hang"]);
    assert_eq!((ended.code, &observed["warm_state"]), (Some(124), &Value::Null), "{ended:?}");
    // A client that is killed takes its event's process along, as it takes a program that it started.
    first.kill().unwrap();
    first.wait().unwrap();
    common::eventually("its process has ended", || living(&program) <= 1);
}

#[test]
fn a_function_on_the_usual_crate_waits() {
    let test = "a_function_on_the_usual_crate_waits";
    let Some((warm, program)) = Warm::new(test, |_| real(test)) else { return };
    for call in 1..3 {
        let (ended, answer, observed) = warm.run(&["--event", "-", &program]);
        assert_eq!((ended.code, &answer["sum"], &answer["call"]), (Some(0), &json!(3.0), &json!(call)), "{ended:?}");
        assert_eq!(observed["warm_state"], json!("waiting"));
        assert!(ended.stderr.contains(&format!("call {call} of lambda")), "{ended:?}");
    }
}
