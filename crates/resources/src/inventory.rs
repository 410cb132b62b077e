//! What the machine has: processors, instruction-set levels, caches, memory.

use serde::{Deserialize, Serialize};

use forewarm_types::Bytes;

/// A processor of a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Processor {
    /// Its name in configurations: `cpu0` for the first package.
    pub name: String,
    /// Model as the system names it.
    pub model: String,
    /// Cores (hardware threads) this process may use.
    pub cores: u32,
    /// Instruction-set level, such as `x86-64-v3`.
    pub isa_level: String,
    /// Single features of interest, such as `avx2`, `sha_ni`.
    pub isa_features: Vec<String>,
    /// Caches, innermost first.
    pub caches: Vec<Cache>,
}

/// A cache level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cache {
    /// 1, 2, 3.
    pub level: u32,
    /// Capacity of data.
    pub size_bytes: Bytes,
    /// Line length.
    pub line_bytes: Bytes,
}

/// What a node has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inventory {
    /// The node's name; `local` for this machine.
    pub node: String,
    /// Its processors.
    pub processors: Vec<Processor>,
    /// Physical memory, or the control group's limit where that is less.
    pub memory_bytes: Bytes,
    /// Memory page size.
    pub page_bytes: Bytes,
    /// Whether memory may be made executable; without it only bytecode runs.
    pub executable_memory: bool,
    /// Shares of a core (other than the whole) that can be enforced here.
    pub enforceable_shares: Vec<f64>,
}
