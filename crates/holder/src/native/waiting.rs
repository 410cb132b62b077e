//! A program written for the Lambda runtime API that has been initialised and waits for its next event.
//!
//! It stands in a sandbox of its own, behind the walls of a cold run, and serves one event after another, as in Lambda. Its
//! threads here: the *keeper*, whose child the sandbox's init is (it dies with the thread that made it), the *pump* for what
//! the program writes, and those that speak the interface with it. The event comes from the client, and the answer goes
//! there; the client holds the program to the limits of its event ([`super::run`]).

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};
use std::time::Duration;

use forewarm_lambda::{ADDRESS, Event, MOST_PAYLOAD, Outcome, PORT, Peers, Ready, Runtime, address};
use forewarm_sandbox::RealClock;
use forewarm_sandbox::measure::Usage;
use forewarm_sandbox::process::{self, Door, Ended, Ender, Tier, spawn_on};
use forewarm_types::host::Clock;
use forewarm_types::{Bytes, Seconds};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Signal, pidfd_send_signal};
use serde::{Deserialize, Serialize};

use super::measured::Measured;
use super::pump::Pump;
use super::{NativeExecution, NativeProgram, refuse};
use crate::holding::{Holding, Standing, lock};
use crate::program::Rung;
use crate::protocol::{Answer, RungStep};
use crate::stamps::{Names, Stamps};
use crate::wire;

/// How long a program may take until it asks for its first event: twelve times the 10 s that AWS Lambda gives a function's
/// initialisation (AWS Lambda Developer Guide, "Lambda execution environment lifecycle").
const MOST_CLIMB: Seconds = Seconds(120.0);

/// How long a client may take to send its event, once it is told that it may.
const PATIENCE: Duration = Duration::from_secs(5);

/// How far a file system's clock may lag behind the system's: a tick of 10 ms at the slowest (`CONFIG_HZ=100`).
const TICK_NANOSECONDS: i64 = 10_000_000;

/// How many times a program is started anew because a file changed meanwhile.
const ATTEMPTS: usize = 3;

/// Why a program does not wait.
#[derive(Debug)]
enum Refusal {
    /// A file that it was loaded from changed meanwhile.
    Changed(PathBuf),
    /// In words.
    Other(String),
}

impl From<String> for Refusal {
    fn from(why: String) -> Self {
        Self::Other(why)
    }
}

impl Refusal {
    fn why(self) -> String {
        match self {
            Self::Changed(file) => format!("{} keeps changing", file.display()),
            Self::Other(why) => why,
        }
    }
}

/// The first words to a client: which process will serve it, what that has used so far, and the configuration of a run
/// without a plan.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Serving {
    pub process: i32,
    pub cpu_seconds: f64,
    pub configuration: String,
}

/// The client's event; its body follows.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Given {
    pub id: String,
    pub deadline_unix_ms: u64,
    pub function_arn: String,
    pub trace: String,
    pub length: usize,
}

/// What came of it, and what it took; the response follows where there is one.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Over {
    pub outcome: Told,
    pub measured: Measured,
}

/// An outcome without its response.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Told {
    Response(usize),
    Failed(forewarm_lambda::FunctionError),
    Unable(forewarm_lambda::FunctionError),
    TooLarge,
    Unasked,
    Unanswered,
}

/// A program that waits.
#[derive(Debug)]
pub(super) struct Waiting {
    standing: Standing,
    stamps: Stamps,
    kept: Kept,
    /// Held while an event is served.
    turn: Mutex<()>,
}

/// A program's process with all that stands by it.
#[derive(Debug)]
pub(super) struct Kept {
    runtime: Runtime,
    pump: Arc<Pump>,
    init: i32,
    handle: OwnedFd,
    ender: Ender,
    tier: Tier,
    end: Arc<End>,
}

/// How a program ended, once it has.
#[derive(Debug, Default)]
struct End {
    ended: Mutex<Option<Option<Ended>>>,
    told: Condvar,
}

impl End {
    fn set(&self, ended: Option<Ended>) {
        *lock(&self.ended) = Some(ended);
        self.told.notify_all();
    }

    /// Waits for it.
    fn wait(&self) -> Option<Ended> {
        let ended = self.told.wait_while(lock(&self.ended), |ended| ended.is_none());
        ended.unwrap_or_else(PoisonError::into_inner).clone().flatten()
    }

    fn is_over(&self) -> bool {
        lock(&self.ended).is_some()
    }
}

impl Waiting {
    /// What stands once a program waits.
    pub fn new(standing: Standing, stamps: Stamps, kept: Kept) -> Self {
        Self { standing, stamps, kept, turn: Mutex::new(()) }
    }
}

/// Starts a program, anew where a file of it changes meanwhile, until it waits.
pub(super) fn settled(
    program: &NativeProgram,
    execution: &NativeExecution,
) -> Result<(Kept, RungStep, Stamps), String> {
    let mut attempt = 1;
    loop {
        match initialised(program, execution) {
            Err(Refusal::Changed(_)) if attempt < ATTEMPTS => attempt += 1,
            result => return result.map_err(Refusal::why),
        }
        std::thread::sleep(Duration::from_nanos(2 * TICK_NANOSECONDS.unsigned_abs()));
    }
}

/// Starts a program and waits until it asks for its first event.
fn initialised(program: &NativeProgram, execution: &NativeExecution) -> Result<(Kept, RungStep, Stamps), Refusal> {
    let began = RealClock.monotonic();
    let before = (RealClock.unix().0 * 1e9) as i64 - TICK_NANOSECONDS;
    let beside = Names::of(program.file.parent().unwrap_or(&program.file));
    let kept = keep(program, execution).map_err(|error| error.to_string())?;
    if kept.tier > Tier::Namespaces {
        kept.kill();
        return Err(Refusal::Other("this system has no namespaces to keep it in".to_owned()));
    }
    let why = match kept.runtime.ready(Some(began + MOST_CLIMB)) {
        Ready::Asked(_) => None,
        Ready::Unable(error) => Some(format!("it says that it cannot begin: {}: {}", error.kind, error.message)),
        Ready::Closed => Some("it ended before it asked for an event".to_owned()),
        Ready::Late => Some(format!("it did not ask for an event within {} s", MOST_CLIMB.0)),
    };
    if let Some(why) = why {
        kept.kill();
        let words = kept.pump.last_words();
        return Err(Refusal::Other(if words.is_empty() { why } else { format!("{why}; it wrote: {words}") }));
    }
    let step = RungStep {
        rung: Rung::Waiting,
        seconds: (RealClock.monotonic() - began).0,
        bytes: process::standing(kept.init).0,
    };
    let mut loaded = program.loaded.clone();
    loaded.push(program.file.clone());
    loaded.extend(process::mapped_files(kept.init));
    loaded.sort();
    loaded.dedup();
    let stamps = Stamps::take(loaded, Vec::new(), &program.place.walls.shown(&program.place.directory));
    if let Some(file) = stamps.changed_since(before, &beside) {
        kept.kill();
        return Err(Refusal::Changed(file.to_owned()));
    }
    Ok((kept, step, stamps))
}

/// What the keeper says once the program is started.
type Begun = io::Result<(i32, OwnedFd, Ender, Tier, Option<Door>)>;

/// Starts a program in its sandbox, by a thread that stays as long as it lives, and serves it.
fn keep(program: &NativeProgram, execution: &NativeExecution) -> io::Result<Kept> {
    let place = &program.place;
    let listener = match place.walls.network {
        true => Some(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?),
        false => None,
    };
    let port = listener.as_ref().map_or(Ok(PORT), |listener| listener.local_addr().map(|local| local.port()))?;
    let mut environment: Vec<_> =
        execution.environment.iter().map(|(name, value)| (name.into(), value.into())).collect();
    environment.push((ADDRESS.into(), address(port).into()));
    let command = process::Program {
        executable: program.file.clone(),
        arguments: execution.arguments.iter().map(Into::into).collect(),
        environment,
        directory: place.directory.clone(),
    };
    let confinement = place.confinement();
    let (pump, [out, err]) = Pump::new()?;
    let (pump, end, runtime) = (Arc::new(pump), Arc::<End>::default(), Runtime::new(Arc::new(RealClock)));
    let (pumped, ended, closed) = (Arc::clone(&pump), Arc::clone(&end), runtime.clone());
    let input = File::open("/dev/null")?;
    let (said, heard) = mpsc::channel::<Begun>();
    std::thread::Builder::new().name("keeper".into()).stack_size(256 << 10).spawn(move || {
        let spawned = spawn_on(&command, &confinement, [input.as_fd(), out.as_fd(), err.as_fd()]);
        drop((input, out, err));
        let mut child = match spawned {
            Ok(child) => child,
            Err(error) => return drop(said.send(Err(io::Error::other(error)))),
        };
        let parts = || Ok((child.process(), child.handle()?, child.ender()?, child.tier(), child.listener()?));
        if said.send(parts()).is_ok() {
            ended.set(child.finish().ok());
            closed.close();
        }
    })?;
    let unsaid = |_| io::Error::other("the program could not be started");
    let (init, handle, ender, tier, door) = heard.recv().map_err(unsaid)??;
    let kept = Kept { runtime, pump, init, handle, ender, tier, end };
    std::thread::Builder::new().name("pump".into()).stack_size(256 << 10).spawn(move || pumped.run())?;
    let (listener, peers) = match (listener, door) {
        (Some(listener), _) => (listener, Peers::OwnUser),
        (None, Some(door)) => (door.listener()?, Peers::All),
        (None, None) => return Err(io::Error::other("it has no network of its own on this system")),
    };
    kept.runtime.serve(listener, peers)?;
    Ok(kept)
}

impl Kept {
    fn kill(&self) {
        // One that has ended already needs no signal.
        let _ = pidfd_send_signal(&self.handle, Signal::KILL);
    }

    /// Serves a client's event: says which process will, takes the event, hands it over, tells what came of it.
    fn serve(&self, client: &UnixStream, beside: &[OwnedFd]) -> io::Result<()> {
        let [_, out, err, ..] = beside else { return Err(io::ErrorKind::InvalidInput.into()) };
        let Some(process) = self.ender.program() else { return Err(io::ErrorKind::NotConnected.into()) };
        let (used, delayed) = (self.ender.usage(), self.ender.run_delay());
        wire::send(client, &Serving { process, cpu_seconds: used.cpu().0, configuration: String::new() }, &[])?;
        let event = receive(client)?;
        self.pump.attach([out.try_clone()?, err.try_clone()?], client.try_clone()?);
        let began = RealClock.monotonic();
        let outcome = self.invoke(event, client);
        let wall = RealClock.monotonic() - began;
        self.pump.detach();
        let (response, outcome) = told(outcome);
        let gone = matches!(outcome, Told::Unanswered | Told::Unasked);
        let ended = if gone { self.end.wait() } else { None };
        let so_far = || Measured { memory_bytes: self.ender.memory(), ..Measured::default() };
        let measured = ended.as_ref().map_or_else(so_far, Measured::of);
        let usage = ended.as_ref().map_or_else(|| self.ender.usage(), |ended| ended.usage);
        let delay = ended.as_ref().map_or_else(|| self.ender.run_delay(), |ended| ended.run_delay);
        let measured = Measured {
            began_seconds: Some(began.0),
            wall_seconds: wall.0,
            run_delay_seconds: delay.zip(delayed).map(|(after, before)| (after.0 - before.0).max(0.0)),
            // They would be those of all its events.
            instructions: None,
            ..measured
        };
        let over = Over { outcome, measured: measured.using(&since(&usage, &used)) };
        wire::send(client, &over, &[])?;
        let mut line: &UnixStream = client;
        line.write_all(&response)
    }

    /// Hands over an event and waits for what comes of it; a client that goes away meanwhile takes the program along, as
    /// the end of `forewarm run` takes what it runs.
    fn invoke(&self, event: Event, client: &UnixStream) -> Outcome {
        let Ok((done, finished)) = UnixStream::pair() else { return Outcome::Unanswered };
        std::thread::scope(|scope| {
            let invoked = scope.spawn(move || {
                let outcome = self.runtime.invoke(event);
                drop(finished);
                outcome
            });
            loop {
                let mut fds = [PollFd::new(&done, PollFlags::IN), PollFd::new(client, PollFlags::IN)];
                if poll(&mut fds, None).is_err() {
                    continue;
                }
                let [over, gone] = fds.map(|fd| !fd.revents().is_empty());
                if !over && gone {
                    // Whatever a client says now, it is not waiting any more.
                    self.kill();
                }
                if over || gone {
                    break;
                }
            }
            invoked.join().unwrap_or(Outcome::Unanswered)
        })
    }
}

/// Takes a client's event.
fn receive(client: &UnixStream) -> io::Result<Event> {
    client.set_read_timeout(Some(PATIENCE))?;
    let (given, _) = wire::receive::<Given>(client)?;
    if given.length > MOST_PAYLOAD {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut body = vec![0; given.length];
    let mut line: &UnixStream = client;
    line.read_exact(&mut body)?;
    let Given { id, deadline_unix_ms, function_arn, trace, .. } = given;
    Ok(Event { id, deadline_unix_ms, function_arn, trace, body })
}

fn told(outcome: Outcome) -> (Vec<u8>, Told) {
    match outcome {
        Outcome::Response(response) => {
            let length = response.len();
            (response, Told::Response(length))
        }
        Outcome::Failed(error) => (Vec::new(), Told::Failed(error)),
        Outcome::Unable(error) => (Vec::new(), Told::Unable(error)),
        Outcome::TooLarge => (Vec::new(), Told::TooLarge),
        Outcome::Unasked => (Vec::new(), Told::Unasked),
        Outcome::Unanswered => (Vec::new(), Told::Unanswered),
    }
}

fn since(after: &Usage, before: &Usage) -> Usage {
    let seconds = |after: Seconds, before: Seconds| Seconds((after.0 - before.0).max(0.0));
    Usage {
        user: seconds(after.user, before.user),
        system: seconds(after.system, before.system),
        minor_faults: after.minor_faults.saturating_sub(before.minor_faults),
        major_faults: after.major_faults.saturating_sub(before.major_faults),
        voluntary_switches: after.voluntary_switches.saturating_sub(before.voluntary_switches),
        involuntary_switches: after.involuntary_switches.saturating_sub(before.involuntary_switches),
    }
}

impl Holding for Waiting {
    fn standing(&self) -> &Standing {
        &self.standing
    }

    fn changed(&self) -> Option<PathBuf> {
        self.stamps.changed().map(Path::to_owned)
    }

    fn spoiled(&self) -> bool {
        false
    }

    fn held_bytes(&self) -> Bytes {
        process::standing(self.kept.init).0
    }

    fn listen(&self, news: &mut dyn FnMut()) {
        let _ = self.kept.end.wait();
        self.standing.tally.has_gone();
        news();
    }

    fn hand(&self, client: &UnixStream, beside: &[OwnedFd]) -> io::Result<()> {
        // One event at a time; Lambda would start another environment.
        let Ok(_turn) = self.turn.try_lock() else {
            refuse(client, "what is warm serves another event");
            return Ok(());
        };
        if self.kept.end.is_over() {
            refuse(client, "what was warm has ended");
            return Ok(());
        }
        // A client that has gone, or thought better of it, leaves the program as it was.
        let _ = self.standing.tally.begin(|| {
            let taken = Answer::Taken { rung: Rung::Waiting, tier: self.kept.tier.name().to_owned() };
            let _ = wire::send(client, &taken, &[]).and_then(|()| self.kept.serve(client, beside));
            Ok(())
        });
        if self.standing.tally.over() {
            self.end();
        }
        Ok(())
    }

    fn end(&self) {
        self.kept.kill();
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.kill();
    }
}
