//! `forewarm run` behaves as the program: streams, status, arguments, environment, directories.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Home, feed, programs};

#[test]
fn the_programs_output_is_all_there_is() {
    let home = Home::new();
    let file = home.write("hello.wat", programs::HELLO);
    let ended = home.run(["run".as_ref(), file.as_os_str()]);
    assert_eq!((ended.code, ended.text().as_str(), ended.stderr.as_str()), (Some(0), "hello\n", ""));
}

#[test]
fn every_tier_gives_the_same_output() {
    let home = Home::new();
    home.write("hello.wat", programs::HELLO);
    for tier in ["winch", "cranelift", "pulley"] {
        let ended = home.run(["run", "--tier", tier, "hello.wat"]);
        assert_eq!((ended.code, ended.text().as_str()), (Some(0), "hello\n"), "{tier}: {}", ended.stderr);
        assert!(home.history()[0]["configuration_class"].as_str().unwrap().starts_with(tier));
    }
}

/// Code beyond what a first sight looks into, with an operator that the fast compiler does not know.
#[test]
fn what_a_tier_turns_out_unable_to_compile_runs_on_another() {
    let home = Home::new();
    let filler = format!("(func {})", "(drop (i32.const 1))".repeat(30_000));
    let text = format!("(module (func (export \"_start\")) {filler}{filler} (func $far return_call $far))");
    home.write("far.wasm", wat::parse_str(text).unwrap());
    for round in 0..2 {
        let ended = home.run(["run", "far.wasm"]);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "round {round}");
        assert_eq!(home.history()[0]["configuration_class"], "cranelift/native");
    }
    let plan = home.json(&["plan", "far.wasm"]);
    assert!(plan["rejected"]["tier_unsupported"].as_u64().unwrap() > 0, "what was found out is remembered: {plan}");
    assert_eq!(home.run(["run", "--tier", "winch", "far.wasm"]).code, Some(125));
}

#[test]
fn binary_modules_run_like_text() {
    let home = Home::new();
    home.write("hello.wasm", wat::parse_str(programs::HELLO).unwrap());
    assert_eq!(home.run(["run", "hello.wasm"]).text(), "hello\n");
}

#[test]
fn components_run_like_modules() {
    let home = Home::new();
    home.write("hello.wasm", programs::component(programs::HELLO));
    home.write("args.wasm", programs::component(programs::ARGUMENTS));
    home.write("exit.wasm", programs::component(&programs::exits(1)));
    let ended = home.run(["run", "hello.wasm"]);
    assert_eq!((ended.code, ended.text().as_str(), ended.stderr.as_str()), (Some(0), "hello\n", ""));
    let ended = home.run(["run", "args.wasm", "--", "one", "two words"]);
    assert_eq!(ended.text(), "args.wasm\0one\0two words\0");
    assert_eq!(home.run(["run", "exit.wasm"]).code, Some(1));
}

#[test]
fn the_exit_status_passes_through() {
    let home = Home::new();
    for status in [0, 1, 2, 42, 124, 125] {
        let file = home.write(&format!("exit{status}.wat"), programs::exits(status));
        let ended = home.run(["run".as_ref(), file.as_os_str()]);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(i32::from(status)), ""));
        assert_eq!(home.history()[0]["exit"]["cause"], "exited");
    }
    // WASI preview 1 in wasmtime leaves the statuses from 126 to the host, and traps.
    home.write("exit126.wat", programs::exits(126));
    let ended = home.run(["run", "exit126.wat"]);
    assert_eq!(ended.code, Some(134));
    assert!(ended.stderr.contains("invalid exit status"), "{}", ended.stderr);
}

#[test]
fn standard_input_and_error_pass_through() {
    let home = Home::new();
    home.write("cat.wat", programs::CAT);
    let input: Vec<u8> = (0..300_000u32).flat_map(|n| n.to_le_bytes()).collect();
    let ended = feed(home.command(["run", "cat.wat"]), &input);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), "done\n"));
    assert!(ended.stdout == input, "{} bytes came of {}", ended.stdout.len(), input.len());
    // A file as standard input is read by the program alone, from its start.
    let file = home.write("input.txt", "from a file\n");
    let mut command = home.command(["run", "cat.wat"]);
    let output = command.stdin(std::fs::File::open(file).unwrap()).output().unwrap();
    assert_eq!(output.stdout, b"from a file\n");
}

#[test]
fn arguments_reach_the_program_as_given() {
    let home = Home::new();
    home.write("args.wat", programs::ARGUMENTS);
    let ended = home.run(["run", "args.wat", "--", "--verbose", "two words", "", "ünïcode", "--"]);
    assert_eq!(ended.text(), "args.wat\0--verbose\0two words\0\0ünïcode\0--\0");
}

#[test]
fn the_environment_is_only_what_is_given() {
    let home = Home::new();
    home.write("env.wat", programs::ENVIRONMENT);
    assert_eq!(home.run(["run", "env.wat"]).text(), "");
    let mut command = home.command(["run", "--env", "A=1", "--env", "B", "--env", "GONE", "--env", "C=x=y", "env.wat"]);
    let ended = command.env("B", "inherited").env_remove("GONE").output().unwrap();
    assert_eq!(String::from_utf8(ended.stdout).unwrap(), "A=1\0B=inherited\0C=x=y\0");
}

#[test]
fn directories_are_only_those_given() {
    let home = Home::new();
    home.write("read.wat", programs::READ_FILE);
    home.write("folder/in.txt", "what the file says");
    assert_eq!(home.run(["run", "--dir", "folder", "read.wat"]).text(), "what the file says");
    assert_eq!(home.run(["run", "--dir", "folder::/", "read.wat"]).text(), "what the file says");
    let denied = home.run(["run", "read.wat"]);
    assert_eq!((denied.code, denied.text().as_str()), (Some(8), ""), "EBADF: no directory was given");
    let missing = home.run(["run", "--dir", "nowhere", "read.wat"]);
    assert_eq!(missing.code, Some(2), "{}", missing.stderr);
    assert!(missing.stderr.contains("nowhere"), "{}", missing.stderr);
}

#[test]
fn exports_can_be_called() {
    let home = Home::new();
    home.write("library.wat", programs::LIBRARY);
    let ended = home.run(["run", "--invoke", "add", "library.wat", "--", "2", "40"]);
    assert_eq!((ended.code, ended.text().as_str()), (Some(0), "42\n"), "{}", ended.stderr);
    let unknown = home.run(["run", "--invoke", "sub", "library.wat", "--", "2", "40"]);
    assert_eq!(unknown.code, Some(126));
    assert!(unknown.stderr.contains("add"), "the exports there are should be named: {}", unknown.stderr);
    for wrong in [&["2"][..], &["2", "forty"], &["2", "40", "1"]] {
        let ended = home.run([&["run", "--invoke", "add", "library.wat", "--"], wrong].concat());
        assert_eq!(ended.code, Some(2), "{wrong:?}: {}", ended.stderr);
    }
}

#[test]
fn own_words_only_when_asked() {
    let home = Home::new();
    home.write("hello.wat", programs::HELLO);
    let ended = home.run(["run", "--verbose", "hello.wat"]);
    assert_eq!(ended.text(), "hello\n");
    for word in ["ran on", "because", "predicted", "exit"] {
        assert!(ended.stderr.contains(word), "{word} is missing: {}", ended.stderr);
    }
}

#[test]
fn the_report_accounts_for_all_of_the_time() {
    let home = Home::new();
    home.write("counts.wat", programs::counts(1_000_000));
    let ended = home.run(["run", "--report", "report.json", "counts.wat"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let report = common::document(&std::fs::read(home.path("report.json")).unwrap());
    common::assert_keys(
        &report,
        &[
            "/plan/chosen/configuration",
            "/observation/cpu_seconds",
            "/observation/run_cpu_seconds",
            "/observation/peak_memory_bytes",
            "/observation/exit/cause",
            "/observation/exit/code",
            "/observation/exit/signal",
            "/observation/measured_by",
            "/prediction/run_ratio",
            "/prediction/memory_ratio",
            "/prediction/inside_interval",
        ],
    );
    let seconds = |part: &str| report["observation"][format!("{part}_seconds")].as_f64().unwrap();
    let sum: f64 = ["plan", "emulation", "wait", "transition", "run"].map(seconds).iter().sum();
    assert!((sum - seconds("wall")).abs() < 1e-6, "{sum} against {}", seconds("wall"));
    assert!(seconds("run") > 0.0 && seconds("transition") > 0.0 && seconds("plan") > 0.0);
}

#[test]
fn a_report_that_cannot_be_written_costs_no_run() {
    let home = Home::new();
    home.write("hello.wat", programs::HELLO);
    let ended = home.run(["run", "--report", "no/such/folder.json", "hello.wat"]);
    assert_eq!((ended.code, ended.text().as_str()), (Some(2), ""));
    assert!(ended.stderr.contains("no/such/folder.json"), "{}", ended.stderr);
}

#[test]
fn a_stored_plan_is_executed_as_it_stands() {
    let home = Home::new();
    home.write("hello.wat", programs::HELLO);
    home.write("other.wat", programs::CAT);
    for tier in ["winch", "cranelift"] {
        let plan = home.run(["plan", "--format", "json", "--tier", tier, "hello.wat"]);
        let mut stored = common::document(&plan.stdout);
        // Trials when it was made, which take no time of the run.
        stored["emulation_seconds"] = 60.0.into();
        home.write("plan.json", stored.to_string());
        let ended = home.run(["run", "--plan", "plan.json", "--report", "report.json", "hello.wat"]);
        assert_eq!((ended.code, ended.text().as_str()), (Some(0), "hello\n"), "{}", ended.stderr);
        let report = common::document(&std::fs::read(home.path("report.json")).unwrap());
        let seconds = |stage: &str| report["observation"][stage].as_f64().unwrap();
        assert!(seconds("emulation_seconds") == 0.0 && seconds("plan_seconds") > 0.0, "{report}");
        assert_eq!(report["plan"]["chosen"]["configuration"], stored["chosen"]["configuration"]);
        assert_eq!(stored.pointer("/chosen/configuration/placements/0/settings/tier").unwrap(), tier);
    }
    let foreign = home.run(["run", "--plan", "plan.json", "other.wat"]);
    assert_eq!((foreign.code, foreign.text().as_str()), (Some(2), ""), "{}", foreign.stderr);
    home.write("plan.json", "{\"schema\": 1}");
    let broken = home.run(["run", "--plan", "plan.json", "hello.wat"]);
    assert_eq!(broken.code, Some(2));
    assert!(broken.stderr.contains("plan.json"), "{}", broken.stderr);
}
