//! Calibration kernels at the two ends of what a processor makes of code: loops that wait for one chain of results,
//! and loops of branches that no predictor learns.
//!
//! Called by [`super::inner_loops`], which weighs them.

use wasm_encoder::Instruction::*;

use super::inner_loops::{INDEX, LONG, Named, POINTER, TARGET, interpreter, over};
use super::kernels::{D, I, L};
use super::piece::{
    Piece, binary, bump, count_down, get, int, load, long, repeat, seq, set, store, unless, update, when,
};

/// Loops whose every operation needs the result before it.
pub(super) fn chains() -> Vec<Named> {
    let byte = || load(I32Load8U, get(POINTER), 0);
    let fnv = set(I, binary(I32Mul, binary(I32Xor, get(I), byte()), int(0x0100_0193)));
    let slot = binary(I32Shl, binary(I32And, binary(I32Xor, get(I), byte()), int(255)), int(2));
    let crc = set(I, binary(I32Xor, binary(I32ShrU, get(I), int(8)), load(I32Load, slot, 4096)));
    vec![
        ("dot-unrolled", over(LONG / 4, seq([repeat(4, unrolled_product), bump(POINTER, 32)]))),
        ("byte-hash", over(LONG, seq([fnv, bump(POINTER, 1)]))),
        ("table-checksum", over(LONG, seq([crc, bump(POINTER, 1)]))),
        ("quarter-rounds", repeat(4, |_| quarter())),
        ("xorshift", repeat(4, |_| xorshift())),
    ]
}

/// One of several products that LLVM lays out in a round when it unrolls a loop of known length.
fn unrolled_product(n: u32) -> Piece {
    let element = |offset: u64| load(F64Load, get(POINTER), offset + 8 * u64::from(n));
    update(D, F64Add, binary(F64Mul, element(0), element(2048)))
}

/// The quarter round of ChaCha (Bernstein 2008).
fn quarter() -> Piece {
    let (a, b, c, d) = (I, I + 1, I + 2, I + 3);
    let turn = |x: u32, y: u32, z: u32, by| {
        seq([update(x, I32Add, get(y)), set(z, binary(I32Rotl, binary(I32Xor, get(z), get(x)), int(by)))])
    };
    seq([turn(a, b, d, 16), turn(c, d, b, 12), turn(a, b, d, 8), turn(c, d, b, 7)])
}

fn xorshift() -> Piece {
    let shift = |by, op| update(L, I64Xor, binary(op, get(L), long(by)));
    seq([shift(13, I64Shl), shift(7, I64ShrU), shift(17, I64Shl)])
}

/// The state of a pseudo-random sequence that no branch predictor learns.
pub(super) const CHAOS: u32 = I + 6;

/// Steps the sequence: Marsaglia's 32-bit xorshift (2003).
pub(super) fn chaos() -> Piece {
    let shift = |operator, by| set(CHAOS, binary(I32Xor, get(CHAOS), binary(operator, get(CHAOS), int(by))));
    seq([shift(I32Shl, 13), shift(I32ShrU, 17), shift(I32Shl, 5)])
}

/// Loops whose branches follow a pseudo-random sequence.
pub(super) fn chances() -> Vec<Named> {
    let word = |shift| binary(I32And, binary(I32ShrU, get(CHAOS), int(shift)), int(1));
    let coin = when(word(7), 0.5, update(I, I32Add, get(CHAOS)), update(I + 1, I32Xor, get(CHAOS)));
    let kept = seq([store(I32Store, get(TARGET), get(CHAOS), 0), bump(TARGET, 4)]);
    let filter = unless(binary(I32LtS, get(CHAOS), int(0)), 0.5, kept);
    let opcode = || binary(I32ShrU, get(CHAOS), int(29));
    vec![
        ("coin", over(LONG, seq([chaos(), coin]))),
        ("filter", over(LONG, seq([chaos(), filter]))),
        ("random-interpreter", over(LONG, seq([chaos(), interpreter(opcode())]))),
        ("binary-search", binary_search()),
    ]
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
