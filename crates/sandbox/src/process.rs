//! A program in a process of its own, confined, under limits and measured: what the executor runs native programs and
//! interpreters in.
//!
//! [`spawn`] makes three parties. The *supervisor* is the calling process: it holds the terminal, passes signals on,
//! watches the limits and measures ([`supervise`]). The *init* is its child, the first process of new user, PID, mount,
//! network and IPC namespaces ([`init`]): it lays out the file system, starts the program, reaps what the program
//! orphans, and takes everything with it when it ends or the supervisor is killed. The *program* is the init's child
//! ([`program`]): bound by limits, a Landlock domain and system-call filters, then executed.
//!
//! A [`Place`] is laid out by the init beside whatever its caller still has to do before the program can start.
//!
//! The supervisor may have threads: everything the init and the program need is made before they are forked, and
//! neither allocates, locks or panics between fork and exec. What a fork costs grows with what the forking process has
//! mapped: one that is small forks the init itself; one that is to grow has a launcher stand by ([`stand_by`]).
//! Where the system refuses a part, the rest is done and the [`Tier`] says which. Policy (which limits, which
//! directories) is the caller's.

mod adopt;
mod aside;
mod available;
mod circumstances;
mod counter;
mod filter;
mod handles;
mod init;
mod launcher;
mod layout;
mod messages;
mod program;
mod raw;
mod rules;
mod shared;
mod signals;
mod spawn;
mod start;
mod supervise;
mod surroundings;
mod survey;
mod usage;
mod verdict;
mod watch;

use std::ffi::OsString;
use std::path::PathBuf;

use forewarm_types::{Bytes, Seconds};

pub use adopt::{AdoptError, Adopted, Happening};
pub use available::{Available, available, separable};
pub use circumstances::{Circumstances, StandInError};
pub use handles::{Door, Ender};
pub use launcher::stand_by;
pub use spawn::{Place, prepare_place, spawn, spawn_on};
pub use start::{Habits, Start};
pub use supervise::{Child, STOPPED_WORD};
pub use surroundings::{Around, Surroundings};
pub use survey::{available_memory, standing, standing_below};
pub use usage::mapped_files;
pub use verdict::Ending;

/// What is executed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Program {
    /// The executable.
    pub executable: PathBuf,
    /// Arguments, the program's name first.
    pub arguments: Vec<OsString>,
    /// The whole environment.
    pub environment: Vec<(OsString, OsString)>,
    /// The working directory.
    pub directory: PathBuf,
}

impl Program {
    /// What it is executed with, by the caller's streams and habits.
    #[must_use]
    pub fn start(&self) -> Start<'_> {
        Start { arguments: &self.arguments, environment: &self.environment, streams: None, habits: None }
    }
}

/// What a program may touch and use. The default is nothing but reading, and no bound that is not named.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Confinement {
    /// Whether the host's network is there; else only a loopback of its own.
    pub network: bool,
    /// Directories that may be written: where each lies, and where the program finds it (an existing place).
    pub writable: Vec<(PathBuf, PathBuf)>,
    /// Files and directories below the private ones ([`PRIVATE`]) that stay readable all the same.
    pub visible: Vec<PathBuf>,
    /// Most bytes in each private scratch directory.
    pub scratch: Bytes,
    /// Limits.
    pub bounds: Bounds,
    /// Whether to put it into control groups where that costs an attachment (version 1), for exact limits.
    pub groups: bool,
    /// Whether this process stands for its program: signals it gets are passed on, and it stops when the program does.
    pub relay: bool,
    /// Leave out namespaces, as on systems that forbid them.
    pub without_namespaces: bool,
    /// A port on which this process is to listen in the program's own network ([`Child::listener`]); nothing is made of it
    /// where the program has the host's.
    pub port: Option<u16>,
}

/// Directories that a confined program has for itself, empty at its start.
pub const PRIVATE: [&str; 4] = ["/tmp", "/var/tmp", "/dev/shm", "/run"];

/// Limits of a program and all it starts; `None` leaves one as it is for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bounds {
    /// Memory of all its processes together, scratch files included where control groups count them.
    pub memory: Option<Bytes>,
    /// CPU time of all its processes together.
    pub cpu: Option<Seconds>,
    /// Time from its start.
    pub wall: Option<Seconds>,
    /// Processes and threads at once.
    pub processes: Option<u64>,
    /// Size of each file it writes.
    pub file_size: Option<Bytes>,
    /// Descriptors open at once, in each process.
    pub open_files: Option<u64>,
}

/// How closely a program could be confined and measured, closest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Namespaces and a version 2 control group.
    Cgroup2,
    /// Namespaces and version 1 control groups.
    Cgroup1,
    /// Namespaces; limits of the system per process, and the supervisor's watch over their sum.
    Namespaces,
    /// No namespaces: Landlock, system-call filter and limits.
    Landlock,
    /// Limits alone.
    Limits,
}

impl Tier {
    /// The tier's key in observations.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cgroup2 => "cgroup-v2",
            Self::Cgroup1 => "cgroup-v1",
            Self::Namespaces => "namespaces",
            Self::Landlock => "landlock",
            Self::Limits => "rlimit-only",
        }
    }

    /// The tier of a key; the loosest where there is none.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let tiers = [Self::Cgroup2, Self::Cgroup1, Self::Namespaces, Self::Landlock];
        tiers.into_iter().find(|tier| tier.name() == name).unwrap_or(Self::Limits)
    }
}

/// Why a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It ended itself, with a code.
    Exited(i32),
    /// A signal that no limit caused.
    Signalled(i32),
    /// The limit on time.
    Wall,
    /// The limit on CPU time.
    Cpu,
    /// The limit on memory, or the system's lack of it.
    Memory,
    /// The limit on the size of a file.
    FileSize,
}

impl Cause {
    /// The exit code a shell would show: 128 and the signal's number; 124 for the limit on time as `timeout` has it.
    #[must_use]
    pub fn code(self) -> i32 {
        match self {
            Self::Exited(code) => code,
            Self::Signalled(signal) => 128 + signal,
            Self::Wall => 124,
            Self::Cpu => 128 + libc::SIGXCPU,
            Self::Memory => 128 + libc::SIGKILL,
            Self::FileSize => 128 + libc::SIGXFSZ,
        }
    }

    /// The signal that ended it, where one did.
    #[must_use]
    pub fn signal(self) -> Option<i32> {
        match self {
            Self::Exited(_) => None,
            Self::Signalled(signal) => Some(signal),
            Self::Wall | Self::Memory => Some(libc::SIGKILL),
            Self::Cpu => Some(libc::SIGXCPU),
            Self::FileSize => Some(libc::SIGXFSZ),
        }
    }
}

/// What was denied to a program, as far as the system counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Denied {
    /// Reaching another machine.
    Network,
    /// Starting another process or thread.
    Processes,
    /// More room in a private scratch directory.
    Scratch,
}

/// How a program ended and what it used.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// Why it ended.
    pub cause: Cause,
    /// Time from its execution to its end.
    pub wall: Seconds,
    /// When it was executed, or began where it had been forked before, on the monotonic clock; `None` where it never was.
    pub began: Option<Seconds>,
    /// What it and everything it started used.
    pub usage: crate::measure::Usage,
    /// Peak memory: of the group where there is one, else the greatest of what was sampled of all processes together and
    /// the peak of any one of them.
    pub peak_memory: Bytes,
    /// Bytes read from and written to disks.
    pub disk: [Bytes; 2],
    /// Time its first process was runnable and waited for a core.
    pub run_delay: Option<Seconds>,
    /// Time that the quota of the control group this process is in held that group back meanwhile, and that of the program's
    /// own it.
    pub throttled: Option<Seconds>,
    /// Time that the host under a virtual machine took from all cores meanwhile, to the tick of the system's clock.
    pub steal: Option<Seconds>,
    /// Processes the kernel killed for want of memory: those of the program's group where it has one, else all of the
    /// machine meanwhile.
    pub oom_kills: Option<u64>,
    /// Time from its execution after which it needed more memory than was set aside for it, and was given more; `None` where
    /// it never did, or nothing was set aside.
    pub outgrew: Option<Seconds>,
    /// Instructions that it and everything it started retired, outside the kernel; `None` where they are not counted.
    pub instructions: Option<u64>,
    /// What was denied.
    pub denied: Vec<Denied>,
    /// How closely it was confined.
    pub tier: Tier,
}

/// Why a program could not be started.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// A text for the system holds a zero byte.
    #[error("{0} holds a zero byte")]
    ZeroByte(&'static str),
    /// The system refused a step.
    #[error("{step}: {error}")]
    System {
        /// What was being done.
        step: &'static str,
        /// The system's words.
        error: std::io::Error,
    },
    /// The program could not be executed.
    #[error("{0}")]
    Execute(std::io::Error),
    /// It was started, and how it went cannot be told.
    #[error("waiting for the program: {0}")]
    Wait(std::io::Error),
}

impl SpawnError {
    fn at(step: &'static str) -> impl Fn(std::io::Error) -> Self {
        move |error| Self::System { step, error }
    }
}
