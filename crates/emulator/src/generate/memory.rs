//! Modules that touch, stream and walk linear memory, for the cost of first touches, of contention and of the memory
//! hierarchy.
//!
//! Called by [`crate::calibrate()`].

use forewarm_types::Bytes;
use wasm_encoder::Instruction::*;
use wasm_encoder::{CodeSection, ExportKind, ExportSection, FunctionSection, Module, TypeSection, ValType};

use super::kernels::{EXPORT, function, memories};
use super::piece::{Piece, unary};
use super::piece::{binary, bump, count_down, get, int, load, long, seq, set, store, update, when};

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

/// How a walk finds its next address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Walk {
    /// It is what the load before found.
    Chased,
    /// It follows from arithmetic, anywhere in the set.
    Scattered,
    /// It is that of the next line.
    Streamed,
}

impl Walk {
    /// Every walk.
    pub const ALL: [Self; 3] = [Self::Chased, Self::Scattered, Self::Streamed];
}

/// Multiplier and increment of a linear congruential generator of full period modulo any power of two (Hull and Dobell
/// 1962: an odd increment, and a multiplier that leaves 1 by 4); the values are Knuth's and Lewis', from Press et al.,
/// "Numerical Recipes", 7.1.
const MULTIPLIER: i32 = 1_664_525;
const INCREMENT: i32 = 1_013_904_223;

/// Bytes of a line.
const LINE: i32 = forewarm_types::counts::LINE_BYTES as i32;

/// A module whose export loads as many words as its argument says, one of a line each time, from a set of `size` bytes, a
/// power of two from 4 KiB to 1 GiB. The first call writes the set, so that it is memory of its own.
#[must_use]
pub fn walk(size: Bytes, walk: Walk) -> Vec<u8> {
    let (rounds, index, at, sum) = (0, 1, 2, 3);
    let bits = size.0.clamp(1 << 12, 1 << 30).ilog2() as i32;
    let lines = 1_i32 << (bits - LINE.ilog2() as i32);
    let step = |value: Piece| binary(I32Add, binary(I32Mul, value, int(MULTIPLIER)), int(INCREMENT));
    let address = |line: Piece| binary(I32Mul, binary(I32And, line, int(lines - 1)), int(LINE));
    let link = store(I32Store, address(get(index)), address(step(get(index))), 0);
    let write =
        seq([set(index, int(lines)), count_down(index, f64::from(lines), link), store(I32Store, int(0), int(1), 8)]);
    let unwritten = unary(I32Eqz, load(I32Load, int(0), 8));
    let body = match walk {
        Walk::Chased => set(at, load(I32Load, get(at), 0)),
        Walk::Scattered => {
            let place = binary(I32And, binary(I32ShrU, get(at), int(32 - bits)), int(-LINE));
            set(at, step(get(at))).then(update(sum, I32Xor, load(I32Load, place, 0)))
        }
        Walk::Streamed => {
            let next = binary(I32And, binary(I32Add, get(at), int(LINE)), int((1 << bits) - 1));
            update(sum, I32Xor, load(I32Load, get(at), 0)).then(set(at, next))
        }
    };
    let body = when(unwritten, 0.0, write, Piece::default()).then(count_down(rounds, 1.0, body));
    module(Bytes(1 << bits), vec![(3, ValType::I32)], body.then(binary(I32Add, get(at), get(sum))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(size: Bytes, walk: Walk, rounds: i32) -> i32 {
        let engine = wasmtime::Engine::default();
        let module = wasmtime::Module::new(&engine, super::walk(size, walk)).unwrap();
        let mut store = wasmtime::Store::new(&engine, ());
        let instance = wasmtime::Instance::new(&mut store, &module, &[]).unwrap();
        instance.get_typed_func::<i32, i32>(&mut store, EXPORT).unwrap().call(&mut store, rounds).unwrap()
    }

    #[test]
    fn a_chase_comes_back_after_every_line_and_not_before() {
        let lines = (1 << 14) / LINE;
        assert_eq!(run(Bytes(1 << 14), Walk::Chased, lines), 0);
        for rounds in [1, 2, lines / 2, lines - 1] {
            assert_ne!(run(Bytes(1 << 14), Walk::Chased, rounds), 0, "{rounds}");
        }
    }

    #[test]
    fn other_walks_stay_in_their_set() {
        for size in [Bytes(1 << 14), Bytes(1 << 20)] {
            run(size, Walk::Scattered, 100_000);
            run(size, Walk::Streamed, 100_000);
        }
    }
}
