//! What all processes of a program use together at one moment, as `/proc` tells.

use std::fs;
use std::path::PathBuf;

use forewarm_types::{Bytes, Seconds};

/// Use at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Survey {
    /// Memory: anonymous pages of all processes, and the shared ones of the process that has most of them, since pages
    /// shared between processes count in each.
    pub memory: Bytes,
    /// CPU time of all that live and all that were waited for.
    pub cpu: Seconds,
    /// Processes, the init apart.
    pub processes: u64,
}

/// Looks at the processes of an init's namespace, or without one at its descendants.
pub fn survey(init: i32, isolated: bool) -> Survey {
    let mut survey = Survey::default();
    let mut shared = 0;
    for folder in folders(init, isolated) {
        let status = fs::read_to_string(folder.join("status")).unwrap_or_default();
        let field = |name: &str| kibibytes(&status, name).unwrap_or(0);
        survey.memory.0 += field("RssAnon:");
        shared = shared.max(field("RssShmem:"));
        let stat = fs::read_to_string(folder.join("stat")).unwrap_or_default();
        survey.cpu.0 += cpu_ticks(&stat).unwrap_or(0) as f64 / rustix::param::clock_ticks_per_second() as f64;
        survey.processes += 1;
    }
    survey.memory.0 += shared;
    survey.processes = survey.processes.saturating_sub(1);
    survey
}

/// Memory of all processes, each shared page counted once: `Pss` of `/proc/<pid>/smaps_rollup` (proc_pid_smaps(5)) without
/// what is only cached of files. `None` where the system does not say.
pub fn proportional(init: i32, isolated: bool) -> Option<Bytes> {
    let mut sum = 0;
    for folder in folders(init, isolated) {
        match fs::read_to_string(folder.join("smaps_rollup")) {
            Ok(text) => {
                sum += ["Pss_Anon:", "Pss_Shmem:"].iter().filter_map(|name| kibibytes(&text, name)).sum::<u64>()
            }
            // A process that has just gone has no memory.
            Err(error) if [Some(libc::ESRCH), Some(libc::ENOENT)].contains(&error.raw_os_error()) => {}
            Err(_) => return None,
        }
    }
    (sum > 0).then_some(Bytes(sum))
}

/// Folders in `/proc` of the init and all that live below it.
pub fn folders(init: i32, isolated: bool) -> Vec<PathBuf> {
    if !(isolated && sees_itself(init)) {
        return descendants(init).into_iter().map(|pid| PathBuf::from(format!("/proc/{pid}"))).collect();
    }
    // The namespace's own view of itself.
    let root = PathBuf::from(format!("/proc/{init}/root/proc"));
    let entries = fs::read_dir(&root).into_iter().flatten().filter_map(Result::ok);
    let numbered = |name: &std::ffi::OsStr| name.to_str().is_some_and(|name| name.bytes().all(|b| b.is_ascii_digit()));
    entries.filter(|entry| numbered(&entry.file_name())).map(|entry| entry.path()).collect()
}

/// Whether what an init sees in `/proc` are the processes of its namespace: not so before it has mounted that, or where the
/// system does not let it and the host's is still there.
fn sees_itself(init: i32) -> bool {
    let namespace = |path: String| fs::read_link(path).ok();
    let own = namespace(format!("/proc/{init}/ns/pid"));
    own.is_some() && own == namespace(format!("/proc/{init}/root/proc/1/ns/pid"))
}

/// A process and all below it, itself first.
pub fn descendants(process: i32) -> Vec<i32> {
    let mut found = vec![process];
    let mut next = 0;
    while let Some(pid) = found.get(next).copied() {
        next += 1;
        // Each thread has the children that it forked.
        let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().filter_map(Result::ok);
        for thread in threads {
            let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            found.extend(children.split_ascii_whitespace().filter_map(|pid| pid.parse::<i32>().ok()));
        }
    }
    found
}

/// Memory that all processes of an init's namespace hold together, each page's share counted (proportional set size,
/// proc_pid_smaps(5)); and how many they are, the init apart.
#[must_use]
pub fn standing(init: i32) -> (Bytes, u64) {
    let folders = folders(init, true);
    let held = folders.iter().filter_map(|folder| {
        let text = fs::read_to_string(folder.join("smaps_rollup")).ok()?;
        kibibytes(&text, "Pss:")
    });
    (Bytes(held.sum()), (folders.len() as u64).saturating_sub(1))
}

/// Memory that a process and all below it hold, each page's share counted, without what is only cached of files: what the
/// system has back once they end.
#[must_use]
pub fn standing_below(process: i32) -> Bytes {
    let rollups = descendants(process).into_iter().map(|pid| format!("/proc/{pid}/smaps_rollup"));
    let texts = rollups.filter_map(|rollup| fs::read_to_string(rollup).ok());
    let held = |text: String| ["Pss_Anon:", "Pss_Shmem:"].iter().filter_map(|name| kibibytes(&text, name)).sum::<u64>();
    Bytes(texts.map(held).sum())
}

/// A field of `/proc/<pid>/status` in KiB, as bytes: proc_pid_status(5).
fn kibibytes(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib.saturating_mul(1024))
}

/// Ticks of user and system time of a process and the children it waited for: fields 14 to 17 of proc_pid_stat(5).
fn cpu_ticks(stat: &str) -> Option<u64> {
    let fields = stat.rsplit_once(") ")?.1.split(' ').skip(11).take(4);
    Some(fields.filter_map(|field| field.parse::<u64>().ok()).sum())
}

/// Memory the whole system still has to give: `MemAvailable` of proc_meminfo(5).
#[must_use]
pub fn available_memory() -> Option<Bytes> {
    kibibytes(&fs::read_to_string("/proc/meminfo").ok()?, "MemAvailable:").map(Bytes)
}

/// Whether a private scratch directory of a process' file system has no room left.
pub fn scratch_is_full(process: i32) -> bool {
    let root = PathBuf::from(format!("/proc/{process}/root"));
    super::PRIVATE.iter().any(|path| {
        let known = rustix::fs::statvfs(root.join(path.trim_start_matches('/')));
        known.is_ok_and(|known| known.f_blocks > 0 && known.f_bavail == 0)
    })
}

/// Packets of a process' network that no route led out for (`Ip: OutNoRoutes` of Linux Documentation/networking/
/// snmp_counter.rst): the trace of a program that tried to reach another machine.
pub fn unroutable(process: i32) -> u64 {
    let counters = fs::read_to_string(format!("/proc/{process}/net/snmp")).unwrap_or_default();
    let mut lines = counters.lines().filter_map(|line| line.strip_prefix("Ip: "));
    let (Some(names), Some(values)) = (lines.next(), lines.next()) else { return 0 };
    let mut pairs = names.split(' ').zip(values.split(' '));
    pairs.find(|(name, _)| *name == "OutNoRoutes").and_then(|(_, value)| value.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_words_are_read() {
        assert_eq!(kibibytes("VmRSS:\t 12 kB\nRssAnon:\t    2048 kB\n", "RssAnon:"), Some(2048 * 1024));
        assert_eq!(cpu_ticks("7 (a b) c) S 1 7 7 0 -1 4194560 1 2 3 4 10 20 30 40 20 0"), Some(100));
        assert_eq!(cpu_ticks("no such line"), None);
    }

    #[test]
    fn this_process_is_surveyed() {
        let own = survey(std::process::id().cast_signed(), false);
        assert!(own.memory.0 > 0 && own.processes == 0, "{own:?}");
        let shared_out = proportional(std::process::id().cast_signed(), false);
        assert!(
            shared_out.is_none_or(|memory| memory.0 > 0 && memory.0 <= 2 * own.memory.0),
            "{shared_out:?} of {own:?}"
        );
    }
}
