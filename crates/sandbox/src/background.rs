//! Work that must not disturb: detached from the terminal, and run only when nothing else wants the machine.

use std::io;

/// Gives the calling thread, and the threads it starts, the lowest claim on cores (`SCHED_IDLE`, nice 19) and disks
/// (idle class). Each part is tried; the first failure is reported.
///
/// # Errors
/// Where the system refuses any part.
pub fn yield_to_others() -> io::Result<()> {
    let niced = rustix::process::setpriority_process(None, 19).map_err(io::Error::from);
    idle_scheduling().and(idle_io()).and(niced)
}

#[expect(unsafe_code, reason = "sched_setscheduler has no safe wrapper among the dependencies")]
fn idle_scheduling() -> io::Result<()> {
    // SAFETY: `sched_param` is a plain structure of integers, for which zero is a value.
    let parameters: libc::sched_param = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is valid for reading one `sched_param` during the call, which keeps nothing of it.
    let result = unsafe { libc::sched_setscheduler(0, libc::SCHED_IDLE, &raw const parameters) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[expect(unsafe_code, reason = "ioprio_set has no wrapper in libc")]
fn idle_io() -> io::Result<()> {
    /// `IOPRIO_WHO_PROCESS` and `IOPRIO_CLASS_IDLE << IOPRIO_CLASS_SHIFT`: Linux include/uapi/linux/ioprio.h.
    const WHO_PROCESS: libc::c_int = 1;
    const CLASS_IDLE: libc::c_int = 3 << 13;
    // SAFETY: the call takes three integers and touches no memory of ours.
    let result = unsafe { libc::syscall(libc::SYS_ioprio_set, WHO_PROCESS, 0, CLASS_IDLE) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Leaves the terminal's session, so that its signals (Ctrl-C, hang-up) no longer reach this process, and has the new
/// session claim least of the cores.
///
/// Where the kernel schedules sessions as groups (`sched(7)`, "The autogroup feature"), what a thread's own priority says
/// counts within its session only, and a new session is as good as any other: a process of the lowest priority would get
/// half of a core.
///
/// # Errors
/// Where this process already leads a group. A kernel without such groups is none.
pub fn leave_session() -> io::Result<()> {
    rustix::process::setsid()?;
    match std::fs::OpenOptions::new().write(true).open("/proc/self/autogroup") {
        Ok(mut group) => io::Write::write_all(&mut group, b"19"),
        Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yields_in_a_thread_of_its_own() {
        let policy = std::thread::spawn(|| {
            yield_to_others().unwrap();
            // Field 41 of stat is the scheduling policy: proc_pid_stat(5).
            let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
            let fields = stat.rsplit_once(") ").unwrap().1.split(' ').nth(38).map(str::to_owned);
            fields.unwrap()
        });
        assert_eq!(policy.join().unwrap().trim(), libc::SCHED_IDLE.to_string());
    }
}
