//! A small process without threads that forks the inits of a large one.
//!
//! A fork copies the page tables of the process that forks, which of one that holds half a gigabyte takes longer than all
//! else a start does. [`stand_by`] makes the launcher while this process is small; from then on an init is forked by it, as a
//! child of *this* process (`CLONE_PARENT`: clone(2)), so that waiting, signals and measurement are as if this process had.
//! What it inherits of the launcher is replaced: streams come along, limits, cores, priority and process group are laid on it
//! from here before it is let go, umask and ignored signals come with the word to execute. What cannot be replaced (rights,
//! namespaces, root directory, control groups) is compared each time; where it differs, or the launcher is gone, this process forks.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

use libc::{c_int, c_ulong};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::Pid;
use serde::{Deserialize, Serialize};

use super::filter::Filters;
use super::init::Prepared;
use super::messages::{receive, send};
use super::shared::Shared;
use super::{Bounds, Circumstances, adopt, raw, spawn};
use crate::fork::{self, Side};
use crate::{affinity, exit, measure};

/// The name under which `ps` shows it: at most 15 characters, prctl(2).
const NAME: &std::ffi::CStr = c"forewarm-launch";

/// Bytes of an order at most: what a socket takes in one message as the system is set up, socket(7) `wmem_default`.
const LONGEST: usize = 208 << 10;

/// The launcher of this process.
static LAUNCHER: Mutex<Option<Launcher>> = Mutex::new(None);

#[derive(Debug)]
struct Launcher {
    pid: i32,
    line: OwnedFd,
    /// Whose children it makes: a process forked from that one has none.
    owner: Pid,
}

/// What is to be forked. Its descriptors come beside it.
#[derive(Debug, Serialize, Deserialize)]
struct Order<P> {
    prepared: P,
    namespaces: i32,
    /// Whether it is born in a control group.
    group: bool,
}

/// Makes a launcher, which forks for this process from now on and ends with it. To be called before this process grows and
/// while it has no threads yet, by the thread that lasts as long as the process: what the launcher forks ends with that.
///
/// # Errors
/// Where this process has threads beside the calling one, or the system refuses.
pub fn stand_by() -> io::Result<()> {
    let mut launcher = LAUNCHER.lock().unwrap_or_else(PoisonError::into_inner);
    if launcher.as_ref().is_some_and(Launcher::is_own) {
        return Ok(());
    }
    let (line, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    match fork::alone()? {
        Side::Child => serve(&theirs),
        Side::Parent(pid) => {
            *launcher = Some(Launcher { pid, line, owner: rustix::process::getpid() });
            Ok(())
        }
    }
}

/// Has the launcher fork an init as a child of this process: its number, and a handle of it. `None` where none stands by that
/// could fork in this process' stead.
pub fn fork(prepared: &Prepared, shared: &Shared, namespaces: i32, group: Option<c_int>) -> Option<(i32, OwnedFd)> {
    let mut launcher = LAUNCHER.lock().unwrap_or_else(PoisonError::into_inner);
    let there = launcher.as_ref().filter(|there| there.is_own())?;
    let alike = Circumstances::own().compare(there.pid).map_err(io::Error::other);
    if let Ok(forked) = alike.and_then(|_| there.ask(prepared, shared, namespaces, group)) {
        return forked;
    }
    // It is gone, or no longer like this process. Others may hold its line, so that it might not end with that.
    let pid = launcher.take().map(|launcher| launcher.pid)?;
    raw::kill(pid, libc::SIGKILL);
    let _ = measure::reap(pid);
    None
}

impl Launcher {
    /// Whether it is this process', and not one that this process was forked from.
    fn is_own(&self) -> bool {
        self.owner == rustix::process::getpid()
    }

    fn ask(
        &self,
        prepared: &Prepared,
        shared: &Shared,
        namespaces: i32,
        group: Option<c_int>,
    ) -> io::Result<Option<(i32, OwnedFd)>> {
        let order = serde_json::to_vec(&Order { prepared, namespaces, group: group.is_some() })?;
        if order.len() > LONGEST {
            return Ok(None);
        }
        let door = Some(prepared.door).filter(|door| *door >= 0);
        let numbers = [prepared.go, prepared.news, shared.file().as_raw_fd(), 0, 1, 2].into_iter();
        let descriptors: Vec<_> = numbers.chain(door).chain(group).map(raw::borrow).collect();
        send(self.line.as_fd(), &order, &descriptors)?;
        let mut answer = [0_u8; size_of::<i32>()];
        let (length, mut handles) = receive(self.line.as_fd(), &mut answer)?;
        let pid = i32::from_ne_bytes(answer);
        if length != answer.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let Some(handle) = handles.pop() else { return Ok(None) };
        let laid = affinity::allowed().and_then(|cores| adopt::lay_own(pid, &Bounds::default(), &cores));
        if laid.is_err() {
            // It waits to be let go, and has started nothing.
            rustix::process::pidfd_send_signal(&handle, rustix::process::Signal::KILL)?;
            measure::reap(pid)?;
            return Ok(None);
        }
        // In a session of its own since the launcher was made this process has no group that the init could be in.
        let _ = rustix::process::setpgid(Pid::from_raw(pid), Some(rustix::process::getpgrp()));
        Ok(Some((pid, handle)))
    }
}

/// Becomes the launcher, until its line is closed.
fn serve(line: &OwnedFd) -> ! {
    // What this process had open is not its own, nor are its signals: those of a terminal are meant for the program.
    raw::set_mask(&raw::full_set());
    raw::close_all_but([line.as_raw_fd(), -1, -1]);
    if let Ok(null) = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null") {
        (0..3).for_each(|stream| raw::duplicate(null.as_raw_fd(), stream));
    }
    let _ = raw::prctl(libc::PR_SET_NAME, NAME.as_ptr() as c_ulong, 0);
    let mut bytes = vec![0; LONGEST];
    while let Ok((length, descriptors)) = receive(line.as_fd(), &mut bytes) {
        if length == 0 {
            break;
        }
        let forked = bytes.get(..length).and_then(|order| launch(order, descriptors));
        let (pid, handle) = forked.unzip();
        let handle = handle.as_ref().map(AsFd::as_fd);
        if send(line.as_fd(), &pid.unwrap_or(0).to_ne_bytes(), handle.as_slice()).is_err() {
            break;
        }
    }
    exit::now(0)
}

/// Forks what is ordered; `None` where that cannot be done here.
fn launch(order: &[u8], descriptors: Vec<OwnedFd>) -> Option<(i32, OwnedFd)> {
    let Order::<Prepared> { mut prepared, namespaces, group } = serde_json::from_slice(order).ok()?;
    let mut numbers = descriptors.iter().map(AsRawFd::as_raw_fd);
    (prepared.go, prepared.news) = (numbers.next()?, numbers.next()?);
    let page = numbers.next()?;
    let streams = [numbers.next()?, numbers.next()?, numbers.next()?];
    if prepared.door >= 0 {
        prepared.door = numbers.next()?;
    }
    let group = if group { Some(numbers.next()?) } else { None };
    let page = descriptors.iter().find(|descriptor| descriptor.as_raw_fd() == page)?;
    let shared = Shared::of(page.try_clone().ok()?).ok()?;
    prepared.image.filters = Filters::of(prepared.image.domain.network).ok()?;
    spawn::fork_init(&prepared, &shared, namespaces, group, Some(streams)).ok()
}
