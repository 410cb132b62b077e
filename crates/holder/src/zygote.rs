//! One zygote as the holder has it: started in its sandbox, climbed, watched, handed runs, ended.
//!
//! What happens inside is in `zygote.py`. Two threads stand by each: the *keeper*, whose child the sandbox's init is (it
//! dies with the thread that made it) and who holds it to its memory, and the *listener*, who hears what it says.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::AcqRel, Ordering::Acquire};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use forewarm_sandbox::RealClock;
use forewarm_sandbox::process::{self, Tier, separable, spawn_on};
use forewarm_types::Bytes;
use forewarm_types::host::Clock;
use rustix::fs::{MemfdFlags, memfd_create, statvfs};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::{Signal, pidfd_send_signal};

use crate::protocol::{Climb, Held, Program, Rung, RungStep};
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

/// Most bytes of a message from a zygote: 64 names of files as long as names can be (`PATH_MAX`, 4096), rounded up.
const MESSAGE: usize = 64 * 4096 + 4096;

/// Why a climb could not be begun at all.
#[derive(Debug, thiserror::Error)]
pub enum ClimbError {
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
pub struct Zygote {
    /// What it is of.
    pub program: Program,
    /// The rung that was asked for.
    pub wanted: Rung,
    /// How it came where it stands.
    pub climb: Climb,
    /// Key of the tier that confines it.
    pub tier: Tier,
    line: OwnedFd,
    init: i32,
    handle: OwnedFd,
    stamps: Stamps,
    scratch: Vec<Option<u64>>,
    active: AtomicU32,
    runs: AtomicU64,
    used: Mutex<f64>,
    spoiled: AtomicBool,
    leaving: AtomicBool,
    gone: AtomicBool,
}

/// What a zygote says while it climbs.
enum Word {
    Step(RungStep),
    Refused(Rung, String),
    Files(Vec<PathBuf>),
    Folders(Vec<PathBuf>),
    Ready(f64),
    Gone,
}

/// What the keeper says once the interpreter is started.
type Started = Result<(i32, OwnedFd, Tier), ClimbError>;

impl Zygote {
    /// Climbs as far as can be towards a rung.
    pub fn climb(program: &Program, wanted: Rung) -> Result<Arc<Self>, ClimbError> {
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
                        zygote.climb.rung = top;
                    }
                    zygote.climb.refused = refused;
                    zygote.climb.seconds = (RealClock.monotonic() - began).0;
                    let zygote = Arc::new(*zygote);
                    return Ok(zygote);
                }
            }
        }
    }

    fn attempt(program: &Program, wanted: Rung, top: Rung) -> Result<Attempt, ClimbError> {
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
            match hear(&line)? {
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
                Word::Gone => {
                    end();
                    return Err(ClimbError::Silent(
                        "ended, or took too long, before it was ready (zygotes need CPython 3.9 or newer)".into(),
                    ));
                }
            }
        }
        let stamps = Stamps::take(loaded.files, loaded.folders, &shown(program));
        if let Some(file) = stamps.changed_since(began, &beside) {
            end();
            return Ok(Attempt::Changed(file.to_owned()));
        }
        let climb = reached(loaded.steps, loaded.fork_seconds, wanted, init, stamps.len());
        Ok(Attempt::Stands(Box::new(Self {
            program: program.clone(),
            wanted,
            climb,
            tier,
            line,
            init,
            handle,
            stamps,
            scratch: scratch(init),
            active: AtomicU32::new(0),
            runs: AtomicU64::new(0),
            used: Mutex::new(RealClock.monotonic().0),
            spoiled: AtomicBool::new(false),
            leaving: AtomicBool::new(false),
            gone: AtomicBool::new(false),
        })))
    }

    /// Hears what the zygote says from now on, until it is gone; `news` is called after each run and at its end.
    pub fn listen(&self, mut news: impl FnMut(&Self)) {
        let mut buffer = vec![0; 4096];
        loop {
            match wire::receive_beside(&self.line, &mut buffer) {
                Ok((count, _)) if count > 0 => {
                    let message = buffer.get(..count).unwrap_or_default();
                    if message.first() == Some(&b'D') {
                        let clean =
                            wire::unpack(message.get(1..).unwrap_or_default()).first().is_some_and(|s| s == b"0");
                        self.over(clean);
                    }
                }
                _ => break,
            }
            news(self);
        }
        self.gone.store(true, std::sync::atomic::Ordering::Release);
        news(self);
    }

    fn over(&self, clean: bool) {
        // A run that left files or processes where the next would find them is the last of this zygote.
        if !clean || scratch(self.init) != self.scratch {
            self.spoiled.store(true, std::sync::atomic::Ordering::Release);
        }
        let left = self.active.fetch_sub(1, AcqRel) - 1;
        *lock(&self.used) = RealClock.monotonic().0;
        if left == 0 && self.leaving.load(Acquire) {
            self.end();
        }
    }

    /// Hands it a run: the client's connection, its streams, perhaps an event.
    pub fn hand(&self, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        self.active.fetch_add(1, AcqRel);
        *lock(&self.used) = RealClock.monotonic().0;
        let sent = wire::send_beside(&self.line, b"r", descriptors);
        match sent {
            Ok(_) => {
                self.runs.fetch_add(1, AcqRel);
                Ok(())
            }
            Err(error) => {
                self.active.fetch_sub(1, AcqRel);
                Err(error)
            }
        }
    }

    /// What it was loaded from and has changed since, where something has.
    pub fn changed(&self) -> Option<PathBuf> {
        self.stamps.changed().map(std::path::Path::to_owned)
    }

    /// Whether a run left something behind.
    pub fn spoiled(&self) -> bool {
        self.spoiled.load(Acquire)
    }

    /// Whether it has ended.
    pub fn gone(&self) -> bool {
        self.gone.load(Acquire)
    }

    /// Runs it is serving.
    pub fn active(&self) -> u32 {
        self.active.load(Acquire)
    }

    /// Ends it once its last run is over.
    pub fn leave(&self) {
        self.leaving.store(true, std::sync::atomic::Ordering::Release);
        if self.active() == 0 {
            self.end();
        }
    }

    /// Ends it and all its runs now.
    pub fn end(&self) {
        // One that has ended already needs no signal.
        let _ = pidfd_send_signal(&self.handle, Signal::KILL);
    }

    /// Since its last use, in seconds.
    pub fn idle_seconds(&self) -> f64 {
        RealClock.monotonic().0 - *lock(&self.used)
    }

    /// As `--list` shows it.
    pub fn held(&self) -> Held {
        Held {
            file: self.program.file.clone(),
            rung: self.climb.rung,
            held_bytes: process::standing(self.init).0,
            climb_seconds: self.climb.seconds,
            runs: self.runs.load(Acquire),
            active: self.active(),
            idle_seconds: self.idle_seconds(),
        }
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
    Rung::ALL.into_iter().rev().find(|other| *other < rung)
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
fn request(program: &Program, top: Rung, waiting: bool) -> Vec<u8> {
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
fn keep(program: &Program, line: OwnedFd) -> Result<(i32, OwnedFd, Tier), ClimbError> {
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

/// The next word of a climbing zygote, waited for as long as a climb may take.
fn hear(line: &OwnedFd) -> Result<Word, ClimbError> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let timeout = Timespec { tv_sec: MOST_CLIMB.as_secs().cast_signed(), tv_nsec: 0 };
    let mut fds = [PollFd::new(line, PollFlags::IN)];
    if poll(&mut fds, Some(&timeout)).map_err(io::Error::from)? == 0 {
        return Ok(Word::Gone);
    }
    let mut buffer = vec![0; MESSAGE];
    let count = match wire::receive_beside(line, &mut buffer) {
        Ok((count, _)) => count,
        Err(_) => 0,
    };
    let message = buffer.get(..count).unwrap_or_default();
    let parts = wire::unpack(message.get(1..).unwrap_or_default());
    let text = |at: usize| parts.get(at).map(|part| String::from_utf8_lossy(part).into_owned()).unwrap_or_default();
    let number = |at: usize| text(at).parse::<u64>().unwrap_or(0);
    let paths = || parts.iter().map(|part| PathBuf::from(os(part))).collect();
    let rung = || Rung::named(&text(0)).unwrap_or(Rung::Interpreter);
    Ok(match message.first() {
        Some(b'S') => Word::Step(RungStep { rung: rung(), seconds: number(1) as f64 * 1e-9, bytes: Bytes(number(2)) }),
        Some(b'X') => Word::Refused(rung(), text(1)),
        Some(b'F') => Word::Files(paths()),
        Some(b'P') => Word::Folders(paths()),
        Some(b'R') => Word::Ready(number(0) as f64 * 1e-9),
        _ => Word::Gone,
    })
}

fn os(bytes: &[u8]) -> OsString {
    use std::os::unix::ffi::OsStringExt;
    OsString::from_vec(bytes.to_vec())
}

/// What is shown to the program by its place, so that another thing at that place would not be seen.
fn shown(program: &Program) -> Vec<PathBuf> {
    let walls = &program.walls;
    let given = walls.writable.iter().map(|(host, _)| host.clone());
    walls.visible.iter().cloned().chain(given).chain([program.directory.clone()]).collect()
}

/// How many files stand in each private directory, as the file systems themselves count.
fn scratch(init: i32) -> Vec<Option<u64>> {
    let used = |path: &&str| {
        let found = statvfs(format!("/proc/{init}/root{path}")).ok()?;
        Some(found.f_files.saturating_sub(found.f_ffree))
    };
    process::PRIVATE.iter().map(used).collect()
}

/// Locks; what a panicking thread left behind is still whole, since every section only replaces values.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
