//! What the machine around a program did while it ran: time the host took, time a quota held it back, processes killed
//! for want of memory.
//!
//! Counters of the system, read when the program starts and when it has ended; of a process both while its supervisor would
//! wait.

use std::fs::File;
use std::os::unix::fs::FileExt;

use forewarm_types::Seconds;

/// Where the counters stand, opened once, and where they stood then.
#[derive(Debug)]
pub struct Surroundings {
    stat: Option<File>,
    quota: Option<File>,
    memory: Option<File>,
    then: Counters,
}

impl Surroundings {
    /// From now on, as far as the system counts.
    #[must_use]
    pub fn open() -> Self {
        Self::from_here(File::open("/proc/vmstat").ok())
    }

    /// The same of what took time alone: of a program that is no process of its own.
    #[must_use]
    pub fn of_time() -> Self {
        Self::from_here(None)
    }

    fn from_here(memory: Option<File>) -> Self {
        let stat = File::open("/proc/stat").ok();
        let opened = Self { stat, quota: crate::cgroup::cpu_statistics(), memory, then: Counters::default() };
        Self { then: opened.now(), ..opened }
    }

    /// What happened so far.
    #[must_use]
    pub fn so_far(&self) -> Around {
        self.now().since(&self.then)
    }

    fn now(&self) -> Counters {
        let text = |file: &Option<File>| file.as_ref().map(beginning).unwrap_or_default();
        Counters {
            steal: stolen(&text(&self.stat)),
            throttled: crate::cgroup::throttled_in(&text(&self.quota)),
            oom_kills: killed(&text(&self.memory)),
        }
    }
}

/// What the machine did meanwhile; `None` where it does not say.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Around {
    /// Time that the host took from all cores.
    pub steal: Option<Seconds>,
    /// Time that a quota held the group back.
    pub throttled: Option<Seconds>,
    /// Processes that were killed for want of memory.
    pub oom_kills: Option<u64>,
}

/// The counters at one moment; `None` where the system does not keep one.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Counters {
    steal: Option<Seconds>,
    throttled: Option<Seconds>,
    oom_kills: Option<u64>,
}

impl Counters {
    /// What happened since an earlier moment.
    fn since(&self, earlier: &Self) -> Around {
        let between = |now: Option<Seconds>, then: Option<Seconds>| {
            now.zip(then).map(|(now, then)| Seconds((now.0 - then.0).max(0.0)))
        };
        Around {
            steal: between(self.steal, earlier.steal),
            throttled: between(self.throttled, earlier.throttled),
            oom_kills: self.oom_kills.zip(earlier.oom_kills).map(|(now, then)| now.saturating_sub(then)),
        }
    }
}

/// As much of a file as the system gives in one call: of those read here more than what is looked for.
fn beginning(file: &File) -> String {
    let mut bytes = [0; 8192];
    let length = file.read_at(&mut bytes, 0).unwrap_or(0);
    String::from_utf8_lossy(bytes.get(..length).unwrap_or_default()).into_owned()
}

/// The `steal` column of the line of all cores, in ticks: proc_stat(5).
fn stolen(stat: &str) -> Option<Seconds> {
    let ticks: u64 = stat.lines().next()?.strip_prefix("cpu ")?.split_ascii_whitespace().nth(7)?.parse().ok()?;
    Some(Seconds(ticks as f64 / rustix::param::clock_ticks_per_second() as f64))
}

/// The `oom_kill` counter of `/proc/vmstat`: Linux mm/vmstat.c.
fn killed(vmstat: &str) -> Option<u64> {
    vmstat.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_words_are_read() {
        let ticks = rustix::param::clock_ticks_per_second() as f64;
        assert_eq!(stolen("cpu  1 2 3 4 5 6 7 80 9 10\ncpu0 1\n"), Some(Seconds(80.0 / ticks)));
        assert_eq!(stolen("cpu  1 2 3\n"), None);
        assert_eq!(killed("pgfault 3\noom_kill 6\n"), Some(6));
        assert_eq!(killed("pgfault 3\n"), None);
    }

    #[test]
    fn counters_are_told_by_their_difference() {
        let of = |steal, kills| Counters { steal: Some(Seconds(steal)), throttled: None, oom_kills: Some(kills) };
        let (now, then) = (of(3.0, 7), of(1.0, 5));
        let around = Around { steal: Some(Seconds(2.0)), throttled: None, oom_kills: Some(2) };
        assert_eq!(now.since(&then), around);
    }
}
