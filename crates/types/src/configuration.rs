//! A configuration: where and in what shape a code is to run.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ladder::Rung;
use crate::units::Bytes;

/// A compiler strategy of the WebAssembly engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// Single-pass baseline compiler: compiles fast, runs slower.
    Winch,
    /// Optimising compiler: compiles slowly, runs fast.
    Cranelift,
    /// Portable bytecode, for hosts that forbid executable memory.
    Pulley,
}

impl Tier {
    /// Every tier.
    pub const ALL: [Self; 3] = [Self::Winch, Self::Cranelift, Self::Pulley];

    /// The tier's key in JSON, on the command line and in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Winch => "winch",
            Self::Cranelift => "cranelift",
            Self::Pulley => "pulley",
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is none of those known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} {name:?} (known: {known})")]
pub struct UnknownName {
    /// What was wanted.
    pub what: &'static str,
    /// What was given.
    pub name: String,
    /// What would have been accepted.
    pub known: String,
}

impl FromStr for Tier {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|tier| tier.name() == name).ok_or_else(|| UnknownName {
            what: "tier",
            name: name.to_owned(),
            known: Self::ALL.map(Self::name).join(", "),
        })
    }
}

/// The instruction-set level machine code is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IsaLevel {
    /// The architecture's baseline; the artifact runs on every processor of the architecture.
    Baseline,
    /// Every feature of the processor it is compiled on.
    Native,
}

impl IsaLevel {
    /// The level's key in JSON and in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Native => "native",
        }
    }
}

/// The settings of a CPU placement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CpuSettings {
    /// Compiler strategy.
    pub tier: Tier,
    /// Instruction-set level.
    pub isa: IsaLevel,
    /// Threads used: for compiling, and at most this many by the program.
    pub threads: u32,
    /// Bind the threads to cores.
    #[serde(default)]
    pub pinned: bool,
    /// Back the initial linear memory before the first instruction.
    #[serde(default)]
    pub prefault: bool,
}

/// The settings of a placement, by the kind of its processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Settings {
    /// For a CPU.
    Cpu(CpuSettings),
    /// For a process on a CPU: a native program, or an interpreter with its script.
    Process(ProcessSettings),
}

/// The settings of a process on a CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessSettings {
    /// Threads its libraries are told to use; `None` where it uses none that could be told.
    pub library_threads: Option<u32>,
    /// Bind it to as many cores as it has units.
    #[serde(default)]
    pub pinned: bool,
    /// The highest instruction-set level its libraries may use, where they can be told; `None` for the processor's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isa_ceiling: Option<IsaCeiling>,
    /// Ask for large pages behind what it allocates.
    #[serde(default)]
    pub large_pages: bool,
    /// Have the files read ahead that it is known to read.
    #[serde(default)]
    pub read_ahead: bool,
}

/// A level of the x86-64 architecture above which libraries are told not to go: System V psABI for AMD64, 3.1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum IsaCeiling {
    /// SSE4.2 and below.
    #[serde(rename = "x86-64-v2")]
    V2,
    /// AVX2 and FMA and below.
    #[serde(rename = "x86-64-v3")]
    V3,
}

/// Settings of a process that its user may fix, and that no plan proposes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Levers {
    /// See [`ProcessSettings::isa_ceiling`].
    pub isa_ceiling: Option<IsaCeiling>,
    /// See [`ProcessSettings::large_pages`].
    pub large_pages: bool,
    /// See [`ProcessSettings::pinned`].
    pub pinned: bool,
}

impl IsaCeiling {
    /// Every level.
    pub const ALL: [Self; 2] = [Self::V2, Self::V3];

    /// The level of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }

    /// The level's name, as in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::V2 => "x86-64-v2",
            Self::V3 => "x86-64-v3",
        }
    }
}

/// A part of the code put on a processor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Placement {
    /// Which part: `all` for the whole.
    pub region: String,
    /// Which machine: `local` for this one.
    pub node: String,
    /// Which processor of the node's inventory.
    pub processor: String,
    /// Units of it (cores).
    pub units: u32,
    /// Share of each unit, 0 to 1.
    pub share: f64,
    /// Memory set aside for the run: the quantile at which failure is priced.
    pub memory_bytes: Bytes,
    /// The processor kind's own settings.
    pub settings: Settings,
}

/// The class of configurations that are processes.
pub const PROCESS_CLASS: &str = "process";

/// Where and in what shape a code is to run, and what stays warm afterwards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Configuration {
    /// The placements; one for now.
    pub placements: Vec<Placement>,
    /// The rung left standing when the run is over.
    pub warm_state: Rung,
}

impl Configuration {
    /// The only placement.
    ///
    /// # Errors
    /// `None` for a configuration read from a foreign plan that has no placement.
    #[must_use]
    pub fn placement(&self) -> Option<&Placement> {
        self.placements.first()
    }

    /// The CPU settings of the only placement.
    #[must_use]
    pub fn cpu(&self) -> Option<CpuSettings> {
        self.placement().and_then(|placement| match placement.settings {
            Settings::Cpu(cpu) => Some(cpu),
            Settings::Process(_) => None,
        })
    }

    /// The settings of the only placement, where it is a process.
    #[must_use]
    pub fn process(&self) -> Option<ProcessSettings> {
        self.placement().and_then(|placement| match placement.settings {
            Settings::Cpu(_) => None,
            Settings::Process(process) => Some(process),
        })
    }

    /// A short text that names the class of configuration, under which observations are pooled: `winch/native`, `process`.
    #[must_use]
    pub fn class(&self) -> String {
        if self.process().is_some() {
            return PROCESS_CLASS.to_owned();
        }
        self.cpu().map_or_else(|| "none".to_owned(), |cpu| format!("{}/{}", cpu.tier.name(), cpu.isa.name()))
    }
}
