//! Children, limits and rights.

use libc::{c_int, c_long};

use super::{Result, check, kill, read_file};

/// Kills and reaps all children of this process until none is left; those of the killed come to it, as it is their reaper.
///
/// Their numbers are read from `/proc` (proc_pid_children(5)): nothing else names them without ending others of the user.
pub fn end_children() {
    let mut text = [0_u8; 4096];
    loop {
        let length = read_file(c"/proc/thread-self/children", &mut text);
        // The last number may be cut off where there are many; it comes again.
        let text = text.get(..length).unwrap_or_default();
        let whole = text.iter().rposition(|byte| *byte == b' ').map_or(0, |end| end + 1);
        let numbers = text.get(..whole).unwrap_or_default().split(|byte| *byte == b' ');
        let mut found = false;
        for digits in numbers.filter(|digits| !digits.is_empty()) {
            let number = digits
                .iter()
                .fold(0_i32, |number, byte| number.wrapping_mul(10).wrapping_add(i32::from(byte.wrapping_sub(b'0'))));
            if number > 1 {
                kill(number, libc::SIGKILL);
                consume_killed(number);
                found = true;
            }
        }
        if !found {
            return;
        }
    }
}

/// Numbers that [`usage_of_children`] gives.
pub const USAGE: usize = 9;

/// What all children used that were waited for, with theirs: microseconds of user and of system time, minor and major
/// faults, voluntary and involuntary switches, blocks read and written, and KiB of the largest (getrusage(2)).
pub fn usage_of_children() -> [u64; USAGE] {
    // SAFETY: `rusage` is plain data for which zero is a value; the call writes it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_CHILDREN, &raw mut usage);
        usage
    };
    let microseconds = |time: libc::timeval| time.tv_sec.wrapping_mul(1_000_000).wrapping_add(time.tv_usec);
    [
        microseconds(usage.ru_utime),
        microseconds(usage.ru_stime),
        usage.ru_minflt,
        usage.ru_majflt,
        usage.ru_nvcsw,
        usage.ru_nivcsw,
        usage.ru_inblock,
        usage.ru_oublock,
        usage.ru_maxrss,
    ]
    .map(i64::cast_unsigned)
}

/// Ends and reaps all that is left in the namespace whose init this is.
pub fn end_namespace() {
    // SAFETY: as its init this process reaches all of the namespace and nothing else; `siginfo_t` as below.
    unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        while libc::waitid(libc::P_ALL, 0, &raw mut info, libc::WEXITED | libc::WNOHANG) == 0 {
            if info.si_pid() == 0 {
                libc::kill(-1, libc::SIGKILL);
                libc::waitid(libc::P_ALL, 0, &raw mut info, libc::WEXITED);
            }
            info = std::mem::zeroed();
        }
    }
}

/// Waits for the end of a child that was killed.
fn consume_killed(pid: i32) {
    // SAFETY: `siginfo_t` is plain data for which zero is a value; the call writes it.
    unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        libc::waitid(libc::P_PID, pid as libc::id_t, &raw mut info, libc::WEXITED);
    }
}

pub fn set_limit(resource: libc::__rlimit_resource_t, soft: u64, hard: u64) -> Result<()> {
    let limit = libc::rlimit { rlim_cur: soft, rlim_max: hard };
    // SAFETY: the structure is live.
    check(c_long::from(unsafe { libc::setrlimit(resource, &raw const limit) })).map(drop)
}

/// Sets a limit of another process.
pub fn set_limit_of(pid: i32, resource: libc::__rlimit_resource_t, soft: u64, hard: u64) -> Result<()> {
    let limit = libc::rlimit { rlim_cur: soft, rlim_max: hard };
    // SAFETY: the structure is live; nothing is written back.
    let result = unsafe { libc::prlimit(pid, resource, &raw const limit, std::ptr::null_mut()) };
    check(c_long::from(result)).map(drop)
}

/// A limit of another process.
pub fn limit_of(pid: i32, resource: libc::__rlimit_resource_t) -> Result<(u64, u64)> {
    let mut limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: the structure is live and ours to write; nothing is set.
    let result = unsafe { libc::prlimit(pid, resource, std::ptr::null(), &raw mut limit) };
    check(c_long::from(result)).map(|_| (limit.rlim_cur, limit.rlim_max))
}

pub fn limit(resource: libc::__rlimit_resource_t) -> (u64, u64) {
    let mut limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: the structure is live and ours to write.
    unsafe { libc::getrlimit(resource, &raw mut limit) };
    (limit.rlim_cur, limit.rlim_max)
}

/// A child's change of state: `waitid`'s `si_pid`, `si_code` and `si_status`.
#[derive(Clone, Copy)]
pub struct Change {
    pub pid: i32,
    pub code: c_int,
    pub status: c_int,
}

/// The next change of a child, which stays to be consumed; `None` where there is none now.
pub fn next_change() -> Option<Change> {
    let options = libc::WEXITED | libc::WSTOPPED | libc::WCONTINUED | libc::WNOWAIT | libc::WNOHANG;
    // SAFETY: `siginfo_t` is plain data for which zero is a value; the call writes it, and the fields read are those of
    // a child's change.
    unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        let result = libc::waitid(libc::P_ALL, 0, &raw mut info, options);
        let found = result == 0 && info.si_pid() != 0;
        found.then(|| Change { pid: info.si_pid(), code: info.si_code, status: info.si_status() })
    }
}

/// Consumes a child's change: its end, or its stop or continuation.
pub fn consume(pid: i32, ended: bool) {
    let options = if ended { libc::WEXITED } else { libc::WSTOPPED | libc::WCONTINUED };
    // SAFETY: as above.
    unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        libc::waitid(libc::P_PID, pid as libc::id_t, &raw mut info, options | libc::WNOHANG);
    }
}

/// Leads a session and a process group of its own, without a terminal.
pub fn lead_session() {
    // SAFETY: takes nothing.
    unsafe { libc::setsid() };
}

pub fn set_umask(mask: u32) {
    // SAFETY: numbers only.
    unsafe { libc::umask(mask) };
}

/// Keeps those of the caller's capabilities that are in the set; gives up the others.
pub fn keep_capabilities(kept: u64) -> Result<()> {
    /// `_LINUX_CAPABILITY_VERSION_3`: Linux include/uapi/linux/capability.h.
    const VERSION: u32 = 0x2008_0522;
    let header = [VERSION, 0];
    let mut sets = [[0_u32; 3]; 2];
    // SAFETY: header and sets are live and of the version's layout: effective, permitted, inheritable, low word first.
    unsafe {
        check(libc::syscall(libc::SYS_capget, header.as_ptr(), sets.as_mut_ptr()))?;
        for (set, word) in sets.iter_mut().zip([kept as u32, (kept >> 32) as u32]) {
            set[1] &= word;
            set[0] &= word;
            set[2] = 0;
        }
        check(libc::syscall(libc::SYS_capset, header.as_ptr(), sets.as_ptr())).map(drop)
    }
}
