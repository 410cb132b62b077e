//! What this system lets a sandbox do, found by doing it: for `doctor`.

use super::{Bounds, Cause, Confinement, Program, Tier, rules, spawn};
use forewarm_types::{Bytes, Seconds};

/// What can be had here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Available {
    /// How closely a program can be confined with explicit limits; `None` where none can be started at all.
    pub tier: Option<Tier>,
    /// Version of Landlock; 0 for none.
    pub landlock: u32,
}

/// Runs an empty program in the sandbox, and says how closely it was confined.
#[must_use]
pub fn available() -> Available {
    let program = Program {
        executable: "/bin/true".into(),
        arguments: vec!["true".into()],
        environment: Vec::new(),
        directory: "/".into(),
    };
    let bounds =
        Bounds { memory: Some(Bytes(64 << 20)), wall: Some(Seconds(5.0)), processes: Some(64), ..Bounds::default() };
    let confinement = Confinement { bounds, groups: true, scratch: Bytes::MIB, ..Confinement::default() };
    let ended = spawn(&program, &confinement).and_then(|child| child.wait());
    let tier = ended.ok().filter(|ended| ended.cause == Cause::Exited(0)).map(|ended| ended.tier);
    Available { tier, landlock: rules::version() }
}

/// Whether a process can be kept from signalling and tracing those it was forked from: Landlock 6.
#[must_use]
pub fn separable() -> bool {
    super::rules::version() >= 6
}
