//! A run from what is warm of a native program as its client conducts it: begun, its process held to the limits, its end
//! taken.
//!
//! A run that cannot be served is told why ([`NativeRun::Cold`]) and goes its usual way; nothing has happened by then.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use forewarm_lambda::{Event, MOST_PAYLOAD, Outcome};
use forewarm_sandbox::process::{Adopted, Confinement, Ended, Habits, Happening, STOPPED_WORD, Tier};
use forewarm_types::Seconds;

use super::NativeProgram;
use super::measured::Measured;
use super::spawned::{self, OVER};
use super::waiting::{Given, Over, Serving, Told};
use crate::client::{Holder, HolderError, PATIENCE, own_streams, unexpected};
use crate::program::{Program, Rung};
use crate::protocol::{Answer, Request};
use crate::wire;

/// How long a client waits for the last words on a program that it has ended.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Names and values of environment variables.
pub type Variables = Vec<(OsString, OsString)>;

/// A run that is to start from what is warm.
#[derive(Debug)]
pub struct NativeStarted<'a> {
    /// What it is of.
    pub program: NativeProgram,
    /// What it is to be executed with, where that comes with the run.
    pub arguments: &'a [OsString],
    /// The environment, but for what [`Terms::added`].
    pub environment: &'a [(OsString, OsString)],
    /// The event, where it is run for one.
    pub event: Option<&'a Event>,
    /// What it may touch and use.
    pub confinement: &'a Confinement,
}

/// What a run brings along for the process that serves it, once that is known.
pub struct Terms<'a> {
    /// Takes a process into the groups that the run's plan holds it to.
    pub admit: &'a dyn Fn(i32),
    /// What the configuration that the process stands for adds to the environment; `None` where that says nothing to who
    /// asks.
    pub added: &'a dyn Fn(&str) -> Option<Variables>,
}

/// How far a run came.
#[derive(Debug)]
pub enum NativeRun {
    /// Nothing is held that could serve it, and why.
    Cold(Option<String>),
    /// Its program goes on, or its event is being served.
    Begun(Box<NativeBegun>),
}

/// A run that has begun. Dropped, it is ended.
#[derive(Debug)]
pub struct NativeBegun {
    stream: UnixStream,
    taken: Adopted,
    tier: Tier,
    /// The rung it started from.
    pub rung: Rung,
    /// The configuration that its process stood for.
    pub configuration: String,
}

/// How a run that had begun ended.
#[derive(Debug)]
pub enum NativeEnd {
    /// The program could not be executed, and why; nothing of it has run.
    Unexecuted(String),
    /// It is over.
    Ended(Box<Ended>),
    /// Its event is.
    Served(Box<Ended>, Outcome),
}

impl Holder {
    /// Begins a run from what is warm, where it can be. Where this fails nothing of it has run, nor will.
    ///
    /// # Errors
    /// Where the connection broke before the run began.
    pub fn begin_native(self, started: &NativeStarted<'_>, terms: &Terms<'_>) -> Result<NativeRun, HolderError> {
        let cold = |why: &str| Ok(NativeRun::Cold(Some(why.to_owned())));
        let Some(streams) = own_streams() else { return cold("a standard stream is closed") };
        self.stream.set_read_timeout(Some(PATIENCE))?;
        let wanted = Request::Run { program: Box::new(Program::Native(started.program.clone())) };
        let (rung, tier) = match self.ask(&wanted, &streams.each_ref().map(AsFd::as_fd))? {
            Answer::Taken { rung, tier } => (rung, tier),
            Answer::Cold(why) => return cold(&why),
            other => return Err(unexpected(other)),
        };
        let Ok((serving, _)) = wire::receive::<Serving>(&self.stream) else {
            return cold("what was warm has ended");
        };
        (terms.admit)(serving.process);
        let taken = match started.event {
            Some(_) => Adopted::waiting(serving.process, started.confinement, Seconds(serving.cpu_seconds)),
            None => Adopted::take(serving.process, started.confinement),
        };
        let mut taken = match taken {
            Ok(taken) => taken,
            Err(error) => return cold(&error.to_string()),
        };
        // From here on the run's end is waited for, however long it takes; and nothing can fail once all is said.
        self.stream.set_read_timeout(None)?;
        match started.event {
            Some(event) => give(&self.stream, event)?,
            None => {
                let Some(habits) = Habits::own() else { return cold("the system does not say what is ignored") };
                let Some(added) = (terms.added)(&serving.configuration) else {
                    return cold("it was warmed by another version");
                };
                let message = spawned::message(started.arguments, &[started.environment, &added].concat(), habits);
                (&self.stream).write_all(&message)?;
            }
        }
        taken.begins();
        let Serving { configuration, .. } = serving;
        let begun = NativeBegun { stream: self.stream, taken, tier: Tier::named(&tier), rung, configuration };
        Ok(NativeRun::Begun(Box::new(begun)))
    }
}

impl NativeBegun {
    /// Gives the processes of the run, one by one.
    pub fn each_process(&self, give: impl FnMut(i32)) {
        self.taken.each_process(give);
    }

    /// Stands by a run until its end is told. `deliver` takes the response of an event as soon as it is there.
    #[must_use]
    pub fn finish(self, deliver: impl FnOnce(&[u8])) -> NativeEnd {
        if self.rung == Rung::Waiting { self.serve(deliver) } else { self.attend() }
    }

    fn attend(mut self) -> NativeEnd {
        let over = loop {
            if self.taken.attend(self.stream.as_fd()) == Happening::Ended {
                continue;
            }
            let mut word = [0_u8; 1];
            match (&self.stream).read(&mut word) {
                Ok(1) if word == [STOPPED_WORD] => self.taken.stopped(),
                Ok(1) if word == [OVER] => break wire::receive::<spawned::Over>(&self.stream).map(|(over, _)| over),
                // Who stood over the run has been killed, and the run with it.
                _ => break Err(io::ErrorKind::NotConnected.into()),
            }
        };
        match over.unwrap_or_else(|_| spawned::Over::Ended(Measured::lost())) {
            spawned::Over::Unexecuted(why) => NativeEnd::Unexecuted(why),
            spawned::Over::Ended(measured) => NativeEnd::Ended(Box::new(measured.concluded(&self.taken, self.tier))),
        }
    }

    fn serve(mut self, deliver: impl FnOnce(&[u8])) -> NativeEnd {
        if self.taken.attend(self.stream.as_fd()) == Happening::Ended {
            // It was ended for its limits; who stands over it says the rest, unless it is busy with who reads no output.
            let _ = self.stream.set_read_timeout(Some(LAST_WORDS));
        }
        let heard = wire::receive::<Over>(&self.stream).and_then(|(over, _)| {
            let outcome = match over.outcome {
                Told::Response(length) => Outcome::Response(read(&self.stream, length)?),
                Told::Failed(error) => Outcome::Failed(error),
                Told::Unable(error) => Outcome::Unable(error),
                Told::TooLarge => Outcome::TooLarge,
                Told::Unasked => Outcome::Unasked,
                Told::Unanswered => Outcome::Unanswered,
            };
            Ok((outcome, over.measured))
        });
        let (outcome, measured) = heard.unwrap_or_else(|_| (Outcome::Unanswered, Measured::lost()));
        if let Outcome::Response(response) = &outcome {
            deliver(response);
        }
        NativeEnd::Served(Box::new(measured.concluded(&self.taken, self.tier)), outcome)
    }
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

fn read(stream: &UnixStream, length: usize) -> io::Result<Vec<u8>> {
    if length > MOST_PAYLOAD {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut response = vec![0; length];
    let mut line = stream;
    line.read_exact(&mut response)?;
    Ok(response)
}
