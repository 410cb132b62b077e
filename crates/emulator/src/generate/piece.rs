//! Code that knows its own operator counts: expressions and statements composed as trees, emitted in stack order.
//!
//! A [`Piece`] is a run of instructions with the expected number of executions of each operator class. Sequences add
//! the counts, [`Piece::times`] multiplies them (a loop's body), arms of a branch weigh by their probability. So a
//! kernel's row of the design matrix is true by construction. Called by the kernels and the random programs.

use std::borrow::Cow;
use std::collections::BTreeMap;

use forewarm_types::OpClass;
use wasm_encoder::Instruction::{self, *};
use wasm_encoder::{BlockType, MemArg};

/// Instructions with the expected executions of each operator class.
#[derive(Debug, Clone, Default)]
pub struct Piece {
    /// The instructions, without a function's final `end`.
    pub code: Vec<Instruction<'static>>,
    /// Expected executions by class, each time the piece runs.
    pub counts: BTreeMap<OpClass, f64>,
}

impl Piece {
    /// A single instruction, counted once.
    #[must_use]
    pub fn op(instruction: Instruction<'static>) -> Self {
        let counts = class(&instruction).map(|class| (class, 1.0)).into_iter().collect();
        Self { code: vec![instruction], counts }
    }

    /// This piece, then another.
    #[must_use]
    pub fn then(mut self, next: Self) -> Self {
        self.code.extend(next.code);
        self.add_counts(&next.counts, 1.0);
        self
    }

    /// The same code, executed `factor` times as often.
    #[must_use]
    pub fn times(mut self, factor: f64) -> Self {
        self.counts.values_mut().for_each(|count| *count *= factor);
        self
    }

    /// The same code, with what a callee executes added.
    #[must_use]
    pub fn with(mut self, counts: &BTreeMap<OpClass, f64>) -> Self {
        self.add_counts(counts, 1.0);
        self
    }

    /// All operators executed, in the unit of wasmtime's default fuel less function entries.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.counts.values().sum()
    }

    fn add_counts(&mut self, counts: &BTreeMap<OpClass, f64>, factor: f64) {
        for (class, count) in counts {
            *self.counts.entry(*class).or_default() += count * factor;
        }
    }
}

/// The pieces in turn.
pub fn seq(pieces: impl IntoIterator<Item = Piece>) -> Piece {
    pieces.into_iter().fold(Piece::default(), Piece::then)
}

/// `local.get`.
#[must_use]
pub fn get(local: u32) -> Piece {
    Piece::op(LocalGet(local))
}

/// `local.set` of a value.
#[must_use]
pub fn set(local: u32, value: Piece) -> Piece {
    value.then(Piece::op(LocalSet(local)))
}

/// `local.tee` of a value.
#[must_use]
pub fn tee(local: u32, value: Piece) -> Piece {
    value.then(Piece::op(LocalTee(local)))
}

/// `i32.const`.
#[must_use]
pub fn int(value: i32) -> Piece {
    Piece::op(I32Const(value))
}

/// `i64.const`.
#[must_use]
pub fn long(value: i64) -> Piece {
    Piece::op(I64Const(value))
}

/// `f64.const`.
#[must_use]
pub fn real(value: f64) -> Piece {
    Piece::op(F64Const(value.into()))
}

/// An operator of one operand.
#[must_use]
pub fn unary(operator: Instruction<'static>, value: Piece) -> Piece {
    value.then(Piece::op(operator))
}

/// An operator of two operands.
#[must_use]
pub fn binary(operator: Instruction<'static>, left: Piece, right: Piece) -> Piece {
    left.then(right).then(Piece::op(operator))
}

/// `select` between two values.
#[must_use]
pub fn select(left: Piece, right: Piece, condition: Piece) -> Piece {
    left.then(right).then(condition).then(Piece::op(Select))
}

/// A load (`operator` takes the memory argument) from an address plus a constant offset.
#[must_use]
pub fn load(operator: fn(MemArg) -> Instruction<'static>, address: Piece, offset: u64) -> Piece {
    address.then(Piece::op(operator(MemArg { offset, align: 0, memory_index: 0 })))
}

/// A store of a value to an address plus a constant offset.
#[must_use]
pub fn store(operator: fn(MemArg) -> Instruction<'static>, address: Piece, value: Piece, offset: u64) -> Piece {
    address.then(value).then(Piece::op(operator(MemArg { offset, align: 0, memory_index: 0 })))
}

/// Several variations of a piece in turn.
pub fn repeat(times: u32, variation: impl Fn(u32) -> Piece) -> Piece {
    seq((0..times).map(variation))
}

/// `local = operator(local, right)`.
#[must_use]
pub fn update(local: u32, operator: Instruction<'static>, right: Piece) -> Piece {
    set(local, binary(operator, get(local), right))
}

/// `local += step` on an i32.
#[must_use]
pub fn bump(local: u32, step: i32) -> Piece {
    set(local, binary(I32Add, get(local), int(step)))
}

/// A `loop` whose body runs until the i32 `local`, stepped at the end of each round, reaches zero: the shape LLVM gives
/// a counted loop. The counts are those of `trips` rounds.
#[must_use]
pub fn count_down(local: u32, trips: f64, body: Piece) -> Piece {
    let step = tee(local, binary(I32Add, get(local), int(-1)));
    loop_while(trips, body, step)
}

/// A `loop` whose body runs as long as `condition` holds after it; the counts are those of `trips` rounds.
#[must_use]
pub fn loop_while(trips: f64, body: Piece, condition: Piece) -> Piece {
    let round = body.then(condition).then(Piece::op(BrIf(0))).times(trips);
    Piece::op(Loop(BlockType::Empty)).then(round).then(Piece::op(End))
}

/// `if` with a then-arm taken with the given probability, and an else-arm (left out where it is empty).
#[must_use]
pub fn when(condition: Piece, probability: f64, then: Piece, otherwise: Piece) -> Piece {
    let head = condition.then(Piece::op(If(BlockType::Empty))).then(then.times(probability));
    if otherwise.code.is_empty() {
        return head.then(Piece::op(End));
    }
    head.then(Piece::op(Else)).then(otherwise.times(1.0 - probability)).then(Piece::op(End))
}

/// A block left early when `condition` holds (with the given probability), else running `body`: how LLVM writes `if`.
#[must_use]
pub fn unless(condition: Piece, probability: f64, body: Piece) -> Piece {
    let head = Piece::op(Block(BlockType::Empty)).then(condition).then(Piece::op(BrIf(0)));
    head.then(body.times(1.0 - probability)).then(Piece::op(End))
}

/// A `br_table` over equally likely arms, each ending in a jump behind the last: how LLVM writes `switch`.
#[must_use]
pub fn switch(selector: Piece, arms: Vec<Piece>) -> Piece {
    let count = arms.len() as u32;
    let opened = (0..=count).fold(Piece::default(), |piece, _| piece.then(Piece::op(Block(BlockType::Empty))));
    let labels: Vec<u32> = (0..count.saturating_sub(1)).collect();
    let mut piece = opened.then(selector).then(Piece::op(BrTable(Cow::Owned(labels), count.saturating_sub(1))));
    for (index, arm) in arms.into_iter().enumerate() {
        let left = count - 1 - index as u32;
        let jump = if left == 0 { Piece::default() } else { Piece::op(Br(left)) };
        piece = piece.then(Piece::op(End)).then(arm.then(jump).times(1.0 / f64::from(count)));
    }
    piece.then(Piece::op(End))
}

/// The class of an operator, or `None` where it is structural and costs no fuel.
///
/// It covers the operators this crate generates; a test holds it against wasmtime's own count.
#[must_use]
pub fn class(instruction: &Instruction<'_>) -> Option<OpClass> {
    Some(match instruction {
        Nop | Drop | Block(_) | Loop(_) | Unreachable | Return | Else | End => return None,
        I32Const(_) | I64Const(_) | F32Const(_) | F64Const(_) | V128Const(_) | RefNull(_) | RefFunc(_) => {
            OpClass::Const
        }
        LocalGet(_) | LocalSet(_) | LocalTee(_) => OpClass::Local,
        GlobalGet(_) | GlobalSet(_) => OpClass::Global,
        Br(_) | BrIf(_) | BrTable(..) | If(_) => OpClass::Branch,
        Call(_) => OpClass::Call,
        CallIndirect { .. } => OpClass::CallIndirect,
        I32Mul | I64Mul => OpClass::IntMul,
        I32DivS | I32DivU | I32RemS | I32RemU | I64DivS | I64DivU | I64RemS | I64RemU => OpClass::IntDiv,
        F32Mul | F64Mul => OpClass::FloatMul,
        F32Div | F64Div => OpClass::FloatDiv,
        F32Sqrt | F64Sqrt | F64Floor | F64Ceil | F64Trunc | F64Nearest => OpClass::FloatSqrt,
        F32Add | F32Sub | F64Add | F64Sub | F64Lt | F64Gt | F64Le | F64Ge | F64Eq | F64Ne | F64Min | F64Max
        | F64Abs | F64Neg => OpClass::FloatAdd,
        F64ConvertI32S | F64ConvertI32U | F64ConvertI64S | I32TruncF64S | I32TruncSatF64S | F32DemoteF64
        | F64PromoteF32 => OpClass::Convert,
        I32Load(_) | I64Load(_) | F32Load(_) | F64Load(_) | I32Load8U(_) | I32Load8S(_) | I32Load16U(_)
        | I64Load32U(_) | V128Load(_) => OpClass::Load,
        I32Store(_) | I64Store(_) | F32Store(_) | F64Store(_) | I32Store8(_) | I32Store16(_) | V128Store(_) => {
            OpClass::Store
        }
        MemoryCopy { .. } | MemoryFill(_) | MemoryGrow(_) => OpClass::Bulk,
        I32AtomicRmwAdd(_) | I32AtomicRmwCmpxchg(_) => OpClass::Atomic,
        I32x4Add | I32x4Sub | I32x4Mul | V128Xor | V128And | F32x4Add | F32x4Mul | F64x2Add | F64x2Mul | I8x16Eq
        | I8x16Bitmask | I32x4Splat | F64x2Splat | I32x4ExtractLane(_) | I32x4Shl | I32x4ShrU => OpClass::Vector,
        RefIsNull | TableGet(_) | TableSet(_) => OpClass::Other,
        _ => OpClass::IntAlu,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(piece: &Piece, expected: &[(OpClass, f64)]) {
        assert_eq!(piece.counts, expected.iter().copied().collect());
    }

    #[test]
    fn counts_follow_the_structure() {
        let body = set(1, binary(I32Mul, get(1), int(3)));
        check(
            &count_down(0, 10.0, body.clone()),
            &[
                (OpClass::Const, 20.0),
                (OpClass::Local, 40.0),
                (OpClass::IntAlu, 10.0),
                (OpClass::IntMul, 10.0),
                (OpClass::Branch, 10.0),
            ],
        );
        check(
            &when(get(0), 0.25, body, Piece::default()),
            &[(OpClass::Const, 0.25), (OpClass::Local, 1.5), (OpClass::IntMul, 0.25), (OpClass::Branch, 1.0)],
        );
        check(
            &switch(get(0), vec![set(1, int(1)), set(1, int(2))]),
            &[(OpClass::Const, 1.0), (OpClass::Local, 2.0), (OpClass::Branch, 1.5)],
        );
    }
}
