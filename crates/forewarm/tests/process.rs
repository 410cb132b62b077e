//! Native and Python programs through `forewarm run`: as run directly, confined, measured, remembered.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use common::{Home, document, feed, installed, skip};

#[test]
fn compiled_programs_run_as_they_do_directly() {
    let home = Home::new();
    let Some(compiler) = installed("gcc").or_else(|| installed("cc")) else {
        return skip("compiled_programs", "there is no C compiler");
    };
    let source = "#include <stdio.h>\n#include <stdlib.h>\nint main(int n, char **v) { char s[99]; \
                  while (fgets(s, 99, stdin)) fputs(s, stdout); fprintf(stderr, \"%d %s\\n\", n, getenv(\"GIVEN\")); \
                  FILE *f = fopen(\"/etc/made\", \"w\"); if (!f) perror(\"fopen\"); return f ? 1 : 42; }";
    let file = home.write("program.c", source);
    for flags in [&["-O1"][..], &["-static"]] {
        let program = home.path("program");
        let built = Command::new(&compiler).args(flags).arg(&file).arg("-o").arg(&program).output().unwrap();
        if !built.status.success() {
            skip("compiled_programs", "the C compiler does not build this kind");
            continue;
        }
        let words = ["run", "--env", "GIVEN=thing", program.to_str().unwrap(), "--", "a b"];
        let ended = feed(home.command(words), b"in\n");
        assert_eq!((ended.code, ended.text().as_str()), (Some(42), "in\n"), "{ended:?}");
        assert_eq!(ended.stderr, "2 thing\nfopen: Read-only file system\n");
    }
}

#[test]
fn what_is_given_can_be_written_and_nothing_else() {
    let home = Home::new();
    let (given, kept) = (home.path("given"), home.path("kept"));
    std::fs::create_dir_all(&given).unwrap();
    std::fs::create_dir_all(&kept).unwrap();
    let script =
        format!("echo x > {}/out; echo y > {}/out; echo z > /tmp/z && cat /tmp/z", given.display(), kept.display());
    let ended = home.run(["run", "--dir", given.to_str().unwrap(), "/bin/sh", "--", "-c", &script]);
    assert_eq!((ended.code, ended.text().as_str()), (Some(0), "z\n"), "{ended:?}");
    assert!(ended.stderr.contains("Read-only file system"), "{ended:?}");
    assert!(given.join("out").exists() && !kept.join("out").exists());
    let ended = home.run(["run", "--dir", "/no/such/folder", "/bin/true"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
}

#[test]
fn limits_end_a_program_and_say_so() {
    let home = Home::new();
    let check = |flags: &[&str], script: &str, code: i32, words: &str| {
        let ended = home.run([&["run"], flags, &["/bin/sh", "--", "-c", script]].concat());
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(ended.stderr.contains(words), "{ended:?}");
    };
    check(&["--timeout", "300ms"], "trap '' TERM; while :; do sleep 0.05; done", 124, "raise --timeout");
    check(&["--max-cpu", "1s"], "while :; do :; done", 152, "raise --max-cpu");
    check(&["--max-file-size", "1000B"], "exec head -c 100000 /dev/zero > /tmp/f", 153, "raise --max-file-size");
    let rows = home.history();
    let causes: Vec<_> = rows.iter().map(|row| row["exit"]["cause"].as_str().unwrap()).collect();
    assert_eq!(causes, ["file-size", "cpu-time", "timeout"]);
}

fn python(home: &Home) -> Option<PathBuf> {
    let asked = home.any("python3", ["-c", "import sys; print(sys.executable)"]).output().ok()?;
    Some(PathBuf::from(String::from_utf8(asked.stdout).ok()?.trim()))
}

#[test]
fn handlers_are_called_and_their_results_printed() {
    let home = Home::new();
    let Some(python) = python(&home) else { return skip("handlers", "there is no Python") };
    let python = python.to_str().unwrap();
    let file = home.write(
        "app.py",
        "import helper\ndef lambda_handler(event, context):\n    return {'sum': sum(event['n']), 'name': context.function_name}\n\
         def failing(event, context):\n    return helper.fail(event)\nasync def later(event, context):\n    return [1]\n",
    );
    home.write("helper.py", "def fail(event):\n    raise KeyError('missing')\n");
    let event = home.write("event.json", "{\"n\": [1, 2, 3]}");
    let (file, event) = (file.to_str().unwrap(), event.to_str().unwrap());
    let ended = home.run(["run", "--python", python, file, "--event", event]);
    assert_eq!((ended.code, ended.text().as_str()), (Some(0), "{\"sum\": 6, \"name\": \"app\"}\n"), "{ended:?}");
    let ended = feed(home.command(["run", "--python", python, file, "--event", "-"]), b"{\"n\": [4]}");
    assert_eq!(ended.text(), "{\"sum\": 4, \"name\": \"app\"}\n", "{ended:?}");
    let ended = home.run(["run", "--python", python, file, "--handler", "later"]);
    assert_eq!(ended.text(), "[1]\n", "{ended:?}");
    let ended = home.run(["run", "--python", python, file, "--handler", "failing"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let trace = format!("Traceback (most recent call last):\n  File \"{file}\", line 5, in failing\n");
    assert!(ended.stderr.starts_with(&trace) && ended.stderr.ends_with("KeyError: 'missing'\n"), "{ended:?}");
    // What a file imports is seen as it is now.
    home.write("helper.py", "def fail(event):\n    return 'mended'\n");
    let ended = home.run(["run", "--python", python, file, "--handler", "failing"]);
    assert_eq!(ended.text(), "\"mended\"\n", "{ended:?}");
}

#[test]
fn the_network_is_denied_with_a_hint() {
    let home = Home::new();
    let Some(python) = python(&home) else { return skip("the_network", "there is no Python") };
    let file = home.write("reach.py", "import socket\nsocket.create_connection(('192.0.2.1', 80), 1)\n");
    let ended = home.run(["run", "--python", python.to_str().unwrap(), file.to_str().unwrap()]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("Network is unreachable"), "{ended:?}");
    assert!(ended.stderr.contains("hint: ") && ended.stderr.contains("--net"), "{ended:?}");
}

#[test]
fn runs_are_planned_measured_and_learned_from() {
    let home = Home::new();
    let report = home.path("report.json");
    let words = ["run", "--report", report.to_str().unwrap(), "/bin/sh", "--", "-c", "exit 3"];
    for round in 0..3 {
        assert_eq!(home.run(words).code, Some(3));
        let report = document(&std::fs::read(&report).unwrap());
        let seen = &report["observation"];
        let parts = ["plan_seconds", "emulation_seconds", "wait_seconds", "transition_seconds", "run_seconds"];
        let sum: f64 = parts.iter().map(|part| seen[*part].as_f64().unwrap()).sum();
        assert!((sum - seen["wall_seconds"].as_f64().unwrap()).abs() < 1e-9, "{report:#}");
        assert!(seen["peak_memory_bytes"].as_u64().unwrap() > 100_000, "{report:#}");
        assert!(seen["process"]["minor_faults"].as_u64().unwrap() > 10, "{report:#}");
        assert_eq!(seen["exit"]["code"], 3);
        let basis = &report["plan"]["predicted_cpu_seconds"]["basis"];
        assert_eq!(basis, if round == 0 { "static" } else { "observed" }, "{report:#}");
    }
    assert_eq!(home.history().len(), 3);
    let plan = home.json(&["plan", "--explain", "/bin/sh"]);
    assert_eq!(
        plan["chosen"]["configuration"]["placements"][0]["settings"]["library_threads"],
        serde_json::Value::Null
    );
    assert!(home.run(["plan", "--explain", "/bin/sh"]).text().contains("process"));
    let stored = home.write("plan.json", serde_json::to_string(&plan).unwrap());
    assert_eq!(home.run(["run", "--plan", stored.to_str().unwrap(), "/bin/sh", "--", "-c", "exit 6"]).code, Some(6));
}

#[test]
fn a_pipeline_ends_with_its_reader() {
    let home = Home::new();
    let Some(yes) = installed("yes") else { return skip("a_pipeline", "there is no yes") };
    let mut child = home.command(["run", yes.to_str().unwrap()]).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(141));
}
