//! What processes that go on have used so far, as the system tells from outside: for a program that serves one event after
//! another, whose use for each is the difference.

use std::fs;
use std::path::PathBuf;

use forewarm_types::Seconds;

use super::survey;
use crate::measure::Usage;

/// What all processes below an init have used, those included that ended and were waited for.
///
/// CPU time is that of each process' own clock; what ended below it, and the share of user mode, are known to the tick of
/// the system's clock only.
pub fn of_all_below(init: i32) -> Usage {
    let mut all = Usage::default();
    for pid in survey::descendants(init).into_iter().skip(1) {
        let Some(one) = of(pid) else { continue };
        all.user += one.user;
        all.system += one.system;
        all.minor_faults += one.minor_faults;
        all.major_faults += one.major_faults;
        all.voluntary_switches += one.voluntary_switches;
        all.involuntary_switches += one.involuntary_switches;
    }
    all
}

/// Files that processes below an init have mapped, by the names under which they see them: code, libraries, and what else
/// they read so. Sorted, each once; files that are gone are left out.
#[must_use]
pub fn mapped_files(init: i32) -> Vec<PathBuf> {
    let pids = survey::descendants(init).into_iter().skip(1);
    let maps: Vec<String> = pids.filter_map(|pid| fs::read_to_string(format!("/proc/{pid}/maps")).ok()).collect();
    let mut files: Vec<PathBuf> = maps.iter().flat_map(|text| text.lines()).filter_map(mapped_file).collect();
    files.sort();
    files.dedup();
    files
}

/// The file of a line of proc_pid_maps(5), whose sixth field is a path where it begins with a slash.
fn mapped_file(line: &str) -> Option<PathBuf> {
    let path = line.get(line.find(" /")? + 1..)?;
    (!path.ends_with(" (deleted)")).then(|| PathBuf::from(path))
}

fn of(pid: i32) -> Option<Usage> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let precise = clock_of(pid);
    let Counted { own, children, faults } = counted(&stat)?;
    let ticks = (own[0] + own[1]) as f64;
    let tick = 1.0 / rustix::param::clock_ticks_per_second() as f64;
    let user_share = if ticks > 0.0 { own[0] as f64 / ticks } else { 1.0 };
    let cpu = precise.unwrap_or(ticks * tick);
    let switches = |name: &str| -> u64 {
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().filter_map(Result::ok);
        let text = tasks.filter_map(|task| fs::read_to_string(task.path().join("status")).ok());
        text.filter_map(|text| text.lines().find_map(|line| line.strip_prefix(name))?.trim().parse::<u64>().ok()).sum()
    };
    Some(Usage {
        user: Seconds(cpu * user_share + children[0] as f64 * tick),
        system: Seconds(cpu * (1.0 - user_share) + children[1] as f64 * tick),
        minor_faults: faults[0],
        major_faults: faults[1],
        voluntary_switches: switches("voluntary_ctxt_switches:"),
        involuntary_switches: switches("nonvoluntary_ctxt_switches:"),
    })
}

/// Ticks in user mode and in the kernel, of a process and of the children it waited for, and faults of both together.
struct Counted {
    own: [u64; 2],
    children: [u64; 2],
    faults: [u64; 2],
}

/// Fields 10 to 17 of proc_pid_stat(5).
fn counted(stat: &str) -> Option<Counted> {
    let fields = stat.rsplit_once(") ")?.1.split(' ').skip(7).take(8);
    let fields: Vec<u64> = fields.filter_map(|field| field.parse().ok()).collect();
    let fields: [u64; 8] = fields.try_into().ok()?;
    let [minor, minor_below, major, major_below, user, system, user_below, system_below] = fields;
    Some(Counted {
        own: [user, system],
        children: [user_below, system_below],
        faults: [minor + minor_below, major + major_below],
    })
}

/// CPU time of a process, all its threads, by its own clock: clock_getcpuclockid(3).
#[expect(unsafe_code, reason = "another process' clock has no safe wrapper among the dependencies")]
fn clock_of(pid: i32) -> Option<f64> {
    let (mut clock, mut time) = (0, libc::timespec { tv_sec: 0, tv_nsec: 0 });
    // SAFETY: both are live and ours to write.
    let read = unsafe {
        libc::clock_getcpuclockid(pid, &raw mut clock) == 0 && libc::clock_gettime(clock, &raw mut time) == 0
    };
    read.then_some(time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_words_are_read() {
        let found = counted("7 (a b) c) S 1 7 7 0 -1 4194560 1 2 3 4 10 20 30 40 20 0").unwrap();
        assert_eq!((found.own, found.children, found.faults), ([10, 20], [30, 40], [3, 7]));
        assert!(counted("no such line").is_none());
    }

    #[test]
    fn mapped_files_are_named() {
        let line = "7f00-7f01 r-xp 00000000 fe:00 1234                     /usr/lib/a b.so";
        assert_eq!(mapped_file(line), Some(PathBuf::from("/usr/lib/a b.so")));
        assert_eq!(mapped_file("7f00-7f01 rw-s 0 00:01 7   /memfd:x (deleted)"), None);
        assert_eq!(mapped_file("7f00-7f01 rw-p 0 00:00 0   [heap]"), None);
    }

    #[test]
    fn this_process_has_used_something() {
        let before = of(std::process::id().cast_signed()).unwrap();
        let mut sum = 0_u64;
        while clock_of(std::process::id().cast_signed()).unwrap() < before.cpu().0 + 0.002 {
            sum = std::hint::black_box(sum + 1);
        }
        let after = of(std::process::id().cast_signed()).unwrap();
        assert!(after.cpu().0 >= before.cpu().0 + 0.002 && after.minor_faults > 0, "{before:?} {after:?}");
    }
}
