//! The last steps before the program's first instruction: limits, cores, privileges, Landlock, filters, exec.
//!
//! Runs between fork and exec: system calls on prepared data, nothing else.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::Ordering::{Relaxed, Release};

use libc::c_ulong;
use serde::{Deserialize, Serialize};

use super::filter::Filters;
use super::rules::{Domain, Rules};
use super::shared::{Words, step};
use super::start::Told;
use super::{Bounds, SpawnError, raw};

/// Capabilities that a program of root's keeps, over its own user namespace alone: its usual way with the owners and modes
/// of files and the numbers of users, as Linux include/uapi/linux/capability.h numbers them. `CHOWN`, `DAC_OVERRIDE`,
/// `DAC_READ_SEARCH`, `FOWNER`, `FSETID`, `KILL`, `SETGID`, `SETUID`, `NET_BIND_SERVICE`.
const KEPT_INSIDE: u64 = 0b1111_1111 | 1 << 10;
/// Without a user namespace these would hold for the host: only reading, and writing where Landlock allows.
const KEPT_OUTSIDE: u64 = 0b110;
/// More capabilities than any kernel has; dropping one it lacks fails, which ends the loop.
const CAPABILITIES: c_ulong = 64;

/// A program as the system takes it, with all that is done to it first.
#[derive(Debug, Serialize, Deserialize)]
pub struct Image {
    path: CString,
    limits: Vec<(libc::__rlimit_resource_t, u64, u64)>,
    pub domain: Domain,
    /// Of the process that forks its init.
    #[serde(skip)]
    pub filters: Filters,
    /// The blocked signals the program is to have, signal 1 the lowest bit.
    pub mask: u64,
    /// Whether it has a user namespace of its own.
    pub own_users: bool,
    /// Whether its parent's end must end it, since there is no namespace to do that; and its filter is its own.
    pub follows_parent: bool,
    pub directory: CString,
}

fn zero_ended(what: &'static str, path: &Path) -> Result<CString, SpawnError> {
    CString::new(path.as_os_str().as_bytes()).map_err(|_| SpawnError::ZeroByte(what))
}

impl Image {
    pub fn of(executable: &Path, directory: &Path, bounds: &Bounds) -> Result<Self, SpawnError> {
        Ok(Self {
            path: zero_ended("the program's path", executable)?,
            limits: limits(bounds),
            domain: Domain::default(),
            filters: Filters::default(),
            mask: 0,
            own_users: false,
            follows_parent: false,
            directory: zero_ended("the working directory", directory)?,
        })
    }

    /// Becomes the program once it is `told` how to, or says why not and ends.
    pub fn execute(&self, words: &Words, told: impl FnOnce() -> raw::Result<Option<Told>>) -> ! {
        let (step, error) = match self.prepare().and_then(|rules| self.become_told(words, rules, told)) {
            Ok(error) => (step::EXECUTION, error),
            Err(failed) => failed,
        };
        words.step.store(step, Relaxed);
        words.error.store(error, Release);
        raw::exit(127)
    }

    /// What needs to know nothing of how it is to be executed; the rules of its domain.
    fn prepare(&self) -> Result<Rules, (i32, raw::Errno)> {
        if self.follows_parent {
            let _ = raw::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as c_ulong, 0);
            raw::chdir(&self.directory).map_err(|error| (step::DIRECTORY, error))?;
        }
        // Descriptors of this process and its caller are not the program's, its three streams apart.
        raw::close_on_exec_from(3).map_err(|error| (step::PRIVILEGES, error))?;
        self.give_up_privileges().map_err(|error| (step::PRIVILEGES, error))?;
        self.domain.rules().map_err(|error| (step::PRIVILEGES, error))
    }

    /// The rest; returns only with an error, of the execution where all else went well.
    fn become_told(
        &self,
        words: &Words,
        rules: Rules,
        told: impl FnOnce() -> raw::Result<Option<Told>>,
    ) -> Result<raw::Errno, (i32, raw::Errno)> {
        let Some(told) = told().map_err(|error| (step::EXECUTION, error))? else { raw::exit(0) };
        told.take_on();
        for (resource, soft, hard) in &self.limits {
            // Others may have been laid on this process since the place was prepared.
            let (now, most) = raw::limit(*resource);
            raw::set_limit(*resource, now.min(*soft), most.min(*hard)).map_err(|error| (step::LIMITS, error))?;
        }
        rules.enter().map_err(|error| (step::PRIVILEGES, error))?;
        if self.follows_parent {
            self.filters.enter().map_err(|error| (step::FILTER, error))?;
        }
        // Rust's runtime ignores it; programs expect what a shell gives.
        raw::default_action(libc::SIGPIPE);
        raw::set_mask(&raw::set_of(self.mask));
        words.times[0].store(raw::now(), Release);
        Ok(told.execute(&self.path))
    }

    fn give_up_privileges(&self) -> raw::Result<()> {
        let kept = if self.own_users { KEPT_INSIDE } else { KEPT_OUTSIDE };
        for capability in (0..CAPABILITIES).filter(|capability| kept & (1 << capability) == 0) {
            // A user without privileges has no bounds to lower, nor anything they would bound.
            if raw::prctl(libc::PR_CAPBSET_DROP, capability, 0).is_err() {
                break;
            }
        }
        let _ = raw::keep_capabilities(kept);
        raw::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0).map(drop)
    }
}

/// Limits as the system takes them: lowered only, and never the ones the caller has already lower.
pub fn limits(bounds: &Bounds) -> Vec<(libc::__rlimit_resource_t, u64, u64)> {
    let seconds = bounds.cpu.map(|cpu| cpu.0.max(0.0).ceil() as u64);
    let wanted = [
        // The program is told first, and ended one second later.
        (libc::RLIMIT_CPU, seconds, seconds.map(|seconds| seconds.saturating_add(1))),
        (libc::RLIMIT_FSIZE, bounds.file_size.map(|size| size.0), None),
        (libc::RLIMIT_NOFILE, bounds.open_files, None),
        (libc::RLIMIT_NPROC, bounds.processes, None),
        (libc::RLIMIT_CORE, Some(0), None),
    ];
    let wanted = wanted.into_iter().filter_map(|(resource, soft, hard)| Some((resource, soft?, hard.or(soft)?)));
    wanted
        .map(|(resource, soft, hard)| {
            let (now, most) = raw::limit(resource);
            (resource, soft.min(now), hard.min(most))
        })
        .collect()
}
