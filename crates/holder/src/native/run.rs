//! A run from a warm native program as its client conducts it: its event sent, its process held to the limits, the answer
//! taken.
//!
//! A run that cannot be served is told why ([`NativeRun::Cold`]) and goes its usual way; nothing has happened by then.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use forewarm_lambda::{Event, MOST_PAYLOAD, Outcome};
use forewarm_sandbox::measure::Usage;
use forewarm_sandbox::process::{Adopted, Cause, Confinement, Ended, Happening, Tier};
use forewarm_types::{Bytes, Seconds};

use super::NativeProgram;
use super::waiting::{Given, Over, Serving, Told};
use crate::client::{Holder, HolderError, PATIENCE, own_streams, unexpected};
use crate::program::{Program, Rung};
use crate::protocol::{Answer, Request};
use crate::wire;

/// How long a client waits for the last words on a program that it has ended.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A run that is to start from what is warm.
#[derive(Debug)]
pub struct NativeStarted<'a> {
    /// What it is of.
    pub program: NativeProgram,
    /// The event, where it is run for one.
    pub event: Option<&'a Event>,
    /// What it may touch and use.
    pub confinement: &'a Confinement,
}

/// How a run went.
#[derive(Debug)]
pub enum NativeRun {
    /// Nothing is held that could serve it, and why.
    Cold(Option<String>),
    /// It is to start from nothing, but from files that are in the page cache.
    Files,
    /// Its event was served.
    Ended {
        /// What was measured.
        ended: Box<Ended>,
        /// How the event went.
        outcome: Outcome,
        /// The rung it started from.
        rung: Rung,
    },
}

impl Holder {
    /// Runs from what is warm, where it can be; returns when the run is over. `deliver` takes the response as soon as it is
    /// there.
    ///
    /// # Errors
    /// Where the connection broke before the run began.
    pub fn run_native(
        self,
        started: &NativeStarted<'_>,
        deliver: impl FnOnce(&[u8]),
    ) -> Result<NativeRun, HolderError> {
        let Some(streams) = own_streams() else {
            return Ok(NativeRun::Cold(Some("a standard stream is closed".to_owned())));
        };
        self.stream.set_read_timeout(Some(PATIENCE))?;
        let wanted = Request::Run { program: Box::new(Program::Native(started.program.clone())) };
        let (rung, tier) = match self.ask(&wanted, &streams.each_ref().map(AsFd::as_fd))? {
            Answer::Taken { rung: Rung::PageCache, .. } => return Ok(NativeRun::Files),
            Answer::Taken { rung, tier } => (rung, tier),
            Answer::Cold(why) => return Ok(NativeRun::Cold(Some(why))),
            other => return Err(unexpected(other)),
        };
        let Some(event) = started.event else {
            return Ok(NativeRun::Cold(Some("what is warm serves events alone".to_owned())));
        };
        let Ok((serving, _)) = wire::receive::<Serving>(&self.stream) else {
            return Ok(NativeRun::Cold(Some("what was warm has ended".to_owned())));
        };
        let taken = match Adopted::waiting(serving.process, started.confinement, Seconds(serving.cpu_seconds)) {
            Ok(taken) => taken,
            Err(error) => return Ok(NativeRun::Cold(Some(error.to_string()))),
        };
        give(&self.stream, event)?;
        self.stream.set_read_timeout(None)?;
        let (ended, outcome) = attend(&self.stream, taken, tier_named(&tier), deliver);
        Ok(NativeRun::Ended { ended: Box::new(ended), outcome, rung })
    }
}

fn tier_named(name: &str) -> Tier {
    let tiers = [Tier::Cgroup2, Tier::Cgroup1, Tier::Namespaces, Tier::Landlock, Tier::Limits];
    tiers.into_iter().find(|tier| tier.name() == name).unwrap_or(Tier::Limits)
}

fn give(stream: &UnixStream, event: &Event) -> io::Result<()> {
    let Event { id, deadline_unix_ms, function_arn, trace, body } = event;
    let given = Given {
        id: id.clone(),
        deadline_unix_ms: *deadline_unix_ms,
        function_arn: function_arn.clone(),
        trace: trace.clone(),
        length: body.len(),
    };
    wire::send(stream, &given, &[])?;
    let mut line = stream;
    line.write_all(body)
}

/// Stands by an event until its end is told.
fn attend(stream: &UnixStream, mut taken: Adopted, tier: Tier, deliver: impl FnOnce(&[u8])) -> (Ended, Outcome) {
    if taken.attend(stream.as_fd()) == Happening::Ended {
        // It was ended for its limits; who stands over it says the rest, unless it is busy with who reads no output.
        let _ = stream.set_read_timeout(Some(LAST_WORDS));
    }
    let heard = wire::receive::<Over>(stream).and_then(|(over, _)| {
        let response = match over.outcome {
            Told::Response(length) => read(stream, length)?,
            _ => Vec::new(),
        };
        Ok((over, response))
    });
    let Ok((over, response)) = heard else {
        let cause = taken.verdict().unwrap_or(Cause::Signalled(KILLED));
        return (ended(&taken, None, cause, tier), Outcome::Unanswered);
    };
    let outcome = match &over.outcome {
        Told::Response(_) => Outcome::Response(response),
        Told::Failed(error) => Outcome::Failed(error.clone()),
        Told::Unable(error) => Outcome::Unable(error.clone()),
        Told::TooLarge => Outcome::TooLarge,
        Told::Unasked => Outcome::Unasked,
        Told::Unanswered => Outcome::Unanswered,
    };
    if let Outcome::Response(response) = &outcome {
        deliver(response);
    }
    let cause = taken.verdict().unwrap_or_else(|| cause(&over));
    (ended(&taken, Some(&over), cause, tier), outcome)
}

fn read(stream: &UnixStream, length: usize) -> io::Result<Vec<u8>> {
    if length > MOST_PAYLOAD {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut response = vec![0; length];
    let mut line = stream;
    line.read_exact(&mut response)?;
    Ok(response)
}

/// `SIGKILL`: signal(7).
const KILLED: i32 = 9;

fn cause(over: &Over) -> Cause {
    match (over.exited, over.signalled) {
        _ if over.memory => Cause::Memory,
        (Some(code), _) => Cause::Exited(code),
        (None, Some(signal)) => Cause::Signalled(signal),
        (None, None) => Cause::Exited(0),
    }
}

fn ended(taken: &Adopted, over: Option<&Over>, cause: Cause, tier: Tier) -> Ended {
    let usage = over.map_or_else(Usage::default, |over| Usage {
        user: Seconds(over.user_seconds),
        system: Seconds(over.system_seconds),
        minor_faults: over.counts[0],
        major_faults: over.counts[1],
        voluntary_switches: over.counts[2],
        involuntary_switches: over.counts[3],
    });
    Ended {
        cause,
        wall: Seconds(over.map_or(0.0, |over| over.wall_seconds)),
        began: over.map(|over| Seconds(over.began_seconds)),
        usage,
        peak_memory: over.map_or(Bytes::ZERO, |over| over.memory_bytes).max(taken.peak()),
        disk: [Bytes::ZERO; 2],
        run_delay: None,
        throttled: None,
        steal: None,
        oom_kills: None,
        instructions: None,
        denied: Vec::new(),
        tier,
    }
}
