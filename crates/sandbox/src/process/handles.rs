//! What other threads than the one that waits for a program hold of it.

use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};

use forewarm_types::{Bytes, Seconds};
use rustix::process::Signal;

use super::messages::receive;
use super::{raw, survey, usage};
use crate::measure;

/// Where the init of a place puts a socket.
#[derive(Debug)]
pub struct Door(pub(super) OwnedFd);

impl Door {
    /// Waits until the init has made its network, and takes the socket.
    ///
    /// # Errors
    /// Where it made none, or has ended.
    pub fn listener(self) -> io::Result<TcpListener> {
        let (_, mut descriptors) = receive(self.0.as_fd(), &mut [0])?;
        descriptors.pop().map(TcpListener::from).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

/// What can end a program from another thread than the one that waits for it.
#[derive(Debug)]
pub struct Ender {
    pub(super) init: i32,
    pub(super) handle: OwnedFd,
}

impl Ender {
    /// The program's number; `None` once it has ended.
    #[must_use]
    pub fn program(&self) -> Option<i32> {
        survey::descendants(self.init).get(1).copied()
    }

    /// Memory that all processes below the init hold.
    #[must_use]
    pub fn memory(&self) -> Bytes {
        survey::survey(self.init, true).memory
    }

    /// Ends the program; its init then ends the rest and tells what all of it used.
    pub fn end(&self) {
        match self.program() {
            Some(program) => raw::kill(program, libc::SIGKILL),
            // One that has ended already needs no signal.
            None => drop(rustix::process::pidfd_send_signal(&self.handle, Signal::KILL)),
        }
    }

    /// Time its first process was runnable and waited for a core, so far.
    #[must_use]
    pub fn run_delay(&self) -> Option<Seconds> {
        measure::run_delay_of(self.program()?)
    }

    /// What all processes below the init have used so far.
    #[must_use]
    pub fn usage(&self) -> measure::Usage {
        usage::of_all_below(self.init)
    }
}
