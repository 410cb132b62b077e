//! Native programs whose process stands spawned: their runs are as cold ones in all a user sees, and nothing is left behind.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::process::{Command, Stdio};

use common::{Ended, Home, MARK, document, eventually, feed, living, skip};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

const SHELL: &str = "/bin/sh";

/// A home whose holder ends with it.
struct Warm(Home);

impl Warm {
    /// `None`, said aloud, where this machine has no namespaces to hold a process in.
    fn new(test: &str) -> Option<Self> {
        let home = Home::new();
        fs::DirBuilder::new().mode(0o700).create(home.path("runtime")).unwrap();
        let warm = Self(home);
        let climb = warm.warm(&[SHELL]);
        if climb["refused"].to_string().contains("namespaces") {
            skip(test, "this system has no namespaces to keep a process in");
            return None;
        }
        assert_eq!((&climb["rung"], &climb["refused"]), (&json!("spawned"), &Value::Null), "{climb:#}");
        Some(warm)
    }

    fn warm(&self, arguments: &[&str]) -> Value {
        let ended = self.0.run([&["warm", "--format", "json"], arguments].concat());
        assert_eq!(ended.code, Some(0), "{ended:?}");
        document(&ended.stdout)["warmed"][0].clone()
    }

    /// A run of a shell's words, from nothing where `cold`: how it ended, and what the report says of it.
    fn shell(&self, script: &str, cold: bool) -> (Ended, Value) {
        self.run(&[SHELL, "--", "-c", script, "name", "two words", ""], |_| {}, cold)
    }

    fn run(&self, arguments: &[&str], change: impl Fn(&mut Command), cold: bool) -> (Ended, Value) {
        let report = self.0.path("report.json");
        let words = [&["run", "--no-prepare", "--report", report.to_str().unwrap()], arguments].concat();
        let mut command = self.0.command(words);
        command.env("GIVEN", "a value").env(MARK, self.0.path(""));
        if cold {
            command.env("XDG_RUNTIME_DIR", self.0.path("elsewhere"));
        } else {
            eventually("a place stands", || self.held().iter().all(|held| held["held_bytes"].as_u64() > Some(0)));
        }
        change(&mut command);
        let ended = feed(command, b"given\n");
        let report = document(&fs::read(&report).unwrap_or_else(|error| panic!("{error}: {ended:?}")));
        let observed = report["observation"].clone();
        let seen = |key: &str| observed[key].as_f64().unwrap();
        assert!(seen("first_instruction_seconds") <= seen("wall_seconds"), "{observed:#}");
        assert!(["plan_seconds", "wait_seconds"].iter().all(|key| seen(key) >= 0.0), "{observed:#}");
        (ended, observed)
    }

    /// Fails where anything a user sees of a run differs by whether it starts from what stands.
    fn same(&self, name: &str, arguments: &[&str], change: impl Fn(&mut Command)) -> Ended {
        let (cold, from) = self.run(arguments, &change, true);
        assert_eq!(from["warm_state"], Value::Null, "{name}");
        let (ready, from) = self.run(arguments, &change, false);
        assert_eq!(from["warm_state"], json!("spawned"), "{name}: {ready:?}");
        assert_eq!((ready.text(), &ready.stderr), (cold.text(), &cold.stderr), "{name}");
        assert_eq!((ready.code, ready.signal), (cold.code, cold.signal), "{name}");
        ready
    }

    fn held(&self) -> Vec<Value> {
        self.0.json(&["warm", "--list"])["held"].as_array().unwrap().clone()
    }

    fn living(&self) -> Vec<String> {
        living(&self.0.path("").display().to_string())
    }

    /// The states of the inits of this home's places: proc_pid_stat(5).
    fn inits(&self) -> Vec<String> {
        let runtime = format!("XDG_RUNTIME_DIR={}", self.0.path("runtime").display());
        let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok).map(|entry| entry.path());
        let ours = entries.filter(|folder| {
            let environment = fs::read(folder.join("environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|variable| variable == runtime.as_bytes())
        });
        let states = ours.filter_map(|folder| {
            let stat = fs::read_to_string(folder.join("stat")).ok()?;
            stat.split_once("(forewarm-init) ").map(|(_, rest)| rest[..1].to_owned())
        });
        states.collect()
    }

    /// A run that follows a plan of the shell with another share of the CPU, or as many threads: its output, its report.
    fn planned(&self, flags: &[&str], share: f64, script: &str) -> (Ended, Value) {
        let mut plan = self.0.json(&[&["plan", SHELL], flags].concat());
        plan["chosen"]["configuration"]["placements"][0]["share"] = share.into();
        let plan = self.0.write("plan.json", plan.to_string());
        self.run(&["--plan", plan.to_str().unwrap(), SHELL, "--", "-c", script], |_| {}, false)
    }
}

impl Drop for Warm {
    fn drop(&mut self) {
        self.0.run(["warm", "--drop"]);
    }
}

#[test]
fn runs_are_as_from_nothing() {
    let Some(warm) = Warm::new("runs_are_as_from_nothing") else { return };
    let status = "grep -E '^(SigIgn|SigBlk|CapEff|CapBnd|NoNewPrivs|Seccomp|Cpus_allowed_list|Umask|Uid|Gid|Groups)' \
                  /proc/self/status; cat /proc/self/limits; nice; cat /proc/sys/kernel/pid_max";
    let shell = |script: &'static str| (script, vec![SHELL, "--", "-c", script, "name", "two words", ""]);
    let scripts = [
        shell("echo \"$0|$1|$2|$#|$GIVEN\"; cat; echo err >&2; exit 7"),
        shell("env | grep -vE '^(_|XDG_RUNTIME_DIR)=' | sort; pwd"),
        shell(status),
        shell("ls -a /tmp /var/tmp /dev/shm /run; ls /dev; cat /proc/net/dev | wc -l; set -- /proc/[0-9]*; echo $#"),
        shell("echo x > /tmp/f && cat /tmp/f; echo x > /dev/shm/f; echo x > there; echo y > /etc/forewarm-no; echo $?"),
        shell("kill -9 $$"),
        shell("kill -TERM $$"),
        shell("(setsid sleep 300 &); sleep 300 & echo done"),
        shell("for fd in 0 1 2 3 4 5 6 7 8 9; do [ -e /proc/self/fd/$fd ] && echo $fd; done; :"),
    ];
    for (name, arguments) in &scripts {
        warm.same(name, arguments, |_| {});
    }
    // The number of processes is `-p` to one shell and `-u` to another.
    let habits = "umask 027; ulimit -S -n 100; ulimit -S -s 4096; ulimit -S -p 5000 2>/dev/null || ulimit -S -u 5000; \
                  trap '' HUP USR1; exec nice -n 5 \"$@\"";
    let wrapped = |command: &mut Command| {
        let words: Vec<_> = command.get_args().map(std::ffi::OsStr::to_owned).collect();
        let mut shell = warm.0.any(SHELL, ["-c", habits, "sh"]);
        shell.arg(env!("CARGO_BIN_EXE_forewarm")).args(words);
        for (name, value) in command.get_envs() {
            shell.env(name, value.unwrap_or_default());
        }
        *command = shell;
    };
    let ended = warm.same("habits", &[SHELL, "--", "-c", "ulimit -n; ulimit -s; umask; trap"], wrapped);
    assert!(ended.text().starts_with("100\n4096\n0027\n"), "{ended:?}");
    warm.same("status of habits", &[SHELL, "--", "-c", status], wrapped);
    assert_eq!(warm.held()[0]["runs"], json!(scripts.len() + 2));
}

#[test]
fn limits_hold_and_are_told() {
    let Some(warm) = Warm::new("limits_hold") else { return };
    let check = |flags: &[&str], script: &str, code: i32, cause: &str| {
        let (ended, observed) = warm.run(&[flags, &[SHELL, "--", "-c", script]].concat(), |_| {}, false);
        assert_eq!((ended.code, &observed["warm_state"]), (Some(code), &json!("spawned")), "{script}: {ended:?}");
        assert_eq!(observed["exit"]["cause"], json!(cause), "{script}: {observed:#}");
    };
    check(&["--timeout", "100ms"], "trap '' TERM; sleep 300 & sleep 300", 124, "timeout");
    check(&["--max-cpu", "1s"], "while :; do :; done", 152, "cpu-time");
    check(&["--max-file-size", "1KiB"], "exec head -c 9999 /dev/zero > /tmp/f", 153, "file-size");
    check(&["--max-open-files", "20"], "ulimit -n | grep -qx 20", 0, "exited");
    // Where a limit leaves no room for what comes with the word, the run is what it would be without anything warm.
    for most in ["3", "4", "6", "8", "10", "12", "14"] {
        let words = ["--max-open-files", most, SHELL, "--", "-c", "echo hi; exit 7"];
        let [(cold, _), (ready, _)] = [true, false].map(|cold| warm.run(&words, |_| {}, cold));
        assert_eq!((ready.code, ready.text()), (cold.code, cold.text()), "{most} files: {ready:?}");
        assert_ne!(ready.code, Some(0), "{most} files");
    }
    let denied = "exec 3<>/dev/tcp/192.0.2.1/80";
    if let Some(bash) = common::installed("bash") {
        let bash = bash.to_str().unwrap();
        warm.warm(&[bash]);
        let (ended, observed) = warm.run(&[bash, "--", "-c", denied], |_| {}, false);
        assert_eq!((&observed["warm_state"], &observed["denied"]), (&json!("spawned"), &json!(["--net"])), "{ended:?}");
        assert!(ended.stderr.contains("--net"), "{ended:?}");
    }
    // Behind other walls, or with other bounds of the place: from nothing.
    for flags in [&["--net"][..], &["--max-memory", "1GiB"], &["--max-processes", "99"], &["--dir", "."]] {
        let (ended, observed) = warm.run(&[flags, &[SHELL, "--", "-c", "exit 3"]].concat(), |_| {}, false);
        assert_eq!((ended.code, &observed["warm_state"]), (Some(3), &Value::Null), "{flags:?}");
    }
}

#[test]
fn what_is_measured_of_a_cold_run_is_measured() {
    let Some(warm) = Warm::new("what_is_measured") else { return };
    let script = "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; head -c 30000000 /dev/zero | tail -c 1 > /tmp/f";
    let present = |observed: &Value| {
        let process = observed["process"].as_object().unwrap();
        let mut known: Vec<_> =
            process.iter().filter(|(_, value)| !value.is_null()).map(|(key, _)| key.clone()).collect();
        let around = ["run_delay_seconds", "throttled_seconds", "steal_seconds"];
        known.extend(around.into_iter().filter(|key| observed[key].is_number()).map(str::to_owned));
        known
    };
    let (_, cold) = warm.shell(script, true);
    let (_, ready) = warm.shell(script, false);
    assert_eq!(ready["warm_state"], json!("spawned"));
    assert_eq!(present(&ready), present(&cold), "{ready:#}");
    assert!(ready["run_cpu_seconds"].as_f64().unwrap() > 0.005, "{ready:#}");
    assert!(ready["process"]["minor_faults"].as_u64().unwrap() > 100, "{ready:#}");
    assert_eq!(ready["configuration_class"], cold["configuration_class"], "the program did all of its work in both");
}

#[test]
fn one_run_at_a_time_and_the_next_place_stands_soon() {
    let Some(warm) = Warm::new("one_run_at_a_time") else { return };
    let mut first = warm.0.command(["run", SHELL, "--", "-c", "sleep 300"]).env(MARK, warm.0.path("")).spawn().unwrap();
    eventually("it runs", || warm.held()[0]["active"] == json!(1));
    let report = warm.0.path("beside.json");
    let words = ["run", "--report", report.to_str().unwrap(), SHELL, "--", "-c", "exit 4"];
    assert_eq!(warm.0.run(words).code, Some(4));
    assert_eq!(document(&fs::read(&report).unwrap())["observation"]["warm_state"], Value::Null);
    // It was missed, and is there again while the first goes on.
    let (_, observed) = warm.shell("exit 5", false);
    assert_eq!(observed["warm_state"], json!("spawned"));
    // A client that is killed takes its program along.
    first.kill().unwrap();
    first.wait().unwrap();
    eventually("its program has ended", || warm.living().is_empty());
    assert_eq!(warm.shell("exit 5", false).1["warm_state"], json!("spawned"));
    warm.0.run(["warm", "--drop", SHELL]);
    assert!(warm.held().is_empty());
}

#[test]
fn signals_and_stops_pass() {
    let Some(warm) = Warm::new("signals_and_stops") else { return };
    let script =
        "trap 'echo caught; exit 9' TERM; echo ready > ready; kill -STOP $$; echo on; while :; do sleep 0.02; done";
    let folder = warm.0.path("");
    // The directory given is part of the walls.
    let folder = folder.to_str().unwrap();
    warm.warm(&["--dir", folder, SHELL]);
    let mut child = warm.0.command(["run", "--dir", folder, SHELL, "--", "-c", script]);
    let mut child = child.stdout(Stdio::piped()).spawn().unwrap();
    let pid = Pid::from_raw(child.id().cast_signed()).unwrap();
    let state = || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap_or_default();
        stat.rsplit_once(") ").map_or(String::new(), |(_, rest)| rest[..1].to_owned())
    };
    eventually("it stops with its program", || state() == "T");
    assert_eq!(warm.held().iter().filter(|held| held["active"] == json!(1)).count(), 1);
    kill_process(pid, Signal::CONT).unwrap();
    eventually("it goes on", || state() != "T");
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(said.next().unwrap().unwrap(), "on");
    kill_process(pid, Signal::TERM).unwrap();
    assert_eq!(said.next().unwrap().unwrap(), "caught");
    assert_eq!(child.wait().unwrap().code(), Some(9));
}

#[test]
fn an_edited_program_is_what_runs() {
    let Some(warm) = Warm::new("an_edited_program") else { return };
    let program = warm.0.path("program");
    let put = |source: &str| {
        fs::copy(common::installed(source).unwrap(), warm.0.path("new")).unwrap();
        fs::rename(warm.0.path("new"), &program).unwrap();
    };
    put("true");
    let file = program.to_str().unwrap();
    assert_eq!(warm.warm(&[file])["rung"], json!("spawned"));
    assert_eq!(warm.run(&[file], |_| {}, false).0.code, Some(0));
    put("false");
    assert_eq!(warm.run(&[file], |_| {}, false).0.code, Some(1));
    // What cannot be executed is told as it would be from nothing.
    fs::set_permissions(&program, fs::Permissions::from_mode(0o644)).unwrap();
    let ended = warm.0.run(["run", file]);
    assert!(ended.code == Some(126) && ended.stderr.contains("chmod +x"), "{ended:?}");
}

#[test]
fn what_waits_is_asleep() {
    let Some(warm) = Warm::new("what_waits_is_asleep") else { return };
    // Its init, as well as the process that waits to become the program in its memory.
    let asleep = || {
        let inits = warm.inits();
        !inits.is_empty() && inits.iter().all(|state| state == "S")
    };
    eventually("all are asleep", asleep);
    assert_eq!(warm.shell("exit 3", false).0.code, Some(3));
    eventually("all are asleep", asleep);
}

#[test]
fn a_run_is_of_the_plan_that_it_is_filed_under() {
    let Some(warm) = Warm::new("a_run_is_of_the_plan") else { return };
    let threads = "echo \"${OMP_NUM_THREADS:-none}\"";
    // Without a plan of its own it is of the configuration that was planned for when the place was laid out.
    let (ended, observed) = warm.shell(threads, false);
    assert_eq!((ended.text().as_str(), &observed["warm_state"]), ("none\n", &json!("spawned")));
    // One that was asked for brings its variables along.
    let (ended, observed) = warm.planned(&["--threads", "1"], 1.0, threads);
    assert_eq!((ended.text().as_str(), &observed["warm_state"]), ("1\n", &json!("spawned")), "{ended:?}");
    // What is planned for by other weights is not what stands.
    let words = ["--objective", "cost", SHELL, "--", "-c", "exit 4"];
    let (ended, observed) = warm.run(&words, |_| {}, false);
    assert_eq!((ended.code, &observed["warm_state"]), (Some(4), &Value::Null), "{ended:?}");
}

#[test]
fn a_share_of_the_cpu_holds_from_a_place() {
    let Some(warm) = Warm::new("a_share_of_the_cpu") else { return };
    let checks = warm.0.json(&["doctor"])["checks"].as_array().unwrap().clone();
    if checks.iter().any(|check| check["name"] == "cpu shares" && check["ok"] == false) {
        return skip("a_share_of_the_cpu", "this machine enforces no shares");
    }
    // The least there is: on a machine that others keep busy, a program may not come to a larger one anyhow.
    let (ended, observed) = warm.planned(&[], 0.05, "i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done; exit 6");
    assert_eq!((ended.code, &observed["warm_state"]), (Some(6), &json!("spawned")), "{ended:?}");
    assert!(observed["throttled_seconds"].as_f64().unwrap() > 0.0, "{observed:#}");
    // The next run is held to nothing of it.
    let (_, observed) = warm.shell("exit 0", false);
    assert_eq!(observed["warm_state"], json!("spawned"));
}
