//! What a waiting program writes to its standard output and standard error, passed on to the client of the event it is
//! serving; between events it is nobody's, but for its last words.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Mutex;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::pipe::{PipeFlags, pipe_with};

use crate::holding::lock;

/// Bytes moved at once: a pipe's own size (pipe(7)).
const BLOCK: usize = 64 << 10;

/// Blocks moved in one go: more than a pipe can hold (`pipe-max-size`, 1 MiB: pipe(7)), so that all is moved that was
/// written before, and a program that never stops writing holds nobody up.
const BLOCKS: usize = 17;

/// Bytes written at once: as many as a pipe takes without waiting where it says that it takes any (`PIPE_BUF`: pipe(7)).
const AT_ONCE: usize = 4096;

/// Bytes of last words kept, to say why a program could not begin.
const LAST: usize = 2048;

/// Both streams of a program.
#[derive(Debug)]
pub(super) struct Pump {
    ends: [File; 2],
    target: Mutex<Target>,
}

#[derive(Debug, Default)]
struct Target {
    served: Option<Served>,
    last: Vec<u8>,
}

/// Who is served: the connection, and standard output and error.
#[derive(Debug)]
struct Served {
    client: UnixStream,
    streams: [File; 2],
}

impl Pump {
    /// A pump, and the ends that the program gets.
    pub fn new() -> io::Result<(Self, [OwnedFd; 2])> {
        let pipe = || pipe_with(PipeFlags::CLOEXEC).map_err(io::Error::from);
        let ((out, program_out), (err, program_err)) = (pipe()?, pipe()?);
        for end in [&out, &err] {
            // Ours alone: what the program writes to waits as usual.
            rustix::io::ioctl_fionbio(end, true)?;
        }
        let pump = Self { ends: [File::from(out), File::from(err)], target: Mutex::default() };
        Ok((pump, [program_out, program_err]))
    }

    /// Moves what comes until the program, and all that have its streams, are gone.
    pub fn run(&self) {
        let mut open = [true; 2];
        while open.contains(&true) {
            let mut fds: Vec<_> = open
                .iter()
                .zip(&self.ends)
                .filter(|(open, _)| **open)
                .map(|(_, end)| PollFd::new(end, PollFlags::IN))
                .collect();
            if poll(&mut fds, None).is_err() {
                continue;
            }
            drop(fds);
            open = self.drain();
        }
    }

    /// What is written from now on goes to these streams, as long as their client is there.
    pub fn attach(&self, streams: [OwnedFd; 2], client: UnixStream) {
        self.drain();
        lock(&self.target).served = Some(Served { client, streams: streams.map(File::from) });
    }

    /// Passes on what was written so far; what comes later is nobody's.
    pub fn detach(&self) {
        self.drain();
        lock(&self.target).served = None;
    }

    /// The last words that were nobody's.
    pub fn last_words(&self) -> String {
        self.drain();
        String::from_utf8_lossy(&lock(&self.target).last).trim().to_owned()
    }

    /// Moves what is there; which streams are still open.
    fn drain(&self) -> [bool; 2] {
        let mut target = lock(&self.target);
        let mut block = vec![0; BLOCK];
        [0, 1].map(|stream| {
            for _ in 0..BLOCKS {
                match (&self.ends[stream]).read(&mut block) {
                    Ok(0) => return false,
                    Ok(count) => target.take(stream, block.get(..count).unwrap_or_default()),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => return false,
                }
            }
            true
        })
    }
}

impl Target {
    fn take(&mut self, stream: usize, bytes: &[u8]) {
        match &self.served {
            // A reader that went away is the client's business.
            Some(served) => drop(served.write(stream, bytes)),
            None => {
                self.last.extend(bytes);
                let surplus = self.last.len().saturating_sub(LAST);
                self.last.drain(..surplus);
            }
        }
    }
}

impl Served {
    /// Writes, waiting for a reader as long as the client is there: its streams may outlive it, and nobody else would ever
    /// read them. Whether they wait is theirs to say, and so left as it is.
    fn write(&self, stream: usize, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let target = &self.streams[stream];
            let mut fds = [PollFd::new(target, PollFlags::OUT), PollFd::new(&self.client, PollFlags::RDHUP)];
            match poll(&mut fds, None) {
                Err(rustix::io::Errno::INTR) => continue,
                polled => polled.map(drop)?,
            }
            let [writable, client] = fds.map(|fd| fd.revents());
            if !client.is_empty() {
                return Err(io::ErrorKind::NotConnected.into());
            }
            if writable.is_empty() {
                continue;
            }
            let (part, _) = bytes.split_at(bytes.len().min(AT_ONCE));
            let written = (&*target).write(part)?;
            bytes = bytes.get(written..).unwrap_or_default();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_go_to_who_is_served() {
        let (pump, [out, err]) = Pump::new().unwrap();
        let (mut out, mut err) = (File::from(out), File::from(err));
        err.write_all(b"before").unwrap();
        assert_eq!(pump.last_words(), "before");
        let (mut ours, theirs) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        let (client, _other) = UnixStream::pair().unwrap();
        pump.attach([ours.try_clone().unwrap().into(), theirs.into()], client);
        out.write_all(b"during").unwrap();
        pump.detach();
        out.write_all(b"after").unwrap();
        drop((out, err));
        pump.run();
        let mut text = String::new();
        io::Seek::rewind(&mut ours).unwrap();
        ours.read_to_string(&mut text).unwrap();
        assert_eq!((text.as_str(), pump.last_words().as_str()), ("during", "beforeafter"));
    }

    #[test]
    fn who_never_reads_holds_nobody_up_once_the_client_is_gone() {
        let (pump, [out, err]) = Pump::new().unwrap();
        let (_unread, full) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        let (client, other) = UnixStream::pair().unwrap();
        pump.attach([full.try_clone().unwrap(), full], client);
        drop(err);
        std::thread::scope(|scope| {
            let flood = scope.spawn(move || File::from(out).write_all(&vec![b'x'; 1 << 20]));
            let pumped = scope.spawn(|| pump.run());
            std::thread::sleep(std::time::Duration::from_millis(50));
            assert!(!flood.is_finished(), "nobody reads");
            drop(other);
            flood.join().unwrap().unwrap();
            pumped.join().unwrap();
        });
        pump.detach();
    }

    #[test]
    fn a_flood_keeps_its_last_words_alone() {
        let (pump, [out, err]) = Pump::new().unwrap();
        let flood = std::thread::spawn(move || File::from(out).write_all(&vec![b'x'; 1 << 20]));
        drop(err);
        pump.run();
        flood.join().unwrap().unwrap();
        assert_eq!(pump.last_words().len(), LAST);
    }
}
