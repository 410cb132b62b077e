//! Calibration kernels that exercise one operator class each, with the operands it needs.
//!
//! They keep every class identifiable in the fit; the loops of real programs, which decide it, are in
//! [`super::inner_loops`]. Called by [`super::kernels`].

use wasm_encoder::Instruction::*;
use wasm_encoder::MemArg;

use super::kernels::{D, I, L, LEAF, LEAF_TYPE, Round, SCRATCH, TABLE_SIZE, V};
use super::piece::{
    Piece, binary, bump, count_down, get, int, load, long, real, repeat, select, seq, set, store, tee, unary, unless,
    update,
};

/// Weight of the exercises beside the inner loops' 1: they keep every class identifiable, no more.
const EXERCISE_WEIGHT: f64 = 0.1;

fn exercise(name: &'static str, body: Piece) -> Round {
    Round { name, body, weight: EXERCISE_WEIGHT }
}

/// The callee of the call kernels: `(a, b) -> (a ^ b) + 3`.
pub(super) fn leaf() -> Piece {
    binary(I32Add, binary(I32Xor, get(0), get(1)), int(3))
}

fn call_leaf(right: Piece) -> Piece {
    set(I, get(I).then(right).then(Piece::op(Call(LEAF))).with(&leaf().counts))
}

fn call_table(selector: u32) -> Piece {
    let index = binary(I32And, get(selector), int(TABLE_SIZE as i32 - 1));
    let call = CallIndirect { type_index: LEAF_TYPE, table_index: 0 };
    set(I, get(I).then(get(selector)).then(index).then(Piece::op(call)).with(&leaf().counts))
}

/// Every exercise.
pub(super) fn all() -> Vec<Round> {
    let mut rounds = integer_exercises();
    rounds.extend(float_exercises());
    rounds.extend(memory_exercises());
    rounds.extend(control_exercises());
    rounds
}

fn integer_exercises() -> Vec<Round> {
    vec![
        exercise("alu-chain", repeat(6, |n| update(I, I32Xor, binary(I32Shl, get(I), int(n as i32 + 3))))),
        exercise("alu-wide", repeat(8, |n| update(I + n % 8, I32Add, binary(I32Xor, get(I + (n + 3) % 8), int(91))))),
        exercise("alu-64", repeat(8, |n| update(L + n % 4, I64Add, binary(I64Xor, get(L + (n + 1) % 4), long(91))))),
        exercise("moves", repeat(8, |n| set(I + n % 8, get(I + (n + 1) % 8))).then(bump(I + 3, 7))),
        exercise("constants", repeat(8, |n| update(I + n % 4, I32Xor, int(0x5bd1_e995_u32.rotate_left(n) as i32)))),
        exercise(
            "select",
            repeat(6, |n| {
                let (a, b) = (I + n % 4, I + (n + 1) % 4);
                set(a, select(get(a), get(b), binary(I32LtS, get(a), get(b)))).then(bump(b, 5))
            }),
        ),
        exercise("multiply", repeat(6, |n| update(I + n % 3, I32Mul, get(I + 4)).then(bump(I + n % 3, 1)))),
        exercise("multiply-64", repeat(6, |n| update(L + n % 3, I64Mul, get(L + 3)))),
        exercise(
            "divide",
            repeat(4, |n| set(I + n, binary(I32DivU, int(0x7fff_ffff), binary(I32Or, get(I + n), int(1))))),
        ),
        exercise(
            "remainder",
            repeat(4, |n| {
                update(L + n % 2, I64Add, binary(I64RemU, long(1 << 40), binary(I64Or, get(L + 2), long(9))))
            }),
        ),
        exercise(
            "global",
            repeat(4, |_| {
                let lower = binary(I32Sub, Piece::op(GlobalGet(0)), int(16));
                let raise = binary(I32Add, get(I), int(16)).then(Piece::op(GlobalSet(0)));
                tee(I, lower).then(Piece::op(GlobalSet(0))).then(raise)
            }),
        ),
        exercise("atomic", repeat(4, atomic_add)),
    ]
}

fn atomic_add(n: u32) -> Piece {
    let memarg = MemArg { offset: u64::from(n) * 64, align: 2, memory_index: 0 };
    update(I, I32Add, binary(I32AtomicRmwAdd(memarg), int(SCRATCH), get(I + 1)))
}

fn float_exercises() -> Vec<Round> {
    let vector = |n: u32, operator, with: u32| set(V + n, binary(operator, get(V + n), get(V + with)));
    vec![
        exercise("float-sum", repeat(6, |n| update(D, F64Add, get(D + 1 + n)))),
        exercise("float-wide", repeat(8, |n| update(D + n % 4, F64Sub, get(D + 4 + n % 4)))),
        // Each local by a number and by its inverse, so that none comes to subnormal numbers.
        exercise("float-product", repeat(6, |n| update(D + n % 3, F64Mul, real(if n < 3 { 1.25 } else { 0.8 })))),
        exercise("horner", repeat(5, |_| set(D, binary(F64Add, binary(F64Mul, get(D), get(D + 1)), real(0.25))))),
        exercise(
            "float-divide",
            repeat(4, |n| set(D + n, binary(F64Div, real(3.0), binary(F64Add, get(D + n), real(1.5))))),
        ),
        exercise("root", repeat(4, |n| set(D + n, unary(F64Sqrt, binary(F64Add, get(D + n), real(2.0)))))),
        exercise(
            "convert",
            repeat(4, |n| update(I + n, I32Add, unary(I32TruncSatF64S, unary(F64ConvertI32S, get(I + n))))),
        ),
        exercise("vector-integer", repeat(6, |n| vector(n % 3, I32x4Add, 3).then(vector(n % 3, V128Xor, (n + 1) % 3)))),
        exercise("vector-float", repeat(6, |n| vector(n % 3, F64x2Add, 3).then(vector(n % 3, F64x2Mul, 3)))),
    ]
}

fn memory_exercises() -> Vec<Round> {
    let line = |at: u32| u64::from(at) * 8;
    vec![
        exercise(
            "load-sum",
            masked_step(I + 9).then(repeat(8, |n| update(I, I32Add, load(I32Load, get(I + 9), line(n))))),
        ),
        exercise("chase", repeat(4, |_| set(I, load(I32Load, binary(I32And, get(I), int(4092)), 0)))),
        exercise("fill", repeat(8, |n| store(I64Store, int(SCRATCH), get(L + n % 4), line(n))).then(bump(I, 1))),
        exercise(
            "read-modify-write",
            repeat(4, |n| {
                let cell = load(I32Load, int(SCRATCH), line(n));
                store(I32Store, int(SCRATCH), binary(I32Add, cell, get(I)), line(n))
            })
            .then(bump(I, 3)),
        ),
        exercise(
            "vector-copy",
            repeat(4, |n| {
                let memarg = |offset| MemArg { offset, align: 0, memory_index: 0 };
                let from = int(0).then(Piece::op(V128Load(memarg(u64::from(n) * 16))));
                let sum = binary(I32x4Add, from, get(V));
                int(SCRATCH).then(sum).then(Piece::op(V128Store(memarg(u64::from(n) * 16))))
            }),
        ),
        exercise(
            "bulk-copy",
            repeat(2, |n| {
                seq([int(SCRATCH + 64 * n as i32), int(0), int(48), Piece::op(MemoryCopy { src_mem: 0, dst_mem: 0 })])
            }),
        ),
        exercise(
            "table-reference",
            repeat(2, |n| {
                let entry = binary(I32And, get(I + n), int(TABLE_SIZE as i32 - 1)).then(Piece::op(TableGet(0)));
                update(I + n, I32Add, entry.then(Piece::op(RefIsNull)))
            }),
        ),
    ]
}

/// Steps a pointer through the random data, wrapping at 4 KiB.
fn masked_step(local: u32) -> Piece {
    set(local, binary(I32And, binary(I32Add, get(local), int(68)), int(4095)))
}

fn control_exercises() -> Vec<Round> {
    let taken = |n: u32| binary(I32GtS, get(I + n), int(-5));
    vec![
        exercise("spin", seq([set(I, int(50)), count_down(I, 50.0, bump(I + 1, 3))])),
        exercise(
            "predicted",
            repeat(4, |n| unless(unary(I32Eqz, taken(8)), 0.0, bump(I + n, 3))).then(set(I + 8, int(4))),
        ),
        exercise("leaf-calls", repeat(4, |n| call_leaf(get(I + 1 + n)))),
        exercise("table-calls", repeat(4, |n| call_table(I + 1 + n)).then(bump(I + 1, 1))),
    ]
}
