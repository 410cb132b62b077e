//! One invocation of a program: what it is given, what it may touch, and how far it has come.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use forewarm_types::{Bytes, Seconds};
use serde::{Deserialize, Serialize};

/// A host directory given to the program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {
    /// Where it lies.
    pub host: PathBuf,
    /// What the program calls it.
    pub guest: String,
    /// Whether the program may only read it.
    pub read_only: bool,
}

/// Where a program's standard streams go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stdio {
    /// To those of this process.
    Inherit,
    /// Nowhere: reading standard input ends a trial, output is dropped.
    Detached,
}

/// What a program is given.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// `argv[0]`.
    pub program: String,
    /// The arguments after it.
    pub arguments: Vec<String>,
    /// Environment variables.
    pub environment: Vec<(String, String)>,
    /// Directories.
    pub directories: Vec<Directory>,
    /// Standard streams.
    pub stdio: Stdio,
    /// An export to call instead of the command's entry point.
    pub invoke: Option<String>,
    /// Whether sockets are allowed.
    pub network: bool,
    /// Most linear memory it may have.
    pub max_memory: Option<Bytes>,
    /// Written while it runs, for whoever must give up on it from another thread.
    pub progress: Arc<Progress>,
}

impl Invocation {
    /// An invocation of a program with nothing: no arguments, no streams, no directories, no network, no limits.
    #[must_use]
    pub fn detached(program: &str) -> Self {
        Self {
            program: program.to_owned(),
            arguments: Vec::new(),
            environment: Vec::new(),
            directories: Vec::new(),
            stdio: Stdio::Detached,
            invoke: None,
            network: false,
            max_memory: None,
            progress: Arc::default(),
        }
    }
}

/// How far a run has come, readable from another thread.
#[derive(Debug, Default)]
pub struct Progress {
    peak_linear_memory: AtomicU64,
    run_started_bits: AtomicU64,
    run_started_cpu_bits: AtomicU64,
    memory_denied: AtomicU64,
    outgrown: AtomicU64,
    acted: AtomicBool,
}

impl Progress {
    /// Notes that linear memory has grown to `bytes`.
    pub fn memory_reached(&self, bytes: Bytes) {
        self.peak_linear_memory.fetch_max(bytes.0, Ordering::Relaxed);
    }

    /// Peak linear memory so far.
    #[must_use]
    pub fn peak_linear_memory(&self) -> Bytes {
        Bytes(self.peak_linear_memory.load(Ordering::Relaxed))
    }

    /// Notes that growth to `bytes` was denied by the memory limit.
    pub fn memory_denied(&self, bytes: Bytes) {
        self.memory_denied.fetch_max(bytes.0.max(1), Ordering::Relaxed);
    }

    /// Whether the memory limit ever denied growth.
    #[must_use]
    pub fn was_memory_denied(&self) -> bool {
        self.memory_denied.load(Ordering::Relaxed) > 0
    }

    /// Notes that the program did something that may show outside it.
    pub fn acted(&self) {
        self.acted.store(true, Ordering::Relaxed);
    }

    /// Whether the program may have done something that shows outside it, so that it must not run again.
    #[must_use]
    pub fn has_acted(&self) -> bool {
        self.acted.load(Ordering::Relaxed)
    }

    /// Notes that the program wanted to grow to `bytes`, more than was set aside for it, and was ended to run again.
    pub fn outgrew(&self, bytes: Bytes) {
        self.outgrown.store(bytes.0.max(1), Ordering::Relaxed);
    }

    /// What it wanted to grow to where it was ended to run again, once told.
    #[must_use]
    pub fn take_outgrown(&self) -> Option<Bytes> {
        Some(self.outgrown.swap(0, Ordering::Relaxed)).filter(|bytes| *bytes > 0).map(Bytes)
    }

    /// Notes that the program's first instruction is about to run, with the clock's wall and process CPU time.
    pub fn run_started(&self, wall: Seconds, cpu: Seconds) {
        self.run_started_cpu_bits.store(cpu.0.to_bits(), Ordering::Relaxed);
        self.run_started_bits.store(wall.0.to_bits(), Ordering::Release);
    }

    /// When the program's first instruction ran (wall, process CPU), if it has.
    #[must_use]
    pub fn started(&self) -> Option<(Seconds, Seconds)> {
        let wall = self.run_started_bits.load(Ordering::Acquire);
        let cpu = self.run_started_cpu_bits.load(Ordering::Relaxed);
        (wall != 0).then(|| (Seconds(f64::from_bits(wall)), Seconds(f64::from_bits(cpu))))
    }
}
