//! The stand's own end: what it hears from the holder and from the clients of its runs, and what it says to them.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use forewarm_types::Bytes;
use rustix::net::sockopt;

use super::{Errand, Word};
use crate::line::MESSAGE;
use crate::program::Rung;
use crate::wire;

/// The line to the holder.
#[derive(Debug)]
pub struct Line {
    line: OwnedFd,
}

/// A run that was handed over.
#[derive(Debug)]
pub struct Handed {
    /// Its client.
    pub client: UnixStream,
    /// Standard input, output and error.
    pub streams: [OwnedFd; 3],
    /// The directories given to it.
    pub directories: Vec<OwnedFd>,
}

impl Line {
    /// The line that a descriptor is.
    #[must_use]
    pub fn new(line: OwnedFd) -> Self {
        Self { line }
    }

    /// What is to be done: the rung to climb to, and the orders.
    ///
    /// # Errors
    /// Where the holder does not say.
    pub fn orders(&self) -> io::Result<(Rung, String)> {
        let mut buffer = vec![0; MESSAGE];
        let (count, _) = wire::receive_beside(&self.line, &mut buffer)?;
        let parts = wire::unpack(buffer.get(..count).unwrap_or_default());
        let text = |at: usize| parts.get(at).map(|part| String::from_utf8_lossy(part).into_owned());
        let rung = text(0).and_then(|name| Rung::named(&name));
        rung.zip(text(1)).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// A rung was reached, after so many seconds from the one below, and so much is held on it.
    ///
    /// # Errors
    /// Where the holder has gone.
    pub fn step(&self, rung: Rung, seconds: f64, held: Bytes) -> io::Result<()> {
        self.say(b'S', &[rung.name(), &nanoseconds(seconds), &held.0.to_string()])
    }

    /// A rung cannot be reached.
    ///
    /// # Errors
    /// As [`Self::step`].
    pub fn refused(&self, rung: Rung, why: &str) -> io::Result<()> {
        self.say(b'X', &[rung.name(), why])
    }

    /// The rung is reached, and runs are waited for.
    ///
    /// # Errors
    /// As [`Self::step`].
    pub fn ready(&self) -> io::Result<()> {
        self.say(b'R', &["0"])
    }

    /// A run is over.
    ///
    /// # Errors
    /// As [`Self::step`].
    pub fn over(&self) -> io::Result<()> {
        self.say(b'D', &["0"])
    }

    fn say(&self, kind: u8, parts: &[&str]) -> io::Result<()> {
        let mut message = vec![kind];
        message.extend(wire::pack(parts.iter().map(|part| part.as_bytes())));
        wire::send_beside(&self.line, &message, &[]).map(drop)
    }

    /// Waits for a run; `None` once the holder has gone.
    ///
    /// # Errors
    /// Where the line breaks.
    pub fn next(&self) -> io::Result<Option<Handed>> {
        loop {
            let (count, beside) = wire::receive_beside(&self.line, &mut [0; 8])?;
            if count == 0 {
                return Ok(None);
            }
            let mut handed = beside.descriptors.into_iter();
            if let (Some(client), Some(input), Some(output), Some(errors)) =
                (handed.next(), handed.next(), handed.next(), handed.next())
            {
                let streams = [input, output, errors];
                return Ok(Some(Handed { client: client.into(), streams, directories: handed.collect() }));
            }
        }
    }
}

impl AsFd for Line {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.line.as_fd()
    }
}

fn nanoseconds(seconds: f64) -> String {
    ((seconds * 1e9) as u64).to_string()
}

impl Handed {
    /// The number of the client's process, as the kernel says; `None` where it is not to be seen from here.
    #[must_use]
    pub fn client_process(&self) -> Option<i32> {
        sockopt::socket_peercred(&self.client).ok().map(|peer| peer.pid.as_raw_nonzero().get())
    }

    /// What the client asks for.
    ///
    /// # Errors
    /// Where it does not say.
    pub fn errand(&self) -> io::Result<Errand> {
        wire::receive(&self.client).map(|(errand, _)| errand)
    }
}

/// Tells a client of its run.
///
/// # Errors
/// Where it has gone.
pub fn tell(client: &UnixStream, word: &Word) -> io::Result<()> {
    wire::send(client, word, &[])
}

/// What a process that was forked for a run says to its stand.
#[derive(Debug)]
pub enum Notice {
    /// It waits with an instance.
    Waits,
    /// It cannot have one.
    Failed(String),
    /// It has a run, of this client.
    Taken(UnixStream),
    /// It has gone.
    Gone,
}

/// Most bytes of a notice: a word and a message of the engine's.
const NOTICE: usize = 1024;

/// Tells the stand.
///
/// # Errors
/// Where it has gone.
pub fn notify(stand: &OwnedFd, notice: &Notice) -> io::Result<()> {
    match notice {
        Notice::Waits => wire::send_beside(stand, b"w", &[]),
        Notice::Failed(why) => {
            let why = why.as_bytes();
            let why = why.get(..why.len().min(NOTICE - 1)).unwrap_or_default();
            wire::send_beside(stand, &[b"x", why].concat(), &[])
        }
        Notice::Taken(client) => wire::send_beside(stand, b"t", &[client.as_fd()]),
        Notice::Gone => Ok(0),
    }
    .map(drop)
}

/// The next notice of a forked process, waited for.
#[must_use]
pub fn heed(process: &OwnedFd) -> Notice {
    let mut buffer = [0; NOTICE];
    let Ok((count, beside)) = wire::receive_beside(process, &mut buffer) else { return Notice::Gone };
    let message = buffer.get(..count).unwrap_or_default();
    match (message.split_first(), beside.descriptors.into_iter().next()) {
        (Some((b'w', _)), _) => Notice::Waits,
        (Some((b'x', why)), _) => Notice::Failed(String::from_utf8_lossy(why).into_owned()),
        (Some((b't', _)), Some(client)) => Notice::Taken(client.into()),
        _ => Notice::Gone,
    }
}
