//! What this process has used so far: CPU time, memory, faults, and time spent waiting for a core.

use forewarm_types::{Bytes, Seconds};

/// Resources used by the whole process since it began, as `getrusage(2)` counts them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Usage {
    /// CPU time in user mode.
    pub user: Seconds,
    /// CPU time in the kernel.
    pub system: Seconds,
    /// Page faults served without reading a disk.
    pub minor_faults: u64,
    /// Page faults that had to read a disk.
    pub major_faults: u64,
    /// Times the process gave up its core to wait.
    pub voluntary_switches: u64,
    /// Times the system took the core from it.
    pub involuntary_switches: u64,
}

impl Usage {
    /// CPU time in user mode and in the kernel.
    #[must_use]
    pub fn cpu(&self) -> Seconds {
        self.user + self.system
    }
}

/// Resources this process has used.
#[must_use]
pub fn usage() -> Usage {
    converted(&raw_usage())
}

fn converted(raw: &libc::rusage) -> Usage {
    let seconds = |time: libc::timeval| Seconds(time.tv_sec as f64 + time.tv_usec as f64 * 1e-6);
    let count = |value: libc::c_long| u64::try_from(value).unwrap_or(0);
    Usage {
        user: seconds(raw.ru_utime),
        system: seconds(raw.ru_stime),
        minor_faults: count(raw.ru_minflt),
        major_faults: count(raw.ru_majflt),
        voluntary_switches: count(raw.ru_nvcsw),
        involuntary_switches: count(raw.ru_nivcsw),
    }
}

#[expect(unsafe_code, reason = "getrusage has no safe wrapper among the dependencies")]
fn raw_usage() -> libc::rusage {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is valid for writing one `rusage`; every field of it is an integer, so that the zeroed
    // value is initialised even if the call were to fail.
    unsafe {
        libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
        usage.assume_init()
    }
}

/// Unit of `ru_inblock` and `ru_oublock`: Linux kernel/sys.c, `getrusage`, counts blocks of 512 bytes.
const BLOCK: u64 = 512;

/// Waits for a child's end; what it and all it waited for used, the bytes they read from and wrote to disks, and the peak
/// memory of any one of them.
///
/// # Errors
/// Where there is no such child.
pub fn reap(child: i32) -> std::io::Result<(Usage, [Bytes; 2], Bytes)> {
    let usage = raw_reap(child)?;
    let count = |value: libc::c_long| u64::try_from(value).unwrap_or(0);
    let disk = [usage.ru_inblock, usage.ru_oublock].map(|blocks| Bytes(count(blocks).saturating_mul(BLOCK)));
    Ok((converted(&usage), disk, Bytes(count(usage.ru_maxrss).saturating_mul(1024))))
}

/// The same of the numbers that an init told.
pub(crate) fn told(numbers: [u64; 9]) -> (Usage, [Bytes; 2], Bytes) {
    let [user, system, minor_faults, major_faults, voluntary_switches, involuntary_switches, read, written, peak] =
        numbers;
    let seconds = |microseconds: u64| Seconds(microseconds as f64 * 1e-6);
    let usage = Usage {
        user: seconds(user),
        system: seconds(system),
        minor_faults,
        major_faults,
        voluntary_switches,
        involuntary_switches,
    };
    (usage, [read, written].map(|blocks| Bytes(blocks.saturating_mul(BLOCK))), Bytes(peak.saturating_mul(1024)))
}

#[expect(unsafe_code, reason = "wait4 has no safe wrapper among the dependencies")]
fn raw_reap(child: i32) -> std::io::Result<libc::rusage> {
    let (mut status, mut usage) = (0, std::mem::MaybeUninit::<libc::rusage>::zeroed());
    loop {
        // SAFETY: both are live and ours to write; every field of the usage is an integer.
        if unsafe { libc::wait4(child, &raw mut status, 0, usage.as_mut_ptr()) } == child {
            // SAFETY: as above.
            return Ok(unsafe { usage.assume_init() });
        }
        let error = std::io::Error::last_os_error();
        if error.kind() != std::io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// Memory this machine has.
#[must_use]
pub fn total_memory() -> Bytes {
    let known = rustix::system::sysinfo();
    // In units of `mem_unit` bytes: sysinfo(2). The fields' width is the machine's.
    Bytes((known.totalram as u64).saturating_mul(u64::from(known.mem_unit)))
}

/// Peak resident memory of this process.
///
/// Read from `VmHWM` where the system has it: `ru_maxrss` survives `execve`, and so can be that of the parent.
#[must_use]
pub fn peak_resident() -> Bytes {
    peak_resident_of("self").unwrap_or_else(|| {
        // In KiB: getrusage(2).
        Bytes(u64::try_from(raw_usage().ru_maxrss).unwrap_or(0).saturating_mul(1024))
    })
}

/// The same of a process by its number; `None` where the system does not say.
#[must_use]
pub fn peak_resident_of(process: &str) -> Option<Bytes> {
    high_water_mark(&std::fs::read_to_string(format!("/proc/{process}/status")).ok()?)
}

/// CPU time of another process' first thread, as `schedstat` has it in nanoseconds (Linux
/// Documentation/scheduler/sched-stats.rst).
#[must_use]
pub fn cpu_of(process: i32) -> Option<Seconds> {
    let text = std::fs::read_to_string(format!("/proc/{process}/schedstat")).ok()?;
    let nanoseconds: u64 = text.split_ascii_whitespace().next()?.parse().ok()?;
    Some(Seconds(nanoseconds as f64 * 1e-9))
}

/// The `VmHWM` line of `/proc/<pid>/status`, which is in KiB: proc_pid_status(5).
fn high_water_mark(status: &str) -> Option<Bytes> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(Bytes(kibibytes.saturating_mul(1024)))
}

/// Time the calling thread spent runnable but waiting for a core, where the system counts it (the second field of
/// `/proc/thread-self/schedstat`, in nanoseconds: Linux Documentation/scheduler/sched-stats.rst).
#[must_use]
pub fn run_delay() -> Option<Seconds> {
    parse_run_delay(&std::fs::read_to_string("/proc/thread-self/schedstat").ok()?)
}

/// The same of another process' first thread.
#[must_use]
pub fn run_delay_of(process: i32) -> Option<Seconds> {
    parse_run_delay(&std::fs::read_to_string(format!("/proc/{process}/schedstat")).ok()?)
}

fn parse_run_delay(schedstat: &str) -> Option<Seconds> {
    let nanoseconds: u64 = schedstat.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(Seconds(nanoseconds as f64 * 1e-9))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_the_system_files() {
        assert_eq!(high_water_mark("Name:\tx\nVmHWM:\t    2048 kB\n"), Some(Bytes(2048 * 1024)));
        assert_eq!(high_water_mark("VmHWM: many kB"), None);
        assert_eq!(parse_run_delay("123 2000000000 7\n"), Some(Seconds(2.0)));
        assert_eq!(parse_run_delay(""), None);
    }

    #[test]
    fn touched_memory_shows() {
        let before = peak_resident();
        let faults = usage().minor_faults;
        let block = std::hint::black_box(vec![1_u8; 64 << 20]);
        assert!(peak_resident().0 >= before.0.max(block.len() as u64));
        assert!(usage().minor_faults > faults);
    }
}
