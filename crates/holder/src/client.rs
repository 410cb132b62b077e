//! The other end: finding the holder, warming, listing, dropping. Running from what is warm is each kind's own.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::place::{Place, PlaceError};
use crate::program::{Program, Rung};
use crate::protocol::{Answer, Climb, Held, Request};
use crate::wire;

/// How long a run waits for its process to answer before it goes its usual way: more than any start from cold takes on
/// an idle machine (the interpreter's own is 10 to 20 ms), so that waiting longer could not be worth it.
pub(crate) const PATIENCE: Duration = Duration::from_millis(500);

/// A connection to the holder.
#[derive(Debug)]
pub struct Holder {
    pub(crate) stream: UnixStream,
}

/// Why the holder could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum HolderError {
    /// There is no place to meet it.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The connection broke.
    #[error("the holder does not answer: {0}")]
    Broken(#[from] io::Error),
    /// It could not do what was asked.
    #[error("{0}")]
    Failed(String),
}

impl Holder {
    /// Connects, where there is a holder.
    ///
    /// # Errors
    /// Where its place is not this user's alone.
    pub fn find(place: &Place) -> Result<Option<Self>, PlaceError> {
        Ok(place.connect()?.map(|stream| Self { stream }))
    }

    /// Tells that a run of a file is about to be asked for, and asks on which rungs anything is held of it: the holder
    /// looks whether that is still fit while the caller plans. None also where it does not answer.
    #[must_use]
    pub fn expects(&self, file: PathBuf) -> Vec<Rung> {
        let waited = self.stream.set_read_timeout(Some(PATIENCE));
        match waited.map(|()| self.ask(&Request::Look { file }, &[])) {
            Ok(Ok(Answer::Known(rungs))) => rungs,
            _ => Vec::new(),
        }
    }

    /// Has a program warmed; returns when the rung is reached.
    ///
    /// # Errors
    /// Where it cannot be.
    pub fn warm(&self, program: Program, rung: Rung) -> Result<Climb, HolderError> {
        match self.ask(&Request::Warm { program: Box::new(program), rung }, &[])? {
            Answer::Climbed(climb) => Ok(climb),
            other => Err(unexpected(other)),
        }
    }

    /// What is held.
    ///
    /// # Errors
    /// Where the holder does not answer.
    pub fn list(&self) -> Result<Vec<Held>, HolderError> {
        match self.ask(&Request::List, &[])? {
            Answer::Held(held) => Ok(held),
            other => Err(unexpected(other)),
        }
    }

    /// Lets go of a program, or of all, which ends the holder; returns how many were held.
    ///
    /// # Errors
    /// Where the holder does not answer.
    pub fn release(&self, file: Option<PathBuf>) -> Result<usize, HolderError> {
        match self.ask(&Request::Drop { file }, &[])? {
            Answer::Dropped(count) => Ok(count),
            other => Err(unexpected(other)),
        }
    }

    pub(crate) fn ask(&self, request: &Request, descriptors: &[BorrowedFd<'_>]) -> Result<Answer, HolderError> {
        wire::send(&self.stream, request, descriptors)?;
        Ok(self.answer()?)
    }

    fn answer<T: DeserializeOwned>(&self) -> io::Result<T> {
        wire::receive(&self.stream).map(|(answer, _)| answer)
    }
}

/// An answer that is none to what was asked.
pub(crate) fn unexpected(answer: Answer) -> HolderError {
    HolderError::Failed(match answer {
        Answer::Failed(why) | Answer::Cold(why) => why,
        other => format!("unexpected answer {other:?}"),
    })
}

/// This process' standard streams, where all are open.
pub(crate) fn own_streams() -> Option<[OwnedFd; 3]> {
    let input = io::stdin().as_fd().try_clone_to_owned().ok()?;
    let output = io::stdout().as_fd().try_clone_to_owned().ok()?;
    Some([input, output, io::stderr().as_fd().try_clone_to_owned().ok()?])
}
