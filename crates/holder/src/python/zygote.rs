//! One zygote as the holder has it: started in its sandbox, climbed, watched, handed runs, ended.
//!
//! What happens inside is in `zygote.py`. Two threads stand by each: the *keeper*, whose child the sandbox's init is (it
//! dies with the thread that made it) and who holds it to its memory, and the *listener*, who hears what it says.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Acquire, Ordering::Release};
use std::sync::mpsc;
use std::time::Duration;

use forewarm_sandbox::RealClock;
use forewarm_sandbox::process::{self, Tier, separable, spawn_on};
use forewarm_types::Bytes;
use forewarm_types::host::Clock;
use rustix::fs::{MemfdFlags, memfd_create, statvfs};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::{Signal, pidfd_send_signal};

use super::PythonProgram;
use crate::holding::{Holding, Standing};
use crate::line::{Word, hear};
use crate::program::{Program, Rung};
use crate::protocol::{Answer, Climb, RungStep};
use crate::stamps::{Names, Stamps};
use crate::wire;

/// The zygote's own program, given to the interpreter with `-c`.
const SOURCE: &str = include_str!("zygote.py");

/// How long a climb may take between two words of the zygote: twelve times the 10 s that AWS Lambda gives a function's
/// initialisation (AWS Lambda Developer Guide, "Lambda execution environment lifecycle").
const MOST_CLIMB: Duration = Duration::from_secs(120);

/// How many times a climb is begun anew because a file changed meanwhile.
const ATTEMPTS: u32 = 3;

/// How far a file system's clock may lag behind the system's: a tick of 10 ms at the slowest (`CONFIG_HZ=100`).
const TICK_NANOSECONDS: i64 = 10_000_000;

/// Why a climb could not be begun at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClimbError {
    /// This system cannot confine a zygote as a cold run is confined.
    #[error("{0}")]
    Unconfined(&'static str),
    /// The sandbox could not start the interpreter.
    #[error(transparent)]
    Spawn(#[from] process::SpawnError),
    /// The system refuses.
    #[error(transparent)]
    System(#[from] io::Error),
    /// The interpreter said nothing of what it was asked.
    #[error("the interpreter {0}")]
    Silent(String),
    /// The interpreter alone cannot be a zygote.
    #[error("{0}")]
    Refused(String),
    /// A file of the program changed again and again.
    #[error("{0} keeps changing")]
    Unsettled(PathBuf),
}

/// A standing zygote.
#[derive(Debug)]
pub(crate) struct Zygote {
    standing: Standing,
    /// The tier that confines it.
    tier: Tier,
    line: OwnedFd,
    init: i32,
    handle: OwnedFd,
    stamps: Stamps,
    scratch: Vec<Option<u64>>,
    spoiled: AtomicBool,
}

/// What the keeper says once the interpreter is started.
type Started = Result<(i32, OwnedFd, Tier), ClimbError>;

impl Zygote {
    /// Climbs as far as can be towards a rung.
    pub fn climb(program: &PythonProgram, wanted: Rung) -> Result<Self, ClimbError> {
        if !separable() {
            return Err(ClimbError::Unconfined(
                "this kernel cannot keep a run from its zygote (that takes Landlock 6, Linux 6.12)",
            ));
        }
        let began = RealClock.monotonic();
        let (mut top, mut refused) = (wanted.min(Rung::Module), None);
        let mut unsettled = 0;
        loop {
            match Self::attempt(program, wanted, top)? {
                Attempt::Refused(rung, why) => {
                    let Some(below) = below(rung) else { return Err(ClimbError::Refused(why)) };
                    (top, refused) = (below, Some((rung, why)));
                }
                Attempt::Changed(file) if unsettled + 1 == ATTEMPTS => return Err(ClimbError::Unsettled(file)),
                Attempt::Changed(_) => {
                    unsettled += 1;
                    std::thread::sleep(Duration::from_nanos(2 * TICK_NANOSECONDS.unsigned_abs()));
                }
                Attempt::Stands(mut zygote) => {
                    if refused.is_some() {
                        zygote.standing.climb.rung = top;
                    }
                    zygote.standing.climb.refused = refused;
                    zygote.standing.climb.seconds = (RealClock.monotonic() - began).0;
                    return Ok(*zygote);
                }
            }
        }
    }

    fn attempt(program: &PythonProgram, wanted: Rung, top: Rung) -> Result<Attempt, ClimbError> {
        let began = (RealClock.unix().0 * 1e9) as i64 - TICK_NANOSECONDS;
        let beside = Names::of(program.file.parent().unwrap_or(&program.file));
        let flags = SocketFlags::CLOEXEC;
        let (line, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).map_err(io::Error::from)?;
        let (init, handle, tier) = keep(program, theirs)?;
        let end = || {
            // One that has ended already needs no signal.
            let _ = pidfd_send_signal(&handle, Signal::KILL);
        };
        if tier > Tier::Namespaces {
            end();
            return Err(ClimbError::Unconfined("this system has no namespaces to keep a zygote in"));
        }
        wire::send_beside(&line, &request(program, top, wanted == Rung::Worker), &[])?;
        let mut loaded = Loaded::default();
        loop {
            match hear(&line, Some(MOST_CLIMB))? {
                Word::Step(step) => loaded.steps.push(step),
                Word::Refused(rung, why) => {
                    end();
                    return Ok(Attempt::Refused(rung, why));
                }
                Word::Files(files) => loaded.files.extend(files),
                Word::Folders(folders) => loaded.folders.extend(folders),
                Word::Ready(seconds) => {
                    loaded.fork_seconds = seconds;
                    break;
                }
                Word::Over { .. } | Word::Gone => {
                    end();
                    return Err(ClimbError::Silent(
                        "ended, or took too long, before it was ready (zygotes need CPython 3.9 or newer)".into(),
                    ));
                }
            }
        }
        let stamps = Stamps::take(loaded.files, loaded.folders, &program.walls.shown(&program.directory));
        if let Some(file) = stamps.changed_since(began, &beside) {
            end();
            return Ok(Attempt::Changed(file.to_owned()));
        }
        let climb = reached(loaded.steps, loaded.fork_seconds, wanted, init, stamps.len());
        Ok(Attempt::Stands(Box::new(Self {
            standing: Standing::new(Program::Python(program.clone()), wanted, climb),
            tier,
            line,
            init,
            handle,
            stamps,
            scratch: scratch(init),
            spoiled: AtomicBool::new(false),
        })))
    }

    fn over(&self, clean: bool) {
        // A run that left files or processes where the next would find them is the last of this zygote.
        if !clean || scratch(self.init) != self.scratch {
            self.spoiled.store(true, Release);
        }
        if self.standing.tally.over() {
            self.end();
        }
    }
}

impl Holding for Zygote {
    fn standing(&self) -> &Standing {
        &self.standing
    }

    fn changed(&self) -> Option<PathBuf> {
        self.stamps.changed().map(std::path::Path::to_owned)
    }

    fn spoiled(&self) -> bool {
        self.spoiled.load(Acquire)
    }

    fn held_bytes(&self) -> Bytes {
        process::standing(self.init).0
    }

    fn listen(&self, news: &mut dyn FnMut()) {
        loop {
            match hear(&self.line, None) {
                Ok(Word::Over { clean }) => self.over(clean),
                Ok(Word::Gone) | Err(_) => break,
                Ok(_) => {}
            }
            news();
        }
        self.standing.tally.has_gone();
        news();
    }

    /// Tells the client the rung, and the zygote of the client.
    fn hand(&self, client: &UnixStream, beside: &[OwnedFd]) -> io::Result<()> {
        self.standing.tally.begin(|| {
            let taken = Answer::Taken { rung: self.standing.climb.rung, tier: self.tier.name().to_owned() };
            // A client that has gone is noticed by its run.
            let _ = wire::send(client, &taken, &[]);
            let handed: Vec<_> = std::iter::once(client.as_fd()).chain(beside.iter().map(AsFd::as_fd)).collect();
            wire::send_beside(&self.line, b"r", &handed)
        })?;
        Ok(())
    }

    fn end(&self) {
        // One that has ended already needs no signal.
        let _ = pidfd_send_signal(&self.handle, Signal::KILL);
    }
}

impl Drop for Zygote {
    fn drop(&mut self) {
        self.end();
    }
}

/// How an attempt to climb went.
enum Attempt {
    Stands(Box<Zygote>),
    Refused(Rung, String),
    Changed(PathBuf),
}

#[derive(Default)]
struct Loaded {
    steps: Vec<RungStep>,
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
    fork_seconds: f64,
}

fn below(rung: Rung) -> Option<Rung> {
    Rung::PYTHON.into_iter().rev().find(|other| *other < rung)
}

/// The climb of a zygote that stands.
fn reached(mut steps: Vec<RungStep>, fork_seconds: f64, wanted: Rung, init: i32, files: usize) -> Climb {
    let held_bytes = process::standing(init).0;
    if wanted == Rung::Worker {
        steps.push(RungStep { rung: Rung::Worker, seconds: fork_seconds, bytes: held_bytes });
    }
    let rung = steps.last().map_or(Rung::Interpreter, |step| step.rung);
    Climb { rung, steps, refused: None, held_bytes, files, seconds: 0.0 }
}

/// What a zygote is told: the rung, what it is of, and what it may import.
fn request(program: &PythonProgram, top: Rung, waiting: bool) -> Vec<u8> {
    let mode = if program.runner.is_some() { "handler" } else { "script" };
    let strict = if program.walls.network || !program.walls.writable.is_empty() { "strict" } else { "" };
    let lines: Vec<String> = program.import_lines.iter().map(u32::to_string).collect();
    let file = program.file.as_os_str().as_encoded_bytes();
    let runner = program.runner.as_deref().unwrap_or_default();
    let parts = [
        top.name().as_bytes(),
        if waiting { b"1" } else { b"0" },
        mode.as_bytes(),
        file,
        runner.as_bytes(),
        strict.as_bytes(),
    ];
    wire::pack(parts.into_iter().chain(lines.iter().map(String::as_bytes)))
}

/// Starts the interpreter in its sandbox, by a thread that stays as long as it lives.
fn keep(program: &PythonProgram, line: OwnedFd) -> Result<(i32, OwnedFd, Tier), ClimbError> {
    let output = || memfd_create("forewarm", MemfdFlags::CLOEXEC).map(File::from).map_err(io::Error::from);
    let outputs = [output()?, output()?];
    let command = process::Program {
        executable: program.python.clone(),
        arguments: vec![program.python.clone().into(), "-c".into(), SOURCE.into()],
        environment: program.environment.iter().map(|(name, value)| (name.into(), value.into())).collect(),
        directory: program.directory.clone(),
    };
    let confinement = program.walls.confinement();
    let (said, heard) = mpsc::channel::<Started>();
    std::thread::Builder::new().name("zygote".into()).stack_size(256 << 10).spawn(move || {
        let spawned = spawn_on(&command, &confinement, [line.as_fd(), outputs[0].as_fd(), outputs[1].as_fd()]);
        drop((line, outputs));
        let child = match spawned {
            Ok(child) => child,
            Err(error) => return drop(said.send(Err(error.into()))),
        };
        let told = child.handle().map(|handle| (child.process(), handle, child.tier())).map_err(ClimbError::from);
        if said.send(told).is_ok() {
            // How it ends matters to nobody; that it has is heard on the line.
            drop(child.wait());
        }
    })?;
    heard.recv().map_err(|_| ClimbError::Silent("could not be started".into()))?
}

/// How many files stand in each private directory, as the file systems themselves count.
fn scratch(init: i32) -> Vec<Option<u64>> {
    let used = |path: &&str| {
        let found = statvfs(format!("/proc/{init}/root{path}")).ok()?;
        Some(found.f_files.saturating_sub(found.f_ffree))
    };
    process::PRIVATE.iter().map(used).collect()
}
