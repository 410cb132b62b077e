//! The demand profile: what a piece of code will need, as far as can be told before it runs.
//!
//! This is the analyzer's output and the `forewarm analyze --format json` contract.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::code::CodeInfo;
use crate::configuration::Tier;
use crate::estimate::Estimate;
use crate::native::NativeDemand;
use crate::python::{Gil, PythonDemand};
use crate::units::Bytes;

/// A class of operators that share a cost on a given tier.
///
/// Counts are of executed WebAssembly operators. Structural operators that wasmtime's fuel counts as free
/// (`nop drop block loop unreachable return else end`) belong to no class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpClass {
    /// Constants.
    Const,
    /// `local.get`, `local.set`, `local.tee`.
    Local,
    /// `global.get`, `global.set`.
    Global,
    /// Integer add, subtract, logic, shift, compare, conversion, `select`.
    IntAlu,
    /// Integer multiply.
    IntMul,
    /// Integer divide and remainder.
    IntDiv,
    /// Float add, subtract, compare, min, max, sign operations.
    FloatAdd,
    /// Float multiply.
    FloatMul,
    /// Float divide.
    FloatDiv,
    /// Float square root and rounding.
    FloatSqrt,
    /// Conversion between integer and float.
    Convert,
    /// 128-bit vector arithmetic.
    Vector,
    /// Loads of any width.
    Load,
    /// Stores of any width.
    Store,
    /// `br`, `br_if`, `br_table`, `if`.
    Branch,
    /// Direct call of a function in the module, its entry and return included.
    Call,
    /// Indirect call through a table or reference.
    CallIndirect,
    /// Atomic read-modify-write, wait and notify.
    Atomic,
    /// Memory and table growth, bulk memory and table operations (their fixed part).
    Bulk,
    /// Call of an imported function.
    HostCall,
    /// Anything else: references, garbage-collected objects, exceptions.
    Other,
}

impl OpClass {
    /// Every class, in declaration order.
    pub const ALL: [Self; 21] = [
        Self::Const,
        Self::Local,
        Self::Global,
        Self::IntAlu,
        Self::IntMul,
        Self::IntDiv,
        Self::FloatAdd,
        Self::FloatMul,
        Self::FloatDiv,
        Self::FloatSqrt,
        Self::Convert,
        Self::Vector,
        Self::Load,
        Self::Store,
        Self::Branch,
        Self::Call,
        Self::CallIndirect,
        Self::Atomic,
        Self::Bulk,
        Self::HostCall,
        Self::Other,
    ];

    /// The class's key in JSON and in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Const => "const",
            Self::Local => "local",
            Self::Global => "global",
            Self::IntAlu => "int_alu",
            Self::IntMul => "int_mul",
            Self::IntDiv => "int_div",
            Self::FloatAdd => "float_add",
            Self::FloatMul => "float_mul",
            Self::FloatDiv => "float_div",
            Self::FloatSqrt => "float_sqrt",
            Self::Convert => "convert",
            Self::Vector => "vector",
            Self::Load => "load",
            Self::Store => "store",
            Self::Branch => "branch",
            Self::Call => "call",
            Self::CallIndirect => "call_indirect",
            Self::Atomic => "atomic",
            Self::Bulk => "bulk",
            Self::HostCall => "host_call",
            Self::Other => "other",
        }
    }
}

/// Executed operators of one run by class, and the bytes they move.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct OpMix {
    /// Executed operators in the unit of wasmtime's default fuel (one per operator, structural ones free, plus one
    /// per function entered); `None` where nothing can be said.
    pub total: Option<Estimate>,
    /// Executed operators by class. All classes share one source of error (the trip counts), so they add correlated.
    #[serde(flatten)]
    pub classes: BTreeMap<OpClass, Estimate>,
    /// Bytes read from linear memory by loads.
    pub load_bytes: Option<Estimate>,
    /// Bytes written to linear memory by stores.
    pub store_bytes: Option<Estimate>,
    /// Bytes moved by bulk memory operations and growth, which fuel charges by size.
    pub bulk_bytes: Option<Estimate>,
    /// Executed instructions of native code on vectors, by width in bits, moves included; empty for WebAssembly, whose
    /// vectors have 128.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub vectors_by_bits: BTreeMap<u32, Estimate>,
}

/// Linear memory demand.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MemoryDemand {
    /// Declared initial size of all memories.
    pub initial_bytes: Bytes,
    /// Declared maximum of all memories; `None` where any has none.
    pub maximum_bytes: Option<Bytes>,
    /// Predicted peak size.
    pub peak_bytes: Option<Estimate>,
    /// Predicted bytes moved between processor and memory by loads, stores and bulk operations.
    pub traffic_bytes: Option<Estimate>,
    /// Distinct bytes that the loops of the run touch; `None` where no loop that matters tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footprint_bytes: Option<Estimate>,
    /// Calls that ask for memory, with the number of their calls.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allocations: Vec<Allocation>,
}

/// A way in which the program asks for memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Allocation {
    /// The function, by name (`malloc`, `calloc`, …), or `memory.grow`.
    pub via: String,
    /// Calls in one run.
    pub calls: Option<Estimate>,
    /// Bytes asked for in one run, where the arguments tell.
    pub bytes: Option<Estimate>,
}

/// How a program can use several processors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ParallelismKind {
    /// One thread of control.
    Serial,
    /// Iterations that could run at once, though the code as it stands does not.
    DataParallel,
    /// The code starts threads itself.
    Threads,
}

/// The parallelism a program can use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parallelism {
    /// What kind it is.
    pub kind: ParallelismKind,
    /// Threads beyond which nothing is gained.
    pub max_useful_threads: Option<Estimate>,
}

/// A kind of input, output or host service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IoKind {
    /// Files and standard streams.
    Filesystem,
    /// Sockets.
    Network,
    /// HTTP requests or responses.
    Http,
    /// Wall or monotonic clocks.
    Clock,
    /// Random numbers.
    Random,
    /// Arguments, environment, exit.
    Process,
    /// Waiting for events.
    Poll,
    /// Starting threads.
    Threads,
    /// Machine-learning inference.
    NeuralNetwork,
    /// A host function whose meaning is not known.
    Other,
}

/// One imported host service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IoDemand {
    /// What it is for.
    pub kind: IoKind,
    /// The import, `module.name` (for components, the interface).
    pub via: String,
    /// Calls in one run.
    pub calls: Option<Estimate>,
}

/// Instruction-set features: needed, and usable where present.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct IsaDemand {
    /// WebAssembly proposals or processor features without which the code cannot run.
    pub required: Vec<String>,
    /// Features it would profit from.
    pub may_use: Vec<String>,
}

/// A shared thing on which the program may wait or slow others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contention {
    /// `memory-bandwidth`, `lock`, …
    pub kind: String,
    /// Where in the code.
    #[serde(rename = "where")]
    pub location: String,
}

/// What compiling this code takes, and which tiers can do it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct CompileDemand {
    /// Bytes of all code sections (of all nested modules).
    pub code_bytes: Bytes,
    /// Function bodies.
    pub functions: u64,
    /// The largest function body: the shortest possible critical path of a parallel compilation.
    pub largest_function_bytes: Bytes,
    /// Tiers that cannot compile it, each with the feature that stands in the way.
    pub unsupported: BTreeMap<Tier, String>,
}

/// The demand profile proper: the `profile` object of `forewarm analyze`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DemandProfile {
    /// Executed operators of the whole run from the entry point.
    pub ops: OpMix,
    /// Linear memory.
    pub memory: MemoryDemand,
    /// Use of several processors.
    pub parallelism: Parallelism,
    /// Host services.
    pub io: Vec<IoDemand>,
    /// Libraries and toolchains recognised in the code.
    pub libraries: Vec<String>,
    /// Instruction-set features.
    pub isa: IsaDemand,
    /// Points of contention.
    pub contention: Vec<Contention>,
    /// Compilation.
    pub compile: CompileDemand,
    /// Whether the operator count depends on the input in a way that code alone cannot tell.
    pub input_dependent: bool,
}

/// How the iterations of a loop depend on each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dependence {
    /// No iteration reads what another writes.
    Independent,
    /// Only an associative accumulation is carried.
    Reduction,
    /// A value is carried from one iteration to the next.
    Carried,
    /// Cannot be told.
    Unknown,
}

/// A hint that a region would gain from some hardware.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Flag {
    /// `simd`, `threads`, `gpu`, `fpga`, `crypto`, `tensor`, `large-pages`, `fast-memory`.
    pub benefits_from: String,
    /// Why, in words.
    pub reason: String,
    /// Measured precision of the rule that raised it, else `None`.
    pub confidence: Option<f64>,
}

/// How the accesses to memory in a loop move from one of its iterations to the next, counted by operator in the code.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AccessPattern {
    /// Accesses that move on by their own width.
    pub contiguous: u32,
    /// Accesses that move on by another constant, or by an amount that is fixed while the loop runs.
    pub strided: u32,
    /// Accesses that stay where they are.
    pub invariant: u32,
    /// Accesses whose address is computed from data.
    pub indirect: u32,
    /// Distinct distances of the constant strides, bytes per iteration, rising; at most eight.
    pub stride_bytes: Vec<i64>,
}

/// A loop or function with its share of the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Region {
    /// Name of the function, or `func[index]`.
    pub function: String,
    /// `loop` or `function`.
    pub kind: RegionKind,
    /// Byte offset of the region's first operator in the file.
    pub offset: u64,
    /// Loop depth, 1 for an outermost loop, 0 for a function body.
    pub depth: u32,
    /// Share of the run's operators executed in it, 0 to 1.
    pub share: f64,
    /// Share of the run's operators in its own code, without what it calls, and of a loop without the loops inside it; 0 of a
    /// loop whose function does too little itself to be looked into.
    #[serde(default)]
    pub self_share: f64,
    /// Iterations each time the loop is entered.
    pub trip_count: Option<Estimate>,
    /// The trip count as an expression of parameters, where it is one.
    pub trip_expression: Option<String>,
    /// Dependence between iterations.
    pub dependence: Dependence,
    /// Why the dependence is not known, or what carries it, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dependence_reason: Option<String>,
    /// Of an unknown dependence, the condition under which there is none: `if [p0, p0 + 400) and [p1, p1 + 400) do not
    /// overlap`. Parameters of the function are `p0`, `p1`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dependence_condition: Option<String>,
    /// What a reduction accumulates: `sum`, `float sum`, `minimum or maximum`, …; a float sum or product gives another
    /// result in another order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reductions: Vec<String>,
    /// Strides of its accesses to memory; `None` where they were not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accesses: Option<AccessPattern>,
    /// Distinct bytes it touches each time it is entered, loops inside it included, what it calls left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footprint_bytes: Option<Estimate>,
    /// Bytes that its loads and stores move in the whole run, what it calls left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traffic_bytes: Option<Estimate>,
    /// Hardware it would gain from.
    pub flags: Vec<Flag>,
    /// `file:line`, where the code has lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// What it does with the interpreter's global lock, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gil: Option<Gil>,
}

/// What a region is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RegionKind {
    /// A loop.
    Loop,
    /// A whole function.
    Function,
}

/// The whole result of static analysis: what `forewarm analyze --format json` prints after `"schema"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    /// What the code is.
    pub code: CodeInfo,
    /// What it needs.
    pub profile: DemandProfile,
    /// The regions that matter, by falling share.
    pub regions: Vec<Region>,
    /// What is uncertain and why.
    pub warnings: Vec<String>,
    /// What is known of a native program beyond that; `None` for other kinds of code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub native: Option<NativeDemand>,
    /// What is known of a Python program beyond that; `None` for other kinds of code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub python: Option<PythonDemand>,
    /// Time the analysis took; the analyzer leaves it zero and its caller, who has a clock, fills it in.
    pub seconds: f64,
}
