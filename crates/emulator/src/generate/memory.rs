//! Modules that touch and stream linear memory, for the cost of first touches and for contention.
//!
//! Called by [`crate::calibrate()`].

use forewarm_types::Bytes;
use wasm_encoder::Instruction::*;
use wasm_encoder::{CodeSection, ExportKind, ExportSection, FunctionSection, Module, TypeSection, ValType};

use super::kernels::{EXPORT, function, memories};
use super::piece::{Piece, unary};
use super::piece::{binary, bump, count_down, get, int, load, long, seq, set, store, update};

/// Bytes of a WebAssembly page.
const PAGE: u64 = 65536;

/// A module whose export makes as many passes over `size` bytes as its argument says, writing one word per `stride`
/// bytes: with a stride of the system's page, the first pass takes every fault there is.
#[must_use]
pub fn touch(size: Bytes, stride: u32) -> Vec<u8> {
    let (passes, index, pointer) = (0, 1, 2);
    let rounds = size.0 / u64::from(stride.max(1));
    let body = seq([store(I32Store, get(pointer), get(index), 0), bump(pointer, stride as i32)]);
    let pass = seq([set(index, int(rounds as i32)), set(pointer, int(0)), count_down(index, rounds as f64, body)]);
    module(size, vec![(2, ValType::I32)], count_down(passes, 1.0, pass).then(int(0)))
}

/// A module whose export makes as many passes over `size` bytes as its argument says, reading every word of 8 bytes
/// once, four accumulators wide: bound by memory where `size` is beyond the caches.
#[must_use]
pub fn stream(size: Bytes) -> Vec<u8> {
    let (passes, index, pointer, sum) = (0, 1, 2, 3);
    let rounds = size.0 / 64;
    let add = |word: u32| update(sum + word % 4, I64Add, load(I64Load, get(pointer), u64::from(word) * 8));
    let body = seq((0..8).map(add)).then(bump(pointer, 64));
    let pass = seq([set(index, int(rounds as i32)), set(pointer, int(0)), count_down(index, rounds as f64, body)]);
    let total = (0..4).fold(long(0), |value, word| binary(I64Xor, value, get(sum + word)));
    let run = count_down(passes, 1.0, pass).then(unary(I32WrapI64, total));
    module(size, vec![(2, ValType::I32), (4, ValType::I64)], run)
}

/// A command that loops until stopped (`endless`), else `rounds` times: one addition to a local a round.
#[must_use]
pub fn command(rounds: i32, endless: bool) -> Vec<u8> {
    command_with_memory(rounds, endless, Bytes(PAGE))
}

/// The same command with a memory of at least `size` bytes, which it never touches.
#[must_use]
pub fn command_with_memory(rounds: i32, endless: bool, size: Bytes) -> Vec<u8> {
    let condition = if endless { int(1) } else { set(0, binary(I32Add, get(0), int(-1))).then(get(0)) };
    let body = set(0, int(rounds)).then(super::piece::loop_while(1.0, Piece::default(), condition));
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut exports = ExportSection::new();
    exports.export("_start", ExportKind::Func, 0).export("memory", ExportKind::Memory, 0);
    let mut code = CodeSection::new();
    code.function(&function(vec![(1, ValType::I32)], &body.code));
    let mut module = Module::new();
    let memory = memories(size.0.div_ceil(PAGE).max(1));
    module.section(&types).section(&functions).section(&memory).section(&exports).section(&code);
    module.finish()
}

fn module(size: Bytes, locals: Vec<(u32, ValType)>, body: Piece) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32], [ValType::I32]);
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut exports = ExportSection::new();
    exports.export(EXPORT, ExportKind::Func, 0);
    let mut code = CodeSection::new();
    code.function(&function(locals, &body.code));
    let mut module = Module::new();
    let memory = memories(size.0.div_ceil(PAGE).max(1));
    module.section(&types).section(&functions).section(&memory).section(&exports).section(&code);
    module.finish()
}
