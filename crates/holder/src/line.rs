//! The line between the holder and what stands for a program: what is said on it while climbing and after runs.
//!
//! Whatever comes is parsed as hostile: what does not fit is left out.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::time::Duration;

use forewarm_types::Bytes;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::program::Rung;
use crate::protocol::RungStep;
use crate::wire;

/// Most bytes of a message: 64 names of files as long as names can be (`PATH_MAX`, 4096), rounded up.
pub(crate) const MESSAGE: usize = 64 * 4096 + 4096;

/// What is said.
#[derive(Debug, PartialEq)]
pub(crate) enum Word {
    /// A rung was reached.
    Step(RungStep),
    /// A rung cannot be reached, and why.
    Refused(Rung, String),
    /// Files it was loaded from.
    Files(Vec<PathBuf>),
    /// Folders in which it looked for files.
    Folders(Vec<PathBuf>),
    /// It stands; seconds that making a process for a run took.
    Ready(f64),
    /// A run is over; whether it left nothing behind.
    Over {
        /// Whether the next run finds everything as this one did.
        clean: bool,
    },
    /// The other end has gone, or says what nobody understands.
    Gone,
}

/// The next word, waited for at most so long; [`Word::Gone`] where none comes.
pub(crate) fn hear(line: &OwnedFd, patience: Option<Duration>) -> io::Result<Word> {
    if let Some(patience) = patience {
        let timeout = Timespec { tv_sec: patience.as_secs().cast_signed(), tv_nsec: 0 };
        let mut fds = [PollFd::from_borrowed_fd(line.as_fd(), PollFlags::IN)];
        if poll(&mut fds, Some(&timeout))? == 0 {
            return Ok(Word::Gone);
        }
    }
    let mut buffer = vec![0; MESSAGE];
    let count = wire::receive_beside(line, &mut buffer).map_or(0, |(count, _)| count);
    Ok(word(buffer.get(..count).unwrap_or_default()))
}

fn word(message: &[u8]) -> Word {
    let parts = wire::unpack(message.get(1..).unwrap_or_default());
    let text = |at: usize| parts.get(at).map(|part| String::from_utf8_lossy(part).into_owned()).unwrap_or_default();
    let number = |at: usize| text(at).parse::<u64>().unwrap_or(0);
    let paths = || parts.iter().map(|part| PathBuf::from(OsString::from_vec(part.clone()))).collect();
    let Some(kind) = message.first() else { return Word::Gone };
    match (kind, Rung::named(&text(0))) {
        (b'S', Some(rung)) => Word::Step(RungStep { rung, seconds: number(1) as f64 * 1e-9, bytes: Bytes(number(2)) }),
        (b'X', Some(rung)) => Word::Refused(rung, text(1)),
        (b'F', _) => Word::Files(paths()),
        (b'P', _) => Word::Folders(paths()),
        (b'R', _) => Word::Ready(number(0) as f64 * 1e-9),
        (b'D', _) => Word::Over { clean: text(0) == "0" },
        _ => Word::Gone,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(kind: u8, parts: &[&str]) -> Word {
        let mut message = vec![kind];
        message.extend(wire::pack(parts.iter().map(|part| part.as_bytes())));
        word(&message)
    }

    #[test]
    fn words_are_understood_or_mean_the_end() {
        let step = RungStep { rung: Rung::Imports, seconds: 0.5, bytes: Bytes(7) };
        assert_eq!(said(b'S', &["imports", "500000000", "7"]), Word::Step(step));
        assert_eq!(said(b'X', &["module", "why"]), Word::Refused(Rung::Module, "why".into()));
        assert_eq!(said(b'F', &["/a", "/b"]), Word::Files(vec!["/a".into(), "/b".into()]));
        assert_eq!(said(b'P', &["/a"]), Word::Folders(vec!["/a".into()]));
        assert_eq!(said(b'D', &["0"]), Word::Over { clean: true });
        assert_eq!(said(b'D', &["1"]), Word::Over { clean: false });
        for nonsense in [said(b'S', &["roof", "1", "2"]), said(b'?', &[]), word(b"")] {
            assert_eq!(nonsense, Word::Gone);
        }
    }
}
