//! How likely a branch is taken, by what it compares and where it leads: the heuristics of Wu and Larus ("Static branch
//! frequency and program profile analysis", MICRO 1994) on machine code.

use super::body::Exit;
use super::code::{Callee, Code};
use super::graph::NONE;
use super::layout::Layout;
use crate::priors::{COLD, EVEN, NEVER, OPCODE_UNLIKELY, SKIP_LOOP};

/// Chance of a branch that skips a call, and of one that returns early (Wu and Larus 1994, table 1).
const SKIP_CALL: f64 = 0.78;
const RETURN: f64 = 0.28;

/// Instructions before a branch among which the comparison is looked for that it goes by.
const LOOK_BACK: usize = 4;

/// The chance that the branch at the end of a block is taken.
pub(super) fn taken(layout: &Layout, code: &Code<'_>, number: u32) -> f64 {
    let (taken, next) = layout.body.branches[number as usize];
    let block = layout.body.blocks[number as usize];
    let dies = |to: u32| to != NONE && layout.dying[to as usize];
    match (dies(taken), dies(next)) {
        (true, false) => return NEVER,
        (false, true) => return 1.0 - NEVER,
        _ => {}
    }
    if taken == NONE && cold(code, layout.body.callee(block.end - 1)) {
        return COLD;
    }
    let bytes = layout.body.bytes_of(code);
    let mut chance = opcode(bytes(block.end - 1), (block.first..block.end - 1).rev().take(LOOK_BACK).map(&bytes));
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
fn opcode<'b>(jump: &[u8], mut before: impl Iterator<Item = &'b [u8]>) -> f64 {
    let Some(compared) = before.find_map(Compared::of) else { return EVEN };
    let Compared { constant, zero, itself } = compared;
    let unlikely = match condition(jump) {
        Some(EQUAL) if constant || itself => true,
        Some(UNEQUAL) if constant || itself => false,
        Some(NEGATIVE | LESS | LESS_OR_EQUAL) if zero => true,
        Some(NOT_NEGATIVE | GREATER_OR_EQUAL | GREATER) if zero => false,
        _ => return EVEN,
    };
    if unlikely { OPCODE_UNLIKELY } else { 1.0 - OPCODE_UNLIKELY }
}

/// Conditions by the last four bits of a branch's opcode (Intel, "Software Developer's Manual", volume 2, appendix B.1.4.7).
const EQUAL: u8 = 0x4;
const UNEQUAL: u8 = 0x5;
const NEGATIVE: u8 = 0x8;
const NOT_NEGATIVE: u8 = 0x9;
const LESS: u8 = 0xc;
const GREATER_OR_EQUAL: u8 = 0xd;
const LESS_OR_EQUAL: u8 = 0xe;
const GREATER: u8 = 0xf;

/// The condition of a branch on the flags.
fn condition(jump: &[u8]) -> Option<u8> {
    match *opened(jump).1 {
        [opcode @ 0x70..=0x7f, ..] | [0x0f, opcode @ 0x80..=0x8f, ..] => Some(opcode & 15),
        _ => None,
    }
}

/// What an instruction compares by `cmp`, `test`, `sub`, `and` or `or`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Compared {
    /// With a number.
    constant: bool,
    /// With nothing: the number 0, or a register tested for what it holds.
    zero: bool,
    itself: bool,
}

impl Compared {
    fn of(instruction: &[u8]) -> Option<Self> {
        let ((narrow, rex), code) = opened(instruction);
        let &[opcode, modrm, ..] = code else { return None };
        let field = modrm >> 3 & 7;
        let number = |bytes: usize| {
            let zero = code[code.len().saturating_sub(bytes)..].iter().all(|&byte| byte == 0);
            Some(Self { constant: true, zero, itself: false })
        };
        let number_bytes = if narrow && rex & 8 == 0 { 2 } else { 4 };
        match opcode {
            0x08..=0x0b | 0x20..=0x23 | 0x28..=0x2b | 0x38..=0x3b => {
                Some(Self { constant: false, zero: false, itself: false })
            }
            0x0c | 0x24 | 0x2c | 0x3c | 0xa8 => number(1),
            0x0d | 0x25 | 0x2d | 0x3d | 0xa9 => number(number_bytes),
            0x80 | 0x83 if matches!(field, 1 | 4 | 5 | 7) => number(1),
            0x81 if matches!(field, 1 | 4 | 5 | 7) => number(number_bytes),
            0x84 | 0x85 => {
                let itself = modrm >> 6 == 3 && field == modrm & 7 && rex >> 2 & 1 == rex & 1;
                Some(Self { constant: false, zero: itself, itself })
            }
            0xf6 if field < 2 => number(1),
            0xf7 if field < 2 => number(number_bytes),
            _ => None,
        }
    }
}

/// An instruction behind its prefixes: whether one makes its operands two bytes wide, its `REX`, and the bytes from the opcode on.
fn opened(instruction: &[u8]) -> ((bool, u8), &[u8]) {
    let prefix = |byte: &u8| matches!(byte, 0x26 | 0x2e | 0x36 | 0x3e | 0x64..=0x67 | 0xf0 | 0xf2 | 0xf3);
    let prefixes = instruction.iter().take_while(|&byte| prefix(byte)).count();
    let (before, code) = instruction.split_at(prefixes);
    let narrow = before.contains(&0x66);
    match *code {
        [rex @ 0x40..=0x4f, ref code @ ..] => ((narrow, rex), code),
        _ => ((narrow, 0), code),
    }
}

/// Two pieces of evidence for the same thing.
fn combine(p: f64, q: f64) -> f64 {
    let both = p * q;
    both / (both + (1.0 - p) * (1.0 - q))
}

#[cfg(test)]
mod tests {
    use iced_x86::{Decoder, DecoderOptions, Instruction, Mnemonic, OpKind};

    use super::*;

    /// What the decoder says that an instruction compares.
    fn decoded(bytes: &[u8]) -> Option<Compared> {
        let instruction: Instruction = Decoder::new(64, bytes, DecoderOptions::NONE).decode();
        let compares = [Mnemonic::Cmp, Mnemonic::Test, Mnemonic::Sub, Mnemonic::And, Mnemonic::Or];
        compares.contains(&instruction.mnemonic()).then(|| {
            let itself = instruction.mnemonic() == Mnemonic::Test
                && instruction.op0_kind() == OpKind::Register
                && instruction.op0_register() == instruction.op1_register();
            let constant = !matches!(instruction.op1_kind(), OpKind::Register | OpKind::Memory);
            Compared { constant, zero: itself || constant && instruction.immediate(1) == 0, itself }
        })
    }

    #[test]
    fn bytes_tell_of_comparisons_what_the_decoder_does() {
        let mut compared = 0;
        for prefixes in [&[][..], &[0x66], &[0x48], &[0x41], &[0x44], &[0x45], &[0x66, 0x48], &[0x64]] {
            // A prefix behind a prefix may take it back, which no compiler writes.
            let opcodes = (0..=255).filter(|&opcode| opened(&[opcode, 0]).1.len() == 2);
            for (opcode, modrm) in opcodes.flat_map(|opcode| (0..=255).map(move |modrm| (opcode, modrm))) {
                for number in [0, 5] {
                    let tail = [0, 0, 0, 0, number, 0, 0, 0, 0, 0, 0];
                    let bytes = [prefixes, &[opcode, modrm], &tail].concat();
                    let length = Decoder::new(64, &bytes, DecoderOptions::NONE).decode().len();
                    let bytes = &bytes[..length];
                    let told = decoded(bytes);
                    assert_eq!(Compared::of(bytes), told, "{bytes:x?}");
                    compared += usize::from(told.is_some());
                }
            }
        }
        assert!(compared > 10_000);
    }
}
