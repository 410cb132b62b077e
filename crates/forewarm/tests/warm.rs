//! `forewarm warm` and the runs that start from what it keeps: as cold runs in all a user sees, and nothing left behind.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Stdio};

use common::{Ended, Home, document, eventually, feed, skip};
use serde_json::Value;

/// A home whose holder ends with it.
struct Warm {
    home: Home,
}

impl Warm {
    /// `None` where this machine has no Python, or cannot confine a zygote.
    fn new(test: &str) -> Option<Self> {
        let home = Home::new();
        fs::DirBuilder::new().mode(0o700).create(home.path("runtime")).unwrap();
        if Command::new("python3").arg("--version").output().is_err() {
            skip(test, "there is no python3");
            return None;
        }
        let warm = Self { home };
        let probe = warm.home.write("probe.py", "pass\n");
        let ended = warm.home.run(["warm", probe.to_str().unwrap()]);
        if ended.stderr.contains("Landlock 6") || ended.stderr.contains("namespaces") {
            skip(test, "this system cannot keep a run from its zygote");
            return None;
        }
        assert_eq!(ended.code, Some(0), "{ended:?}");
        Some(warm)
    }

    fn warm(&self, arguments: &[&str]) -> Value {
        let ended = self.home.run([&["warm", "--format", "json"], arguments].concat());
        assert_eq!(ended.code, Some(0), "{ended:?}");
        document(&ended.stdout)["warmed"][0].clone()
    }

    /// Runs, and says from which rung.
    fn run(&self, arguments: &[&str]) -> (Ended, Option<String>) {
        let report = self.home.path("report.json");
        let words = [&["run", "--report", report.to_str().unwrap()], arguments].concat();
        let ended = feed(self.home.command(words), b"given\n");
        let report = document(&fs::read(&report).unwrap_or_else(|error| panic!("{error}: {ended:?}")));
        let seen = |key: &str| report["observation"][key].as_f64().unwrap();
        assert!(seen("first_instruction_seconds") <= seen("wall_seconds"), "{report:#}");
        (ended, report["observation"]["warm_state"].as_str().map(str::to_owned))
    }

    fn held(&self) -> Vec<Value> {
        self.home.json(&["warm", "--list"])["held"].as_array().unwrap().clone()
    }

    /// The processes of this home's holder and all it has started.
    fn processes(&self) -> Vec<i32> {
        let runtime = self.home.path("runtime");
        let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        pids.filter(|pid| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            let ours = format!("XDG_RUNTIME_DIR={}", runtime.display());
            environment.split(|byte| *byte == 0).any(|variable| variable == ours.as_bytes())
        })
        .collect()
    }

    fn holder(&self) -> i32 {
        let is_holder = |pid: &i32| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            line.split(|byte| *byte == 0).nth(1) == Some(b"hold") && parent(*pid) == Some(1)
        };
        // Its children carry its command line until they execute; its own parent is the system's first process or a
        // reaper of orphans.
        let candidates = self.processes().into_iter().filter(|pid| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            line.split(|byte| *byte == 0).nth(1) == Some(b"hold")
        });
        let mut candidates: Vec<i32> = candidates.collect();
        candidates.sort_by_key(|pid| (!is_holder(pid), *pid));
        *candidates.first().unwrap()
    }
}

impl Drop for Warm {
    fn drop(&mut self) {
        self.home.run(["warm", "--drop"]);
    }
}

fn parent(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

/// Runs a script from nothing and from its zygote; fails where anything a user sees differs.
fn same(warm: &Warm, name: &str, source: &str) {
    let file = warm.home.write(name, source);
    let file = file.file_name().unwrap().to_str().unwrap().to_owned();
    let arguments = [&file, "--", "-x", "two words"];
    let (cold, from) = warm.run(&arguments);
    assert_eq!(from, None, "{name}");
    warm.warm(&["--script", &file]);
    let (ready, from) = warm.run(&arguments);
    assert_eq!(from.as_deref(), Some("worker"), "{name}: {ready:?}");
    assert_eq!((cold.code, cold.signal), (ready.code, ready.signal), "{name}: {cold:?} {ready:?}");
    assert_eq!((cold.text(), &cold.stderr), (ready.text(), &ready.stderr), "{name}");
}

#[test]
fn scripts_from_a_zygote_are_as_from_nothing() {
    let Some(warm) = Warm::new("scripts_from_a_zygote") else { return };
    let scripts = [
        ("hello.py", "import json, sys\nprint(json.dumps(sys.argv), __name__, __file__, sys.path[0], __doc__)"),
        (
            "names.py",
            "print(sorted(globals()), __spec__, __builtins__.__name__, sys) if 0 else print(sorted(globals()))",
        ),
        ("input.py", "import sys\nprint(sys.stdin.read(), sys.stdin, sys.stdout, sys.stderr, sys.stdout.isatty())"),
        ("exit3.py", "import sys\nsys.exit(3)"),
        ("exit_text.py", "import sys\nprint('out')\nsys.exit('a message')"),
        ("exit_none.py", "raise SystemExit"),
        ("exit_big.py", "raise SystemExit(259)"),
        (
            "raise.py",
            "def f(n):\n    raise ValueError(n)\ntry:\n    f(1)\nexcept ValueError as e:\n    raise KeyError('k') from e",
        ),
        ("hook.py", "import sys\nsys.excepthook = lambda *a: print('hook', a[0].__name__)\n1/0"),
        ("interrupt.py", "print('before', flush=True)\nraise KeyboardInterrupt"),
        ("hard.py", "import os\nprint('lost')\nos._exit(7)"),
        ("killed.py", "import os, signal\nprint('x', flush=True)\nos.kill(os.getpid(), signal.SIGTERM)"),
        (
            "files.py",
            "f = open('/tmp/kept', 'w')\nf.write('x')\nimport atexit\natexit.register(lambda: print(open('/tmp/kept').read()))",
        ),
        ("destructor.py", "class A:\n    def __del__(self):\n        print('gone')\na = A()\nprint('end')"),
        (
            "threads.py",
            "import threading, time\nt = threading.Thread(target=lambda: (time.sleep(0.05), print('late')))\nt.start()\nprint('main')",
        ),
        (
            "pool.py",
            "from multiprocessing import Pool\ndef f(x):\n    return x * x\nif __name__ == '__main__':\n    with Pool(2) as p:\n        print(p.map(f, range(5)))",
        ),
        (
            "spawned.py",
            "import multiprocessing as m\ndef f(q):\n    q.put('child')\nif __name__ == '__main__':\n    c = m.get_context('spawn')\n    q = c.Queue()\n    p = c.Process(target=f, args=(q,))\n    p.start()\n    print(q.get())\n    p.join()",
        ),
        ("child.py", "import subprocess\nprint(subprocess.run(['sh', '-c', 'echo out; exit 5'], capture_output=True))"),
        (
            "asynchronous.py",
            "import asyncio\nasync def main():\n    await asyncio.sleep(0)\n    print('done')\nasyncio.run(main())",
        ),
        ("environment.py", "import os\nprint(os.getcwd(), os.umask(0), sorted(set(os.environ) - {'_'}))"),
        ("denied.py", "open('/etc/forewarm-test', 'w')"),
        ("network.py", "import socket\nsocket.create_connection(('192.0.2.1', 9), 1)"),
        ("pickle.py", "import pickle\nclass C:\n    pass\nprint(type(pickle.loads(pickle.dumps(C()))), C)"),
        ("warned.py", "import warnings\nwarnings.warn('careful')"),
        ("encoded.py", "# coding: latin-1\nprint(len('\u{e9}'))"),
        ("unwritable.py", "import sys\nsys.stdout.close()"),
    ];
    for (name, source) in scripts {
        same(&warm, name, source);
    }
}

#[test]
fn handlers_start_imported_and_see_every_edit() {
    let Some(warm) = Warm::new("handlers_start_imported") else { return };
    let home = &warm.home;
    home.write("beside.py", "WORD = 'one'\n");
    home.write("table.json", "[1]");
    let source = "import json, os\nfrom beside import WORD\nT = json.load(open(os.path.dirname(__file__) + '/table.json'))\n\
                  def handler(event, context):\n    return [WORD, T, event, context.function_name]\n";
    home.write("app.py", source);
    home.write("event.json", "{\"a\": 1}");
    let climb = warm.warm(&["app.py"]);
    let rungs: Vec<_> = climb["steps"].as_array().unwrap().iter().map(|step| step["rung"].as_str().unwrap()).collect();
    assert_eq!(rungs, ["interpreter", "imports", "module", "worker"]);
    assert!(climb["steps"].as_array().unwrap().iter().all(|step| step["bytes"].as_u64().unwrap() > 1 << 20));
    let database = rusqlite::Connection::open(home.database()).unwrap();
    let stored = database.query_row("SELECT count(*), min(bytes) FROM rungs WHERE samples = 1", [], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
    });
    // Those of the program that `Warm::new` tried, too.
    let (rows, least) = stored.unwrap();
    assert!(rows == 7 && least > 1 << 20, "{rows} {least}");
    let arguments = ["--event", "event.json", "app.py"];
    let check = |expected: &str, from: Option<&str>| {
        let (ended, rung) = warm.run(&arguments);
        assert_eq!((ended.text().trim(), rung.as_deref()), (expected, from), "{ended:?}");
    };
    check(r#"["one", [1], {"a": 1}, "app"]"#, Some("worker"));
    check(r#"["one", [1], {"a": 1}, "app"]"#, Some("worker"));
    let settle = || {
        eventually("warm again", || warm.held().iter().any(|held| held["file"].as_str().unwrap().ends_with("app.py")))
    };
    home.write("beside.py", "WORD = 'two'\n");
    check(r#"["two", [1], {"a": 1}, "app"]"#, None);
    settle();
    check(r#"["two", [1], {"a": 1}, "app"]"#, Some("worker"));
    home.write("table.json", "[2]");
    check(r#"["two", [2], {"a": 1}, "app"]"#, None);
    settle();
    home.write("app.py", source.replace("[WORD", "[len(WORD)"));
    check(r#"[3, [2], {"a": 1}, "app"]"#, None);
    settle();
    check(r#"[3, [2], {"a": 1}, "app"]"#, Some("worker"));
    // A new file that comes before what was imported is found, as from nothing.
    home.write("json.py", "def load(f):\n    return 'shadow'\ndef dump(x, f):\n    f.write(str(x))\n");
    let (ended, rung) = warm.run(&arguments);
    assert_eq!(rung, None, "{ended:?}");
    // The event may lie anywhere, and come by standard input.
    fs::remove_file(home.path("json.py")).unwrap();
    warm.warm(&["app.py"]);
    let stdin = feed(home.command(["run", "--event", "-", "app.py"]), b"7");
    assert_eq!(stdin.text().trim(), r#"[3, [2], 7, "app"]"#);
}

#[test]
fn randomness_is_each_runs_own() {
    let Some(warm) = Warm::new("randomness_is_each_runs_own") else { return };
    // A stand-in with numpy's name: what matters is that its legacy generator is seeded anew.
    warm.home.write("numpy/__init__.py", "");
    warm.home.write("numpy/random.py", "seeded = 0\ndef seed():\n    global seeded\n    seeded += 1\n");
    let source = "import random, numpy.random\ndef handler(event, context):\n    return [numpy.random.seeded, random.random()]\n";
    warm.home.write("dice.py", source);
    warm.home.write("event.json", "1");
    warm.warm(&["dice.py"]);
    let throw = || {
        let (ended, rung) = warm.run(&["--event", "event.json", "dice.py"]);
        assert_eq!(rung.as_deref(), Some("worker"), "{ended:?}");
        let thrown: Value = serde_json::from_slice(&ended.stdout).unwrap();
        assert_eq!(thrown[0], 1);
        thrown[1].as_f64().unwrap().to_bits()
    };
    assert_ne!(throw(), throw());
}

#[test]
fn failing_handlers_fail_alike() {
    let Some(warm) = Warm::new("failing_handlers") else { return };
    for (name, body) in [
        ("raises.py", "    raise RuntimeError('no')\n"),
        ("exits.py", "    raise SystemExit(4)\n"),
        ("unserialisable.py", "    return object()\n"),
        ("coroutine.py", "    return c()\nasync def c():\n    return 5\n"),
    ] {
        warm.home.write(name, format!("def lambda_handler(event, context):\n{body}"));
        warm.home.write("event.json", "1");
        let arguments = ["--event", "event.json", name];
        let (cold, from) = warm.run(&arguments);
        assert_eq!(from, None);
        warm.warm(&[name]);
        let (ready, from) = warm.run(&arguments);
        assert_eq!(from.as_deref(), Some("worker"), "{ready:?}");
        assert_eq!((cold.code, cold.text(), &cold.stderr), (ready.code, ready.text(), &ready.stderr), "{name}");
    }
}

#[test]
fn what_must_happen_in_each_run_is_not_done_before() {
    let Some(warm) = Warm::new("what_must_happen_in_each_run") else { return };
    let handler = "def handler(event, context):\n    return 1\n";
    let cases = [
        (
            "thread.py",
            "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n",
            "starts a thread",
        ),
        ("prints.py", "print('loading')\n", "writes to its output"),
        ("writes.py", "open('/tmp/mark', 'w').close()\n", "writes to /tmp/mark"),
        ("fails.py", "raise OSError('not here')\n", "raises OSError: not here"),
    ];
    // All at first: a new file beside them would be one that they might import.
    for (name, line, _) in cases {
        warm.home.write(name, format!("{line}{handler}"));
    }
    for (name, _, why) in cases {
        let climb = warm.warm(&[name]);
        assert_eq!(climb["rung"], "imports", "{climb:#}");
        assert_eq!(climb["refused"][0], "module");
        assert!(climb["refused"][1].as_str().unwrap().contains(why), "{climb:#}");
    }
    warm.home.write("event.json", "1");
    for (name, code, out) in [("prints.py", 0, "loading\n1\n"), ("fails.py", 1, "")] {
        let (ended, rung) = warm.run(&["--event", "event.json", name]);
        assert_eq!(
            (ended.code, ended.text().as_str(), rung.as_deref()),
            (Some(code), out, Some("imports")),
            "{ended:?}"
        );
        warm.home.run(["warm", "--drop", name]);
        let (cold, rung) = warm.run(&["--event", "event.json", name]);
        assert_eq!((cold.code, cold.text(), &cold.stderr, rung), (ended.code, ended.text(), &ended.stderr, None));
    }
}

#[test]
fn runs_are_kept_apart() {
    let Some(warm) = Warm::new("runs_are_kept_apart") else { return };
    let home = &warm.home;
    // A run cannot reach its zygote, and what it leaves is gone for the next.
    let source = "import os, signal, subprocess, sys\n\
                  print(os.path.exists('/tmp/left'), os.path.exists('/dev/shm/left'))\n\
                  open('/tmp/left', 'w').close(); open('/dev/shm/left', 'w').close()\n\
                  for pid in [int(p) for p in os.listdir('/proc') if p.isdigit() and int(p) not in (1, os.getpid())]:\n\
                  \x20   try:\n        os.kill(pid, signal.SIGKILL); print('killed', pid)\n\
                  \x20   except PermissionError:\n        pass\n\
                  \x20   try:\n        open('/proc/%d/mem' % pid, 'r+b'); print('opened', pid)\n\
                  \x20   except OSError:\n        pass\n\
                  subprocess.Popen(['sh', '-c', 'sleep 600 & sleep 600'], start_new_session=True)\n";
    home.write("rude.py", source);
    warm.warm(&["rude.py"]);
    for _ in 0..3 {
        let (ended, rung) = warm.run(&["rude.py"]);
        assert_eq!((ended.text().as_str(), rung.as_deref()), ("False False\n", Some("worker")), "{ended:?}");
        eventually("warm again", || {
            warm.held().iter().any(|held| held["runs"] == 0 && held["file"].as_str().unwrap().ends_with("rude.py"))
        });
    }
    let sleeping = || {
        let named =
            |pid: &i32| fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "sleep");
        warm.processes().iter().filter(|pid| named(pid)).count()
    };
    eventually("orphans end", || sleeping() == 0);
    // Another environment, directory or network is another trust.
    let (_, rung) = warm.run(&["--env", "NEW=1", "rude.py"]);
    assert_eq!(rung, None);
    let (_, rung) = warm.run(&["--net", "rude.py"]);
    assert_eq!(rung, None);
    let (_, rung) = warm.run(&["--dir", ".", "rude.py"]);
    assert_eq!(rung, None);
}

#[test]
fn many_run_at_once_from_one_zygote() {
    let Some(warm) = Warm::new("many_run_at_once") else { return };
    warm.home.write(
        "busy.py",
        "import os, sys, time\ntime.sleep(0.2)\nprint(sys.argv[1], os.getpid())\nsys.exit(int(sys.argv[1]))\n",
    );
    warm.warm(&["busy.py"]);
    let start = |number: usize| {
        let arguments = ["run".to_owned(), "busy.py".into(), "--".into(), number.to_string()];
        warm.home.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let children: Vec<_> = (0..6).map(start).collect();
    for (number, child) in children.into_iter().enumerate() {
        let ended: Ended = child.wait_with_output().unwrap().into();
        assert_eq!(ended.code, Some(i32::try_from(number).unwrap()), "{ended:?}");
        assert!(ended.text().starts_with(&format!("{number} ")), "{ended:?}");
    }
    let runs: u64 = warm.held().iter().filter_map(|held| held["runs"].as_u64()).sum();
    assert!(runs >= 6, "{:?}", warm.held());
}

#[test]
fn limits_and_signals_are_the_clients() {
    let Some(warm) = Warm::new("limits_and_signals") else { return };
    let home = &warm.home;
    home.write("sleep.py", "import time\nprint('on', flush=True)\ntime.sleep(600)\n");
    home.write("burn.py", "while True:\n    pass\n");
    home.write("fill.py", "f = open('/tmp/f', 'wb')\nwhile True:\n    f.write(bytes(1 << 20))\n");
    for file in ["sleep.py", "burn.py", "fill.py"] {
        warm.warm(&[file]);
    }
    for (arguments, code) in [
        (["--timeout", "300ms", "sleep.py"], 124),
        (["--max-cpu", "1s", "burn.py"], 152),
        (["--max-file-size", "4MiB", "fill.py"], 1),
    ] {
        let (ended, rung) = warm.run(&arguments);
        assert_eq!((ended.code, rung.as_deref()), (Some(code), Some("worker")), "{arguments:?} {ended:?}");
    }
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let mut child =
            home.command(["run", "sleep.py"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = [0; 3];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut line).unwrap();
        let killed = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        let ended: Ended = child.wait_with_output().unwrap().into();
        assert_eq!(ended.code.or(ended.signal.map(|signal| 128 + signal)), Some(code), "{ended:?}");
        assert_eq!(ended.stderr.contains("KeyboardInterrupt"), signal == "INT");
    }
    // A client that is killed takes its run with it.
    let mut child = home.command(["run", "sleep.py"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = [0; 3];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    eventually("the run ends", || warm.held().iter().all(|held| held["active"] == 0));
}

#[test]
fn the_holder_can_be_listed_dropped_and_killed() {
    let Some(warm) = Warm::new("the_holder") else { return };
    let home = &warm.home;
    home.write("a.py", "print('a')\n");
    home.write("b.py", "print('b')\n");
    warm.warm(&["a.py"]);
    warm.warm(&["b.py"]);
    assert_eq!(warm.held().len(), 3);
    assert!(warm.held().iter().all(|held| held["held_bytes"].as_u64().unwrap() > 1 << 20));
    assert_eq!(home.json(&["warm", "--drop", "a.py"])["dropped"], 1);
    assert_eq!(warm.run(&["a.py"]).1, None);
    assert_eq!(warm.run(&["b.py"]).1.as_deref(), Some("worker"));
    let holder = warm.holder();
    assert!(Command::new("kill").args(["-9", &holder.to_string()]).status().unwrap().success());
    eventually("all are gone", || warm.processes().is_empty());
    let (ended, rung) = warm.run(&["b.py"]);
    assert_eq!((ended.text().as_str(), rung), ("b\n", None));
    assert!(warm.held().is_empty());
    // What the killed one left stands in nobody's way.
    warm.warm(&["b.py"]);
    assert_eq!(warm.run(&["b.py"]).1.as_deref(), Some("worker"));
    assert_eq!(home.json(&["warm", "--drop"])["dropped"], 1);
    eventually("all are gone", || warm.processes().is_empty());
}

#[test]
fn what_is_measured_of_a_cold_run_is_measured() {
    let Some(warm) = Warm::new("what_is_measured") else { return };
    let file = warm.home.write("work.py", "import subprocess\nsum(range(10**6))\nsubprocess.run(['true'])\n");
    let file = file.to_str().unwrap();
    let measured = || {
        warm.run(&[file]);
        let report = document(&fs::read(warm.home.path("report.json")).unwrap());
        let observed = &report["observation"];
        let process = observed["process"].as_object().unwrap();
        let mut known: Vec<_> =
            process.iter().filter(|(_, value)| !value.is_null()).map(|(key, _)| key.clone()).collect();
        let around = ["run_delay_seconds", "throttled_seconds", "steal_seconds"];
        known.extend(around.into_iter().filter(|key| observed[key].is_number()).map(str::to_owned));
        // An instruction counter has to be there before a process is.
        known.retain(|key| key != "instructions");
        (observed["warm_state"].clone(), known)
    };
    let (from, cold) = measured();
    assert_eq!(from, Value::Null);
    warm.warm(&[file]);
    let (from, ready) = measured();
    assert_eq!((from, ready), (Value::from("worker"), cold));
}

#[test]
fn an_idle_holder_ends() {
    let home = Home::new();
    home.write("config/forewarm/config.toml", "holder_idle = \"500ms\"\n");
    fs::DirBuilder::new().mode(0o700).create(home.path("runtime")).unwrap();
    home.write("a.py", "print('a')\n");
    let warm = Warm { home };
    let ended = warm.home.run(["warm", "a.py"]);
    if ended.code != Some(0) {
        return skip("an_idle_holder_ends", "nothing can be kept warm here");
    }
    eventually("it ends", || warm.processes().is_empty());
    assert_eq!(warm.run(&["a.py"]).1, None);
}

#[test]
fn strangers_are_not_joined() {
    let home = Home::new();
    fs::DirBuilder::new().mode(0o700).create(home.path("runtime")).unwrap();
    home.write("a.py", "print('a')\n");
    let place = home.path("runtime/forewarm");
    fs::create_dir(&place).unwrap();
    let check = |home: &Home| {
        let ended = home.run(["warm", "a.py"]);
        assert!(ended.code == Some(125) && ended.stderr.contains("does not belong to this user alone"), "{ended:?}");
        assert_eq!(home.run(["run", "a.py"]).text(), "a\n");
    };
    fs::set_permissions(&place, fs::Permissions::from_mode(0o777)).unwrap();
    check(&home);
    fs::remove_dir(&place).unwrap();
    std::os::unix::fs::symlink(Path::new("/tmp"), &place).unwrap();
    check(&home);
    if common::is_root() {
        fs::remove_file(&place).unwrap();
        fs::DirBuilder::new().mode(0o700).create(&place).unwrap();
        std::os::unix::fs::chown(&place, Some(1), Some(1)).unwrap();
        check(&home);
    }
}

#[test]
fn a_share_of_the_cpu_holds_from_a_worker() {
    let Some(warm) = Warm::new("a_share_of_the_cpu") else { return };
    let checks = warm.home.json(&["doctor"])["checks"].as_array().unwrap().clone();
    if checks.iter().any(|check| check["name"] == "cpu shares" && check["ok"] == false) {
        return skip("a_share_of_the_cpu", "this machine enforces no shares");
    }
    warm.home.write("busy.py", "for _ in range(2_000_000): pass\n");
    warm.warm(&["--script", "busy.py"]);
    let mut plan = warm.home.json(&["plan", "busy.py"]);
    plan["chosen"]["configuration"]["placements"][0]["share"] = 0.05.into();
    warm.home.write("plan.json", plan.to_string());
    let (ended, from) = warm.run(&["--plan", "plan.json", "busy.py"]);
    assert_eq!((ended.code, from.as_deref()), (Some(0), Some("worker")), "{ended:?}");
    let report = document(&fs::read(warm.home.path("report.json")).unwrap());
    assert!(report["observation"]["throttled_seconds"].as_f64().unwrap() > 0.0, "{report:#}");
}
