//! Every command's JSON document, and its text.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::process::Stdio;

use common::{Home, assert_keys, document, programs};

#[test]
fn analyze() {
    let home = Home::new();
    home.write("counts.wat", programs::counts(1000));
    let analysis = home.json(&["analyze", "counts.wat"]);
    assert_keys(
        &analysis,
        &[
            "/code/digest",
            "/code/kind",
            "/code/size_bytes",
            "/code/entry",
            "/profile/ops/total",
            "/profile/memory/initial_bytes",
            "/profile/memory/peak_bytes",
            "/profile/memory/traffic_bytes",
            "/profile/parallelism/kind",
            "/profile/parallelism/max_useful_threads",
            "/profile/io",
            "/profile/libraries",
            "/profile/isa/required",
            "/profile/isa/may_use",
            "/profile/contention",
            "/regions/0/function",
            "/regions/0/trip_count",
            "/regions/0/dependence",
            "/regions/0/flags",
            "/warnings",
            "/seconds",
        ],
    );
    assert_eq!(analysis["code"]["kind"], "wasm-module");
    assert!(analysis["code"]["digest"].as_str().unwrap().starts_with("sha256:"));
    let page = home.run(["analyze", "counts.wat"]).text();
    for heading in ["What it needs", "Where it will spend its time", "What is uncertain"] {
        assert!(page.contains(heading), "{page}");
    }
}

#[test]
fn plan() {
    let home = Home::new();
    home.write("counts.wat", programs::counts(1000));
    let plan = home.json(&["plan", "counts.wat"]);
    let placement = "/chosen/configuration/placements/0";
    for key in [
        "region",
        "node",
        "processor",
        "units",
        "share",
        "memory_bytes",
        "settings/tier",
        "settings/isa",
        "settings/threads",
    ] {
        assert_keys(&plan, &[&format!("{placement}/{key}")]);
    }
    assert_keys(
        &plan,
        &[
            "/chosen/configuration/warm_state",
            "/chosen/why",
            "/candidates/0/feasible",
            "/candidates/0/why_not",
            "/candidates/0/cost/wait_seconds",
            "/candidates/0/cost/transition_seconds",
            "/candidates/0/cost/run_seconds",
            "/candidates/0/cost/energy_joules",
            "/candidates/0/cost/memory_bytes",
            "/candidates/0/cost/contention_factor",
            "/warm_up",
            "/schedule",
            "/considered",
            "/rejected",
            "/plan_seconds",
            "/emulation_seconds",
        ],
    );
    let candidates = plan["candidates"].as_array().unwrap();
    assert!(candidates.len() <= 20);
    for candidate in candidates {
        let cost = &candidate["cost"];
        let total = cost["total_dollars"].as_f64().unwrap();
        let sum: f64 = cost["terms_dollars"].as_object().unwrap().values().map(|term| term.as_f64().unwrap()).sum();
        assert!((sum - total).abs() <= 1e-9 * total.abs().max(1e-9), "{sum} against {total}");
    }
    let all = home.json(&["plan", "--all", "counts.wat"]);
    assert!(all["candidates"].as_array().unwrap().len() >= candidates.len());
}

#[test]
fn the_explanation_of_a_plan() {
    let home = Home::new();
    home.write("counts.wat", programs::counts(1000));
    let short = home.run(["plan", "counts.wat"]).text();
    assert!(short.contains("because") && !short.contains("Candidates"), "{short}");
    let page = home.run(["plan", "--explain", "counts.wat"]).text();
    for heading in ["Decision", "because", "Candidates, cheapest first", "chosen", "Terms of their cost", "total"] {
        assert!(page.contains(heading), "{heading} is missing: {page}");
    }
    assert!(!page.contains("Run time on"), "{page}");
    for emulate in ["1", "never"] {
        let page = home.run(["plan", "--explain=model", "--emulate", emulate, "counts.wat"]).text();
        for heading in ["Candidates, cheapest first", "Run time on winch", "Run time on cranelift", "int_alu"] {
            assert!(page.contains(heading), "{heading} is missing: {page}");
        }
    }
}

#[test]
fn objectives_and_weights_reach_the_plan() {
    let home = Home::new();
    home.write("counts.wat", programs::counts(1000));
    for objective in ["latency", "balanced", "cost", "energy", "cost-time"] {
        assert_eq!(home.json(&["plan", "--objective", objective, "counts.wat"])["objective"], objective);
    }
    // The least product of money and time: its plan pays for its seconds what they are worth.
    let product = home.json(&["plan", "--objective", "cost-time", "--emulate", "never", "counts.wat"]);
    let terms = product["chosen"]["cost"]["terms_dollars"].as_object().unwrap();
    let sum = |names: &[&str]| names.iter().filter_map(|name| terms[*name].as_f64()).sum::<f64>();
    let (time, money) = (sum(&["plan", "transition", "run"]), sum(&["cores", "memory"]));
    assert!(time > 0.0 && (0.5..2.0).contains(&(money / time)), "{terms:?}");
    let weighed = home.json(&["plan", "--weights", "seconds=0.5,joules=0.25,price=2", "counts.wat"]);
    assert_eq!(weighed["weights"]["dollars_per_second"], 0.5);
    assert_eq!(weighed["weights"]["dollars_per_joule"], 0.25);
    assert_eq!(weighed["weights"]["price_factor"], 2.0);
    home.write("config/forewarm/config.toml", "objective = \"cost\"\n");
    assert_eq!(home.json(&["plan", "counts.wat"])["objective"], "cost");
}

#[test]
fn emulate() {
    let home = Home::new();
    home.write("counts.wat", programs::counts(1000));
    let emulation = home.json(&["emulate", "counts.wat"]);
    assert_keys(&emulation, &["/analysis/code/digest", "/trial/ops", "/trial/complete", "/plan/chosen"]);
    assert_eq!(emulation["trial"]["complete"], true);
    // A thousand rounds of a handful of operators each.
    let ops = emulation["trial"]["ops"].as_u64().unwrap();
    assert!((5_000..50_000).contains(&ops), "{ops}");
    let page = home.run(["emulate", "counts.wat"]).text();
    assert!(page.contains("counted") && page.contains("Functions by operators"), "{page}");
    assert_eq!(emulation["trial"]["counts"]["complete"], true);
    assert!(emulation["models"][0]["terms"][0]["seconds"].as_f64().unwrap() > 0.0);
    // What is a process runs on no tier.
    assert_eq!(home.json(&["emulate", "/bin/true"]).get("models"), None);
    assert!(!home.run(["plan", "--explain=model", "/bin/true"]).text().contains("Run time on"));
    assert!(home.history().is_empty(), "a trial is no run");
}

#[test]
fn resources() {
    let home = Home::new();
    let shown = home.json(&["resources"]);
    let keys =
        ["/inventory/processors/0/cores", "/op_costs/tiers/winch", "/transitions/tiers/cranelift", "/power", "/price"];
    assert_keys(&shown, &keys);
    assert_eq!(home.json(&["resources", "show"]), shown);
    let page = home.run(["resources"]).text();
    assert!(page.contains("cpu0") && page.contains("Sources"), "{page}");
    assert_eq!(home.run(["resources", "export", "model.json"]).code, Some(0));
    let exported = document(&std::fs::read(home.path("model.json")).unwrap());
    assert_eq!(exported["op_costs"], shown["op_costs"]);
    assert_eq!(document(&home.run(["resources", "export"]).stdout)["op_costs"], shown["op_costs"]);
    let mut changed = exported;
    changed["price"]["dollars_per_core_second"]["value"] = 123.0.into();
    home.write("model.json", changed.to_string());
    assert_eq!(home.run(["resources", "import", "model.json"]).code, Some(0));
    assert_eq!(home.json(&["resources"])["price"]["dollars_per_core_second"]["value"], 123.0);
    home.write("model.json", "{}");
    let refused = home.run(["resources", "import", "model.json"]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("model.json"), "{}", refused.stderr);
}

#[test]
fn doctor() {
    let home = Home::new();
    let checks = home.json(&["doctor"]);
    assert!(checks["checks"].as_array().unwrap().len() >= 3);
    assert_keys(&checks, &["/checks/0/name", "/checks/0/ok", "/checks/0/found", "/checks/0/hint"]);
    assert!(
        home.run(["doctor"])
            .text()
            .lines()
            .all(|line| ["ok  ", "MISS", "    "].iter().any(|mark| line.starts_with(mark)))
    );
}

#[test]
fn configuration() {
    let home = Home::new();
    let path = home.run(["config", "path"]).text();
    assert_eq!(path.trim_end(), home.path("config/forewarm/config.toml").display().to_string());
    home.write("config/forewarm/config.toml", home.run(["config", "default"]).stdout);
    home.write("hello.wat", programs::HELLO);
    assert_eq!(home.run(["run", "hello.wat"]).text(), "hello\n");
    assert!(home.json(&["config", "default"])["configuration"].as_str().unwrap().contains("cache_limit"));
}

#[test]
fn completions_and_manual() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = home.run(["completions", shell]).text();
        assert!(script.contains("max-memory") && script.contains("completions"), "{shell}");
    }
    assert!(home.run(["man"]).text().contains(".TH forewarm 1"));
    assert_eq!(home.run(["man", "--out", "pages"]).code, Some(0));
    let page = std::fs::read_to_string(home.path("pages/forewarm-run.1")).unwrap();
    assert!(page.contains("max\\-memory"), "{page:.400}");
}

#[test]
fn help_and_version_go_to_standard_output() {
    let home = Home::new();
    for line in [&["--help"][..], &["--version"], &["run", "--help"], &["help", "plan"], &["history", "--help"]] {
        let ended = home.run(line);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{line:?}");
        assert!(ended.text().contains("forewarm"), "{line:?}");
    }
    let bare = home.run::<&str>([]);
    assert_eq!((bare.code, bare.text().as_str()), (Some(2), ""));
    assert!(bare.stderr.contains("Usage"), "{}", bare.stderr);
}

#[test]
fn a_reader_gone_away_is_no_error() {
    let home = Home::new();
    for line in [&["completions", "bash"][..], &["--help"], &["config", "default"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let child = home.command(line).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{line:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{line:?}");
    }
}

#[test]
fn a_result_that_cannot_be_written_is_an_error() {
    let home = Home::new();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = home.command(["config", "default"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(125));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write the result"));
}

/// What a component executes is what the command in it does, whose adapter is no part of it.
#[test]
fn a_component_is_counted_by_the_command_in_it() {
    let home = Home::new();
    let source = programs::counts(100_000);
    home.write("module.wasm", wat::parse_str(&source).unwrap());
    home.write("component.wasm", programs::component(&source));
    home.write("arguments.wasm", programs::component(programs::ARGUMENTS));
    let counts = |file: &str| home.json(&["emulate", file])["trial"]["counts"].clone();
    let (module, component) = (counts("module.wasm"), counts("component.wasm"));
    assert!(module["classes"]["store"].as_u64() == Some(100_000), "{module:#}");
    for part in ["classes", "functions_entered", "load_bytes", "store_bytes", "complete"] {
        assert_eq!(module[part], component[part], "{part}");
    }
    let told = counts("arguments.wasm");
    let called = told["host_calls"].as_object().unwrap();
    assert_eq!(called["wasi_snapshot_preview1.args_get"], 1, "{told:#}");
}
