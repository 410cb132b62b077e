//! Processes that begin before their run is planned.

use std::fs;
use std::process::{Command, Stdio};
use std::sync::Arc;

use forewarm_executor::process::{LaidOut, Wanted};
use forewarm_executor::{ArtifactCache, Executor};
use forewarm_sandbox::RealClock;
use forewarm_sandbox::process::{Confinement, Program, Surroundings};
use forewarm_types::host::Clock;
use forewarm_types::{Bytes, Configuration, CpuSettings, IsaLevel, Placement, ProcessSettings, Rung, Settings, Tier};

fn configuration(settings: ProcessSettings, share: f64) -> Configuration {
    let placement = Placement {
        region: "all".into(),
        node: "local".into(),
        processor: "cpu0".into(),
        units: 1,
        share,
        memory_bytes: Bytes::ZERO,
        settings: Settings::Process(settings),
    };
    Configuration { placements: vec![placement], warm_state: Rung::File }
}

/// Shares that can be enforced here are held by whoever runs in a lease's stead: of a WebAssembly program that stands, a process
/// which its stand forked.
#[test]
fn a_share_holds_what_runs_in_ones_stead() {
    if !forewarm_sandbox::cgroup::available() {
        return;
    }
    let settings = CpuSettings { tier: Tier::Winch, isa: IsaLevel::Native, threads: 1, pinned: false, prefault: false };
    let mut configuration = configuration(ProcessSettings::default(), 0.05);
    configuration.placements[0].settings = Settings::Cpu(settings);
    let lease = Executor::new(None, Arc::new(RealClock)).allocate(&configuration).unwrap();
    let busy = "read go; i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done; cat /proc/self/cgroup";
    let mut other = Command::new("/bin/sh");
    let mut other = other.args(["-c", busy]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    lease.admit(other.id().cast_signed());
    let around = Surroundings::of_time();
    drop(other.stdin.take());
    let said = other.wait_with_output().unwrap();
    let throttled = around.so_far().throttled.unwrap();
    let own = format!("/forewarm-{}", std::process::id());
    assert!(String::from_utf8_lossy(&said.stdout).contains(&own), "{said:?}");
    assert!(throttled.0 > 0.0, "{throttled:?}");
}

/// A shell that adds a line to a file, and ends with a code.
fn laid_out(folder: &std::path::Path) -> LaidOut {
    let script = format!("echo line >> {}/file; exit 7", folder.display());
    let program = Program {
        executable: "/bin/sh".into(),
        arguments: ["sh", "-c", &script].map(Into::into).into(),
        environment: Vec::new(),
        directory: folder.to_owned(),
    };
    let writable = vec![(folder.to_owned(), folder.to_owned())];
    LaidOut::begin(program, Confinement { writable, scratch: Bytes::MIB, ..Confinement::default() })
}

#[test]
fn what_has_begun_runs_once_and_by_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let executor = Executor::new(None, Arc::new(RealClock));
    let plain = configuration(ProcessSettings::default(), 1.0);
    let before = RealClock.monotonic();
    let laid = laid_out(folder.path()).begin_now(before);
    assert_eq!(laid.begun_at(), Some(before));
    let (mut asked, mut beside) = (false, false);
    let warm = |_: &Wanted<'_>| {
        asked = true;
        None
    };
    let outcome = executor.allocate_process(&plain).unwrap().run(laid, warm, || beside = true).unwrap();
    assert_eq!((outcome.exit.code, asked, beside), (7, false, true));
    assert_eq!(fs::read_to_string(folder.path().join("file")).unwrap(), "line\n");
    // Nobody's any more, it is gone with its place.
    drop(laid_out(folder.path()).begin_now(before));
}

#[test]
fn only_what_says_nothing_is_plain() {
    let folder = tempfile::tempdir().unwrap();
    let cache = ArtifactCache::open(folder.path().join("cache"), Bytes::MIB).unwrap();
    let executor = Executor::new(Some(cache), Arc::new(RealClock));
    let (stamp, planning) = ("fe00-1-2-3-4", "Latency None");
    let noted = |settings, share| {
        executor.note_plain(stamp, planning, &configuration(settings, share));
        executor.is_plain(stamp, planning)
    };
    assert!(!executor.is_plain(stamp, planning));
    assert!(noted(ProcessSettings { read_ahead: true, ..ProcessSettings::default() }, 1.0));
    assert!(!executor.is_plain(stamp, "Cost None") && !executor.is_plain("fe00-1-2-3-5", planning));
    assert!(!noted(ProcessSettings::default(), 0.5));
    assert!(!noted(ProcessSettings { library_threads: Some(2), ..ProcessSettings::default() }, 1.0));
    assert!(!noted(ProcessSettings { large_pages: true, ..ProcessSettings::default() }, 1.0));
    assert!(!noted(ProcessSettings { pinned: true, ..ProcessSettings::default() }, 1.0));
    assert!(noted(ProcessSettings::default(), 1.0));
}
