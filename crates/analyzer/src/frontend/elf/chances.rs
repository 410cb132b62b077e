//! How likely a branch is taken, by what it compares and where it leads: the heuristics of Wu and Larus ("Static branch
//! frequency and program profile analysis", MICRO 1994) on machine code.

use iced_x86::{ConditionCode, Instruction, Mnemonic, OpKind};

use super::body::Exit;
use super::code::{Callee, Code};
use super::graph::NONE;
use super::layout::Layout;
use crate::priors::{COLD, EVEN, NEVER, OPCODE_UNLIKELY, SKIP_LOOP};

/// Chance of a branch that skips a call, and of one that returns early (Wu and Larus 1994, table 1).
const SKIP_CALL: f64 = 0.78;
const RETURN: f64 = 0.28;

/// The chance that the branch at the end of a block is taken.
pub(super) fn taken(layout: &Layout, code: &Code<'_>, number: u32) -> f64 {
    let (taken, next) = layout.body.branches[number as usize];
    let block = layout.body.blocks[number as usize];
    let jump = &layout.body.instructions[block.end as usize - 1];
    let dies = |to: u32| to != NONE && layout.dying[to as usize];
    match (dies(taken), dies(next)) {
        (true, false) => return NEVER,
        (false, true) => return 1.0 - NEVER,
        _ => {}
    }
    if taken == NONE && cold(code, layout.body.callee(block.end - 1)) {
        return COLD;
    }
    let compared = &layout.body.instructions[block.first as usize..block.end as usize - 1];
    let mut chance = opcode(jump, compared);
    let (there, here) = (Ahead::of(layout, number, taken), Ahead::of(layout, number, next));
    if there.loops != here.loops {
        chance = combine(chance, if there.loops { 1.0 - SKIP_LOOP } else { SKIP_LOOP });
    } else if there.returns != here.returns {
        chance = combine(chance, if there.returns { RETURN } else { 1.0 - RETURN });
    } else if there.calls != here.calls {
        chance = combine(chance, if there.calls { 1.0 - SKIP_CALL } else { SKIP_CALL });
    }
    chance
}

/// Whether a jump leads to the part of a function that the compiler moved out of the way.
fn cold(code: &Code<'_>, callee: Callee) -> bool {
    match callee {
        Callee::Known(number) => code.name(number).contains(".cold"),
        _ => false,
    }
}

/// What lies at the end of a branch.
struct Ahead {
    loops: bool,
    calls: bool,
    returns: bool,
}

impl Ahead {
    fn of(layout: &Layout, from: u32, to: u32) -> Self {
        let Some(block) = layout.body.blocks.get(to as usize) else {
            return Self { loops: false, calls: false, returns: true };
        };
        let entered = |to: u32| {
            layout.flow.place[to as usize] > layout.flow.place[from as usize] && layout.flow.heads(to).is_some()
        };
        // Compilers put a block or two of preparation before a loop.
        let mut ahead = to;
        let mut loops = entered(to);
        for _ in 0..2 {
            match *layout.body.graph.of(ahead) {
                [only] if !loops => (ahead, loops) = (only, entered(only)),
                _ => break,
            }
        }
        Self { loops, calls: block.marks.0 < block.marks.1, returns: block.exit == Exit::Return }
    }
}

/// The opcode heuristic: comparisons with a constant for equality, and for "negative", mostly fail.
fn opcode(jump: &Instruction, before: &[Instruction]) -> f64 {
    let Some(compared) = before.iter().rev().take(4).find(|found| {
        matches!(found.mnemonic(), Mnemonic::Cmp | Mnemonic::Test | Mnemonic::Sub | Mnemonic::And | Mnemonic::Or)
    }) else {
        return EVEN;
    };
    let itself = compared.mnemonic() == Mnemonic::Test && compared.op0_register() == compared.op1_register();
    let constant = !matches!(compared.op1_kind(), OpKind::Register | OpKind::Memory);
    let zero = itself || (constant && compared.immediate(1) == 0);
    let unlikely = match jump.condition_code() {
        ConditionCode::e if constant || itself => true,
        ConditionCode::ne if constant || itself => false,
        ConditionCode::s | ConditionCode::l | ConditionCode::le if zero => true,
        ConditionCode::ns | ConditionCode::ge | ConditionCode::g if zero => false,
        _ => return EVEN,
    };
    if unlikely { OPCODE_UNLIKELY } else { 1.0 - OPCODE_UNLIKELY }
}

/// Two pieces of evidence for the same thing.
fn combine(p: f64, q: f64) -> f64 {
    let both = p * q;
    both / (both + (1.0 - p) * (1.0 - q))
}
