//! What the machine around a program did while it ran: time the host took, time a quota held it back, processes killed
//! for want of memory.
//!
//! Counters of the system, read when the program starts and when it has ended, both while the supervisor would wait.

use std::fs::{self, File};
use std::io::Read;

use forewarm_types::Seconds;

/// The counters at one moment; `None` where the system does not keep one.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Counters {
    steal: Option<Seconds>,
    throttled: Option<Seconds>,
    oom_kills: Option<u64>,
}

impl Counters {
    /// Reads them.
    pub fn now() -> Self {
        Self {
            steal: stolen(&beginning("/proc/stat")),
            throttled: crate::cgroup::throttled(),
            oom_kills: killed(&fs::read_to_string("/proc/vmstat").unwrap_or_default()),
        }
    }

    /// Time taken by the host since an earlier moment.
    pub fn steal_since(&self, earlier: &Self) -> Option<Seconds> {
        self.steal.zip(earlier.steal).map(|(now, then)| Seconds((now.0 - then.0).max(0.0)))
    }

    /// Time held back by a quota since an earlier moment.
    pub fn throttled_since(&self, earlier: &Self) -> Option<Seconds> {
        self.throttled.zip(earlier.throttled).map(|(now, then)| Seconds((now.0 - then.0).max(0.0)))
    }

    /// Processes killed since an earlier moment.
    pub fn oom_kills_since(&self, earlier: &Self) -> Option<u64> {
        self.oom_kills.zip(earlier.oom_kills).map(|(now, then)| now.saturating_sub(then))
    }
}

/// The first line of a file that may be long.
fn beginning(path: &str) -> String {
    /// Ten counters of twenty digits, the most a line of `/proc/stat` has.
    const LINE: u64 = 256;
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(LINE).read_to_string(&mut text));
    if read.is_ok() { text } else { String::new() }
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
        assert_eq!(now.steal_since(&then), Some(Seconds(2.0)));
        assert_eq!((now.throttled_since(&then), now.oom_kills_since(&then)), (None, Some(2)));
    }
}
