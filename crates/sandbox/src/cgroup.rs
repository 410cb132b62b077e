//! A share of the CPU, held by a control group (v1 `cpu.cfs_quota_us` or v2 `cpu.max`).
//!
//! Whether this process may make groups is found by doing it. Groups are named after the process that made them, so
//! that those of killed processes can be swept by any later one.

#[cfg(target_os = "linux")]
mod group;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use forewarm_types::Seconds;

/// Length of a quota period. The kernel's default of 100 ms lets short work overrun its share; with 20 ms the share
/// delivered was 1.01-1.04 times the one asked for (measured, DESIGN section 8).
const PERIOD_MICROSECONDS: u64 = 20_000;

/// The least quota the kernel takes: Linux kernel/sched/core.c, `min_cfs_quota_period`.
const LEAST_QUOTA_MICROSECONDS: u64 = 1_000;

#[cfg(target_os = "linux")]
pub use group::Group;

const PREFIX: &str = "forewarm-";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// The group this process is in, beneath which its own can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Home {
    version: Version,
    directory: PathBuf,
}

/// This process held to a share of the CPU, until dropped.
#[derive(Debug)]
pub struct CpuShare {
    home: Home,
    group: PathBuf,
}

impl CpuShare {
    /// Holds this process to `cores` times `share` of a core.
    ///
    /// # Errors
    /// Where this process may not make control groups, or the system has none for the CPU.
    pub fn enforce(share: f64, cores: u32) -> io::Result<Self> {
        let home = Home::find().ok_or_else(|| io::Error::from(io::ErrorKind::Unsupported))?;
        let this = Self::make(home, std::process::id(), share * f64::from(cores.max(1)))?;
        attach(&this.group)?;
        Ok(this)
    }

    /// Holds another process to the same share.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn extend(&self, process: i32) -> io::Result<()> {
        fs::write(self.group.join("cgroup.procs"), process.to_string())
    }

    fn make(home: Home, pid: u32, cores: f64) -> io::Result<Self> {
        let group = home.directory.join(format!("{PREFIX}{pid}"));
        match fs::create_dir(&group) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let this = Self { home, group };
        let quota = ((cores * PERIOD_MICROSECONDS as f64) as u64).max(LEAST_QUOTA_MICROSECONDS);
        match this.home.version {
            Version::One => {
                fs::write(this.group.join("cpu.cfs_period_us"), PERIOD_MICROSECONDS.to_string())?;
                fs::write(this.group.join("cpu.cfs_quota_us"), quota.to_string())?;
            }
            Version::Two => {
                // The controller must be delegated to children; where it already is, or may not be, the next write tells.
                let _ = fs::write(this.home.directory.join("cgroup.subtree_control"), "+cpu");
                fs::write(this.group.join("cpu.max"), format!("{quota} {PERIOD_MICROSECONDS}"))?;
            }
        }
        Ok(this)
    }
}

impl Drop for CpuShare {
    fn drop(&mut self) {
        // A group can only be removed when empty; what cannot be undone here is swept later. Who goes on (a process that was
        // in the group for one run) is where it was before.
        let _ = attach(&self.home.directory);
        let members = fs::read_to_string(self.group.join("cgroup.procs")).unwrap_or_default();
        for member in members.lines() {
            let _ = fs::write(self.home.directory.join("cgroup.procs"), member);
        }
        let _ = fs::remove_dir(&self.group);
    }
}

fn attach(group: &Path) -> io::Result<()> {
    fs::write(group.join("cgroup.procs"), std::process::id().to_string())
}

/// The groups of a process (the text of `/proc/<pid>/cgroup`: cgroups(7)), with the one that it made to hold itself to a share
/// taken for the one that this was made in.
#[cfg(target_os = "linux")]
pub(crate) fn without_own_share(groups: &str, pid: i32) -> String {
    let own = format!("/{PREFIX}{pid}");
    let line = |line: &str| match line.strip_suffix(&own) {
        // What was made at the top.
        Some(above) if above.ends_with(':') => format!("{above}/\n"),
        above => format!("{}\n", above.unwrap_or(line)),
    };
    groups.lines().map(line).collect()
}

/// Whether a share of the CPU can be enforced here, found by making a group with a quota and removing it. The calling
/// process is not moved.
#[must_use]
pub fn available() -> bool {
    let Some(home) = Home::find() else { return false };
    let Ok(group) = CpuShare::make(home, std::process::id(), 1.0) else { return false };
    fs::remove_dir(&group.group).is_ok_and(|()| {
        std::mem::forget(group);
        true
    })
}

/// What the system counts of this process' group for the CPU; `None` where there is no such group. On the way to every
/// run: the mounts, the dearest to read, are asked only where the group is not where it usually is.
#[cfg(target_os = "linux")]
pub(crate) fn cpu_statistics() -> Option<fs::File> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let open = |directory: &Path| fs::File::open(directory.join("cpu.stat")).ok();
    let usual = Membership::of(&groups, "cpu").and_then(|membership| open(&membership.usual()));
    usual.or_else(|| open(&Home::find()?.directory))
}

/// Time the quota of a group has held it back since it was made: `throttled_time` (version 1, in nanoseconds: Linux
/// Documentation/scheduler/sched-bwc.rst) or `throttled_usec` (version 2: cgroup-v2.rst).
#[cfg(target_os = "linux")]
pub(crate) fn throttled_in(stat: &str) -> Option<Seconds> {
    let value = |name: &str| stat.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok());
    let nanoseconds = value("throttled_time ").map(|time| time as f64 * 1e-9);
    nanoseconds.or_else(|| value("throttled_usec ").map(|time| time as f64 * 1e-6)).map(Seconds)
}

/// Removes groups left by killed processes; returns how many.
pub fn sweep() -> usize {
    Home::find().map_or(0, |home| sweep_below(&home.directory))
}

/// Removes groups left by killed processes below a group; returns how many.
fn sweep_below(directory: &Path) -> usize {
    let Ok(entries) = fs::read_dir(directory) else { return 0 };
    let stale = entries.filter_map(Result::ok).filter(|entry| {
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        // A program's group has its own number behind that of the process.
        let pid = number.and_then(|number| number.split('-').next()?.parse().ok());
        pid.is_some_and(|pid: i32| !alive(pid))
    });
    stale.filter(|entry| fs::remove_dir(entry.path()).is_ok()).count()
}

/// Whether a process of this number lives (one of another user's also counts).
#[must_use]
pub fn alive(pid: i32) -> bool {
    rustix::process::Pid::from_raw(pid)
        .is_some_and(|pid| rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

/// What a process is in, of one controller: a line of `/proc/self/cgroup` (cgroups(7)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Membership<'a> {
    version: Version,
    /// What the hierarchy holds beside the controller, as a mount's options and by habit its directory name them; empty of
    /// version 2.
    controllers: &'a str,
    path: &'a str,
}

impl<'a> Membership<'a> {
    /// That of a controller: of version 1 where it has the controller, else of version 2.
    fn of(groups: &'a str, controller: &str) -> Option<Self> {
        let parts = |line: &'a str| {
            let mut parts = line.splitn(3, ':');
            Some((parts.next()?, parts.next()?, parts.next()?))
        };
        let all = || groups.lines().filter_map(parts);
        let one = all().find(|(_, controllers, _)| has(controllers, controller));
        let one = one.map(|(_, controllers, path)| Self { version: Version::One, controllers, path });
        one.or_else(|| {
            let (_, controllers, path) = all().find(|&(id, controllers, _)| id == "0" && controllers.is_empty())?;
            Some(Self { version: Version::Two, controllers, path })
        })
    }

    /// Where it stands if hierarchies are mounted as is usual (Linux Documentation/admin-guide/cgroup-v1/cgroups.rst and
    /// cgroup-v2.rst): needs no list of mounts, and may be nothing.
    fn usual(&self) -> PathBuf {
        Path::new("/sys/fs/cgroup").join(self.controllers).join(self.path.trim_start_matches('/'))
    }
}

impl Home {
    fn find() -> Option<Self> {
        let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
        let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
        Self::of(&mounts, &groups, "cpu")
    }

    /// The group for a controller, from the texts of `/proc/self/mountinfo` and `/proc/self/cgroup`:
    /// proc_pid_mountinfo(5), cgroups(7).
    fn of(mounts: &str, groups: &str, controller: &str) -> Option<Self> {
        let Membership { version, path, .. } = Membership::of(groups, controller)?;
        let (root, point) = match version {
            Version::One => mount(mounts, "cgroup", &|options| has(options, controller))?,
            Version::Two => mount(mounts, "cgroup2", &|_| true)?,
        };
        let below = path.strip_prefix(root.trim_end_matches('/')).unwrap_or(path);
        Some(Self { version, directory: Path::new(&point).join(below.trim_start_matches('/')) })
    }
}

/// Whether a list of names has one of them.
fn has(list: &str, name: &str) -> bool {
    list.split(',').any(|listed| listed == name)
}

/// The root and the mount point of the first mount of a file system whose own options are as wanted.
fn mount(mounts: &str, kind: &str, wanted: &dyn Fn(&str) -> bool) -> Option<(String, String)> {
    mounts.lines().find_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        let mut after = after.split(' ');
        let matches = after.next()? == kind && wanted(after.nth(1)?);
        let mut before = before.split(' ').skip(3);
        matches.then_some((before.next()?.to_owned(), before.next()?.to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(mounts: &str, groups: &str, expected: Option<(Version, &str)>) {
        let expected = expected.map(|(version, directory)| Home { version, directory: directory.into() });
        assert_eq!(Home::of(mounts, groups, "cpu"), expected);
    }

    #[test]
    fn finds_the_group_of_this_process() {
        let one = "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct\n";
        let two = "29 23 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
        let bound = "29 23 0:26 /docker/1 /sys/fs/cgroup rw - cgroup2 cgroup rw\n";
        check(one, "2:cpu,cpuacct:/a/b\n0::/\n", Some((Version::One, "/sys/fs/cgroup/cpu/a/b")));
        check(two, "0::/user.slice/x:y.scope\n", Some((Version::Two, "/sys/fs/cgroup/user.slice/x:y.scope")));
        check(bound, "0::/docker/1\n", Some((Version::Two, "/sys/fs/cgroup")));
        check("", "0::/\n", None);
        check(one, "3:cpuset:/\n", None);
    }

    #[test]
    fn the_usual_place_needs_no_mounts() {
        let usual = |groups| Membership::of(groups, "cpu").map(|membership| membership.usual());
        assert_eq!(usual("2:cpu,cpuacct:/a/b\n0::/\n"), Some("/sys/fs/cgroup/cpu,cpuacct/a/b".into()));
        assert_eq!(
            usual("1:cpuset:/a\n0::/user.slice/x:y.scope\n"),
            Some("/sys/fs/cgroup/user.slice/x:y.scope".into())
        );
        assert_eq!(usual("3:cpuset:/\n"), None);
    }

    #[test]
    fn a_share_holds_where_groups_can_be_made() {
        // Run in a process of its own would be better still; the group is left again at once.
        let Ok(held) = CpuShare::enforce(0.5, 1) else {
            assert!(!available(), "what can be probed can be enforced");
            return;
        };
        let group = held.group.clone();
        assert!(group.is_dir());
        drop(held);
        assert!(!group.exists());
    }

    #[test]
    fn a_group_for_an_own_share_is_no_other_group() {
        let groups = "2:cpu:/a/forewarm-7\n1:cpu:/forewarm-7\n0::/b\n";
        assert_eq!(without_own_share(groups, 7), "2:cpu:/a\n1:cpu:/\n0::/b\n");
        assert_eq!(without_own_share(groups, 8), groups);
    }

    #[test]
    fn throttling_is_read_from_both_versions() {
        assert_eq!(throttled_in("nr_periods 5\nthrottled_time 1500000000\n"), Some(Seconds(1.5)));
        assert_eq!(throttled_in("usage_usec 9\nthrottled_usec 250000\n"), Some(Seconds(0.25)));
        assert_eq!(throttled_in("usage_usec 9\n"), None);
    }

    #[test]
    fn the_dead_are_told_from_the_living() {
        assert!(alive(std::process::id().cast_signed()));
        assert!(!alive(i32::MAX));
    }
}
