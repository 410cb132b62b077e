//! Calibration kernels that are whole inner loops, in the shapes compilers emit.
//!
//! They follow the code clang `-O2` emits for wasm32 from the textbook algorithms they are named after: pointers
//! stepped, counters counted down to zero, `br_if` back, `block` and `br_if` for conditions. None is one of the
//! programs that predictions are checked on. Called by [`super::kernels`].

use wasm_encoder::BlockType;
use wasm_encoder::Instruction::*;

use super::kernels::{D, I, L, LEAF, RECURSIVE, Round, SCRATCH};
use super::piece::{
    Piece, binary, bump, count_down, get, int, load, long, loop_while, real, repeat, select, seq, set, store, switch,
    tee, unary, unless, update, when,
};

/// The trip counter of an inner loop.
const INDEX: u32 = I + 9;
/// The pointer an inner loop reads by.
const POINTER: u32 = I + 8;
/// The pointer an inner loop writes by.
const TARGET: u32 = I + 7;

/// Depth of the recursion, and the calls it makes, `2 fib(n + 1) - 1`.
const FIBONACCI: (i32, f64) = (9, 109.0);

/// Every inner loop.
pub(super) fn all() -> Vec<Round> {
    let named = [numeric(), pairs(), bytes(), integers(), branching(), calling()].into_iter().flatten();
    named.map(|(name, body)| Round { name, body, weight: 1.0 }).collect()
}

type Named = (&'static str, Piece);

/// Starts an inner loop over memory: the trip counter, the pointer read by and the pointer written by.
fn over(trips: i32, body: Piece) -> Piece {
    let start = seq([set(INDEX, int(trips)), set(POINTER, int(0)), set(TARGET, int(SCRATCH))]);
    start.then(count_down(INDEX, f64::from(trips), body))
}

fn square(local: u32) -> Piece {
    binary(F64Mul, get(local), get(local))
}

fn numeric() -> Vec<Named> {
    let element = |offset| load(F64Load, get(POINTER), offset);
    let word = |offset| load(I32Load, get(POINTER), offset);
    let there = || load(F64Load, get(TARGET), 0);
    let dot = update(D, F64Add, binary(F64Mul, element(0), load(F64Load, get(POINTER), 2048)));
    let strided = update(D, F64Add, binary(F64Mul, element(0), there()));
    let stencil = binary(F64Mul, binary(F64Add, binary(F64Add, element(0), element(8)), element(16)), real(0.33));
    let axpy = binary(F64Add, there(), binary(F64Mul, get(D + 1), element(0)));
    let integer_dot = update(I, I32Add, binary(I32Mul, word(0), word(1024)));
    let both = || seq([bump(TARGET, 8), bump(POINTER, 8)]);
    vec![
        ("dot-product", over(64, seq([dot, bump(POINTER, 8)]))),
        ("row-by-column", over(64, seq([strided, bump(POINTER, 8), bump(TARGET, 512)]))),
        ("stencil", over(64, seq([store(F64Store, get(TARGET), stencil, 0), both()]))),
        ("axpy", over(64, seq([store(F64Store, get(TARGET), axpy, 0), both()]))),
        ("integer-dot", over(64, seq([integer_dot, bump(POINTER, 4)]))),
        ("escape-time", escape_time()),
    ]
}

/// The inner loop of the Mandelbrot set, at a point inside it.
fn escape_time() -> Piece {
    let (x, y, cx, cy, next) = (D, D + 1, D + 2, D + 3, D + 4);
    let step = seq([
        set(next, binary(F64Add, binary(F64Sub, square(x), square(y)), get(cx))),
        set(y, binary(F64Add, binary(F64Mul, binary(F64Add, get(x), get(x)), get(y)), get(cy))),
        set(x, get(next)),
    ]);
    let inside = unary(I32Eqz, binary(F64Gt, binary(F64Add, square(x), square(y)), real(4.0)));
    let rounds_left = tee(INDEX, binary(I32Add, get(INDEX), int(-1)));
    let point = seq([set(x, real(0.0)), set(y, real(0.0)), set(cx, real(-0.1)), set(cy, real(0.2))]);
    let counted = binary(I32And, inside, binary(I32Ne, rounds_left, int(0)));
    seq([point, set(INDEX, int(40)), loop_while(40.0, step, counted)])
}

/// The force between two bodies: differences, a root, a quotient, and three velocities updated.
fn pairs() -> Vec<Named> {
    let at = |offset| load(F64Load, get(TARGET), offset);
    let difference = |n: u32| set(D + n, binary(F64Sub, binary(F64Add, at(u64::from(n) * 8), get(D + 7)), real(1.5)));
    let squares = binary(F64Add, binary(F64Add, square(D), square(D + 1)), square(D + 2));
    let strength = binary(F64Div, real(0.01), binary(F64Mul, tee(D + 3, squares), unary(F64Sqrt, get(D + 3))));
    let apply = |n: u32| {
        let offset = 24 + u64::from(n) * 8;
        store(F64Store, get(TARGET), binary(F64Add, at(offset), binary(F64Mul, get(D + n), get(D + 4))), offset)
    };
    let body = seq([repeat(3, difference), set(D + 4, strength), repeat(3, apply), bump(TARGET, 56)]);
    vec![("pair-force", over(24, body))]
}

fn bytes() -> Vec<Named> {
    let byte = || load(I32Load8U, get(POINTER), 0);
    let fnv = set(I, binary(I32Mul, binary(I32Xor, get(I), byte()), int(0x0100_0193)));
    let slot = binary(I32Shl, binary(I32And, binary(I32Xor, get(I), byte()), int(255)), int(2));
    let crc = set(I, binary(I32Xor, binary(I32ShrU, get(I), int(8)), load(I32Load, slot, 4096)));
    let sums = seq([update(I, I32Add, byte()), update(I + 1, I32Add, get(I))]);
    let bin = tee(I + 2, binary(I32Shl, byte(), int(2)));
    let bins = SCRATCH as u64;
    let histogram = store(I32Store, bin, binary(I32Add, load(I32Load, get(I + 2), bins), int(1)), bins);
    let copy = store(I32Store8, get(TARGET), byte(), 0);
    vec![
        ("byte-hash", over(96, seq([fnv, bump(POINTER, 1)]))),
        ("table-checksum", over(96, seq([crc, bump(POINTER, 1)]))),
        ("running-sums", over(96, seq([sums, bump(POINTER, 1)]))),
        ("histogram", over(96, seq([histogram, bump(POINTER, 1)]))),
        ("byte-copy", over(96, seq([copy, bump(POINTER, 1), bump(TARGET, 1)]))),
    ]
}

fn integers() -> Vec<Named> {
    let word = |offset| load(I32Load, get(POINTER), offset);
    let (a, b, c, d) = (I, I + 1, I + 2, I + 3);
    let turn = |x: u32, y: u32, z: u32, by| {
        seq([update(x, I32Add, get(y)), set(z, binary(I32Rotl, binary(I32Xor, get(z), get(x)), int(by)))])
    };
    let quarter = seq([turn(a, b, d, 16), turn(c, d, b, 12), turn(a, b, d, 8), turn(c, d, b, 7)]);
    let shift = |by, op| update(L, I64Xor, binary(op, get(L), long(by)));
    let xorshift = seq([shift(13, I64Shl), shift(7, I64ShrU), shift(17, I64Shl)]);
    let mix = seq([update(a, I32Add, word(0)), update(a, I32Xor, binary(I32Rotl, get(a), int(13)))]);
    let prefix = store(I32Store, get(TARGET), tee(a, binary(I32Add, get(a), word(0))), 0);
    let sum64 = update(L, I64Add, load(I64Load32U, get(POINTER), 0));
    let largest = set(a, select(get(a), tee(b, word(0)), binary(I32GtS, get(a), get(b))));
    let digits = seq([
        set(c, binary(I32RemU, get(b), int(10))),
        set(b, binary(I32DivU, get(b), int(10))),
        update(a, I32Add, get(c)),
    ]);
    vec![
        ("quarter-rounds", repeat(4, |_| quarter.clone())),
        ("xorshift", repeat(4, |_| xorshift.clone())),
        ("word-mix", over(64, seq([mix, bump(POINTER, 4)]))),
        ("prefix-sum", over(64, seq([prefix, bump(POINTER, 4), bump(TARGET, 4)]))),
        ("wide-sum", over(64, seq([sum64, bump(POINTER, 4)]))),
        ("largest", over(64, seq([largest, bump(POINTER, 4)]))),
        ("strided-fill", over(64, seq([store(I32Store8, get(TARGET), int(0), 0), bump(TARGET, 37)]))),
        ("digits", seq([set(b, int(i32::MAX)), set(INDEX, int(9)), count_down(INDEX, 9.0, digits)])),
    ]
}

/// The state of a pseudo-random sequence that no branch predictor learns.
const CHAOS: u32 = I + 6;

/// Steps the sequence: Marsaglia's 32-bit xorshift (2003).
fn chaos() -> Piece {
    let shift = |operator, by| set(CHAOS, binary(I32Xor, get(CHAOS), binary(operator, get(CHAOS), int(by))));
    seq([shift(I32Shl, 13), shift(I32ShrU, 17), shift(I32Shl, 5)])
}

fn branching() -> Vec<Named> {
    let byte = || load(I32Load8U, get(POINTER), 0);
    let rare = unless(binary(I32LtU, byte(), int(250)), 250.0 / 256.0, bump(I, 1));
    let pattern = unless(binary(I32LtU, byte(), int(128)), 0.5, bump(I, 1));
    let word = |shift| binary(I32And, binary(I32ShrU, get(CHAOS), int(shift)), int(1));
    let coin = when(word(7), 0.5, update(I, I32Add, get(CHAOS)), update(I + 1, I32Xor, get(CHAOS)));
    let kept = seq([store(I32Store, get(TARGET), get(CHAOS), 0), bump(TARGET, 4)]);
    let filter = unless(binary(I32LtS, get(CHAOS), int(0)), 0.5, kept);
    let opcode = || binary(I32ShrU, get(CHAOS), int(29));
    let step = || bump(POINTER, 1);
    vec![
        ("rare-event", over(96, seq([rare, step()]))),
        ("learnt-pattern", over(96, seq([pattern, step()]))),
        ("coin", over(96, seq([chaos(), coin]))),
        ("filter", over(96, seq([chaos(), filter]))),
        ("random-interpreter", over(96, seq([chaos(), interpreter(opcode())]))),
        ("learnt-interpreter", over(96, seq([interpreter(binary(I32And, byte(), int(7))), step()]))),
        ("steady-interpreter", over(96, seq([interpreter(binary(I32And, get(POINTER), int(7))), step()]))),
        ("binary-search", binary_search()),
        ("short-loops", over(32, seq([set(I, int(4)), count_down(I, 4.0, bump(I + 1, 5)), bump(POINTER, 4)]))),
        ("insertion", insertion()),
    ]
}

/// One instruction of a small accumulator machine with its registers in memory.
fn interpreter(opcode: Piece) -> Piece {
    let register = |n: u64| load(I32Load, int(SCRATCH), n * 4);
    let assign = |n: u64, value| store(I32Store, int(SCRATCH), value, n * 4);
    let arms = vec![
        update(I, I32Add, register(0)),
        assign(0, get(I)),
        update(I, I32Xor, int(0x55)),
        assign(1, binary(I32Add, register(1), get(I))),
        update(I, I32Shl, int(1)),
        set(I, register(2)),
        update(I, I32Mul, int(33)),
        assign(2, binary(I32Sub, get(I), register(1))),
    ];
    switch(opcode, arms)
}

/// A search for a pseudo-random key over ten halvings, each an even chance.
fn binary_search() -> Piece {
    let (low, high, middle, key) = (I, I + 1, I + 2, I + 3);
    let next_key = set(key, binary(I32Add, binary(I32Mul, get(key), int(1_664_525)), int(1_013_904_223)));
    let start = seq([next_key, set(low, int(0)), set(high, int(1024)), set(INDEX, int(10))]);
    let probe = load(I32Load, binary(I32Shl, get(middle), int(2)), 0);
    let halve = seq([
        set(middle, binary(I32ShrU, binary(I32Add, get(low), get(high)), int(1))),
        when(binary(I32LtU, probe, get(key)), 0.5, set(low, get(middle)), set(high, get(middle))),
    ]);
    start.then(count_down(INDEX, 10.0, halve))
}

/// The shifting loop of an insertion sort over words, always 16 places far.
fn insertion() -> Piece {
    let (place, key) = (TARGET, I);
    let here = || load(I32Load, get(place), 0);
    let shift = seq([store(I32Store, get(place), tee(I + 1, here()), 4), bump(place, -4)]);
    let more = binary(I32And, binary(I32GeU, get(place), get(I + 2)), binary(I32Ne, get(I + 1), get(key)));
    let start = seq([set(place, int(SCRATCH + 8256)), set(I + 2, int(SCRATCH + 8256 - 15 * 4)), set(key, int(-7))]);
    start.then(loop_while(16.0, shift, more))
}

/// Fibonacci by double recursion, the usual measure of call cost.
pub(super) fn recursive() -> Piece {
    let recur = |less| binary(I32Sub, get(0), int(less)).then(Piece::op(Call(RECURSIVE)));
    let small = binary(I32LtS, get(0), int(2)).then(Piece::op(If(BlockType::Empty)));
    let leave = seq([get(0), Piece::op(Return), Piece::op(End)]);
    seq([small, leave, binary(I32Add, recur(1), recur(2))])
}

/// What the recursion executes in all: every call compares, inner ones recur, leaves (one more than those) return.
fn recursive_counts() -> Piece {
    let calls = FIBONACCI.1;
    let inner_calls = (calls - 1.0) / 2.0;
    let recur = |less| binary(I32Sub, get(0), int(less)).then(Piece::op(Call(RECURSIVE)));
    let compare = binary(I32LtS, get(0), int(2)).then(Piece::op(If(BlockType::Empty))).times(calls);
    seq([compare, get(0).times(inner_calls + 1.0), binary(I32Add, recur(1), recur(2)).times(inner_calls)])
}

fn calling() -> Vec<Named> {
    let fibonacci = int(FIBONACCI.0).then(Piece::op(Call(RECURSIVE))).with(&recursive_counts().counts);
    let leaf = get(I).then(load(I32Load, get(POINTER), 0)).then(Piece::op(Call(LEAF)));
    let leaf = leaf.with(&super::exercises::leaf().counts);
    vec![
        ("recursion", update(I, I32Add, fibonacci)),
        ("call-per-element", over(64, seq([set(I, leaf), bump(POINTER, 4)]))),
    ]
}
