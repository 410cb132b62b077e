//! A run from a stand as its client conducts it: asked for, begun or not, awaited.

use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use forewarm_sandbox::process::{Adopted, Happening};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::{Errand, Over, WasmProgram, Word};
use crate::client::{Holder, PATIENCE, own_streams};
use crate::program::{Program, Rung};
use crate::protocol::Request;
use crate::wire;

/// `SIGKILL`: signal(7).
const KILLED: i32 = 9;

/// How long a process that was killed may take to be gone.
const DYING: Duration = Duration::from_secs(1);

/// A run that was asked for.
#[derive(Debug)]
pub struct Asked {
    stream: UnixStream,
}

/// A run that began.
#[derive(Debug)]
pub struct Begun {
    stream: UnixStream,
    /// The number of its process.
    pub process: i32,
    handle: OwnedFd,
    /// The rung it started from.
    pub rung: Rung,
    /// When, in seconds on the monotonic clock.
    pub began_seconds: f64,
    /// The orders of its stand.
    pub orders: String,
}

/// How a run that began ended.
#[derive(Debug)]
pub enum End {
    /// As its process says.
    Over(Box<Over>),
    /// It could not be instantiated.
    Failed(String),
    /// This signal ended its process.
    Lost(i32),
}

/// Whether a run began.
#[derive(Debug)]
pub enum Started {
    /// It did.
    Begun(Begun),
    /// It did not, why, and nothing of the program has run.
    Cold(String),
    /// It may have, and is over.
    Lost,
}

impl Holder {
    /// Asks for a run of a program; its standard streams and directories go along.
    ///
    /// # Errors
    /// Where the holder cannot be asked.
    pub fn ask_wasm(self, program: WasmProgram, errand: &Errand, directories: &[OwnedFd]) -> io::Result<Asked> {
        let streams = own_streams().ok_or_else(|| io::Error::other("a standard stream is closed"))?;
        let handed: Vec<BorrowedFd<'_>> = streams.iter().chain(directories).map(AsFd::as_fd).collect();
        wire::send(&self.stream, &Request::Run { program: Box::new(Program::Wasm(program)) }, &handed)?;
        // Who has refused already does not read it; the answer is there to be heard all the same.
        let _ = wire::send(&self.stream, errand, &[]);
        Ok(Asked { stream: self.stream })
    }
}

impl Asked {
    /// Hears whether the run began.
    #[must_use]
    pub fn answer(self) -> Started {
        let cold = |error: io::Error| Started::Cold(format!("the holder does not answer: {error}"));
        if let Err(error) = self.stream.set_read_timeout(Some(PATIENCE)) {
            return cold(error);
        }
        let word = match wire::receive::<Word>(&self.stream) {
            Ok(word) => word,
            // From here on it cannot begin any more: who is to run it says so first, and fails. What was said by then is
            // to be heard.
            Err(error) => {
                let _ = self.stream.shutdown(Shutdown::Read);
                return match wire::receive::<Word>(&self.stream) {
                    Ok((Word::Begun { .. }, beside)) => {
                        beside.sender.and_then(handle).iter().for_each(end);
                        Started::Lost
                    }
                    _ => cold(error),
                };
            }
        };
        match word {
            (Word::Begun { rung, began_seconds, orders }, beside) => match beside.sender.and_then(known) {
                // It is there even if it is over: its stand lets go of it after its client.
                Some((process, handle)) => {
                    Started::Begun(Begun { stream: self.stream, process, handle, rung, began_seconds, orders })
                }
                None => Started::Lost,
            },
            (Word::Cold(why), _) => Started::Cold(why),
            (Word::Lost(_) | Word::Over(_) | Word::Failed(_), _) => Started::Cold("what was warm has ended".to_owned()),
        }
    }
}

impl Begun {
    /// A handle by which another thread can end the run.
    ///
    /// # Errors
    /// Where there are no descriptors left.
    pub fn handle(&self) -> io::Result<OwnedFd> {
        self.handle.try_clone()
    }

    /// Waits for the end, passing signals on where `relay` says.
    #[must_use]
    pub fn finish(self, relay: bool) -> End {
        let mut beside = Adopted::standing_in(self.process, relay);
        let _ = self.stream.set_read_timeout(None);
        while beside.attend(self.stream.as_fd()) != Happening::Line {}
        match wire::receive::<Word>(&self.stream) {
            Ok((Word::Over(over), _)) => End::Over(over),
            Ok((Word::Failed(why), _)) => End::Failed(why),
            Ok((Word::Lost(signal), _)) => End::Lost(signal),
            // Who stood over it was killed, and it with that.
            _ => End::Lost(KILLED),
        }
    }
}

fn known(process: i32) -> Option<(i32, OwnedFd)> {
    Some((process, handle(process)?))
}

fn handle(process: i32) -> Option<OwnedFd> {
    pidfd_open(Pid::from_raw(process)?, PidfdFlags::empty()).ok()
}

/// Ends the process of a run, and waits until it is gone, so that nothing of it is written any more.
pub fn end(handle: &OwnedFd) {
    // One that has ended already needs no signal.
    let _ = pidfd_send_signal(handle, Signal::KILL);
    let patience = Timespec { tv_sec: DYING.as_secs().cast_signed(), tv_nsec: 0 };
    let _ = poll(&mut [PollFd::new(handle, PollFlags::IN)], Some(&patience));
}
