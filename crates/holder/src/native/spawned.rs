//! The rung of a program that has been spawned and not executed: a process behind its walls, in namespaces, network and
//! file system of its own, that waits for arguments, environment and streams.
//!
//! It serves any run of the program behind the same walls, one each: when a run is over the next place is laid out. By each
//! stands a *keeper*, a thread whose child the sandbox's init is (it dies with the thread that made it). The client holds
//! the program to its limits and passes signals on ([`super::run`]).

use std::ffi::OsString;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use forewarm_sandbox::RealClock;
use forewarm_sandbox::process::{self, Circumstances, Ended, Habits, SpawnError, Start, Tier, prepare_place};
use forewarm_types::Bytes;
use forewarm_types::host::Clock;
use rustix::net::sockopt;
use rustix::process::{Signal, pidfd_send_signal};
use serde::{Deserialize, Serialize};

use super::measured::Measured;
use super::waiting::Serving;
use super::{NativeProgram, refuse};
use crate::holding::{Holding, Standing, lock};
use crate::program::Rung;
use crate::protocol::{Answer, RungStep};
use crate::stamps::Stamps;
use crate::wire;

/// How long a client may take to say what the program is to be executed with, once it is told that it may.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a run is over with: how it went, or why the program could not be executed.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Over {
    Ended(Measured),
    Unexecuted(String),
}

/// A place that stands, and by which a run is ordered there.
#[derive(Debug)]
struct Kept {
    init: i32,
    /// What is to become the program.
    program: i32,
    handle: OwnedFd,
    tier: Tier,
    orders: mpsc::Sender<Order>,
}

/// A run for a place: its client, and the standard streams.
#[derive(Debug)]
struct Order {
    client: UnixStream,
    streams: [OwnedFd; 3],
}

/// What the listener hears.
#[derive(Debug)]
enum News {
    /// A run is over, that of this init.
    Over(i32),
    /// The next place is wanted.
    Wanted,
    /// All is to end.
    End,
}

/// A spawned program.
#[derive(Debug)]
pub(super) struct Spawned {
    standing: Standing,
    program: NativeProgram,
    stamps: Stamps,
    circumstances: Circumstances,
    ahead: Mutex<Option<Kept>>,
    /// Inits of runs, to be ended by.
    serving: Mutex<Vec<(i32, OwnedFd)>>,
    say: mpsc::Sender<News>,
    hear: Mutex<mpsc::Receiver<News>>,
}

/// A first place, with what it took.
#[derive(Debug)]
pub(super) struct First {
    kept: Kept,
    stamps: Stamps,
    say: mpsc::Sender<News>,
    hear: mpsc::Receiver<News>,
}

/// Lays out a first place of a program.
pub(super) fn first(program: &NativeProgram) -> Result<(First, RungStep), String> {
    let place = &program.place;
    let began = RealClock.monotonic();
    let stamps = Stamps::take(Vec::new(), Vec::new(), &place.walls.shown(&place.directory));
    let (say, hear) = mpsc::channel();
    let kept = keep(program, say.clone())?;
    if kept.tier > Tier::Namespaces {
        return Err("this system has no namespaces to keep it in".to_owned());
    }
    let bytes = process::standing(kept.init).0;
    let step = RungStep { rung: Rung::Spawned, seconds: (RealClock.monotonic() - began).0, bytes };
    Ok((First { kept, stamps, say, hear }, step))
}

impl Spawned {
    /// What stands with a first place.
    pub fn new(standing: Standing, program: &NativeProgram, first: First) -> Self {
        let First { kept, stamps, say, hear } = first;
        Self {
            standing,
            program: program.clone(),
            stamps,
            circumstances: Circumstances::own(),
            ahead: Mutex::new(Some(kept)),
            serving: Mutex::default(),
            say,
            hear: Mutex::new(hear),
        }
    }

    /// Lays the next place out, where none stands.
    fn refill(&self) {
        if lock(&self.ahead).is_none() {
            // What cannot be laid out is wanted again by the next run, which starts from nothing.
            *lock(&self.ahead) = keep(&self.program, self.say.clone()).ok();
        }
    }

    /// Why a client's run is to start from nothing; `None` where it need not.
    fn differs(&self, client: &UnixStream) -> Option<String> {
        match sockopt::socket_peercred(client) {
            Ok(peer) => {
                self.circumstances.compare(peer.pid.as_raw_nonzero().get()).err().map(|error| error.to_string())
            }
            // Nothing is known of its rights.
            Err(error) => Some(error.to_string()),
        }
    }
}

/// What the keeper says once a place stands.
type Stood = Result<(i32, i32, OwnedFd, Tier), String>;

/// Lays a place out, by a thread that stays as long as it stands, and runs there what is ordered.
fn keep(program: &NativeProgram, say: mpsc::Sender<News>) -> Result<Kept, String> {
    let place = &program.place;
    let (file, directory, confinement) = (program.file.clone(), place.directory.clone(), place.confinement());
    let (said, heard) = mpsc::channel::<Stood>();
    let (orders, order) = mpsc::channel::<Order>();
    let keeper = std::thread::Builder::new().name("keeper".into()).stack_size(512 << 10).spawn(move || {
        let laid = prepare_place(&file, &directory, &confinement).and_then(|mut place| place.stands().map(|()| place));
        let place = match laid {
            Ok(place) => place,
            Err(error) => return drop(said.send(Err(error.to_string()))),
        };
        let child = place.child();
        let init = child.process();
        let told = || {
            let program = child.ender()?.program().ok_or(io::ErrorKind::NotConnected)?;
            io::Result::Ok((init, program, child.handle()?, child.tier()))
        };
        let told = told().map_err(|error| error.to_string());
        // A place that nobody orders a run for goes with its keeper.
        if said.send(told).is_ok()
            && let Ok(order) = order.recv()
        {
            // A client that has gone needs no word, and one that never said what it wants has none.
            let _ = order.serve(place);
            let _ = say.send(News::Over(init));
        }
    });
    keeper.map_err(|error| error.to_string())?;
    let (init, program, handle, tier) = heard.recv().map_err(|_| "it could not be spawned".to_owned())??;
    Ok(Kept { init, program, handle, tier, orders })
}

impl Order {
    /// Takes what the program is to be executed with, sees to its end, and tells.
    fn serve(self, place: process::Place) -> io::Result<()> {
        let given = receive(&self.client)?;
        let start = Start {
            arguments: &given.arguments,
            environment: &given.environment,
            streams: Some(self.streams.each_ref().map(AsFd::as_fd)),
            habits: Some(given.habits),
        };
        let started = place.start(&start);
        // Who reads what the program writes is to see its end.
        drop(self.streams);
        let over = match started {
            Ok(mut child) => {
                child.answer_to(self.client.as_fd())?;
                child.finish()
            }
            Err(error) => Err(error),
        };
        wire::send_beside(&self.client, &[OVER], &[])?;
        wire::send(&self.client, &Over::of(over), &[])
    }
}

impl Over {
    /// Only what is known never to have begun may be said not to: it then starts from nothing, and would have run twice.
    fn of(over: Result<Ended, SpawnError>) -> Self {
        match over {
            Ok(ended) => Self::Ended(Measured::of(&ended)),
            Err(SpawnError::Wait(_)) => Self::Ended(Measured::lost()),
            Err(unstarted) => Self::Unexecuted(unstarted.to_string()),
        }
    }
}

/// Tells a client that its run is over; how it went follows.
pub(super) const OVER: u8 = b'e';

/// What a program is to be executed with, as its client says.
#[derive(Debug)]
struct Given {
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    habits: Habits,
}

/// As one message: the mask, the ignored signals, the number of arguments, these, and names and values in turn.
pub(super) fn message(arguments: &[OsString], environment: &[(OsString, OsString)], habits: Habits) -> Vec<u8> {
    let numbers = [u64::from(habits.umask), habits.ignored, arguments.len() as u64].map(u64::to_le_bytes);
    let arguments = arguments.iter().map(|argument| argument.as_encoded_bytes());
    let variables = environment.iter().flat_map(|(name, value)| [name.as_encoded_bytes(), value.as_encoded_bytes()]);
    let message = wire::pack(numbers.iter().map(<[u8; 8]>::as_slice).chain(arguments).chain(variables));
    [&(message.len() as u32).to_le_bytes(), message.as_slice()].concat()
}

fn receive(client: &UnixStream) -> io::Result<Given> {
    client.set_read_timeout(Some(PATIENCE))?;
    let mut length = [0_u8; 4];
    let mut reader: &UnixStream = client;
    reader.read_exact(&mut length)?;
    understood(wire::unpack(&wire::body(client, length)?)).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn understood(parts: Vec<Vec<u8>>) -> Option<Given> {
    let mut parts = parts.into_iter();
    let mut number = || Some(u64::from_le_bytes(parts.next()?.try_into().ok()?));
    let (umask, ignored, count) = (number()?, number()?, number()?);
    let mut rest: Vec<OsString> = parts.map(OsString::from_vec).collect();
    let variables =
        usize::try_from(count).ok().filter(|count| *count <= rest.len()).map(|count| rest.split_off(count))?;
    let mut variables = variables.into_iter();
    let environment = std::iter::from_fn(|| Some((variables.next()?, variables.next()?))).collect();
    Some(Given { arguments: rest, environment, habits: Habits { umask: umask as u32, ignored } })
}

impl Holding for Spawned {
    fn standing(&self) -> &Standing {
        &self.standing
    }

    fn changed(&self) -> Option<PathBuf> {
        self.stamps.changed().map(Path::to_owned)
    }

    fn held_bytes(&self) -> Bytes {
        lock(&self.ahead).as_ref().map_or(Bytes::ZERO, |kept| process::standing(kept.init).0)
    }

    fn listen(&self, news: &mut dyn FnMut()) {
        let heard = lock(&self.hear);
        while let Ok(word) = heard.recv() {
            match word {
                News::Over(init) => {
                    lock(&self.serving).retain(|(other, _)| *other != init);
                    if self.standing.tally.over() {
                        break;
                    }
                    self.refill();
                }
                News::Wanted => self.refill(),
                News::End => break,
            }
            news();
        }
        lock(&self.ahead).take();
        self.standing.tally.has_gone();
        news();
    }

    fn hand(&self, client: &UnixStream, beside: &[OwnedFd]) -> io::Result<()> {
        if let Some(why) = self.differs(client) {
            refuse(client, &why);
            return Ok(());
        }
        let Some(kept) = lock(&self.ahead).take() else {
            let _ = self.say.send(News::Wanted);
            refuse(client, "what is warm serves another run");
            return Ok(());
        };
        let [input, output, errors, ..] = beside else { return Err(io::ErrorKind::InvalidInput.into()) };
        let streams = [input.try_clone()?, output.try_clone()?, errors.try_clone()?];
        self.standing.tally.begin(|| {
            let taken = Answer::Taken { rung: Rung::Spawned, tier: kept.tier.name().to_owned() };
            // A client that has gone is noticed by its run. It lays its limits on the process while the keeper wakes.
            let configuration = self.program.place.configuration.clone();
            let serving = Serving { process: kept.program, cpu_seconds: 0.0, configuration };
            let _ = wire::send(client, &taken, &[]).and_then(|()| wire::send(client, &serving, &[]));
            lock(&self.serving).push((kept.init, kept.handle));
            let order = Order { client: client.try_clone()?, streams };
            kept.orders.send(order).map_err(|_| io::ErrorKind::NotConnected.into())
        })
    }

    fn end(&self) {
        for (_, handle) in lock(&self.serving).iter() {
            // One that has ended already needs no signal.
            let _ = pidfd_send_signal(handle, Signal::KILL);
        }
        let _ = self.say.send(News::End);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_never_began_may_start_again() {
        let error = || io::Error::other("no");
        assert!(matches!(Over::of(Err(SpawnError::Execute(error()))), Over::Unexecuted(_)));
        assert!(matches!(Over::of(Err(SpawnError::System { step: "limits", error: error() })), Over::Unexecuted(_)));
        assert!(
            matches!(Over::of(Err(SpawnError::Wait(error()))), Over::Ended(measured) if measured.signalled == Some(9))
        );
    }

    #[test]
    fn what_a_run_is_executed_with_comes_as_it_was_sent() {
        let arguments = ["a", "", "b c"].map(OsString::from);
        let environment = [("N".into(), OsString::from_vec(vec![0xff])), ("M".into(), OsString::new())];
        let habits = Habits { umask: 0o27, ignored: 1 << 12 };
        let message = message(&arguments, &environment, habits);
        let given = understood(wire::unpack(&message[4..])).unwrap();
        assert_eq!((given.arguments.as_slice(), given.environment.as_slice()), (&arguments[..], &environment[..]));
        assert_eq!(given.habits, habits);
        for cut in 4..message.len() {
            // Whatever is cut short means less, and never more.
            let fewer = understood(wire::unpack(&message[4..cut]));
            assert!(fewer.is_none_or(|given| given.environment.len() < 2 || given.arguments.len() < 3));
        }
    }
}
