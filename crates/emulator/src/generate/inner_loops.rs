//! Calibration kernels that are whole inner loops, in the shapes compilers emit.
//!
//! They follow the code clang `-O2` emits for wasm32 from the textbook algorithms they are named after: pointers
//! stepped, counters counted down to zero, `br_if` back, `block` and `br_if` for conditions. None is one of the
//! programs that predictions are checked on. Called by [`super::kernels`].

use wasm_encoder::BlockType;
use wasm_encoder::Instruction::*;

use super::kernels::{D, I, L, LEAF, RECURSIVE, Round, SCRATCH};
use super::piece::{
    Piece, binary, bump, count_down, get, int, load, loop_while, real, repeat, select, seq, set, store, switch, tee,
    unary, unless, update,
};

/// Trips of most inner loops: enough that the mispredicted exit does not count, few enough for the first-level cache.
pub(super) const LONG: i32 = 512;

/// The trip counter of an inner loop.
pub(super) const INDEX: u32 = I + 9;
/// The pointer an inner loop reads by.
pub(super) const POINTER: u32 = I + 8;
/// The pointer an inner loop writes by.
pub(super) const TARGET: u32 = I + 7;

/// Depth of the recursion, and the calls it makes, `2 fib(n + 1) - 1`.
const FIBONACCI: (i32, f64) = (9, 109.0);

/// Weight of loops that only wait for one chain of results, or for mispredicted branches: programs contain them beside
/// others. On kernels outside the fit (`examples/accuracy.rs`), 0.3 gave truer times than 1 and 0.1.
const EXTREME_WEIGHT: f64 = 0.3;

/// Every inner loop.
pub(super) fn all() -> Vec<Round> {
    let mixed = [numeric(), pairs(), bytes(), integers(), branching(), calling()].into_iter().flatten();
    let mixed = mixed.map(|(name, body)| Round { name, body, weight: 1.0 });
    let extreme = [super::extremes::chains(), super::extremes::chances()].into_iter().flatten();
    mixed.chain(extreme.map(|(name, body)| Round { name, body, weight: EXTREME_WEIGHT })).collect()
}

pub(super) type Named = (&'static str, Piece);

/// Starts an inner loop over memory: the trip counter, the pointer read by and the pointer written by.
pub(super) fn over(trips: i32, body: Piece) -> Piece {
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
        ("dot-product", over(LONG, seq([dot, bump(POINTER, 8)]))),
        ("row-by-column", over(64, seq([strided, bump(POINTER, 8), bump(TARGET, 512)]))),
        ("stencil", over(LONG, seq([store(F64Store, get(TARGET), stencil, 0), both()]))),
        ("axpy", over(LONG, seq([store(F64Store, get(TARGET), axpy, 0), both()]))),
        ("integer-dot", over(LONG, seq([integer_dot, bump(POINTER, 4)]))),
        ("sum-unrolled", over(LONG / 8, seq([repeat(8, unrolled_sum), bump(POINTER, 64)]))),
        ("escape-time", escape_time()),
    ]
}

/// One of several sums that LLVM lays out in a round when it unrolls a loop of known length.
fn unrolled_sum(n: u32) -> Piece {
    let word = |offset: u64| load(I32Load, get(POINTER), offset + 8 * u64::from(n));
    update(I + n % 2, I32Add, binary(I32Xor, word(0), word(4)))
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
    let sums = seq([update(I, I32Add, byte()), update(I + 1, I32Add, get(I))]);
    let bin = tee(I + 2, binary(I32Shl, byte(), int(2)));
    let bins = SCRATCH as u64;
    let histogram = store(I32Store, bin, binary(I32Add, load(I32Load, get(I + 2), bins), int(1)), bins);
    let copy = store(I32Store8, get(TARGET), byte(), 0);
    vec![
        ("running-sums", over(LONG, seq([sums, bump(POINTER, 1)]))),
        ("histogram", over(LONG, seq([histogram, bump(POINTER, 1)]))),
        ("byte-copy", over(LONG, seq([copy, bump(POINTER, 1), bump(TARGET, 1)]))),
    ]
}

fn integers() -> Vec<Named> {
    let word = |offset| load(I32Load, get(POINTER), offset);
    let (a, b, c) = (I, I + 1, I + 2);
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
        ("schedule-unrolled", over(LONG / 16, seq([repeat(4, schedule), bump(POINTER, 16), bump(TARGET, 16)]))),
        ("word-mix", over(LONG, seq([mix, bump(POINTER, 4)]))),
        ("prefix-sum", over(LONG, seq([prefix, bump(POINTER, 4), bump(TARGET, 4)]))),
        ("wide-sum", over(LONG, seq([sum64, bump(POINTER, 4)]))),
        ("largest", over(LONG, seq([largest, bump(POINTER, 4)]))),
        ("strided-fill", over(LONG, seq([store(I32Store8, get(TARGET), int(0), 0), bump(TARGET, 37)]))),
        ("digits", seq([set(b, int(i32::MAX)), set(INDEX, int(9)), count_down(INDEX, 9.0, digits)])),
    ]
}

/// A word of a message schedule: loads from three places, rotations, a store; rounds do not wait for each other.
fn schedule(n: u32) -> Piece {
    let at = |offset: u64| load(I32Load, get(POINTER), offset + 4 * u64::from(n));
    let turned = |by| binary(I32Rotl, get(I), int(by));
    let mixed = binary(I32Xor, binary(I32Xor, turned(7), turned(18)), binary(I32ShrU, get(I), int(3)));
    let sum = binary(I32Add, binary(I32Add, at(64), mixed), at(256));
    seq([set(I, at(0)), store(I32Store, get(TARGET), sum, 4 * u64::from(n))])
}

fn branching() -> Vec<Named> {
    let byte = || load(I32Load8U, get(POINTER), 0);
    let rare = unless(binary(I32LtU, byte(), int(250)), 250.0 / 256.0, bump(I, 1));
    let pattern = unless(binary(I32LtU, byte(), int(128)), 0.5, bump(I, 1));
    let step = || bump(POINTER, 1);
    vec![
        ("rare-event", over(LONG, seq([rare, step()]))),
        ("learnt-pattern", over(LONG, seq([pattern, step()]))),
        ("learnt-interpreter", over(LONG, seq([interpreter(binary(I32And, byte(), int(7))), step()]))),
        ("steady-interpreter", over(LONG, seq([interpreter(binary(I32And, get(POINTER), int(7))), step()]))),
        ("short-loops", over(32, seq([set(I, int(4)), count_down(I, 4.0, bump(I + 1, 5)), bump(POINTER, 4)]))),
        ("insertion", insertion()),
    ]
}

/// One instruction of a small accumulator machine with its registers in memory.
pub(super) fn interpreter(opcode: Piece) -> Piece {
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
        ("call-per-element", over(LONG, seq([set(I, leaf), bump(POINTER, 4)]))),
    ]
}
