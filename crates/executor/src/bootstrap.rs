//! A program that was written for the Lambda runtime API, run for one event: it is served the interface, handed the event
//! when it asks, and ended when it has answered.
//!
//! Called by [`crate::process`], beside whose wait for the program's end a thread speaks with it.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;

use forewarm_lambda::{Event, Outcome, Peers, Ready, Runtime};
use forewarm_sandbox::measure::Usage;
use forewarm_sandbox::process::{Cause, Child, Door, Ender, SpawnError};
use forewarm_types::host::Clock;
use forewarm_types::{Exit, ExitCause, Seconds};

/// What a program is run for.
#[derive(Debug)]
pub struct Call {
    /// The event.
    pub event: Event,
    /// Where the program finds the interface, where it has the machine's network; else that is in a network of its own.
    pub listener: Option<TcpListener>,
    /// Takes the response as soon as it is there.
    pub deliver: fn(&[u8]),
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Called {
    /// How the event went.
    pub outcome: Outcome,
    /// When the program had been initialised; `None` where it never asked for an event, or had before this run.
    pub asked: Option<Asked>,
}

/// The moment a program asked for its event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Asked {
    /// On the monotonic clock.
    pub at: Seconds,
    /// What it had used by then.
    pub usage: Usage,
}

/// A program being served.
pub(crate) struct Serving {
    runtime: Runtime,
    speaker: JoinHandle<Called>,
}

impl Serving {
    /// Serves a program that has just been started.
    ///
    /// # Errors
    /// Where there is no way to it.
    pub fn start(call: Call, child: &Child, clock: Arc<dyn Clock>) -> Result<Self, SpawnError> {
        let at = |error| SpawnError::System { step: "serving the Lambda runtime API", error };
        let (door, ender) = (child.listener().map_err(at)?, child.ender().map_err(at)?);
        if door.is_none() && call.listener.is_none() {
            let why = "the program has no network of its own on this system (--net lets it use the machine's)";
            return Err(at(io::Error::other(why)));
        }
        let runtime = Runtime::new(clock);
        let spoken = runtime.clone();
        let speaker = std::thread::Builder::new().name("lambda".into());
        let speaker = speaker.spawn(move || speak(&spoken, call, door, &ender)).map_err(at)?;
        Ok(Self { runtime, speaker })
    }

    /// The program has ended: what came of its event.
    pub fn finish(self) -> Called {
        self.runtime.close();
        self.speaker.join().unwrap_or(Called { outcome: Outcome::Unanswered, asked: None })
    }
}

/// Speaks with the program until its event is over, and ends it then, as Lambda ends an environment it needs no more.
fn speak(runtime: &Runtime, call: Call, door: Option<Door>, ender: &Ender) -> Called {
    let taken = match (call.listener, door) {
        (Some(listener), _) => Ok((listener, Peers::OwnUser)),
        (None, Some(door)) => door.listener().map(|listener| (listener, Peers::All)),
        (None, None) => Err(io::ErrorKind::NotConnected.into()),
    };
    let mut called = Called { outcome: Outcome::Unasked, asked: None };
    if taken.and_then(|(listener, peers)| runtime.serve(listener, peers)).is_ok() {
        match runtime.ready(None) {
            Ready::Asked(at) => {
                called.asked = Some(Asked { at, usage: ender.usage() });
                called.outcome = runtime.invoke(call.event);
            }
            Ready::Unable(error) => called.outcome = Outcome::Unable(error),
            Ready::Closed | Ready::Late => {}
        }
    }
    if let Outcome::Response(response) = &called.outcome {
        (call.deliver)(response);
    }
    ender.end();
    called
}

/// How the run of an event ended, given how its program did: as a handler that returns, raises, or whose interpreter ends.
#[must_use]
pub fn exit(outcome: &Outcome, cause: Cause, of: impl Fn(Cause) -> Exit) -> Exit {
    let failed = Exit { cause: ExitCause::Exited, code: 1, signal: None, message: None };
    match (outcome, cause) {
        (Outcome::Response(_), _) => Exit { code: 0, ..failed },
        (Outcome::Failed(_) | Outcome::Unable(_) | Outcome::TooLarge, _) | (_, Cause::Exited(0)) => failed,
        (Outcome::Unasked | Outcome::Unanswered, cause) => of(cause),
    }
}
