//! The cores a thread may run on.

use std::io;

/// The numbers of the cores the calling thread may run on, rising.
///
/// # Errors
/// Where the system does not say.
pub fn allowed() -> io::Result<Vec<usize>> {
    use rustix::thread::{CpuSet, sched_getaffinity};
    let set = sched_getaffinity(None)?;
    Ok((0..CpuSet::MAX_CPU).filter(|&core| set.is_set(core)).collect())
}

/// The numbers of the cores another process may run on, rising.
///
/// # Errors
/// Where there is no such process.
pub fn of(pid: i32) -> io::Result<Vec<usize>> {
    use rustix::thread::{CpuSet, sched_getaffinity};
    let set = sched_getaffinity(rustix::process::Pid::from_raw(pid))?;
    Ok((0..CpuSet::MAX_CPU).filter(|&core| set.is_set(core)).collect())
}

/// Binds the calling thread, and the threads it starts from now on, to the cores given.
///
/// # Errors
/// Where none of the cores exists or may be used.
pub fn bind(cores: &[usize]) -> io::Result<()> {
    use rustix::thread::{CpuSet, sched_setaffinity};
    let mut set = CpuSet::new();
    for &core in cores.iter().filter(|&&core| core < CpuSet::MAX_CPU) {
        set.set(core);
    }
    Ok(sched_setaffinity(None, &set)?)
}

/// Binds another process to the cores given.
///
/// # Errors
/// Where none of the cores exists or may be used, or the process is another user's.
pub fn bind_process(pid: i32, cores: &[usize]) -> io::Result<()> {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    let pid = rustix::process::Pid::from_raw(pid);
    let mut set = CpuSet::new();
    for &core in cores.iter().filter(|&&core| core < CpuSet::MAX_CPU) {
        set.set(core);
    }
    if sched_getaffinity(pid)? == set {
        return Ok(());
    }
    Ok(sched_setaffinity(pid, &set)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binding_narrows_and_widens() {
        let all = allowed().unwrap();
        bind(&all[..1]).unwrap();
        assert_eq!(allowed().unwrap(), all[..1]);
        bind(&all).unwrap();
        assert_eq!(allowed().unwrap(), all);
        assert!(bind(&[]).is_err());
    }
}
