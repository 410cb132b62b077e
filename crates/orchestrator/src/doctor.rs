//! What `forewarm doctor` looks at: what this machine allows, and how to get more.

use forewarm_sandbox::process::Tier;

use crate::upkeep::inventory;
use crate::{Check, Orchestrator};

pub(crate) fn checks(orchestrator: &Orchestrator) -> Vec<Check> {
    let inventory = inventory();
    let model = orchestrator.resources();
    let measured = model.op_costs.tiers.values().flat_map(|tier| tier.seconds_per_op.values());
    let measured = measured.filter(|figure| figure.samples > 0).count();
    vec![
        check("platform", cfg!(target_arch = "x86_64"), platform(), "x86-64 Linux is where every tier works"),
        check("processor", inventory.cores() > 0, processors(&inventory), ""),
        check(
            "executable memory",
            inventory.executable_memory,
            allowed(inventory.executable_memory),
            "only the pulley tier runs here; see whether a security policy (SELinux, MDWE) can allow it",
        ),
        confinement(),
        check(
            "cpu shares",
            !inventory.enforceable_shares.is_empty(),
            shares(&inventory),
            "shares below a whole core need a writable cgroup (v1 cpu or v2): run as root or in a delegated group",
        ),
        pinned_cores(),
        check(
            "history",
            orchestrator.memory.is_open(),
            open(orchestrator.memory.is_open()),
            "runs are planned from defaults; the first recorded run makes the database",
        ),
        check(
            "artifact cache",
            orchestrator.executor.artifacts().is_some(),
            kept(orchestrator.executor.artifacts().is_some()),
            "the cache directory must be yours alone (mode 0700)",
        ),
        check(
            "resource model",
            measured > 0,
            format!("{measured} operator costs measured here"),
            "forewarm resources probe measures this machine in seconds",
        ),
    ]
}

/// How closely native and Python programs can be confined, found by confining one.
fn confinement() -> Check {
    let available = forewarm_sandbox::process::available();
    let landlock = match available.landlock {
        0 => "no Landlock".to_owned(),
        version => format!("Landlock {version}"),
    };
    let found = match available.tier {
        Some(tier) => format!("{}, {landlock}", tier.name()),
        None => format!("no process could be confined, {landlock}"),
    };
    let hint = match available.tier {
        None => {
            "native and Python programs cannot be run; see whether a container forbids user namespaces (seccomp profile)"
        }
        Some(Tier::Landlock | Tier::Limits) => {
            "namespaces are refused: allow user namespaces (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, \
             kernel.apparmor_restrict_unprivileged_userns), or run as root"
        }
        Some(Tier::Namespaces) => {
            "memory and processes are watched, not bounded by the kernel: run as root, or in a delegated control group \
             (systemd-run --user --scope -p Delegate=yes)"
        }
        Some(Tier::Cgroup1 | Tier::Cgroup2) => "",
    };
    check("confinement", available.tier.is_some_and(|tier| tier < Tier::Namespaces), found, hint)
}

/// Whether programs can be kept to cores that they cannot leave, found by making a group of all there are.
fn pinned_cores() -> Check {
    let cores = forewarm_sandbox::affinity::allowed().unwrap_or_default();
    let held = forewarm_sandbox::cgroup::CoreSet::make(&cores).is_ok();
    let found = if held { "held by a cpuset" } else { "by affinity, which a program can undo" };
    let hint = "--pin-cores needs a writable cpuset controller to hold (cgroup v1 cpuset or v2): run as root or in a delegated group";
    check("pinned cores", held, found.into(), hint)
}

fn check(name: &str, ok: bool, found: String, hint: &str) -> Check {
    Check { name: name.into(), ok, found, hint: (!ok && !hint.is_empty()).then(|| hint.into()) }
}

fn platform() -> String {
    format!("{} {}", std::env::consts::OS, std::env::consts::ARCH)
}

fn processors(inventory: &forewarm_resources::Inventory) -> String {
    let named = inventory.processors.iter().map(|p| format!("{} ({} cores, {})", p.model, p.cores, p.isa_level));
    named.collect::<Vec<_>>().join("; ")
}

fn allowed(yes: bool) -> String {
    if yes { "allowed".into() } else { "forbidden".into() }
}

fn open(yes: bool) -> String {
    if yes { "open".into() } else { "none yet".into() }
}

fn kept(yes: bool) -> String {
    if yes { "in use".into() } else { "not usable".into() }
}

fn shares(inventory: &forewarm_resources::Inventory) -> String {
    if inventory.enforceable_shares.is_empty() {
        return "whole cores only".into();
    }
    let shares = inventory.enforceable_shares.iter().map(f64::to_string);
    format!("enforceable: {}", shares.collect::<Vec<_>>().join(", "))
}
