//! Native and Python programs through `forewarm run`: as run directly, confined, measured, remembered.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{Ended, Home, document, feed, skip};

/// A program of this machine by its name.
fn installed(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| path.is_file());
    // A script that stands for a program is not the program.
    found.filter(|path| std::fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"\x7fELF")))
}

/// The exit status a shell shows.
fn shown(ended: &Ended) -> Option<i32> {
    ended.code.or(ended.signal.map(|signal| 128 + signal))
}

/// Runs a program directly and through Forewarm, with the same input; fails where anything a user sees differs.
fn compare(home: &Home, name: &str, arguments: &[&str]) {
    let input: String = (0..2000).map(|number| format!("{} line\n", number * 7919 % 1000)).collect();
    let Some(program) = installed(name) else { return skip(&format!("programs: {name}"), "it is not installed") };
    let directly = feed(home.any(&program, arguments), input.as_bytes());
    let words = ["run", program.to_str().unwrap(), "--"];
    let through = feed(home.command(words.iter().chain(arguments)), input.as_bytes());
    assert!(directly.stdout == through.stdout, "{name} {arguments:?}: {} against {}", directly.text(), through.text());
    assert_eq!((&directly.stderr, shown(&directly)), (&through.stderr, through.code), "{name} {arguments:?}");
}

#[test]
fn programs_run_as_they_do_directly() {
    let home = Home::new();
    let rows: &[(&str, &[&str])] = &[
        ("true", &[]),
        ("false", &[]),
        ("cat", &["-n"]),
        ("sort", &["-n", "-u"]),
        ("gzip", &["-9", "-n", "-c"]),
        ("xz", &["-c"]),
        ("awk", &["{ sum += $1 } END { print sum; exit 3 }"]),
        ("sed", &["-n", "s/line/word/; 5,7p"]),
        ("grep", &["-c", "99"]),
        ("wc", &[]),
        ("sha256sum", &[]),
        ("tr", &["a-z", "A-Z"]),
        ("head", &["-n", "3"]),
        ("tee", &["/dev/stderr"]),
        ("od", &["-An", "-tx1"]),
        ("env", &["LC_ALL=C", "sort"]),
        ("date", &["-u", "-d", "@0"]),
        ("expr", &["6", "*", "7"]),
        ("id", &["-u"]),
        ("nproc", &[]),
        ("uname", &["-a"]),
        ("perl", &["-e", "print scalar(<STDIN>); warn 'w'; exit 7"]),
        ("node", &["-e", "console.log(process.argv.length); process.exit(9)"]),
        ("sqlite3", &[":memory:", "select 6 * 7"]),
        ("openssl", &["dgst", "-sha1"]),
        ("gcc", &["-E", "-P", "-x", "c", "-"]),
        ("bash", &["-c", "cat <(echo one) - | tail -n 1; exit 4"]),
        ("sh", &["-c", "kill -SEGV $$"]),
        ("sh", &["-c", "kill -TERM $$"]),
        ("timeout", &["0.1", "sleep", "5"]),
    ];
    rows.iter().for_each(|(name, arguments)| compare(&home, name, arguments));
    home.assert_intact();
}

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

/// Runs a script by the interpreter itself and through Forewarm; fails where anything a user sees differs.
fn compare_script(home: &Home, python: &Path, name: &str, source: &str) {
    let file = home.write(name, source);
    let directly = feed(home.any(python, [file.to_str().unwrap(), "one", "two"]), b"input\n");
    let words = ["run", "--python", python.to_str().unwrap(), file.to_str().unwrap(), "--", "one", "two"];
    let through = feed(home.command(words), b"input\n");
    assert_eq!(directly.text(), through.text(), "{name}: {through:?}");
    assert_eq!((&directly.stderr, shown(&directly)), (&through.stderr, through.code), "{name}");
}

#[test]
fn scripts_run_as_they_do_directly() {
    let home = Home::new();
    let Some(python) = python(&home) else { return skip("scripts", "there is no Python") };
    home.write("helper.py", "def helped(x):\n    return x * 2\n");
    let rows = [
        ("plain.py", "import sys\nprint(sys.argv[1:], __name__, sys.stdin.read())"),
        ("local.py", "import helper\nprint(helper.helped(21))"),
        ("exit.py", "import sys\nsys.exit(5)"),
        ("message.py", "import sys\nsys.exit('in words')"),
        ("none.py", "raise SystemExit"),
        ("trace.py", "def f(x):\n    return 1 / x\n\nf(0)\n"),
        ("syntax_at_run.py", "exec('1 +')"),
        ("chained.py", "try:\n    {}['k']\nexcept KeyError as e:\n    raise ValueError('v') from e"),
        ("abort.py", "import os\nos.abort()"),
        (
            "pool.py",
            "import multiprocessing as m\nif __name__ == '__main__':\n    with m.Pool(2) as p: print(p.map(abs, [-1, 2, -3]))",
        ),
        (
            "tasks.py",
            "import asyncio\nasync def f(n):\n    await asyncio.sleep(0.01); return n\nasync def main():\n    print(await asyncio.gather(*map(f, range(3))))\nasyncio.run(main())",
        ),
        (
            "child.py",
            "import subprocess\nprint(subprocess.run(['/bin/sh', '-c', 'echo child; exit 3'], capture_output=True))",
        ),
        (
            "threads.py",
            "from concurrent.futures import ThreadPoolExecutor as T\nprint(list(T(4).map(len, ['a', 'bb'])))",
        ),
        (
            "temporary.py",
            "import tempfile\nwith tempfile.NamedTemporaryFile() as f:\n    f.write(b'x'); f.flush(); print(open(f.name).read())",
        ),
        (
            "server.py",
            "import http.server, threading, urllib.request\ns = http.server.HTTPServer(('127.0.0.1', 0), http.server.SimpleHTTPRequestHandler)\ns.RequestHandlerClass.log_message = lambda *a: None\nthreading.Thread(target=s.serve_forever, daemon=True).start()\nprint(urllib.request.urlopen('http://127.0.0.1:%d/' % s.server_port).status)",
        ),
        (
            "shared.py",
            "from multiprocessing import shared_memory as s\nm = s.SharedMemory(create=True, size=64); m.buf[0] = 7; print(m.buf[0]); m.close(); m.unlink()",
        ),
        ("database.py", "import sqlite3\nprint(sqlite3.connect(':memory:').execute('select 6 * 7').fetchall())"),
        ("bytes.py", "import sys, hashlib\nsys.stdout.buffer.write(hashlib.sha256(b'x').digest())"),
    ];
    rows.iter().for_each(|(name, source)| compare_script(&home, &python, name, source));
    home.assert_intact();
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
