//! The other end: finding the holder, warming, listing, dropping, and running from what is warm.
//!
//! A run that cannot be served is told why ([`Run::Cold`]) and goes its usual way; nothing has happened by then.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use forewarm_sandbox::measure::Usage;
use forewarm_sandbox::process::{Adopted, Cause, Confinement, Denied, Ended, Happening, Tier};
use forewarm_types::{Bytes, Seconds};
use serde::de::DeserializeOwned;

use crate::place::{Place, PlaceError};
use crate::protocol::{Answer, Climb, Held, OF_THE_MOMENT, Program, Request, Rung};
use crate::wire;

/// How long a run waits for its process to answer before it goes its usual way: more than any start from cold takes on
/// an idle machine (the interpreter's own is 10 to 20 ms), so that waiting longer could not be worth it.
const PATIENCE: Duration = Duration::from_millis(500);

/// A connection to the holder.
#[derive(Debug)]
pub struct Holder {
    stream: UnixStream,
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

/// A run that is to start from what is warm.
#[derive(Debug)]
pub struct Started<'a> {
    /// What it is of.
    pub program: Program,
    /// `sys.argv`.
    pub arguments: Vec<Vec<u8>>,
    /// The whole environment, as `NAME=value`.
    pub environment: Vec<Vec<u8>>,
    /// The handler's name; empty for the usual ones, and for a script.
    pub handler: String,
    /// The event: empty for none, `-` for standard input; a file comes as [`Self::event_file`].
    pub event: String,
    /// The event's file.
    pub event_file: Option<File>,
    /// What it may touch and use.
    pub confinement: &'a Confinement,
}

/// How a run went.
#[derive(Debug)]
pub enum Run {
    /// Nothing is held for it, and why; `None` where there is no holder at all.
    Cold(Option<String>),
    /// It ran.
    Ended {
        /// What was measured.
        ended: Ended,
        /// The rung it started from.
        rung: Rung,
    },
}

impl Holder {
    /// Connects, where there is a holder.
    ///
    /// # Errors
    /// Where its place is not this user's alone.
    pub fn find(place: &Place) -> Result<Option<Self>, PlaceError> {
        Ok(place.connect()?.map(|stream| Self { stream }))
    }

    /// Tells that a run of a file is about to be asked for, and asks whether anything is held of it: the holder looks
    /// whether that is still fit while the caller plans. `false` also where it does not answer.
    #[must_use]
    pub fn expects(&self, file: PathBuf) -> bool {
        let waited = self.stream.set_read_timeout(Some(PATIENCE));
        waited.is_ok() && self.ask(&Request::Look { file }, &[]).is_ok_and(|answer| answer == Answer::Known(true))
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

    fn ask(&self, request: &Request, descriptors: &[BorrowedFd<'_>]) -> Result<Answer, HolderError> {
        wire::send(&self.stream, request, descriptors)?;
        Ok(self.answer()?)
    }

    fn answer<T: DeserializeOwned>(&self) -> io::Result<T> {
        wire::receive(&self.stream).map(|(answer, _)| answer)
    }

    /// Runs from what is warm, where it can be; returns when the run is over.
    ///
    /// # Errors
    /// Where the connection broke before the run began.
    pub fn run(self, started: &Started<'_>) -> Result<Run, HolderError> {
        let Some(streams) = own_streams() else {
            return Ok(Run::Cold(Some("a standard stream is closed".to_owned())));
        };
        let mut handed: Vec<BorrowedFd<'_>> = streams.iter().map(AsFd::as_fd).collect();
        handed.extend(started.event_file.iter().map(AsFd::as_fd));
        self.stream.set_read_timeout(Some(PATIENCE))?;
        let (rung, tier) = match self.ask(&Request::Run { program: Box::new(started.program.clone()) }, &handed)? {
            Answer::Taken { rung, tier } => (rung, tier),
            Answer::Cold(why) => return Ok(Run::Cold(Some(why))),
            other => return Err(unexpected(other)),
        };
        let mut word = [0_u8; 1];
        let process = match wire::receive_beside(&self.stream, &mut word)? {
            (1, beside) if word == *b"k" => beside.sender,
            _ => return Ok(Run::Cold(Some("what was warm has ended".to_owned()))),
        };
        let Some(process) = process else {
            return Ok(Run::Cold(Some("the kernel does not say which process answers".to_owned())));
        };
        let taken = match Adopted::take(process, started.confinement) {
            Ok(taken) => taken,
            Err(error) => return Ok(Run::Cold(Some(error.to_string()))),
        };
        self.stream.set_read_timeout(None)?;
        let message = message(started);
        let length = (message.len() as u32).to_le_bytes();
        let mut stream: &UnixStream = &self.stream;
        stream.write_all(&[length.as_slice(), &message].concat())?;
        Ok(Run::Ended { ended: attend(&self.stream, taken, confined(&tier)), rung })
    }
}

fn unexpected(answer: Answer) -> HolderError {
    HolderError::Failed(match answer {
        Answer::Failed(why) | Answer::Cold(why) => why,
        other => format!("unexpected answer {other:?}"),
    })
}

fn confined(tier: &str) -> Tier {
    let tiers = [Tier::Cgroup2, Tier::Cgroup1, Tier::Namespaces, Tier::Landlock, Tier::Limits];
    tiers.into_iter().find(|known| known.name() == tier).unwrap_or(Tier::Limits)
}

/// This process' standard streams, where all are open.
fn own_streams() -> Option<[std::os::fd::OwnedFd; 3]> {
    let input = io::stdin().as_fd().try_clone_to_owned().ok()?;
    let output = io::stdout().as_fd().try_clone_to_owned().ok()?;
    Some([input, output, io::stderr().as_fd().try_clone_to_owned().ok()?])
}

/// What the run's process is told.
fn message(started: &Started<'_>) -> Vec<u8> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map_or("", str::trim);
    // proc_pid_status(5): the mask in octal, ignored signals in hexadecimal.
    let umask = u32::from_str_radix(field("Umask:"), 8).unwrap_or(0o022).to_string();
    let ignored = u64::from_str_radix(field("SigIgn:"), 16).unwrap_or(0).to_string();
    let [arguments, variables] = [started.arguments.len(), started.environment.len()].map(|count| count.to_string());
    let mut parts: Vec<&[u8]> = vec![started.handler.as_bytes(), started.event.as_bytes(), arguments.as_bytes()];
    parts.extend(started.arguments.iter().map(Vec::as_slice));
    parts.push(variables.as_bytes());
    parts.extend(started.environment.iter().map(Vec::as_slice));
    parts.push(started.program.directory.as_os_str().as_encoded_bytes());
    let moment = OF_THE_MOMENT.join(" ");
    parts.extend([umask.as_bytes(), ignored.as_bytes(), moment.as_bytes()]);
    wire::pack(parts)
}

/// Stands by a run until its end is told.
fn attend(stream: &UnixStream, mut taken: Adopted, tier: Tier) -> Ended {
    let mut told = None;
    loop {
        if taken.attend(stream.as_fd()) == Happening::Ended {
            continue;
        }
        let mut word = [0_u8; 1];
        let mut reader: &UnixStream = stream;
        match reader.read(&mut word) {
            Ok(1) if word == *b"s" => taken.stopped(),
            Ok(1) if word == *b"e" => {
                told = end(stream).ok();
                break;
            }
            Ok(1) => {}
            // Who stood over the run has been killed, and the run with it.
            _ => break,
        }
    }
    conclude(&taken, told.unwrap_or_default(), tier)
}

/// The end of a run as its zygote tells it.
#[derive(Debug, Default)]
struct End {
    exited: bool,
    number: i32,
    first: u64,
    last: u64,
    /// Whether it failed after it tried to reach another machine.
    refused: bool,
    usage: Usage,
    disk: [u64; 2],
    resident_kibibytes: u64,
}

fn end(stream: &UnixStream) -> io::Result<End> {
    let mut length = [0_u8; 4];
    let mut reader: &UnixStream = stream;
    reader.read_exact(&mut length)?;
    let parts = wire::unpack(&wire::body(stream, length)?);
    let text = |at: usize| parts.get(at).and_then(|part| std::str::from_utf8(part).ok()).unwrap_or_default();
    let count = |at: usize| text(at).parse::<u64>().unwrap_or(0);
    let seconds = |at: usize| Seconds(text(at).parse::<f64>().ok().filter(|s| s.is_finite()).unwrap_or(0.0));
    let usage = Usage {
        user: seconds(5),
        system: seconds(6),
        minor_faults: count(7),
        major_faults: count(8),
        voluntary_switches: count(9),
        involuntary_switches: count(10),
    };
    Ok(End {
        exited: text(0) == "x",
        number: text(1).parse().unwrap_or(KILLED),
        first: count(2),
        last: count(3),
        refused: count(4) > 0,
        usage,
        disk: [count(11), count(12)],
        resident_kibibytes: count(13),
    })
}

/// `SIGKILL`: signal(7).
const KILLED: i32 = 9;

fn conclude(taken: &Adopted, end: End, tier: Tier) -> Ended {
    /// Unit of the blocks that the system counts: Linux kernel/sys.c, `getrusage`.
    const BLOCK: u64 = 512;
    let wall = Seconds(end.last.saturating_sub(end.first) as f64 * 1e-9);
    let cause = taken.verdict().unwrap_or_else(|| cause(&end, taken));
    let resident = Bytes(end.resident_kibibytes.saturating_mul(1024));
    Ended {
        cause,
        began: (end.first > 0).then_some(Seconds(end.first as f64 * 1e-9)),
        wall: if end.first == 0 { Seconds(0.0) } else { wall },
        usage: end.usage,
        peak_memory: taken.peak().max(resident),
        disk: end.disk.map(|blocks| Bytes(blocks.saturating_mul(BLOCK))),
        run_delay: None,
        throttled: None,
        steal: None,
        oom_kills: None,
        denied: if end.refused { vec![Denied::Network] } else { Vec::new() },
        tier,
    }
}

fn cause(end: &End, taken: &Adopted) -> Cause {
    /// Numbers of `SIGXCPU` and `SIGXFSZ`: signal(7).
    const CPU: i32 = 24;
    const FILE_SIZE: i32 = 25;
    /// As much of a limit on CPU time as must be used for it to be the cause: see `sandbox`.
    const COUNTED: f64 = 0.8;
    let bounds = taken.bounds();
    let used_up = bounds.cpu.is_some_and(|cpu| end.usage.cpu().0 >= cpu.0 * COUNTED);
    match (end.exited, end.number) {
        (true, code) => Cause::Exited(code),
        (_, CPU) if bounds.cpu.is_some() => Cause::Cpu,
        (_, KILLED) if used_up => Cause::Cpu,
        (_, FILE_SIZE) if bounds.file_size.is_some() => Cause::FileSize,
        (_, 0) => Cause::Signalled(KILLED),
        (_, signal) => Cause::Signalled(signal),
    }
}
