//! The resource model at work: what live leases slow, and what a run would cost on other machines.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Home, document, programs};
use serde_json::{Value, json};

/// The exported model, changed.
fn exported(home: &Home, change: impl FnOnce(&mut Value)) -> Value {
    let mut model = document(&home.run(["resources", "export"]).stdout);
    change(&mut model);
    home.write("model.json", model.to_string());
    model
}

fn pointer<'a>(document: &'a Value, path: &str) -> &'a Value {
    document.pointer(path).unwrap_or_else(|| panic!("{path} in {document:#}"))
}

const NEVER: [&str; 5] = ["plan", "--emulate", "never", "--tier", "cranelift"];

#[test]
fn a_live_lease_slows_a_plan_by_the_stored_curve() {
    let home = Home::new();
    home.write("counts.wat", programs::counts(50_000_000));
    let figure = |value: f64| json!({ "value": value, "samples": 7, "source": "calibrated on this machine" });
    let mut costs = Vec::new();
    for scale in [0.0, 1.0, 2.0] {
        let beside = |other: &str, value: f64| json!({ "work": "computing", "other": other, "cores": 1.0, "factor": figure(1.0 + scale * (value - 1.0)) });
        exported(&home, |model| {
            model["contention"] = json!({ "beside": [beside("computing", 1.2), beside("streaming", 1.6)] });
        });
        assert_eq!(home.run(["resources", "import", "model.json"]).code, Some(0));
        // Somebody who holds one core, half of whose time it streams.
        let lease = home.write("cache/forewarm/leases/7.seat", "1 1 0.5 0\n");
        let held = std::fs::File::open(&lease).unwrap();
        held.lock().unwrap();
        let plan = home.json(&[&NEVER[..], &["counts.wat"]].concat());
        drop(held);
        let cost = pointer(&plan, "/chosen/cost").clone();
        assert!((cost["contention_factor"].as_f64().unwrap() - (1.0 + scale * 0.4)).abs() < 1e-6, "{cost:#}");
        costs.push(pointer(&cost, "/run_seconds/expected").as_f64().unwrap());
    }
    assert!((costs[1] / costs[0] - 1.4).abs() < 1e-6 && (costs[2] / costs[0] - 1.8).abs() < 1e-6, "{costs:?}");
    let page = home.run(["resources"]).text();
    assert!(page.contains("computing beside streaming on 1 core"), "{page}");
    let alone = home.json(&[&NEVER[..], &["counts.wat"]].concat());
    assert_eq!(pointer(&alone, "/chosen/cost/contention_factor"), 1.0, "its holder has let go");
}

#[test]
fn another_machine_is_priced_beside_this_one_and_run_on_never() {
    let home = Home::new();
    home.write("counts.wat", programs::counts(50_000_000));
    let before = home.json(&["resources"]);
    let model = exported(&home, |model| {
        model["inventory"]["processors"][0]["cores"] = 64.into();
        model["inventory"]["processors"][0]["model"] = "a big one".into();
        for tier in ["winch", "cranelift", "pulley"] {
            let classes = model["op_costs"]["tiers"][tier]["seconds_per_op"].as_object_mut().unwrap();
            for figure in classes.values_mut() {
                *figure = json!({ "value": figure["value"].as_f64().unwrap() / 10.0, "samples": 9, "source": "there" });
            }
        }
    });
    assert_eq!(home.run(["resources", "import", "--node", "big", "model.json"]).code, Some(0));
    let shown = home.json(&["resources"]);
    assert_eq!(shown["op_costs"], before["op_costs"], "this machine's figures stay");
    assert_eq!(pointer(&shown, "/nodes/0/inventory/node"), "big");
    let load = "/op_costs/tiers/winch/seconds_per_op/load/value";
    let figures = [&shown["nodes"][0], &model].map(|model| pointer(model, load).as_f64().unwrap());
    assert!((figures[0] / figures[1] - 1.0).abs() < 1e-9, "{figures:?}");
    assert!(home.run(["resources"]).text().contains("a big one, 64 cores"));

    let asked = [&NEVER[..], &["--all", "counts.wat"]].concat();
    let plan = home.json(&asked);
    assert_eq!(pointer(&plan, "/chosen/configuration/placements/0/node"), "local");
    let of = |node: &str| {
        let found = plan["candidates"].as_array().unwrap().iter();
        found.filter(|one| one["configuration"]["placements"][0]["node"] == node).cloned().collect::<Vec<_>>()
    };
    let (here, there) = (of("local"), of("big"));
    let seconds = |candidate: &Value| pointer(candidate, "/cost/run_seconds/expected").as_f64().unwrap();
    assert!(!there.is_empty() && seconds(&there[0]) < seconds(&here[0]) / 3.0, "{plan:#}");
    assert!(there.iter().all(|one| one["why_not"].as_str().is_some_and(|why| why.starts_with("not_here"))));
    assert!(plan["rejected"]["not_here"].as_u64().unwrap() > 0);
    let text = home.run([&NEVER[..], &["--explain", "counts.wat"]].concat()).text();
    assert!(text.contains("on big") && text.contains("node big is not this machine"), "{text}");

    assert_eq!(home.run(["run", "--report", "report.json", "counts.wat"]).code, Some(0));
    let report = document(&std::fs::read(home.path("report.json")).unwrap());
    assert_eq!(pointer(&report, "/plan/chosen/configuration/placements/0/node"), "local");
    let mut foreign = plan.clone();
    foreign["chosen"]["configuration"] = there[0]["configuration"].clone();
    home.write("plan.json", foreign.to_string());
    let refused = home.run(["run", "--plan", "plan.json", "counts.wat"]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("node big"), "{}", refused.stderr);

    // A native program is priced there too.
    let native = home.json(&["plan", "/bin/true"]);
    assert!(native["candidates"].to_string().contains("not_here"), "{native:#}");

    assert_eq!(home.run(["resources", "forget", "big"]).code, Some(0));
    assert_eq!(home.json(&["resources"]).get("nodes"), None);
    assert_eq!(home.run(["resources", "forget", "big"]).code, Some(2));
    assert_eq!(home.run(["resources", "import", "--node", "local", "model.json"]).code, Some(2));
    assert!(!home.json(&asked)["candidates"].to_string().contains("not_here"));
}
