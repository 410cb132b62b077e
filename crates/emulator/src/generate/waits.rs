//! Calibration kernels for what hinders operators: chains of results, one operator class each, and a branch that is foreseen
//! or not. Called by [`crate::calibrate()`].

use forewarm_types::OpClass;
use wasm_encoder::Instruction::*;

use super::extremes::{CHAOS, chaos};
use super::inner_loops::{LONG, over};
use super::kernels::{D, I, Kernel, ROUNDS, Round, V, kernel};
use super::piece::{Piece, binary, get, int, load, real, repeat, seq, set, unary, update, when};

/// Results of one round that wait for each other.
pub const LINKS: u32 = 8;

/// A chain of [`LINKS`] equal links, each made of one operator of a class and some of others.
#[derive(Debug)]
pub struct Links {
    /// The class.
    pub class: OpClass,
    /// Operators of that class in a link.
    pub own: u32,
    /// Operators of another class in a link, whose time is to be taken off.
    pub others: Option<(OpClass, u32)>,
    /// The kernel; its rounds hand their result on in one local.
    pub kernel: Kernel,
}

/// A chain for each class that results go through, integer addition and logic first, since others need it.
///
/// Products stay what they are: one that decayed would come to subnormal numbers, with which some processors multiply thirty times
/// as slowly (Fog, "Optimizing software in C++", 2024, section 7.2).
#[must_use]
pub fn chains() -> Vec<Links> {
    let alu = |value| binary(I32Xor, binary(I32Add, value, get(I + 1)), get(I + 2));
    let word = |value| load(I32Load, binary(I32And, value, int(4092)), 0);
    let divided = |value| binary(I32DivU, int(0x7fff_ffff), binary(I32Or, value, int(1)));
    let there_and_back = |value| unary(I32TruncSatF64S, unary(F64ConvertI32S, value));
    let quotient = |value| binary(F64Div, real(3.0), binary(F64Add, value, real(1.5)));
    let root = |value| unary(F64Sqrt, binary(F64Add, value, real(2.0)));
    let vector = |value| binary(I32x4Add, value, get(V + 1));
    let (int_alu, float_add) = (Some((OpClass::IntAlu, 1)), Some((OpClass::FloatAdd, 1)));
    vec![
        links(OpClass::IntAlu, 2, None, I, alu),
        links(OpClass::IntMul, 1, None, I, |value| binary(I32Mul, value, get(I + 1))),
        links(OpClass::IntDiv, 1, int_alu, I, divided),
        links(OpClass::FloatAdd, 1, None, D, |value| binary(F64Add, value, get(D + 1))),
        links(OpClass::FloatMul, 2, None, D, |value| binary(F64Mul, binary(F64Mul, value, real(1.25)), real(0.8))),
        links(OpClass::FloatDiv, 1, float_add, D, quotient),
        links(OpClass::FloatSqrt, 1, float_add, D, root),
        links(OpClass::Convert, 2, None, I, there_and_back),
        links(OpClass::Load, 1, int_alu, I, word),
        links(OpClass::Vector, 1, None, V, vector),
    ]
}

fn links(class: OpClass, own: u32, others: Option<(OpClass, u32)>, local: u32, link: impl Fn(Piece) -> Piece) -> Links {
    let value = (0..LINKS).fold(get(local), |value, _| link(value));
    let round = Round { name: class.name(), body: set(local, value), weight: 1.0 };
    Links { class, own, others, kernel: kernel(round, false) }
}

/// The chain of integer addition and logic with every link's result handed on in a local.
#[must_use]
pub fn handed_on() -> Kernel {
    let link = |_| set(I, binary(I32Xor, binary(I32Add, get(I), get(I + 1)), get(I + 2)));
    kernel(Round { name: "handed-on", body: repeat(LINKS, link), weight: 1.0 }, false)
}

/// Branches of one round of [`branches`].
pub const BRANCHES: u32 = LONG as u32;

/// A branch by a bit of a pseudo-random sequence (`unforeseen`: half of them go otherwise than anybody could foresee), or
/// always the same way; all else is the same.
#[must_use]
pub fn branches(unforeseen: bool) -> Kernel {
    // Nobody but the processor can know that the number of rounds is not negative.
    let mask = binary(I32Add, binary(I32ShrU, get(ROUNDS), int(31)), int(i32::from(unforeseen)));
    let bit = binary(I32And, binary(I32ShrU, get(CHAOS), int(7)), get(I + 5));
    let coin = when(bit, 0.5, update(I, I32Add, get(CHAOS)), update(I + 1, I32Xor, get(CHAOS)));
    let body = seq([set(I + 5, mask), over(LONG, seq([chaos(), coin]))]);
    kernel(Round { name: "branches", body, weight: 1.0 }, false)
}
