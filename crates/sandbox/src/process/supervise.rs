//! The supervisor's part: signals passed on, limits watched, the end measured.

mod conclusion;

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::Ordering::{Acquire, Release};

use forewarm_types::Bytes;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::SendFlags;
use rustix::process::{Pid, Signal};

use super::aside::SetAside;
use super::counter::Counter;
use super::handles::{Door, Ender};
use super::init::{ENDED, STOPPED};
use super::shared::Shared;
use super::signals::{Foreground, Relay, stop_self};
use super::spawn::{Forked, map_users, prefer_to_kill};
use super::start::{self, Habits, Start};
use super::surroundings::Surroundings;
use super::survey::{self, Survey};
use super::watch::Watch;
use super::{Bounds, Cause, Confinement, Denied, Ended, SpawnError, Tier, raw};
use crate::cgroup::Group;
use crate::measure;

/// What the process that a program answers to is told when it has stopped.
pub const STOPPED_WORD: u8 = b's';

/// Nanoseconds that an init is given to end what it started before it is ended itself: a hundred times what it takes for a
/// thousand processes.
const PATIENCE: u64 = 500_000_000;

/// When that is over, in monotonic nanoseconds.
pub(super) fn patience() -> u64 {
    raw::now().saturating_add(PATIENCE)
}

/// What joins the supervisor with the init, and with who sends signals.
#[derive(Debug)]
pub struct Lines {
    pub shared: Shared,
    pub go: File,
    pub news: OwnedFd,
    /// Where the init puts a socket of the program's network.
    pub door: Option<OwnedFd>,
    pub relay: Option<Relay>,
    /// Who the program is run for, where that is another process: see [`Child::answer_to`].
    pub owner: Option<OwnedFd>,
}

/// A started program.
#[derive(Debug)]
pub struct Child {
    forked: Forked,
    lines: Lines,
    group: Option<Group>,
    tier: Tier,
    bounds: Bounds,
    watch: Watch,
    aside: Option<SetAside>,
    own_network: bool,
    instructions: Option<Counter>,
    /// The terminal, where it is this process' to give, and what the machine does, both from when the program was let go.
    foreground: Option<Foreground>,
    around: Option<Surroundings>,
    /// Whether as many processes were seen as there may be.
    crowded: bool,
    verdict: Option<Cause>,
    denied: Vec<Denied>,
    /// Whether the program was let go.
    begun: bool,
    reaped: bool,
}

impl Child {
    pub(super) fn new(
        forked: Forked,
        lines: Lines,
        group: Option<Group>,
        tier: Tier,
        confinement: &Confinement,
    ) -> Self {
        let cores = crate::affinity::allowed().map_or(1, |cores| cores.len());
        // A group's memory is the kernel's to bound.
        let memory = confinement.bounds.memory.filter(|_| group.is_none());
        let watched = Bounds { memory, ..confinement.bounds };
        Self {
            own_network: forked.isolated && !confinement.network,
            instructions: Counter::of_instructions(forked.pid),
            forked,
            lines,
            group,
            tier,
            bounds: confinement.bounds,
            watch: Watch::new(watched, cores),
            aside: None,
            foreground: None,
            around: None,
            crowded: false,
            verdict: None,
            denied: Vec::new(),
            begun: false,
            reaped: false,
        }
    }

    /// The init's number.
    #[must_use]
    pub fn process(&self) -> i32 {
        self.forked.pid
    }

    /// The group that the program has for itself.
    pub(crate) fn group(&self) -> Option<&Group> {
        self.group.as_ref()
    }

    /// Gives the processes of the place, one by one, to what is to hold for the program (a share of the CPU).
    pub fn each_process(&self, mut give: impl FnMut(i32)) {
        give(self.forked.pid);
        // What the init forks from here on comes after it; what it has forked is among these.
        survey::descendants(self.forked.pid).into_iter().skip(1).for_each(give);
    }

    /// Holds the program to so much memory until it needs more, which it is given at once: see [`Ended::outgrew`].
    pub fn set_aside(&mut self, memory: Bytes) {
        self.aside = Some(SetAside::new(memory, self.group.as_ref()));
    }

    /// Lets the program go.
    pub(super) fn begin(&mut self, start: &Start<'_>, relay: Option<Relay>) -> Result<(), SpawnError> {
        // Before the program can have taken it.
        self.foreground = relay.as_ref().and_then(|_| Foreground::held());
        self.lines.relay = relay;
        let own = self.forked.launched.then(Habits::own).flatten();
        start::tell(self.lines.go.as_fd(), &Start { habits: start.habits.or(own), ..*start })?;
        self.watch.restart();
        self.begun = true;
        self.around = Some(Surroundings::open());
        Ok(())
    }

    /// Waits until the program waits to be let go.
    pub(super) fn stands(&mut self) -> Result<(), SpawnError> {
        let mut byte = [0_u8];
        match rustix::io::retry_on_intr(|| rustix::io::read(&self.lines.news, &mut byte)) {
            Ok(1) => Ok(()),
            // Its init has ended, and says why.
            _ => self.finish().map(drop).and(Err(SpawnError::Execute(io::ErrorKind::NotConnected.into()))),
        }
    }

    /// Has the program answer to another process at the other end of a socket: it ends when that goes, and a byte
    /// ([`STOPPED_WORD`]) tells when it has stopped.
    ///
    /// # Errors
    /// Where no more descriptors can be had.
    pub fn answer_to(&mut self, owner: BorrowedFd<'_>) -> io::Result<()> {
        self.lines.owner = Some(owner.try_clone_to_owned()?);
        Ok(())
    }

    /// Lets the init go on, its users mapped and its groups attached.
    pub(super) fn ready(&self, users: bool) -> io::Result<()> {
        if users {
            map_users(self.forked.pid)?;
        }
        prefer_to_kill(self.forked.pid);
        if let Some(group) = self.group.as_ref().filter(|group| group.descriptor().is_none()) {
            group.attach(self.forked.pid)?;
        }
        (&self.lines.go).write_all(b"g")
    }

    /// How closely the program is confined.
    #[must_use]
    pub fn tier(&self) -> Tier {
        self.tier
    }

    /// Where a socket comes from that listens on [`Confinement::port`] in the program's network; `None` where none was
    /// asked for, or the program has the host's network.
    ///
    /// # Errors
    /// Where no more descriptors can be had.
    pub fn listener(&self) -> io::Result<Option<Door>> {
        self.lines.door.as_ref().map(|door| door.try_clone().map(Door)).transpose()
    }

    /// What can end the program from elsewhere, as long as this is there.
    ///
    /// # Errors
    /// Where no more descriptors can be had.
    pub fn ender(&self) -> io::Result<Ender> {
        Ok(Ender { init: self.forked.pid, handle: self.handle()? })
    }

    /// A handle by which its init can be ended from elsewhere.
    ///
    /// # Errors
    /// Where no more descriptors can be had.
    pub fn handle(&self) -> io::Result<OwnedFd> {
        self.forked.handle.try_clone()
    }

    /// Waits for the program's end, holding it to its limits, and for that of its place.
    ///
    /// # Errors
    /// Where the program could not be executed after all.
    pub fn wait(mut self) -> Result<Ended, SpawnError> {
        self.finish()
    }

    /// Waits for the end of the program and all it started, holding them to their limits. What the kernel then takes some
    /// tenths of a millisecond to take down, the namespaces and their init, is waited for when this is dropped.
    ///
    /// # Errors
    /// Where the program could not be executed after all.
    pub fn finish(&mut self) -> Result<Ended, SpawnError> {
        self.finish_beside(|| {})
    }

    /// The same; what is to be done `meanwhile` is done first, beside the program. It should take a millisecond at most, since
    /// nothing is watched until then.
    ///
    /// # Errors
    /// As [`Self::finish`].
    pub fn finish_beside(&mut self, meanwhile: impl FnOnce()) -> Result<Ended, SpawnError> {
        meanwhile();
        let mut next = self.first_look();
        loop {
            match self.happening(next) {
                Happening::Over => break,
                Happening::News(ENDED) => {
                    self.ended();
                    break;
                }
                Happening::News(STOPPED) => self.stopped(),
                Happening::Gone => {
                    self.lines.owner = None;
                    next = self.kill(Cause::Signalled(libc::SIGKILL));
                }
                Happening::Signal(signal) => self.signal(signal),
                Happening::Outgrown => self.aside.iter_mut().for_each(SetAside::give_way),
                Happening::Time => next = self.look(),
                Happening::News(_) | Happening::Nothing => {}
            }
        }
        let around = self.around.as_ref().map(Surroundings::so_far).unwrap_or_default();
        let (wall, usage, disk) = self.measured().map_err(SpawnError::Wait)?;
        if let Some(foreground) = &self.foreground {
            foreground.restore();
        }
        self.conclude(wall, usage, disk, &around)
    }

    /// The program was stopped, or goes on.
    fn stopped(&self) {
        let signal = self.lines.shared.words().stopped.load(Acquire);
        if signal == 0 {
            return;
        }
        if self.lines.relay.is_some() {
            stop_self(signal);
        }
        if let Some(owner) = &self.lines.owner {
            // One that has gone is noticed soon.
            let _ = rustix::net::send(owner, &[STOPPED_WORD], SendFlags::NOSIGNAL);
        }
    }

    fn happening(&self, next: u64) -> Happening {
        let relay = self.lines.relay.as_ref();
        let left = next.saturating_sub(raw::now());
        let timeout =
            Timespec { tv_sec: (left / 1_000_000_000).cast_signed(), tv_nsec: (left % 1_000_000_000).cast_signed() };
        let handle = self.forked.handle.as_fd();
        let signals = relay.map_or(handle, Relay::descriptor);
        let owner = self.lines.owner.as_ref().map_or(handle, AsFd::as_fd);
        let (aside, shows) = self.aside.as_ref().and_then(SetAside::event).unwrap_or((handle, PollFlags::IN));
        let [over, news, signals, owner] =
            [handle, self.lines.news.as_fd(), signals, owner].map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN));
        let mut fds = [over, news, signals, owner, PollFd::from_borrowed_fd(aside, shows)];
        let _ = poll(&mut fds, Some(&timeout));
        let [over, news, signals, owner, aside] = fds.map(|fd| fd.revents());
        if news.contains(PollFlags::IN) {
            let mut byte = [0_u8];
            if rustix::io::read(&self.lines.news, &mut byte) == Ok(1) {
                return Happening::News(byte[0]);
            }
        }
        // The init closes its end of the news by ending.
        if over.contains(PollFlags::IN) || news.contains(PollFlags::HUP) {
            return Happening::Over;
        }
        // Whatever it says now, it is not waiting any more.
        if self.lines.owner.is_some() && !owner.is_empty() {
            return Happening::Gone;
        }
        if aside.contains(shows) {
            return Happening::Outgrown;
        }
        match relay.filter(|_| signals.contains(PollFlags::IN)).and_then(Relay::next) {
            Some(signal) => Happening::Signal(signal),
            None if raw::now() >= next => Happening::Time,
            None => Happening::Nothing,
        }
    }

    /// Passes a signal on, by way of the init, which alone knows the program.
    fn signal(&self, signal: i32) {
        raw::pass_signal(self.forked.handle.as_fd(), signal);
    }

    /// Ends the program, whose init then ends the rest and tells what all of it used: were the init ended first, nobody would
    /// have waited for them. Returns when to look whether that was enough, in monotonic nanoseconds.
    fn kill(&mut self, cause: Cause) -> u64 {
        self.verdict.get_or_insert(cause);
        if self.forked.isolated {
            match survey::descendants(self.forked.pid).get(1) {
                Some(program) => raw::kill(*program, libc::SIGKILL),
                None => self.end(),
            }
        } else {
            // Nothing ends these with their parent: the init ends them one by one, until none is left.
            self.lines.shared.words().end.store(1, Release);
            self.signal(libc::SIGCONT);
            self.signal(libc::SIGTERM);
        }
        patience()
    }

    /// Ends the init, and without namespaces all that are found below it.
    fn end(&self) {
        if !self.forked.isolated {
            for pid in survey::descendants(self.forked.pid).into_iter().skip(1).filter_map(Pid::from_raw) {
                let _ = rustix::process::kill_process(pid, Signal::KILL);
            }
        }
        let _ = rustix::process::pidfd_send_signal(&self.forked.handle, Signal::KILL);
    }

    /// When to look first, in monotonic nanoseconds.
    fn first_look(&mut self) -> u64 {
        let next = self.watch.next(&Survey::default());
        next.min(self.look_after_memory(Bytes::ZERO))
    }

    /// Looks after what is set aside, given what the program holds; returns when to look next.
    fn look_after_memory(&mut self, memory: Bytes) -> u64 {
        let begun = self.watch.started();
        self.aside.as_mut().map_or(u64::MAX, |aside| aside.look(self.forked.pid, begun, memory))
    }

    /// Looks whether a limit is reached; returns when to look next, in monotonic nanoseconds.
    fn look(&mut self) -> u64 {
        if self.verdict.is_some() {
            self.end();
            return patience();
        }
        if self.watch.overdue() {
            return self.kill(Cause::Wall);
        }
        if self.lines.shared.words().times[0].load(Acquire) == 0 {
            // The place is still being laid out, and nothing of the program is there to be looked at.
            return self.first_look();
        }
        let mut survey = survey::survey(self.forked.pid, self.forked.isolated);
        if survey.processes > 1 && survey.memory > self.watch.peak {
            // What forked processes share counts in each, until it is looked at page by page.
            let shared_out = survey::proportional(self.forked.pid, self.forked.isolated);
            survey.memory = shared_out.unwrap_or(survey.memory);
        }
        // The system counts the init among them.
        self.crowded |= self.bounds.processes.is_some_and(|most| survey.processes + 1 >= most);
        if let Some(cause) = self.watch.reached(&survey) {
            return self.kill(cause);
        }
        self.watch.next(&survey).min(self.look_after_memory(survey.memory))
    }
}

impl Drop for Child {
    /// A program nobody waits for any more is ended.
    fn drop(&mut self) {
        if !self.begun {
            // It waits to be told what to do, and has started nothing.
            let _ = rustix::process::pidfd_send_signal(&self.forked.handle, Signal::KILL);
            let _ = measure::reap(self.forked.pid);
        } else if !self.reaped && self.lines.shared.words().settled.load(Acquire) == 1 {
            let _ = measure::reap(self.forked.pid);
        } else if !self.reaped {
            if !self.forked.isolated {
                self.kill(Cause::Signalled(libc::SIGKILL));
                let left = Timespec { tv_sec: 0, tv_nsec: PATIENCE.cast_signed() };
                let _ = poll(&mut [PollFd::from_borrowed_fd(self.forked.handle.as_fd(), PollFlags::IN)], Some(&left));
            }
            self.end();
            let _ = measure::reap(self.forked.pid);
        }
    }
}

enum Happening {
    Over,
    News(u8),
    Signal(i32),
    Gone,
    Outgrown,
    Time,
    Nothing,
}
