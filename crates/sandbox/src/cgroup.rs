//! Control groups: a share of the CPU and cores of a program's own ([`own`]), bounds on its memory and its processes
//! ([`group`]), and memory set aside that is given up before anything fails for it ([`aside`]).
//!
//! Whether this process may make groups is found by doing it. Groups are named after the process that made them, so
//! that those of killed processes can be swept by any later one ([`sweep`]). Called by the sandbox itself and the executor.

mod aside;
mod group;
mod own;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use forewarm_types::Seconds;

pub use aside::Aside;
pub use group::Group;
pub use own::{CoreSet, CpuShare, available};

/// What names of groups begin with, before the number of the process that made them.
const PREFIX: &str = "forewarm-";

/// Controllers that groups are made for here.
const CONTROLLERS: [&str; 4] = ["cpu", "cpuset", "memory", "pids"];

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

/// The groups of a process (the text of `/proc/<pid>/cgroup`: cgroups(7)), with the one that it made to hold itself to a share
/// taken for the one that this was made in.
pub(crate) fn without_own_share(groups: &str, pid: i32) -> String {
    let own = format!("/{PREFIX}{pid}");
    let line = |line: &str| match line.strip_suffix(&own) {
        // What was made at the top.
        Some(above) if above.ends_with(':') => format!("{above}/\n"),
        above => format!("{}\n", above.unwrap_or(line)),
    };
    groups.lines().map(line).collect()
}

/// The groups this process was in before it held itself to anything.
fn own_groups() -> io::Result<String> {
    let groups = fs::read_to_string("/proc/self/cgroup")?;
    Ok(without_own_share(&groups, std::process::id().cast_signed()))
}

/// What the system counts of this process' group for the CPU, one of its own included; `None` where there is no such group.
pub(crate) fn cpu_statistics() -> Option<fs::File> {
    let home = Home::of_process(&fs::read_to_string("/proc/self/cgroup").ok()?, "cpu")?;
    fs::File::open(home.directory.join("cpu.stat")).ok()
}

/// Time the quota of a group has held it back since it was made: `throttled_time` (version 1, in nanoseconds: Linux
/// Documentation/scheduler/sched-bwc.rst) or `throttled_usec` (version 2: cgroup-v2.rst).
pub(crate) fn throttled_in(stat: &str) -> Option<Seconds> {
    let value = |name: &str| stat.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok());
    let nanoseconds = value("throttled_time ").map(|time| time as f64 * 1e-9);
    nanoseconds.or_else(|| value("throttled_usec ").map(|time| time as f64 * 1e-6)).map(Seconds)
}

/// Removes the groups of killed processes, of all that this process could have made; how many are left, because the kernel has
/// not let go of what was in them yet.
pub fn sweep() -> usize {
    let Ok(groups) = own_groups() else { return 0 };
    let mut homes: Vec<PathBuf> = Vec::new();
    for home in CONTROLLERS.iter().filter_map(|controller| Home::of_process(&groups, controller)) {
        let new = home.places().into_iter().filter(|place| !homes.contains(place));
        homes.extend(new.collect::<Vec<_>>());
    }
    homes.iter().map(|home| sweep_below(home)).sum()
}

/// The same, waiting for the kernel to let go of what it takes it milliseconds to.
pub fn sweep_all() {
    for _ in 0..PATIENCE {
        if sweep() == 0 {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Milliseconds to wait for what a killed process had in a group to be gone: tens of times what it takes. Whoever sees the
/// groups of living processes that it does not see itself (in another namespace of processes) waits in vain, and no longer.
const PATIENCE: usize = 100;

/// Removes groups left by killed processes below a group; returns how many the kernel still holds.
fn sweep_below(directory: &Path) -> usize {
    use std::os::unix::fs::MetadataExt;
    // A directory of groups has a link from each below it, from itself and from above: Linux fs/kernfs/dir.c.
    if fs::metadata(directory).map_or(0, |found| found.nlink()) <= 2 {
        return 0;
    }
    let Ok(entries) = fs::read_dir(directory) else { return 0 };
    let stale = entries.filter_map(Result::ok).filter(|entry| {
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        // Behind the number of the process stands that of the group among its groups.
        let pid = number.and_then(|number| number.split('-').next()?.parse().ok());
        pid.is_some_and(|pid: i32| !alive(pid))
    });
    let held = |error: io::Error| error.kind() == io::ErrorKind::ResourceBusy;
    stale.filter(|entry| fs::remove_dir(entry.path()).is_err_and(held)).count()
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
    /// cgroup-v2.rst; beside those of version 1 that of version 2 is `unified`): needs no list of mounts, and may be nothing.
    fn usual(&self, root: &Path) -> PathBuf {
        let beside_first = self.version == Version::Two && !root.join("cgroup.controllers").exists();
        let mount = root.join(if beside_first { "unified" } else { self.controllers });
        mount.join(self.path.trim_start_matches('/'))
    }
}

impl Home {
    /// Of this process, for a controller.
    fn find(controller: &str) -> Option<Self> {
        Self::of_process(&own_groups().ok()?, controller)
    }

    /// Of the process whose groups these are (the text of `/proc/<pid>/cgroup`). Where groups are mounted as they usually are
    /// the list of all mounts need not be read, which holds up whoever changes the address space meanwhile.
    fn of_process(groups: &str, controller: &str) -> Option<Self> {
        let there = |home: &Self| home.directory.join("cgroup.procs").exists();
        Self::usual(groups, controller).filter(there).or_else(|| {
            let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
            Self::of(&mounts, groups, controller)
        })
    }

    /// Where the group for a controller lies if groups are mounted as is usual, which may be nothing.
    fn usual(groups: &str, controller: &str) -> Option<Self> {
        let membership = Membership::of(groups, controller)?;
        Some(Self { version: membership.version, directory: membership.usual(Path::new("/sys/fs/cgroup")) })
    }

    /// Where groups can be made, closest first: of version 2 also next to the groups above, which may hand controllers down
    /// where one with processes in it may not.
    fn places(&self) -> Vec<PathBuf> {
        match self.version {
            Version::One => vec![self.directory.clone()],
            Version::Two => {
                let groups = self.directory.ancestors().take_while(|above| above.join("cgroup.procs").exists());
                groups.map(Path::to_owned).collect()
            }
        }
    }

    /// The closest place in which a group has a controller of version 2, or the one place there is.
    fn place_for(&self, controller: &str) -> Option<PathBuf> {
        if self.version == Version::Two && !self.directory.join("cgroup.type").exists() {
            // The root of all groups alone has no type, and may have processes beside groups: there it is handed down where it
            // is not yet. Looking tells whether it is.
            let _ = fs::write(self.directory.join("cgroup.subtree_control"), format!("+{controller}"));
        }
        let hands_down = |place: &PathBuf| {
            let handed = fs::read_to_string(place.join("cgroup.subtree_control")).unwrap_or_default();
            handed.split_ascii_whitespace().any(|handed| handed == controller)
        };
        self.places().into_iter().find(|place| self.version == Version::One || hands_down(place))
    }

    /// The group for a controller, from the texts of `/proc/self/mountinfo` and `/proc/self/cgroup`:
    /// proc_pid_mountinfo(5), cgroups(7).
    fn of(mounts: &str, groups: &str, controller: &str) -> Option<Self> {
        let Membership { version, path, .. } = Membership::of(groups, controller)?;
        let (root, point) = match version {
            Version::One => mount(mounts, "cgroup", &|options| has(options, controller)),
            Version::Two => mount(mounts, "cgroup2", &|_| true),
        }?;
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
        check(two, "3:cpuset:/\n0::/a\n", Some((Version::Two, "/sys/fs/cgroup/a")));
    }

    #[test]
    fn the_usual_place_needs_no_mounts() {
        let root = tempfile::tempdir().unwrap();
        let usual = |groups| {
            let place = Membership::of(groups, "cpu").map(|membership| membership.usual(root.path()));
            place.map(|place| place.strip_prefix(root.path()).unwrap().to_owned())
        };
        assert_eq!(usual("2:cpu,cpuacct:/a/b\n0::/\n"), Some("cpu,cpuacct/a/b".into()));
        assert_eq!(usual("1:cpuset:/a\n0::/b.slice/x:y.scope\n"), Some("unified/b.slice/x:y.scope".into()));
        fs::write(root.path().join("cgroup.controllers"), "cpu").unwrap();
        assert_eq!(usual("0::/b.slice/x:y.scope\n"), Some("b.slice/x:y.scope".into()));
        assert_eq!(usual("3:cpuset:/\n"), None);
    }

    #[test]
    fn groups_lie_where_the_mounts_say() {
        let (mounts, groups) =
            ["/proc/self/mountinfo", "/proc/self/cgroup"].map(|file| fs::read_to_string(file).unwrap()).into();
        for controller in CONTROLLERS {
            let usual = Home::usual(&groups, controller).filter(|home| home.directory.join("cgroup.procs").exists());
            if let Some(usual) = usual {
                assert_eq!(Home::of(&mounts, &groups, controller), Some(usual), "{controller}");
            }
        }
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
