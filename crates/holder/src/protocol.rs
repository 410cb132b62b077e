//! What clients and the holder say to each other.

use std::path::PathBuf;

use forewarm_types::Bytes;
use serde::{Deserialize, Serialize};

use crate::program::{Program, Rung};

/// A client's request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// Climb to a rung and answer with a [`Climb`].
    Warm {
        /// What.
        program: Box<Program>,
        /// How far.
        rung: Rung,
    },
    /// Answer with what is held.
    List,
    /// Let go of one program, or of all and end.
    Drop {
        /// The program's file.
        file: Option<PathBuf>,
    },
    /// A run of this file is about to be asked for: look meanwhile whether what is held of it is still fit.
    Look {
        /// The program's file.
        file: PathBuf,
    },
    /// Run; the standard streams come along.
    Run {
        /// What.
        program: Box<Program>,
    },
}

/// The answer to all but a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// How far the climb came.
    Climbed(Climb),
    /// It could not be begun.
    Failed(String),
    /// What is held.
    Held(Vec<Held>),
    /// The rungs on which something is held of a file.
    Known(Vec<Rung>),
    /// How many were let go.
    Dropped(usize),
    /// A run is to be cold, and why.
    Cold(String),
    /// A run goes to a process of this rung; what follows on the line is that process' own.
    Taken {
        /// The rung.
        rung: Rung,
        /// Key of the tier that confines it.
        tier: String,
    },
}

/// A climb.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Climb {
    /// The rung reached.
    pub rung: Rung,
    /// Each rung on the way.
    pub steps: Vec<RungStep>,
    /// The rung that was wanted and could not be reached, and why.
    pub refused: Option<(Rung, String)>,
    /// Memory held.
    pub held_bytes: Bytes,
    /// Files that it was loaded from.
    pub files: usize,
    /// From the request to the rung, in seconds; 0 where it stood already.
    pub seconds: f64,
}

/// A rung of a climb.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RungStep {
    /// The rung reached.
    pub rung: Rung,
    /// Time from the rung below, in seconds.
    pub seconds: f64,
    /// Memory held while standing there.
    pub bytes: Bytes,
}

/// A held program as `forewarm warm --list` shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// The program.
    pub file: PathBuf,
    /// Its rung.
    pub rung: Rung,
    /// Memory that all its processes hold now.
    pub held_bytes: Bytes,
    /// What climbing there took, in seconds.
    pub climb_seconds: f64,
    /// Runs it has served.
    pub runs: u64,
    /// Runs it is serving.
    pub active: u32,
    /// Since its last use, in seconds.
    pub idle_seconds: f64,
}
