//! A process that another forked for this one (a zygote's child): held to the caller's limits, its signals passed on.
//!
//! Its walls are those of who forked it; what is the caller's own (limits, cores, terminal) is laid on it here, from
//! outside, before it is told to begin. Who forked it waits for it and says how it ended.

use std::fs;
use std::io;
use std::os::fd::BorrowedFd;

use forewarm_types::Bytes;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal};

use super::program::limits;
use super::signals::{Relay, stop_self};
use super::survey::{self, Survey};
use super::{Bounds, Cause, Confinement, raw};
use crate::{affinity, measure};

/// See `supervise`: how fast memory can be touched, how often is looked, and what is left to others.
const FASTEST_TOUCH: f64 = 1e6 / 0.13e-3;
const LOOKS: [f64; 2] = [0.01, 1.0];
const RESERVED: f64 = 1.0 / 32.0;

/// Why a process cannot be taken on.
#[derive(Debug, thiserror::Error)]
pub enum AdoptError {
    /// It is in other control groups, whose limits and shares are not the caller's.
    #[error("the caller is in another control group")]
    Group,
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
    cores: f64,
    started: u64,
    next: u64,
    peak: Bytes,
    verdict: Option<Cause>,
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
        let groups = |of: &str| fs::read_to_string(format!("/proc/{of}/cgroup")).ok();
        if groups("self") != groups(&pid.to_string()) {
            return Err(AdoptError::Group);
        }
        for (resource, soft, hard) in limits(&confinement.bounds) {
            raw::set_limit_of(pid, resource, soft, hard)
                .map_err(|error| AdoptError::Limits(io::Error::from_raw_os_error(error)))?;
        }
        let cores = affinity::allowed().unwrap_or_default();
        affinity::bind_process(pid, &cores).map_err(AdoptError::Limits)?;
        let relay = confinement.relay.then(Relay::start_with_terminal).and_then(Result::ok);
        let started = raw::now();
        let mut this = Self {
            pid,
            relay,
            bounds: confinement.bounds,
            cores: cores.len().max(1) as f64,
            started,
            next: 0,
            peak: Bytes::ZERO,
            verdict: None,
        };
        this.next = this.look_after(&Survey::default());
        Ok(this)
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

    /// Why it was ended from here, where it was.
    #[must_use]
    pub fn verdict(&self) -> Option<Cause> {
        self.verdict
    }

    /// The limits it is held to.
    #[must_use]
    pub fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// The greatest memory seen of all its processes together.
    #[must_use]
    pub fn peak(&self) -> Bytes {
        self.peak
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
        if self.bounds.wall.is_some_and(|wall| self.elapsed() >= wall.0) {
            self.kill(Cause::Wall);
            return true;
        }
        let survey = survey::survey(self.pid, false);
        self.peak = self.peak.max(survey.memory);
        let scarce = || {
            let (available, total) = (survey::available_memory(), measure::total_memory());
            available.zip(total).is_some_and(|(available, total)| available.as_f64() < total.as_f64() * RESERVED)
        };
        let over = if self.bounds.cpu.is_some_and(|cpu| survey.cpu.0 >= cpu.0 + 1.0) {
            Some(Cause::Cpu)
        } else if self.bounds.memory.is_some_and(|most| survey.memory > most || scarce()) {
            Some(Cause::Memory)
        } else {
            None
        };
        if let Some(cause) = over {
            self.kill(cause);
        }
        self.next = self.look_after(&survey);
        over.is_some()
    }

    fn look_after(&self, survey: &Survey) -> u64 {
        let memory =
            self.bounds.memory.map(|most| most.0.saturating_sub(survey.memory.0) as f64 / (FASTEST_TOUCH * self.cores));
        let cpu = self.bounds.cpu.map(|cpu| (cpu.0 + 1.0 - survey.cpu.0) / self.cores);
        let soonest = [memory, cpu].into_iter().flatten().fold(LOOKS[1], f64::min).max(LOOKS[0]);
        let wall = self.bounds.wall.map_or(f64::INFINITY, |wall| (wall.0 - self.elapsed()).max(0.0));
        raw::now().saturating_add((soonest.min(wall) * 1e9) as u64)
    }

    fn elapsed(&self) -> f64 {
        raw::now().saturating_sub(self.started) as f64 * 1e-9
    }
}
