//! The calibration kernels: loops of known operator counts, from which the cost of each operator class is solved.
//!
//! A single class cannot be timed alone: every operator needs operands, so constants, locals and branches come along,
//! and an optimising compiler removes some of them. The kernels therefore mix classes in the proportions compilers
//! emit, most of them shapes of real inner loops ([`super::inner_loops`]), and the costs are those that explain all timings
//! together. Each kernel is its own module, so that a tier that lacks one operator loses one kernel. Called by
//! [`crate::calibrate()`].

use std::borrow::Cow;
use std::collections::BTreeMap;

use forewarm_types::OpClass;
use wasm_encoder::Instruction::{self, *};
use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, ElementSection, Elements, ExportKind, ExportSection, Function,
    FunctionSection, GlobalSection, GlobalType, MemorySection, MemoryType, Module, RefType, TableSection, TableType,
    TypeSection, ValType,
};

use super::piece::{Piece, binary, count_down, get, int, seq, set, unary};
use super::{SplitMix64, exercises, inner_loops};
use forewarm_types::host::Randomness;

/// The name under which every generated function is exported.
pub const EXPORT: &str = "run";

/// Locals of a kernel: parameter 0 counts the rounds down.
pub(crate) const ROUNDS: u32 = 0;
/// The first of ten i32 locals; they hold 1, 2, … at the start.
pub(crate) const I: u32 = 1;
/// The first of four i64 locals.
pub(crate) const L: u32 = 11;
/// The first of eight f64 locals.
pub(crate) const D: u32 = 15;
/// The first of four v128 locals, present only in vector kernels.
pub(crate) const V: u32 = 23;

/// Index of the leaf function `(i32, i32) -> i32` that kernels may call.
pub(crate) const LEAF: u32 = 1;
/// Index of the recursive function `(i32) -> i32` that kernels may call.
pub(crate) const RECURSIVE: u32 = 2;
/// Index of the leaf's type, for indirect calls.
pub(crate) const LEAF_TYPE: u32 = 1;
/// Entries of the table, all of the leaf's type.
pub(crate) const TABLE_SIZE: u32 = 4;

/// Bytes of random data at address 0, which fit a first-level cache together with what kernels write behind them.
pub(crate) const DATA_BYTES: u32 = 8192;

/// Address behind the random data, where kernels write.
pub(crate) const SCRATCH: i32 = 16384;

/// A kernel: a loop whose rounds execute known numbers of operators.
#[derive(Debug, Clone)]
pub struct Kernel {
    /// A name for reports.
    pub name: &'static str,
    /// The module; [`EXPORT`] takes the number of rounds.
    pub wasm: Vec<u8>,
    /// Operators executed in one round, by class.
    pub counts: BTreeMap<OpClass, f64>,
    /// Whether it is a whole inner loop, rather than an exercise of one class.
    pub whole: bool,
    /// Weight of its residual: whole inner loops stand for real programs, exercises of one class less so.
    pub weight: f64,
}

/// What a kernel's round does.
pub(crate) struct Round {
    pub name: &'static str,
    pub body: Piece,
    pub weight: f64,
}

/// Every kernel.
#[must_use]
pub fn all() -> Vec<Kernel> {
    let exercises = exercises::all().into_iter().map(|round| kernel(round, false));
    exercises.chain(inner_loops::all().into_iter().map(|round| kernel(round, true))).collect()
}

/// A command that calls a WASI host function as often as `rounds` says.
///
/// `clock_time_get` is called: it crosses into the host, takes arguments, and writes one word of memory.
#[must_use]
pub fn host_calls(rounds: i32) -> (Vec<u8>, BTreeMap<OpClass, f64>) {
    let call = seq([
        int(1),
        Piece::op(I64Const(1)),
        int(16),
        Piece { code: vec![Call(0), Drop], counts: [(OpClass::HostCall, 1.0)].into() },
    ]);
    let round = count_down(0, 1.0, call);
    let counts = round.counts.clone();
    let body = set(0, int(rounds)).then(round);
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32, ValType::I64, ValType::I32], [ValType::I32]);
    types.ty().function([], []);
    let mut imports = wasm_encoder::ImportSection::new();
    imports.import("wasi_snapshot_preview1", "clock_time_get", wasm_encoder::EntityType::Function(0));
    let mut functions = FunctionSection::new();
    functions.function(1);
    let mut exports = ExportSection::new();
    exports.export("_start", ExportKind::Func, 1).export("memory", ExportKind::Memory, 0);
    let mut code = CodeSection::new();
    code.function(&function(vec![(1, ValType::I32)], &body.code));
    let mut module = Module::new();
    module.section(&types).section(&imports).section(&functions).section(&memories(1));
    module.section(&exports).section(&code);
    (module.finish(), counts)
}

/// A module of its own for a round.
pub(crate) fn kernel(round: Round, whole: bool) -> Kernel {
    let vector = round.body.code.iter().any(|op| matches!(op, LocalGet(local) | LocalSet(local) if *local >= V));
    let body = count_down(ROUNDS, 1.0, round.body);
    let counts = body.counts.clone();
    let run = seq([prologue(), body, epilogue(vector)]);
    let mut locals = vec![(10, ValType::I32), (4, ValType::I64), (8, ValType::F64)];
    locals.extend(vector.then_some((4, ValType::V128)));
    let mut code = CodeSection::new();
    code.function(&function(locals, &run.code));
    code.function(&function(Vec::new(), &exercises::leaf().code));
    code.function(&function(Vec::new(), &inner_loops::recursive().code));
    Kernel { name: round.name, wasm: module(&code), counts, whole, weight: round.weight }
}

/// Gives every local a value that no compiler can fold: it depends on the parameter.
fn prologue() -> Piece {
    let ints = (0..10).map(|at| set(I + at, binary(I32Add, get(ROUNDS), int(at as i32 * 77 + 1))));
    let longs = (0..4).map(|at| set(L + at, unary(I64ExtendI32U, get(I + at))));
    let reals = (0..8).map(|at| {
        let small = unary(F64ConvertI32S, binary(I32And, get(I + at), int(1023)));
        set(D + at, binary(F64Mul, small, super::piece::real(1.0 / 1024.0)))
    });
    seq(ints.chain(longs).chain(reals))
}

/// Folds every local into the result, so that no kernel's work is dead.
fn epilogue(vector: bool) -> Piece {
    let mut value = get(I);
    for at in 1..10 {
        value = binary(I32Xor, value, get(I + at));
    }
    for at in 0..4 {
        value = binary(I32Xor, value, unary(I32WrapI64, get(L + at)));
    }
    for at in 0..8 {
        value = binary(I32Xor, value, unary(I32TruncSatF64S, get(D + at)));
    }
    for at in 0..(if vector { 4 } else { 0 }) {
        value = binary(I32Xor, value, unary(I32x4ExtractLane(0), get(V + at)));
    }
    value
}

pub(crate) fn function(locals: Vec<(u32, ValType)>, code: &[Instruction<'static>]) -> Function {
    let mut function = Function::new(locals);
    for instruction in code {
        function.instruction(instruction);
    }
    function.instruction(&End);
    function
}

pub(crate) fn memories(pages: u64) -> MemorySection {
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: pages,
        maximum: Some(pages),
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    memories
}

fn module(code: &CodeSection) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32], [ValType::I32]);
    types.ty().function([ValType::I32, ValType::I32], [ValType::I32]);
    let mut functions = FunctionSection::new();
    functions.function(0).function(LEAF_TYPE).function(0);
    let mut tables = TableSection::new();
    tables.table(TableType {
        element_type: RefType::FUNCREF,
        table64: false,
        minimum: u64::from(TABLE_SIZE),
        maximum: Some(u64::from(TABLE_SIZE)),
        shared: false,
    });
    let mut globals = GlobalSection::new();
    let stack_pointer = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
    globals.global(stack_pointer, &ConstExpr::i32_const(65536));
    let mut exports = ExportSection::new();
    exports.export(EXPORT, ExportKind::Func, 0);
    let mut elements = ElementSection::new();
    let entries = vec![LEAF; TABLE_SIZE as usize];
    elements.active(None, &ConstExpr::i32_const(0), Elements::Functions(Cow::Owned(entries)));
    let mut data = DataSection::new();
    data.active(0, &ConstExpr::i32_const(0), random_data());
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&tables).section(&memories(2)).section(&globals);
    module.section(&exports).section(&elements).section(code).section(&data);
    module.finish()
}

/// Random bytes for table look-ups, searches and unpredictable branches.
fn random_data() -> Vec<u8> {
    let mut random = SplitMix64::new(0x0f0e_0a01);
    (0..DATA_BYTES / 8).flat_map(|_| random.next_u64().to_le_bytes()).collect()
}
