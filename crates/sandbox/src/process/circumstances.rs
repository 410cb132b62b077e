//! What decides how a program runs apart from what it is told: the limits, cores, priority and umask of the process it
//! runs in. A process that runs a program in another's stead takes them on.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use rustix::fs::Mode;
use rustix::process::{Pid, getpriority_process, setpriority_process, umask};

use super::raw;
use crate::affinity;
use crate::cgroup::without_own_share;

/// Namespaces (namespaces(7)) in which a program would meet other files, networks, users, processes or times.
const NAMESPACES: [&str; 5] = ["mnt", "net", "user", "pid", "time"];

/// Lines of proc_pid_status(5) that say what a process may do.
const RIGHTS: [&str; 6] = ["Uid:", "Gid:", "Groups:", "CapEff:", "NoNewPrivs:", "Seccomp:"];

/// Limits (getrlimit(2)) that what stands already has been measured against: under others it might not have come to stand.
const SIZES: [libc::__rlimit_resource_t; 2] = [libc::RLIMIT_AS, libc::RLIMIT_DATA];

/// Why one process cannot stand in for another.
#[derive(Debug, thiserror::Error)]
pub enum StandInError {
    /// What is another with it and cannot be taken on.
    #[error("the caller is in another {0}")]
    Elsewhere(&'static str),
    /// What it may do is not what this process may.
    #[error("the caller has other rights or limits: {0}")]
    Rights(String),
    /// The system refuses.
    #[error("the caller's limits: {0}")]
    System(#[from] io::Error),
}

/// Those of this process, read ahead of need.
#[derive(Debug)]
pub struct Circumstances {
    groups: Option<String>,
    namespaces: Vec<Option<PathBuf>>,
    root: Option<(u64, u64)>,
    rights: Vec<String>,
    limits: Vec<(u64, u64)>,
    cores: Vec<usize>,
    priority: i32,
}

impl Circumstances {
    /// Of this process, now.
    #[must_use]
    pub fn own() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        Self {
            groups: fs::read_to_string("/proc/self/cgroup").ok(),
            namespaces: namespaces("self"),
            root: root("self"),
            rights: rights(&status),
            limits: RESOURCES.map(raw::limit).collect(),
            cores: affinity::allowed().unwrap_or_default(),
            priority: getpriority_process(None).unwrap_or(0),
        }
    }

    /// Takes on those of another process, which this one is to stand in for.
    ///
    /// # Errors
    /// Where they cannot be taken on.
    pub fn take_on(&self, process: i32) -> Result<(), StandInError> {
        let pid = Pid::from_raw(process).ok_or(StandInError::Elsewhere("namespace of processes"))?;
        let status = self.compare(process)?;
        self.limit(process)?;
        let cores = affinity::of(process)?;
        if cores != self.cores {
            affinity::bind(&cores)?;
        }
        let priority = getpriority_process(Some(pid)).map_err(io::Error::from)?;
        if priority != self.priority {
            setpriority_process(None, priority).map_err(io::Error::from)?;
        }
        let mask = status.lines().find_map(|line| line.strip_prefix("Umask:"));
        if let Some(mask) = mask.and_then(|mask| u32::from_str_radix(mask.trim(), 8).ok()) {
            umask(Mode::from_raw_mode(mask));
        }
        Ok(())
    }

    /// Whether what cannot be taken on of another process is as here: its control groups, namespaces, root directory and
    /// rights; and what the system says of its status (proc_pid_status(5)).
    ///
    /// # Errors
    /// Where it is not.
    pub fn compare(&self, process: i32) -> Result<String, StandInError> {
        let groups = fs::read_to_string(format!("/proc/{process}/cgroup")).ok();
        if groups.map(|groups| without_own_share(&groups, process)) != self.groups {
            return Err(StandInError::Elsewhere("control group"));
        }
        if namespaces(&process.to_string()) != self.namespaces {
            return Err(StandInError::Elsewhere("namespace"));
        }
        if root(&process.to_string()) != self.root {
            return Err(StandInError::Elsewhere("root directory"));
        }
        let status = fs::read_to_string(format!("/proc/{process}/status"))?;
        if let Some((theirs, _)) = rights(&status).iter().zip(&self.rights).find(|(theirs, own)| theirs != own) {
            return Err(StandInError::Rights(theirs.clone()));
        }
        Ok(status)
    }

    fn limit(&self, process: i32) -> Result<(), StandInError> {
        for (resource, own) in RESOURCES.zip(&self.limits) {
            let theirs = raw::limit_of(process, resource).map_err(io::Error::from_raw_os_error)?;
            if theirs == *own {
                continue;
            }
            if SIZES.contains(&resource) {
                return Err(StandInError::Rights(format!("address space of {}", theirs.0)));
            }
            raw::set_limit(resource, theirs.0, theirs.1).map_err(io::Error::from_raw_os_error)?;
        }
        Ok(())
    }
}

/// Every limit there is, by number: `RLIM_NLIMITS` of Linux include/uapi/asm-generic/resource.h.
pub(super) const RESOURCES: std::ops::Range<libc::__rlimit_resource_t> = 0..16;

fn namespaces(process: &str) -> Vec<Option<PathBuf>> {
    NAMESPACES.iter().map(|name| fs::read_link(format!("/proc/{process}/ns/{name}")).ok()).collect()
}

/// The root directory (chroot(2)) of a process, by device and inode: by name it is the same to whoever asks.
fn root(process: &str) -> Option<(u64, u64)> {
    let found = fs::metadata(format!("/proc/{process}/root")).ok()?;
    Some((found.dev(), found.ino()))
}

fn rights(status: &str) -> Vec<String> {
    let known = |line: &&str| RIGHTS.iter().any(|name| line.starts_with(name));
    status.lines().filter(known).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    /// Whether this process could stand in for one that a shell has made so.
    fn check(made: &str, expected: Result<(), &str>) {
        let own = Circumstances::own();
        let mut other = Command::new("sh");
        other.args(["-c", &format!("{made}; echo; exec sleep 60")]).stdout(Stdio::piped());
        let mut other = other.spawn().unwrap();
        std::io::Read::read_exact(other.stdout.as_mut().unwrap(), &mut [0]).unwrap();
        let taken = own.take_on(other.id().cast_signed()).map_err(|error| error.to_string());
        other.kill().unwrap();
        other.wait().unwrap();
        match expected {
            Ok(()) => assert_eq!(taken, Ok(()), "{made}"),
            Err(part) => assert!(taken.clone().is_err_and(|why| why.contains(part)), "{made}: {taken:?}"),
        }
    }

    #[test]
    fn limits_and_masks_are_taken_on_or_refused() {
        check("true", Ok(()));
        let (mask, (soft, hard)) = (umask(Mode::from_raw_mode(0o022)), raw::limit(libc::RLIMIT_NOFILE));
        check("umask 077; ulimit -S -n 100", Ok(()));
        assert_eq!(umask(mask).as_raw_mode(), 0o077);
        assert_eq!(raw::limit(libc::RLIMIT_NOFILE).0, 100);
        raw::set_limit(libc::RLIMIT_NOFILE, soft, hard).unwrap();
        check("ulimit -v 5000000", Err("address space"));
        if rustix::process::geteuid().is_root() && std::path::Path::new("/usr/bin/perl").exists() {
            let elsewhere = r#"exec perl -e 'chroot("/usr") or die; $| = 1; print "\n"; sleep 60'"#;
            check(elsewhere, Err("root directory"));
        }
    }
}
