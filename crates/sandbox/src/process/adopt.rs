//! A process that another forked for this one (a zygote's child): held to the caller's limits, its signals passed on.
//!
//! Its walls are those of who forked it; what is the caller's own (limits, cores, terminal) is laid on it here, from
//! outside, before it is told to begin. Who forked it waits for it and says how it ended.

use std::fs;
use std::io;
use std::os::fd::BorrowedFd;

use forewarm_types::{Bytes, Seconds};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, getpriority_process, setpriority_process};

use super::circumstances::RESOURCES;
use super::program::limits;
use super::signals::{Relay, stop_self};
use super::supervise::patience;
use super::surroundings::{Around, Surroundings};
use super::survey::{self, Survey};
use super::verdict::{Ending, judge};
use super::watch::Watch;
use super::{Bounds, Cause, Confinement, raw};
use crate::affinity;

/// Why a process cannot be taken on.
#[derive(Debug, thiserror::Error)]
pub enum AdoptError {
    /// It is in other control groups, whose limits and shares are not the caller's.
    #[error("the caller is in another control group")]
    Group,
    /// It may run on other cores.
    #[error("the caller may use other cores")]
    Cores,
    /// The system refuses to lay the caller's limits on it.
    #[error("the caller's limits: {0}")]
    Limits(io::Error),
}

/// A process taken on.
#[derive(Debug)]
pub struct Adopted {
    pid: i32,
    relay: Option<Relay>,
    bounds: Bounds,
    watch: Watch,
    next: u64,
    verdict: Option<Cause>,
    around: Option<Surroundings>,
}

/// Whether a process is in the caller's control groups.
fn same_group(pid: i32) -> bool {
    let groups = |of: &str| fs::read_to_string(format!("/proc/{of}/cgroup")).ok();
    groups("self") == groups(&pid.to_string())
}

/// Lays this process' limits on another, and where they are lower those given.
fn lay(pid: i32, bounds: &Bounds) -> raw::Result<()> {
    let bounded = limits(bounds);
    for resource in RESOURCES {
        let given = bounded.iter().find(|(other, ..)| *other == resource);
        let wanted = given.map_or_else(|| raw::limit(resource), |(_, soft, hard)| (*soft, *hard));
        if raw::limit_of(pid, resource)? != wanted {
            raw::set_limit_of(pid, resource, wanted.0, wanted.1)?;
        }
    }
    Ok(())
}

/// Lays on a process what is this one's own: its limits, where they are lower those given, its cores and its priority.
///
/// # Errors
/// Where the system refuses.
pub(super) fn lay_own(pid: i32, bounds: &Bounds, cores: &[usize]) -> io::Result<()> {
    lay(pid, bounds).map_err(io::Error::from_raw_os_error)?;
    affinity::bind_process(pid, cores)?;
    Ok(prioritise(pid)?)
}

/// Gives a process this one's priority.
fn prioritise(pid: i32) -> rustix::io::Result<()> {
    let (own, theirs) = (getpriority_process(None)?, getpriority_process(Pid::from_raw(pid))?);
    if own == theirs { Ok(()) } else { setpriority_process(Pid::from_raw(pid), own) }
}

/// What [`Adopted::attend`] returns for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    /// The line to who forked it has something to read.
    Line,
    /// It was ended, and its end can be awaited on the line.
    Ended,
}

impl Adopted {
    /// Takes on a process that waits to be told to begin.
    ///
    /// # Errors
    /// Where what is the caller's cannot be laid on it.
    pub fn take(pid: i32, confinement: &Confinement) -> Result<Self, AdoptError> {
        if !same_group(pid) {
            return Err(AdoptError::Group);
        }
        let cores = affinity::allowed().unwrap_or_default();
        lay_own(pid, &confinement.bounds, &cores).map_err(AdoptError::Limits)?;
        Ok(Self::over(pid, confinement.relay, confinement.bounds, cores.len(), Seconds(0.0)))
    }

    /// Takes on a process that goes on after this use of it and has used so much CPU time before. What the kernel bounds of
    /// it stays as it was laid on it when it started; time, CPU time and memory are watched from here.
    ///
    /// # Errors
    /// Where its groups or cores are not the caller's.
    pub fn waiting(pid: i32, confinement: &Confinement, used: Seconds) -> Result<Self, AdoptError> {
        if !same_group(pid) {
            return Err(AdoptError::Group);
        }
        let cores = affinity::allowed().unwrap_or_default();
        if affinity::of(pid).map_err(AdoptError::Limits)? != cores {
            return Err(AdoptError::Cores);
        }
        let cpu = confinement.bounds.cpu.map(|cpu| cpu + used);
        Ok(Self::over(pid, confinement.relay, Bounds { cpu, ..confinement.bounds }, cores.len(), used))
    }

    /// Takes on a process that has taken on this one's limits and cores by itself ([`super::Circumstances`]); with `relay`,
    /// signals are passed on.
    #[must_use]
    pub fn standing_in(pid: i32, relay: bool) -> Self {
        Self::over(pid, relay, Bounds::default(), 1, Seconds(0.0))
    }

    /// Over a process that may use so many cores and has used so much CPU time.
    fn over(pid: i32, relay: bool, bounds: Bounds, cores: usize, used: Seconds) -> Self {
        let relay = relay.then(Relay::start_with_terminal).and_then(Result::ok);
        let watch = Watch::new(bounds, cores);
        let next = watch.next(&Survey { cpu: used, ..Survey::default() });
        Self { pid, relay, bounds, watch, next, verdict: None, around: None }
    }

    /// Gives it and all below it, one by one.
    pub fn each_process(&self, give: impl FnMut(i32)) {
        survey::descendants(self.pid).into_iter().for_each(give);
    }

    /// It has been told to begin: its time runs, and what the machine does around it is noted.
    pub fn begins(&mut self) {
        self.watch.restart();
        self.around = Some(Surroundings::open());
    }

    /// What the machine around it did since it began.
    #[must_use]
    pub fn around(&self) -> Around {
        self.around.as_ref().map(Surroundings::so_far).unwrap_or_default()
    }

    /// Waits until the line can be read, holding the process to its limits and passing signals on meanwhile.
    pub fn attend(&mut self, line: BorrowedFd<'_>) -> Happening {
        loop {
            let left = self.next.saturating_sub(raw::now());
            let timeout = Timespec {
                tv_sec: (left / 1_000_000_000).cast_signed(),
                tv_nsec: (left % 1_000_000_000).cast_signed(),
            };
            let signals = self.relay.as_ref().map_or(line, Relay::descriptor);
            let mut fds = [line, signals].map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN));
            let _ = poll(&mut fds, Some(&timeout));
            let [readable, signalled] = fds.map(|fd| !fd.revents().is_empty());
            if readable {
                return Happening::Line;
            }
            match self.relay.as_ref().filter(|_| signalled).and_then(Relay::next_marked) {
                Some((signal, terminal)) => self.pass(signal, terminal),
                None if self.look() => return Happening::Ended,
                None => {}
            }
        }
    }

    /// Ends it and what it started.
    pub fn kill(&mut self, cause: Cause) {
        self.verdict.get_or_insert(cause);
        for pid in survey::descendants(self.pid).into_iter().rev() {
            raw::kill(pid, libc::SIGKILL);
        }
    }

    /// Why it ended, given how, the CPU time it used, and what the machine did around it.
    #[must_use]
    pub fn cause(&self, ending: Ending, cpu: Seconds, around: &Around) -> Cause {
        self.verdict.unwrap_or_else(|| judge(ending, &self.bounds, cpu, around.oom_kills))
    }

    /// The greatest memory seen of all its processes together.
    #[must_use]
    pub fn peak(&self) -> Bytes {
        self.watch.peak
    }

    /// It stopped itself: so does this process, which stands for it.
    pub fn stopped(&self) {
        if self.relay.is_some() {
            stop_self(libc::SIGSTOP);
        }
    }

    fn pass(&self, signal: i32, terminal: bool) {
        if signal == libc::SIGTSTP {
            // It is in a group without a session's shell, where this signal stops nothing.
            survey::descendants(self.pid).into_iter().for_each(|pid| raw::kill(pid, libc::SIGSTOP));
            return stop_self(signal);
        }
        if signal == libc::SIGCONT {
            return survey::descendants(self.pid).into_iter().for_each(|pid| raw::kill(pid, libc::SIGCONT));
        }
        let group = Pid::from_raw(self.pid).and_then(|pid| rustix::process::getpgid(Some(pid)).ok());
        match (group, Signal::from_named_raw(signal)) {
            (Some(group), Some(signal)) if terminal => drop(rustix::process::kill_process_group(group, signal)),
            _ => raw::kill(self.pid, signal),
        }
    }

    /// Looks whether a limit is reached; whether it is.
    fn look(&mut self) -> bool {
        if self.watch.overdue() {
            self.kill(Cause::Wall);
            self.next = patience();
            return true;
        }
        let survey = survey::survey(self.pid, false);
        let over = self.watch.reached(&survey);
        if let Some(cause) = over {
            self.kill(cause);
        }
        self.next = self.watch.next(&survey);
        over.is_some()
    }
}
