//! The warm ladder: the states of a code on a resource, and the steps that climb from one to the next.

use serde::{Deserialize, Serialize};

use crate::units::{Bytes, Joules, Seconds};

/// A state of a WebAssembly code on a machine, coldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rung {
    /// Only the program's file.
    File,
    /// A compiled artifact on disk.
    Artifact,
    /// The artifact mapped into the process.
    Mapped,
    /// Imports resolved, initial memory image ready.
    Linked,
    /// An instance with its memory, ready for its first instruction.
    Instance,
}

/// A measured step on the way to the first instruction (or after the last).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Reading the program's bytes and their digest.
    Read,
    /// Static analysis.
    Analyze,
    /// `File` to in-memory code: compilation.
    Compile,
    /// In-memory code to `Artifact`: serialising and writing it.
    Persist,
    /// `Artifact` to `Mapped`.
    Map,
    /// `Mapped` to `Linked`.
    Link,
    /// `Linked` to `Instance`.
    Instantiate,
    /// The same where the engine keeps slots for instances: a pooled instance.
    Pool,
    /// Backing the initial memory.
    Prefault,
    /// Starting a process, up to the execution of the program.
    Spawn,
    /// What a program does before it asks for its first event.
    Initialise,
    /// Having files read that the program is going to read, beside its start.
    ReadAhead,
}

impl Step {
    /// Every step, in the order of the climb.
    pub const ALL: [Self; 12] = [
        Self::Read,
        Self::Analyze,
        Self::Compile,
        Self::Persist,
        Self::Map,
        Self::Link,
        Self::Instantiate,
        Self::Pool,
        Self::Prefault,
        Self::Spawn,
        Self::Initialise,
        Self::ReadAhead,
    ];

    /// The step's key in JSON and in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Analyze => "analyze",
            Self::Compile => "compile",
            Self::Persist => "persist",
            Self::Map => "map",
            Self::Link => "link",
            Self::Instantiate => "instantiate",
            Self::Pool => "pool",
            Self::Prefault => "prefault",
            Self::Spawn => "spawn",
            Self::Initialise => "initialise",
            Self::ReadAhead => "read-ahead",
        }
    }
}

/// What standing on a rung holds, and what climbing to it took: a row of the measured ladder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RungCost {
    /// The rung reached.
    pub rung: Rung,
    /// Time of the climb from the rung below.
    pub seconds: Seconds,
    /// Energy of the climb.
    pub joules: Joules,
    /// Memory or disk held while standing.
    pub bytes: Bytes,
}
