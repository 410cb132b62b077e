//! Native and Python programs through `forewarm run`: as run directly, confined, measured, remembered.
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
fn what_is_denied_is_hinted_at_once() {
    let home = Home::new();
    let check = |flags: &[&str], script: &str, hint: &str| {
        let ended = home.run([&["run"], flags, &["/bin/sh", "--", "-c", script]].concat());
        assert_ne!(ended.code, Some(0), "{ended:?}");
        assert_eq!(ended.stderr.matches("hint: ").count(), 1, "{ended:?}");
        assert!(ended.stderr.contains(hint), "{ended:?}");
    };
    check(&["--max-memory", "64MiB"], "exec head -c 40000000 /dev/zero > /tmp/f", "--dir DIR");
    let forks = "i=0; while [ $i -lt 400 ]; do sleep 3 & i=$((i+1)); done; exit 3";
    check(&["--max-processes", "30"], forks, "--max-processes");
    // Said only where somebody asks or watches: the system does not tell which failure was a denial.
    check(&["--verbose"], "echo x > /etc/made", "--dir DIR");
    let quiet = home.run(["run", "/bin/sh", "--", "-c", "echo x > /etc/made"]);
    assert!(quiet.stderr.contains("Read-only file system") && !quiet.stderr.contains("hint"), "{quiet:?}");
}

#[test]
fn limits_are_loosened_by_their_flags() {
    let home = Home::new();
    let shown = |flags: &[&str], script: &str| {
        home.run([&["run"], flags, &["/bin/sh", "--", "-c", script]].concat()).text().trim().to_owned()
    };
    assert_eq!(shown(&["--max-open-files", "64"], "ulimit -n"), "64");
    assert_eq!(shown(&["--max-cpu", "7s"], "ulimit -t"), "7");
    let blocks = shown(&["--max-file-size", "1MiB"], "ulimit -f").parse::<u64>().unwrap();
    assert!([1024, 2048].contains(&blocks), "in blocks of 1024 or 512 bytes: {blocks}");
    let made = home.path("made");
    std::fs::create_dir(&made).unwrap();
    assert_eq!(shown(&["--dir", made.to_str().unwrap()], &format!("echo x > {0}/f && cat {0}/f", made.display())), "x");
}

#[test]
fn much_input_passes_through() {
    let home = Home::new();
    let input: Vec<u8> = (0..32_u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let ended = feed(home.command(["run", "/bin/cat"]), &input);
    assert!(ended.code == Some(0) && ended.stdout == input, "{:?}", ended.code);
}

#[test]
fn what_is_measured_is_in_the_report() {
    let home = Home::new();
    let report = home.path("report.json");
    let observe = |flags: &[&str], script: &str| {
        let words = [&["run", "--report", report.to_str().unwrap()], flags, &["/bin/sh", "--", "-c", script]].concat();
        home.run(words);
        document(&std::fs::read(&report).unwrap())["observation"].clone()
    };
    let seen =
        observe(&["--dir", "."], "head -c 5000000 /dev/zero > file; i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done");
    let used = &seen["process"];
    let number = |key: &str| used[key].as_f64().unwrap();
    // The kernel counts both together exactly, and guesses by the ticks of its clock which is which.
    assert!(number("user_seconds") + number("system_seconds") > 0.0, "{seen:#}");
    assert!(number("minor_faults") > 0.0 && number("voluntary_switches") > 0.0, "{seen:#}");
    for key in ["major_faults", "involuntary_switches", "read_bytes", "written_bytes", "oom_kills", "instructions"] {
        assert!(used.get(key).is_some(), "{key}: {seen:#}");
    }
    assert!(seen.get("throttled_seconds").is_some() && seen["steal_seconds"].is_number(), "{seen:#}");
    assert!(seen["run_delay_seconds"].is_number() && seen["peak_memory_bytes"].is_number(), "{seen:#}");
    assert_eq!((&seen["censored"], &seen["exit"]["cause"]), (&false.into(), &"exited".into()), "{seen:#}");
    let seen = observe(&["--timeout", "200ms"], "sleep 100");
    assert_eq!((&seen["censored"], &seen["exit"]["cause"]), (&true.into(), &"timeout".into()), "{seen:#}");
    let greedy = "x=$(head -c 300000000 /dev/zero | tr '\\0' x); sleep 2";
    let seen = observe(&["--max-memory", "64MiB"], greedy);
    assert_eq!((&seen["censored"], &seen["exit"]["cause"]), (&true.into(), &"memory".into()), "{seen:#}");
    if seen["measured_by"].as_str().unwrap().starts_with("cgroup") {
        assert!(used["oom_kills"].is_number() && seen["process"]["oom_kills"].as_u64().unwrap() > 0, "{seen:#}");
    }
}

#[test]
fn a_share_of_the_cpu_holds_for_a_process() {
    let home = Home::new();
    if home.json(&["doctor"])["checks"]
        .as_array()
        .unwrap()
        .iter()
        .any(|check| check["name"] == "cpu shares" && check["ok"] == false)
    {
        return skip("a_share_of_the_cpu", "this machine enforces no shares");
    }
    let mut plan = home.json(&["plan", "/bin/sh"]);
    // The least there is: on a machine that others keep busy, a program may not come to a larger one anyhow.
    plan["chosen"]["configuration"]["placements"][0]["share"] = 0.05.into();
    let plan = home.write("plan.json", plan.to_string());
    let report = home.path("report.json");
    let script = "i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done";
    let words =
        ["run", "--plan", plan.to_str().unwrap(), "--report", report.to_str().unwrap(), "/bin/sh", "--", "-c", script];
    assert_eq!(home.run(words).code, Some(0));
    let seen = document(&std::fs::read(&report).unwrap())["observation"].clone();
    assert!(seen["throttled_seconds"].as_f64().unwrap() > 0.0, "{seen:#}");
}

#[test]
fn what_a_plan_sets_aside_is_given_up_where_more_is_needed() {
    let home = Home::new();
    let Some(python) = python(&home) else { return skip("what_a_plan_sets_aside", "there is no Python") };
    // Long enough before to be held, and after to be looked at.
    let script = "import time\ntime.sleep(0.5)\nmore = b'x' * (200 << 20)\ntime.sleep(1.2)\nprint(len(more))\n";
    let file = home.write("large.py", script);
    let words = ["--python", python.to_str().unwrap(), file.to_str().unwrap()];
    let plan = home.json(&[&["plan"], &words[..]].concat());
    assert_eq!(plan["chosen"]["cost"]["retry"], serde_json::Value::Null, "what is not known is held to nothing");
    let report = home.path("report.json");
    let run = |flags: &[&str]| {
        let ended = home.run([&["run", "--report", report.to_str().unwrap()], flags, &words[..]].concat());
        assert_eq!((ended.code, ended.text().as_str()), (Some(0), "209715200\n"), "{ended:?}");
        document(&std::fs::read(&report).unwrap())
    };
    for (megabytes, outgrown) in [(64_u64, true), (1024, false)] {
        let mut plan = plan.clone();
        plan["chosen"]["configuration"]["placements"][0]["memory_bytes"] = (megabytes << 20).into();
        let plan = home.write("plan.json", plan.to_string());
        let seen = run(&["--plan", plan.to_str().unwrap()])["observation"]["process"].clone();
        let after = seen["outgrew_seconds"].as_f64();
        assert_eq!(after.is_some(), outgrown, "{seen:#}");
        assert!(after.is_none_or(|after| after > 0.4), "{seen:#}");
    }
    // Once its memory is known, as much is set aside as that foretells.
    let report = run(&[]);
    let chosen = &report["plan"]["chosen"];
    let aside = chosen["configuration"]["placements"][0]["memory_bytes"].as_u64().unwrap();
    assert!(aside > 200 << 20 && aside < chosen["cost"]["retry"]["memory_bytes"].as_u64().unwrap(), "{chosen:#}");
    let why = home.run([&["plan", "--explain"], &words[..]].concat()).text();
    assert!(why.contains("sets aside") && why.contains("as it runs"), "{why}");
}

#[test]
fn pinned_cores_cannot_be_left_where_a_group_holds_them() {
    let home = Home::new();
    if installed("taskset").is_none() {
        return skip("pinned_cores", "there is no taskset");
    }
    let checks = home.json(&["doctor"])["checks"].as_array().unwrap().clone();
    let holds = checks.iter().any(|check| check["name"] == "pinned cores" && check["ok"] == true);
    let report = home.path("report.json");
    let words = ["run", "--pin-cores", "--threads", "1", "--report", report.to_str().unwrap(), "/bin/sh", "--", "-c"];
    let all = std::fs::read_to_string("/proc/self/status").unwrap();
    let all = all.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap().trim();
    let script = format!("taskset -p -c {all} $$ > /dev/null; grep Cpus_allowed_list /proc/self/status");
    let ended = home.run([&words[..], &[&script]].concat());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let by = document(&std::fs::read(&report).unwrap())["observation"]["process"]["pinned_by"].clone();
    assert_eq!(by, if holds { "cpuset" } else { "affinity" });
    let text = ended.text();
    let left = text.trim().rsplit_once('\t').unwrap().1;
    assert!(!holds || left.parse::<u32>().is_ok(), "one core: {ended:?}");
}

#[test]
fn the_settings_of_a_plan_reach_the_program() {
    let home = Home::new();
    let mut plan = home.json(&["plan", "/bin/sh"]);
    let place = &mut plan["chosen"]["configuration"]["placements"][0];
    place["units"] = 1.into();
    place["settings"] = serde_json::json!({
        "library_threads": 3, "pinned": true, "isa_ceiling": "x86-64-v3", "large_pages": true
    });
    let plan = home.write("plan.json", plan.to_string());
    let shown =
        |flags: &[&str], arguments: &[&str]| home.run([&["run"], flags, &["/bin/sh", "--"], arguments].concat());
    let script = "grep Cpus_allowed_list /proc/self/status; echo $OMP_NUM_THREADS $GOMAXPROCS $OPENBLAS_CORETYPE; \
                  echo $GLIBC_TUNABLES; echo $NPY_DISABLE_CPU_FEATURES";
    let flags = ["--isa-ceiling", "x86-64-v3", "--large-pages", "--pin-cores", "--threads", "1"];
    for (flags, threads) in [(&["--plan", plan.to_str().unwrap()][..], 3), (&flags, 1)] {
        let ended = shown(flags, &["-c", script]);
        let text = ended.text();
        let lines: Vec<&str> = text.lines().collect();
        let cores = lines[0].rsplit_once('\t').unwrap().1;
        assert!(cores.parse::<u32>().is_ok(), "one core: {ended:?}");
        assert_eq!(lines[1], format!("{threads} {threads} Haswell"));
        assert!(lines[2].contains("-AVX512F") && lines[2].ends_with("glibc.malloc.hugetlb=1"), "{ended:?}");
        assert!(lines[3].contains("AVX512F") && !lines[3].contains("AVX2"), "{ended:?}");
    }
    // What the user set stays.
    let words = ["run", "--env", "OMP_NUM_THREADS=7", "--plan", plan.to_str().unwrap(), "/bin/sh", "--", "-c"];
    assert_eq!(home.run([&words[..], &["echo $OMP_NUM_THREADS"]].concat()).text(), "7\n");
}

#[test]
fn large_pages_are_asked_for_where_a_plan_says_so() {
    let home = Home::new();
    let states = std::fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled").unwrap_or_default();
    if !states.contains("[madvise]") {
        return skip("large_pages", "this system gives large pages to all or to none");
    }
    let Some(python) = python(&home) else { return skip("large_pages", "there is no Python") };
    // Whether any memory of the program is advised to have large pages: proc_pid_smaps(5), `VmFlags`.
    let script = "x = bytearray(b'x') * (64 << 20)\nflags = [l for l in open('/proc/self/smaps') if l.startswith('VmFlags')]\n\
                  print(any(' hg' in line for line in flags))\n";
    let file = home.write("large.py", script);
    let (python, file) = (python.to_str().unwrap(), file.to_str().unwrap());
    assert_eq!(home.run(["run", "--python", python, file]).text(), "False\n");
    let mut plan = home.json(&["plan", "--python", python, file]);
    plan["chosen"]["configuration"]["placements"][0]["settings"]["large_pages"] = true.into();
    let plan = home.write("plan.json", plan.to_string());
    let ended = home.run(["run", "--plan", plan.to_str().unwrap(), "--python", python, file]);
    if ended.text() == "False\n" {
        return skip("large_pages", "the C library cannot be told (glibc 2.35 can)");
    }
    assert_eq!(ended.text(), "True\n", "{ended:?}");
}

#[test]
fn large_pages_are_planned_where_this_machine_gains_by_them() {
    let home = Home::new();
    let Some(python) = python(&home) else { return skip("large_pages_are_planned", "there is no Python") };
    let file = home.write("large.py", "x = bytearray(b'x') * (64 << 20)\n");
    let words = ["--python", python.to_str().unwrap(), file.to_str().unwrap()];
    let planned = |large: f64| {
        let figure =
            |value: f64| serde_json::json!({"value": value, "deviation": 0.0, "samples": 7, "source": "a test"});
        let mut model = home.json(&["resources"]);
        model["transitions"]["page_touch"] = serde_json::json!({"small": figure(0.5e-9), "large": figure(large)});
        let model = home.write("model.json", model.to_string());
        assert_eq!(home.run(["resources", "import", model.to_str().unwrap()]).code, Some(0));
        let plan = home.json(&[&["plan"], &words[..]].concat());
        plan["chosen"]["configuration"]["placements"][0]["settings"]["large_pages"].clone()
    };
    assert_eq!(planned(0.1e-9), false, "nothing is known of its memory");
    assert_eq!(home.run([&["run"], &words[..]].concat()).code, Some(0));
    assert_eq!(planned(0.1e-9), true);
    assert_eq!(planned(2.2e-9), false);
}

#[test]
fn files_that_are_gone_from_memory_are_read_ahead() {
    let home = Home::new();
    let Some(bash) = installed("bash") else { return skip("files_that_are_gone", "there is no bash") };
    let program = home.path("program");
    std::fs::copy(bash, &program).unwrap();
    let let_go = || {
        // Written first, so that nothing has to stay for that; of whole files dd(1) advises the system to keep nothing.
        let of = format!("of={}", program.display());
        let words = ["if=/dev/null", &of, "oflag=nocache", "conv=notrunc,fdatasync", "count=0", "status=none"];
        assert!(home.any("dd", words).status().unwrap().success());
    };
    let program_text = program.to_str().unwrap();
    let warm = || home.json(&["warm", "--rung", "page-cache", program_text])["warmed"][0]["pages"].clone();
    let planned = || home.json(&["plan", program_text]);
    let settings = |plan: &serde_json::Value| plan["chosen"]["configuration"]["placements"][0]["settings"].clone();
    let noted = warm();
    assert_eq!(noted["noted"], true, "{noted:#}");
    assert!(noted["files"].as_u64().unwrap() >= 2 && noted["bytes"].as_u64().unwrap() > 500_000, "{noted:#}");
    assert_eq!(settings(&planned())["read_ahead"], false, "all of it is in memory");
    let_go();
    let plan = planned();
    if settings(&plan)["read_ahead"] == false {
        return skip("files_that_are_gone", "this file system keeps all files in memory");
    }
    let steps = plan["warm_up"].as_array().unwrap();
    assert!(steps.iter().any(|step| step["step"] == "read-ahead" && step["bytes"].as_u64() > Some(0)), "{plan:#}");
    let_go();
    let report = home.path("report.json");
    let words = ["run", "--report", report.to_str().unwrap(), program_text, "--", "-c", "sleep 1; echo $0"];
    assert_eq!(home.run(words).code, Some(0));
    let report = document(&std::fs::read(&report).unwrap());
    assert_eq!(settings(&report["plan"])["read_ahead"], true, "{report:#}");
    let steps = report["observation"]["steps"].as_array().unwrap();
    assert!(steps.iter().any(|step| step["step"] == "read-ahead" && step["bytes"].as_u64() > Some(0)), "{report:#}");
    let_go();
    let warmed = warm();
    assert_eq!(warmed["noted"], false, "{warmed:#}");
    assert!(warmed["read_bytes"].as_u64().unwrap() > 0 && warmed["seconds"].as_f64().unwrap() > 0.0, "{warmed:#}");
    assert_eq!(settings(&planned())["read_ahead"], false);
}

#[test]
fn the_files_of_python_are_those_its_imports_read() {
    let home = Home::new();
    let Some(python) = python(&home) else { return skip("the_files_of_python", "there is no Python") };
    let file = home.write("script.py", "import argparse, json\nopen('/etc/hostname', 'w')\n");
    let words = ["warm", "--rung", "page-cache", "--python", python.to_str().unwrap(), file.to_str().unwrap()];
    let warmed = home.json(&words);
    let warmed = &warmed["warmed"][0]["pages"];
    assert!(warmed["noted"] == true && warmed["files"].as_u64().unwrap() > 10, "{warmed:#}");
    let module = home.write("module.wat", "(module (func (export \"_start\")))");
    let ended = home.run(["warm", "--rung", "page-cache", module.to_str().unwrap()]);
    assert!(ended.code == Some(2) && ended.stderr.contains("native and Python"), "{ended:?}");
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
