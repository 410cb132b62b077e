//! WebAssembly programs that `forewarm warm` keeps ready: their runs are as cold ones in all a user sees, on every rung,
//! and nothing is left behind.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::io::Read;
use std::os::unix::fs::DirBuilderExt;
use std::process::{Child, Stdio};

use common::{Ended, Home, document, eventually, feed, programs};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

const RUNGS: [&str; 3] = ["mapped", "linked", "instance"];

/// A home whose holder ends with it.
struct Warm {
    home: Home,
}

impl Warm {
    fn new() -> Self {
        let home = Home::new();
        fs::DirBuilder::new().mode(0o700).create(home.path("runtime")).unwrap();
        Self { home }
    }

    fn warm(&self, arguments: &[&str]) -> Value {
        let ended = self.home.run([&["warm", "--format", "json"], arguments].concat());
        assert_eq!(ended.code, Some(0), "{ended:?}");
        document(&ended.stdout)["warmed"][0].clone()
    }

    /// Runs, and says what the report says of it.
    fn run(&self, arguments: &[&str]) -> (Ended, Value) {
        let report = self.home.path("report.json");
        let words = [&["run", "--no-prepare", "--report", report.to_str().unwrap()], arguments].concat();
        let ended = feed(self.home.command(words), b"given\n");
        let report = document(&fs::read(&report).unwrap_or_else(|error| panic!("{error}: {ended:?}")));
        (ended, report["observation"].clone())
    }

    fn rung(&self, arguments: &[&str]) -> Option<String> {
        let (_, observation) = self.run(arguments);
        observation["warm_state"].as_str().map(str::to_owned)
    }

    fn held(&self) -> Vec<Value> {
        self.home.json(&["warm", "--list"])["held"].as_array().unwrap().clone()
    }

    /// The processes of this home's holder and all it has started, by a word of their command lines.
    fn processes(&self, word: &str) -> Vec<i32> {
        let runtime = format!("XDG_RUNTIME_DIR={}", self.home.path("runtime").display());
        let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        pids.filter(|pid| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|variable| variable == runtime.as_bytes())
                && line.split(|byte| *byte == 0).nth(1).is_some_and(|found| word.is_empty() || found == word.as_bytes())
        })
        .collect()
    }

    /// Starts a run of a program that says `ready` and never ends.
    fn endless(&self, flags: &[&str]) -> Child {
        let words = [&["run"], flags, &["endless.wat"]].concat();
        let mut child = self.home.command(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut ready = [0; 6];
        child.stdout.as_mut().unwrap().read_exact(&mut ready).unwrap();
        assert_eq!(&ready, b"ready\n");
        child
    }
}

impl Drop for Warm {
    fn drop(&mut self) {
        self.home.run(["warm", "--drop"]);
    }
}

/// Signals a process, which is there.
fn signal(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}

/// Writes `out.txt` in its first directory; ends with the error's number where it cannot.
const WRITE_FILE: &str = r#"(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "out.txt")
  (data (i32.const 96) "written")
  (func (export "_start") (local $error i32)
    (local.set $error (call $open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 7) (i32.const 9)
      (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 16)))
    (if (local.get $error) (then (call $exit (local.get $error))))
    (i32.store (i32.const 0) (i32.const 96))
    (i32.store (i32.const 4) (i32.const 7))
    (drop (call $write (i32.load (i32.const 16)) (i32.const 0) (i32.const 1) (i32.const 8)))))"#;

/// Counts for some ticks of the system's clock.
const BUSY: &str = r#"(module (func (export "_start") (local $left i32) (local.set $left (i32.const 200000000))
  (loop $next (br_if $next (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))))"#;

/// Prints 16 random bytes.
const RANDOM: &str = r#"(module
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\10\00\00\00\10\00\00\00")
  (func (export "_start")
    (drop (call $random (i32.const 16) (i32.const 16)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#;

#[test]
fn runs_from_every_rung_are_as_from_nothing() {
    let warm = Warm::new();
    fs::create_dir(warm.home.path("given")).unwrap();
    warm.home.write("given/in.txt", "contents\n");
    let text = |name: &str, source: &str| warm.home.write(name, source);
    text("hello.wat", programs::HELLO);
    text("cat.wat", programs::CAT);
    text("args.wat", programs::ARGUMENTS);
    text("env.wat", programs::ENVIRONMENT);
    text("read.wat", programs::READ_FILE);
    text("write.wat", WRITE_FILE);
    text("exit42.wat", &programs::exits(42));
    text("exit126.wat", &programs::exits(126));
    text("greedy.wat", programs::GREEDY);
    text("deep.wat", programs::RECURSIVE);
    text("library.wat", programs::LIBRARY);
    text("begins.wat", &programs::HELLO.replace("(func (export \"_start\")", "(start 1) (func (export \"_start\")"));
    warm.home.write("component.wasm", programs::component(programs::ARGUMENTS));
    warm.home.write("failing.wasm", programs::component(&programs::exits(1)));
    let cases: [(&[&str], &[&str], &[&str]); 14] = [
        (&[], &["hello.wat"], &[]),
        (&[], &["cat.wat"], &[]),
        (&[], &["args.wat"], &["--", "one", "two words", "", "\u{fc}n\u{ef}"]),
        (&["--env", "A=1", "--env", "B=x=y"], &["env.wat"], &[]),
        (&["--dir", "given"], &["read.wat"], &[]),
        (&["--dir", "given::/"], &["write.wat"], &[]),
        (&[], &["exit42.wat"], &[]),
        (&[], &["exit126.wat"], &[]),
        (&[], &["greedy.wat"], &[]),
        (&[], &["deep.wat"], &[]),
        (&[], &["component.wasm"], &["--", "one", "two"]),
        (&[], &["failing.wasm"], &[]),
        (&[], &["library.wat"], &[]),
        (&[], &["begins.wat"], &[]),
    ];
    let mut runs = 0;
    for (flags, file, arguments) in cases {
        let before: &[&str] = match file[0] {
            "greedy.wat" => &["--max-memory", "4MiB"],
            "library.wat" => &["--invoke", "add"],
            _ => &[],
        };
        let arguments: &[&str] = if file[0] == "library.wat" { &["--", "40", "2"] } else { arguments };
        let line = [before, flags, file, arguments].concat();
        let (cold, observation) = warm.run(&line);
        assert!(observation["warm_state"].is_null(), "{observation}");
        // A run that was made again with more memory is told of twice.
        runs += 1 + usize::from(observation["repeated"].is_object()) + RUNGS.len();
        let written = warm.home.path("given/out.txt");
        for rung in RUNGS {
            let _ = fs::remove_file(&written);
            warm.home.run(["warm", "--drop", file[0]]);
            let climb = warm.warm(&[&["--rung", rung], flags, file].concat());
            // What begins by itself is not instantiated ahead.
            let starts = ["component.wasm", "failing.wasm", "begins.wat"].contains(&file[0]);
            let rung = if starts && rung == "instance" { "linked" } else { rung };
            assert_eq!(climb["rung"], rung, "{climb}");
            let (ready, observation) = warm.run(&line);
            assert_eq!(observation["warm_state"], rung, "{line:?}: {ready:?}");
            assert_eq!((cold.code, cold.signal), (ready.code, ready.signal), "{line:?}: {cold:?} {ready:?}");
            assert_eq!((cold.text(), &cold.stderr), (ready.text(), &ready.stderr), "{line:?} from {rung}");
            assert!(file[0] != "write.wat" || fs::read(&written).is_ok_and(|text| text == b"written"), "from {rung}");
            let seen = |key: &str| observation[key].as_f64().unwrap();
            assert!(seen("first_instruction_seconds") <= seen("wall_seconds"), "{observation:#}");
            let parts = ["plan_seconds", "emulation_seconds", "wait_seconds", "transition_seconds", "run_seconds"];
            let sum: f64 = parts.iter().map(|key| seen(key)).sum();
            assert!((sum - seen("wall_seconds")).abs() < 1e-9 && seen("transition_seconds") >= 0.0, "{observation:#}");
        }
    }
    assert_eq!(warm.home.history().len(), runs);
    warm.home.assert_intact();
}

#[test]
fn only_the_same_code_and_flags_are_served() {
    let warm = Warm::new();
    let file = warm.home.write("hello.wat", programs::HELLO);
    fs::create_dir(warm.home.path("given")).unwrap();
    warm.warm(&["hello.wat"]);
    assert_eq!(warm.rung(&["hello.wat"]).as_deref(), Some("instance"));
    let plan = warm.home.json(&["plan", "hello.wat"]);
    warm.home.write("plan.json", plan.to_string());
    let others: [&[&str]; 6] = [
        &["--env", "A=1"],
        &["--dir", "given"],
        &["--net"],
        &["--tier", "winch"],
        &["--objective", "cost"],
        &["--plan", "plan.json"],
    ];
    for flags in others {
        assert_eq!(warm.rung(&[flags, &["hello.wat"]].concat()), None, "{flags:?}");
    }
    // Bounds are the client's.
    for flags in [["--timeout", "1h"], ["--max-memory", "1GiB"]] {
        assert_eq!(warm.rung(&[&flags[..], &["hello.wat"]].concat()).as_deref(), Some("instance"), "{flags:?}");
    }
    assert_eq!(warm.home.run(["run", "--max-memory", "32KiB", "hello.wat"]).code, Some(137));
    // Another file is another program, at once.
    fs::write(&file, programs::HELLO.replace("hello", "howdy")).unwrap();
    let (ended, observation) = warm.run(&["hello.wat"]);
    assert_eq!((ended.text().as_str(), &observation["warm_state"]), ("howdy\n", &Value::Null));
    assert!(warm.held().is_empty(), "what has changed is let go");
    warm.warm(&["hello.wat"]);
    let (ended, observation) = warm.run(&["hello.wat"]);
    assert_eq!((ended.text().as_str(), observation["warm_state"].as_str()), ("howdy\n", Some("instance")));
    let ended = warm.home.run(["warm", "--rung", "module", "hello.wat"]);
    assert!(ended.code == Some(125) && ended.stderr.contains("mapped, linked, instance"), "{ended:?}");
}

#[test]
fn each_run_is_its_own() {
    let warm = Warm::new();
    warm.home.write("random.wat", RANDOM);
    warm.home.write("count.wat", programs::counts(20_000_000));
    for rung in RUNGS {
        warm.home.run(["warm", "--drop", "random.wat"]);
        warm.warm(&["--rung", rung, "random.wat"]);
        let said: std::collections::BTreeSet<Vec<u8>> = (0..8).map(|_| warm.run(&["random.wat"]).0.stdout).collect();
        assert_eq!(said.len(), 8, "{rung}: random numbers come again");
    }
    for rung in RUNGS {
        warm.home.run(["warm", "--drop", "count.wat"]);
        warm.warm(&["--rung", rung, "count.wat"]);
        let start = |number: usize| {
            let report = format!("report-{number}.json");
            warm.home.command(["run", "--report", &report, "count.wat"]).spawn().unwrap()
        };
        let children: Vec<_> = (0..6).map(start).collect();
        for (number, mut child) in children.into_iter().enumerate() {
            assert_eq!(child.wait().unwrap().code(), Some(0));
            let report = document(&fs::read(warm.home.path(&format!("report-{number}.json"))).unwrap());
            assert_eq!(report["observation"]["warm_state"], rung);
            assert!(report["observation"]["run_cpu_seconds"].as_f64().unwrap() > 1e-4, "{report}");
        }
        let runs: u64 = warm.held().iter().filter_map(|held| held["runs"].as_u64()).sum();
        assert!(runs >= 6, "{rung}: {:?}", warm.held());
    }
    eventually("all are over", || warm.held().iter().all(|held| held["active"] == 0));
}

#[test]
fn limits_and_signals_are_the_clients() {
    let warm = Warm::new();
    warm.home.write("endless.wat", programs::ENDLESS);
    warm.warm(&["endless.wat"]);
    let (ended, observation) = warm.run(&["--timeout", "300ms", "endless.wat"]);
    assert_eq!((ended.code, ended.text().as_str()), (Some(124), "ready\n"), "{ended:?}");
    assert_eq!(observation["exit"]["cause"], "timeout");
    assert_eq!(observation["warm_state"], "instance");
    assert!(observation["run_cpu_seconds"].as_f64().unwrap() > 0.01, "{observation:#}");
    for (number, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let child = warm.endless(&[]);
        signal(child.id().cast_signed(), number);
        let ended: Ended = child.wait_with_output().unwrap().into();
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(code), ""), "{ended:?}");
        // Nothing of it goes on.
        eventually("the run ends", || warm.held().iter().all(|held| held["active"] == 0));
        assert_eq!(warm.home.history()[0]["exit"]["cause"], "interrupted");
        assert_eq!(warm.home.history()[0]["warm_state"], "instance");
    }
    // A limit of the shell's is the program's.
    let script = "ulimit -S -t 1; exec \"$0\" run endless.wat";
    let ended: Ended = warm.home.any("bash", ["-c", script, env!("CARGO_BIN_EXE_forewarm")]).output().unwrap().into();
    assert!(ended.code == Some(152) || ended.signal == Some(24), "{ended:?}");
    // So are the rights of what it writes.
    warm.home.write("write.wat", WRITE_FILE);
    fs::create_dir(warm.home.path("given")).unwrap();
    warm.warm(&["--dir", "given", "write.wat"]);
    let script = "umask 077; exec \"$0\" run --report report.json --dir given write.wat";
    let ended: Ended = warm.home.any("bash", ["-c", script, env!("CARGO_BIN_EXE_forewarm")]).output().unwrap().into();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let report = document(&fs::read(warm.home.path("report.json")).unwrap());
    assert_eq!(report["observation"]["warm_state"], "instance");
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(warm.home.path("given/out.txt")).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn whoever_is_killed_leaves_nothing() {
    let warm = Warm::new();
    warm.home.write("endless.wat", programs::ENDLESS);
    warm.home.write("hello.wat", programs::HELLO);
    warm.warm(&["endless.wat"]);
    // The client: its run ends with it.
    let mut child = warm.endless(&[]);
    child.kill().unwrap();
    child.wait().unwrap();
    eventually("the run ends", || warm.held().iter().all(|held| held["active"] == 0));
    // The process that waits: the next one is made.
    let waiting = || {
        let stands = warm.processes("stand");
        let parent = |pid: &i32| fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let forked = |pid: &&i32| {
            let stat = parent(pid);
            let above = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1)?.parse::<i32>().ok());
            above.is_some_and(|above| stands.contains(&above))
        };
        stands.iter().find(forked).copied()
    };
    eventually("one waits", || waiting().is_some());
    let first = waiting().unwrap();
    signal(first, Signal::KILL);
    eventually("another waits", || waiting().is_some_and(|next| next != first));
    assert_eq!(warm.endless(&[]).wait_killed(), ());
    // The process of a run: its client says so.
    let child = warm.endless(&["--report", "report.json"]);
    let running = || warm.processes("stand").into_iter().filter(|pid| busy(*pid)).collect::<Vec<_>>();
    // The next one is made meanwhile, and then waits.
    eventually("only the run goes on", || running().len() == 1);
    signal(running()[0], Signal::KILL);
    let ended: Ended = child.wait_with_output().unwrap().into();
    assert_eq!(ended.code, Some(137), "{ended:?}");
    let report = document(&fs::read(warm.home.path("report.json")).unwrap());
    assert_eq!(report["observation"]["exit"]["signal"], 9);
    // The stand: its run is lost, the next is cold.
    let child = warm.endless(&[]);
    let stand = warm.processes("stand").into_iter().min().unwrap();
    signal(stand, Signal::KILL);
    let ended: Ended = child.wait_with_output().unwrap().into();
    assert_eq!(ended.code, Some(137), "{ended:?}");
    eventually("all of it is gone", || warm.processes("stand").is_empty());
    // The holder: a run goes on without it, and then nothing is left.
    warm.warm(&["endless.wat"]);
    let child = warm.endless(&[]);
    signal(warm.processes("hold")[0], Signal::KILL);
    eventually("the holder is gone", || warm.processes("hold").is_empty());
    signal(child.id().cast_signed(), Signal::INT);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
    eventually("nothing is left", || warm.processes("").is_empty());
    assert_eq!(warm.rung(&["hello.wat"]), None);
    warm.warm(&["hello.wat"]);
    assert_eq!(warm.rung(&["hello.wat"]).as_deref(), Some("instance"));
}

/// Whether a process is running, or waiting for a core.
fn busy(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('R'))
}

/// Ends a run that would never end.
trait Finish {
    fn wait_killed(self);
}

impl Finish for Child {
    fn wait_killed(mut self) {
        self.kill().unwrap();
        self.wait().unwrap();
    }
}

#[test]
fn what_is_held_is_bounded_and_shown() {
    let warm = Warm::new();
    warm.home.write("a.wat", programs::HELLO);
    warm.home.write("b.wat", programs::CAT);
    let alone = warm.warm(&["a.wat"])["held_bytes"].as_u64().unwrap();
    warm.warm(&["b.wat"]);
    let held = warm.held();
    assert_eq!(held.len(), 2);
    let both: u64 = held.iter().filter_map(|one| one["held_bytes"].as_u64()).sum();
    assert!(both > alone, "{both} {alone}");
    for one in &held {
        assert!(one["held_bytes"].as_u64().unwrap() > 1 << 16, "{one}");
        assert!(one["climb_seconds"].as_f64().unwrap() > 0.0 && one["hold_dollars_per_hour"].as_f64().unwrap() > 0.0);
    }
    warm.home.run(["warm", "--drop"]);
    eventually("all are gone", || warm.processes("").is_empty());
    // Room for one, and not for both.
    warm.home.write("config/forewarm/config.toml", format!("holder_memory = {}\n", alone.midpoint(both)));
    warm.warm(&["a.wat"]);
    warm.warm(&["b.wat"]);
    let names: Vec<_> = warm.held().iter().map(|one| one["file"].as_str().unwrap().to_owned()).collect();
    assert!(names.len() == 1 && names[0].ends_with("b.wat"), "{names:?}");
}

#[test]
fn what_the_machine_did_meanwhile_is_told_of_every_run() {
    let warm = Warm::new();
    warm.home.write("busy.wat", BUSY);
    for rung in [None, Some("instance")] {
        if rung.is_some() {
            warm.warm(&["busy.wat"]);
        }
        let (ended, observed) = warm.run(&["busy.wat"]);
        assert_eq!((ended.code, observed["warm_state"].as_str()), (Some(0), rung), "{ended:?}");
        assert!(observed["run_seconds"].as_f64().unwrap() > 0.01, "{observed:#}");
        assert!(observed["steal_seconds"].is_number() && observed["run_delay_seconds"].is_number(), "{observed:#}");
        assert!(observed.get("throttled_seconds").is_some(), "{observed:#}");
    }
}

/// What starts from a rung took before is what the next is held against; one that is slower shows.
#[test]
fn a_start_from_what_is_warm_is_held_against_those_before() {
    let warm = Warm::new();
    warm.home.write("hello.wat", programs::HELLO);
    warm.warm(&["hello.wat"]);
    let start = || {
        eventually("a run starts from the instance", || warm.rung(&["hello.wat"]).as_deref() == Some("instance"));
        document(&fs::read(warm.home.path("report.json")).unwrap())
    };
    let first = start();
    assert!(first["prediction"].get("transition_ratio").is_none(), "nothing was known of such starts: {first:#}");
    let second = start();
    let (seen, score) = (&second["observation"], &second["prediction"]);
    let [took, foretold] = ["/transition_seconds", "/predicted_transition_seconds/expected"]
        .map(|path| seen.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("{path}: {seen:#}")));
    assert!((score["transition_ratio"].as_f64().unwrap() - took / foretold).abs() < 1e-9, "{score}");
    assert_eq!(Some(foretold), first.pointer("/observation/transition_seconds").and_then(Value::as_f64));
    let ended = warm.home.run(["run", "--verbose", "hello.wat"]);
    assert!(
        ended.stderr.contains("times what such starts took") || !ended.stderr.contains("from instance"),
        "{ended:?}"
    );
    assert!(warm.home.run(["resources"]).text().contains("start from instance"));
    // A cold start is held against its plan.
    let (_, cold) = warm.run(&["--tier", "winch", "--env", "A=1", "--max-memory", "64MiB", "hello.wat"]);
    assert!(cold["predicted_transition_seconds"].is_object(), "{cold:#}");
}
