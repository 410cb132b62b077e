//! A run from a Python zygote as its client conducts it: handed over, held to its limits, awaited.
//!
//! A run that cannot be served is told why ([`Run::Cold`]) and goes its usual way; nothing has happened by then.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use forewarm_sandbox::measure::Usage;
use forewarm_sandbox::process::{Adopted, Confinement, Denied, Ended, Ending, Habits, Happening, Tier};
use forewarm_types::{Bytes, Seconds};

use super::PythonProgram;
use crate::client::{Holder, HolderError, PATIENCE, own_streams, unexpected};
use crate::program::{Program, Rung};
use crate::protocol::{Answer, Request};
use crate::walls::OF_THE_MOMENT;
use crate::wire;

/// A run that is to start from what is warm.
#[derive(Debug)]
pub struct Started<'a> {
    /// What it is of.
    pub program: PythonProgram,
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
        ended: Box<Ended>,
        /// The rung it started from.
        rung: Rung,
    },
}

impl Holder {
    /// Runs from what is warm, where it can be, in a process that `admit` takes into the groups that the run's plan holds it
    /// to; returns when the run is over.
    ///
    /// # Errors
    /// Where the connection broke before the run began.
    pub fn run_python(self, started: &Started<'_>, admit: &dyn Fn(i32)) -> Result<Run, HolderError> {
        let Some(streams) = own_streams() else {
            return Ok(Run::Cold(Some("a standard stream is closed".to_owned())));
        };
        let mut handed: Vec<BorrowedFd<'_>> = streams.iter().map(AsFd::as_fd).collect();
        handed.extend(started.event_file.iter().map(AsFd::as_fd));
        self.stream.set_read_timeout(Some(PATIENCE))?;
        let (rung, tier) =
            match self.ask(&Request::Run { program: Box::new(Program::Python(started.program.clone())) }, &handed)? {
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
        admit(process);
        let mut taken = match Adopted::take(process, started.confinement) {
            Ok(taken) => taken,
            Err(error) => return Ok(Run::Cold(Some(error.to_string()))),
        };
        self.stream.set_read_timeout(None)?;
        let message = message(started);
        let length = (message.len() as u32).to_le_bytes();
        let mut stream: &UnixStream = &self.stream;
        stream.write_all(&[length.as_slice(), &message].concat())?;
        taken.begins();
        Ok(Run::Ended { ended: Box::new(attend(&self.stream, taken, Tier::named(&tier))), rung })
    }
}

/// What the run's process is told.
fn message(started: &Started<'_>) -> Vec<u8> {
    let Habits { umask, ignored } = Habits::own().unwrap_or(Habits { umask: 0o022, ignored: 0 });
    let (umask, ignored) = (umask.to_string(), ignored.to_string());
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
    /// One more than the nanoseconds its process waited for a core since it began; 0 where not known.
    delayed: u64,
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
        number: text(1).parse().unwrap_or(0),
        first: count(2),
        last: count(3),
        refused: count(4) > 0,
        usage,
        disk: [count(11), count(12)],
        resident_kibibytes: count(13),
        delayed: count(14),
    })
}

fn conclude(taken: &Adopted, end: End, tier: Tier) -> Ended {
    /// Unit of the blocks that the system counts: Linux kernel/sys.c, `getrusage`.
    const BLOCK: u64 = 512;
    let wall = Seconds(end.last.saturating_sub(end.first) as f64 * 1e-9);
    let around = taken.around();
    let ending = match (end.exited, end.number) {
        (true, code) => Ending::Exited(code),
        (false, 0) => Ending::Unseen,
        (false, signal) => Ending::Signalled(signal),
    };
    let cause = taken.cause(ending, end.usage.cpu(), &around);
    let resident = Bytes(end.resident_kibibytes.saturating_mul(1024));
    Ended {
        cause,
        began: (end.first > 0).then_some(Seconds(end.first as f64 * 1e-9)),
        wall: if end.first == 0 { Seconds(0.0) } else { wall },
        usage: end.usage,
        peak_memory: taken.peak().max(resident),
        disk: end.disk.map(|blocks| Bytes(blocks.saturating_mul(BLOCK))),
        run_delay: end.delayed.checked_sub(1).map(|nanoseconds| Seconds(nanoseconds as f64 * 1e-9)),
        throttled: around.throttled,
        steal: around.steal,
        oom_kills: around.oom_kills,
        outgrew: None,
        instructions: None,
        denied: if end.refused { vec![Denied::Network] } else { Vec::new() },
        tier,
    }
}
