//! The class and the effect of each operator: what it costs and how many operands it takes.

use forewarm_types::OpClass;

use super::decode::code;
use crate::mix::{LOAD_BYTES, STORE_BYTES, Tally};

/// The class of an operator; `None` for the structural ones that wasmtime's fuel counts as free.
///
/// Free: `nop drop block loop unreachable return else end` (wasmtime-environ 48, `tunables.rs`,
/// `default_operator_cost`).
pub(crate) const fn class(code: u16) -> Option<OpClass> {
    use OpClass as C;
    Some(match code {
        0x00..=0x03 | 0x05 | 0x0b | 0x0f | 0x1a | 0x1f | code::END_LOOP => return None,
        0x04 | 0x0c..=0x0e | 0xd5 | 0xd6 => C::Branch,
        0x10 | 0x12 => C::Call,
        0x11 | 0x13..=0x15 => C::CallIndirect,
        0x1b => C::IntAlu,
        0x20..=0x22 => C::Local,
        0x23 | 0x24 => C::Global,
        0x25 | 0x26 => C::Other,
        0x28..=0x35 => C::Load,
        0x36..=0x3e => C::Store,
        0x3f => C::IntAlu,
        0x40 => C::Bulk,
        0x41..=0x44 | 0xd0 | 0xd2 => C::Const,
        0x5b..=0x66 => C::FloatAdd,
        0x6c | 0x7e => C::IntMul,
        0x6d..=0x70 | 0x7f..=0x82 => C::IntDiv,
        0x91 | 0x8d..=0x90 | 0x9b..=0x9f => C::FloatSqrt,
        0x8b | 0x8c | 0x92 | 0x93 | 0x96..=0x9a | 0xa0 | 0xa1 | 0xa4..=0xa6 => C::FloatAdd,
        0x94 | 0xa2 => C::FloatMul,
        0x95 | 0xa3 => C::FloatDiv,
        0xa8..=0xab | 0xae..=0xbf => C::Convert,
        0x45..=0xc4 => C::IntAlu,
        c if code::MISC <= c && c < code::SIMD => match c - code::MISC {
            0..=7 => C::Convert,
            19 | 20 => C::IntAlu,
            21 | 22 => C::IntMul,
            16 => C::IntAlu,
            _ => C::Bulk,
        },
        c if code::SIMD <= c && c < code::ATOMIC => match c - code::SIMD {
            0..=10 | 84..=87 | 92 | 93 => C::Load,
            11 | 88..=91 => C::Store,
            12 => C::Const,
            _ => C::Vector,
        },
        c if code::ATOMIC <= c && c < code::RARE => C::Atomic,
        _ => C::Other,
    })
}

/// Bytes an operator reads from and writes to linear memory.
pub(crate) const fn traffic(code: u16) -> (u8, u8) {
    const LOADS: [u8; 14] = [4, 8, 4, 8, 1, 1, 2, 2, 1, 1, 2, 2, 4, 4];
    const STORES: [u8; 9] = [4, 8, 4, 8, 1, 2, 1, 2, 4];
    match code {
        0x28..=0x35 => (LOADS[(code - 0x28) as usize], 0),
        0x36..=0x3e => (0, STORES[(code - 0x36) as usize]),
        c if code::SIMD <= c && c < code::ATOMIC => match c - code::SIMD {
            0 => (16, 0),
            1..=6 | 10 | 93 => (8, 0),
            7 => (1, 0),
            8 => (2, 0),
            9 | 92 => (4, 0),
            11 => (0, 16),
            lane @ 84..=87 => (1 << (lane - 84), 0),
            lane @ 88..=91 => (0, 1 << (lane - 88)),
            _ => (0, 0),
        },
        c if code::ATOMIC <= c && c < code::RARE => match c - code::ATOMIC {
            0x10..=0x16 => (4, 0),
            0x17..=0x1d => (0, 4),
            0x1e.. => (4, 4),
            _ => (0, 0),
        },
        _ => (0, 0),
    }
}

/// Whether fuel counts an operator, for those with a number of their own.
const COUNTED: [bool; code::END_LOOP as usize + 1] = {
    let mut table = [true; code::END_LOOP as usize + 1];
    let free = [0x00, 0x01, 0x02, 0x03, 0x05, 0x0b, 0x0f, 0x1a, code::END_LOOP];
    let mut index = 0;
    while index < free.len() {
        table[free[index] as usize] = false;
        index += 1;
    }
    table
};

/// Whether wasmtime's fuel counts an operator (see [`class`]).
#[inline]
pub(crate) fn counted(code: u16) -> bool {
    COUNTED.get(usize::from(code)).copied().unwrap_or(true)
}

/// What counting an operator adds.
#[derive(Clone, Copy)]
struct Effect {
    class: Option<OpClass>,
    loaded: u8,
    stored: u8,
}

/// [`class`] and [`traffic`] of the operators with a number of their own, looked up rather than matched: a first run
/// counts all that it looks into.
const EFFECTS: [Effect; code::END_LOOP as usize + 1] = {
    let mut table = [Effect { class: None, loaded: 0, stored: 0 }; code::END_LOOP as usize + 1];
    let mut code = 0;
    while code < table.len() {
        let (loaded, stored) = traffic(code as u16);
        table[code] = Effect { class: class(code as u16), loaded, stored };
        code += 1;
    }
    table
};

/// Counts an operator and the bytes it moves; whether it works on vectors.
#[inline]
pub(crate) fn count(tally: &mut Tally, code: u16) -> bool {
    let Some(&Effect { class, loaded, stored }) = EFFECTS.get(usize::from(code)) else {
        tally.add(OpClass::Other as usize, 1);
        return false;
    };
    if let Some(class) = class {
        tally.add(class as usize, 1);
    }
    if loaded > 0 {
        tally.add(LOAD_BYTES, u32::from(loaded));
    }
    if stored > 0 {
        tally.add(STORE_BYTES, u32::from(stored));
    }
    class == Some(OpClass::Vector)
}

/// Whether an operator that is neither a load, a store nor control reads and changes nothing but its operands.
pub(crate) fn is_pure(code: u16) -> bool {
    match code {
        0x26 => false,
        c if (code::MISC..code::SIMD).contains(&c) => matches!(c - code::MISC, 0..=7 | 16 | 19..=22),
        c if c >= code::ATOMIC => false,
        c => traffic(c) == (0, 0),
    }
}

/// Operands taken and results left, for operators whose values are not followed; `None` where it is not known.
#[inline]
pub(crate) fn arity(code: u16) -> Option<(u8, u8)> {
    Some(match code {
        0x01 => (0, 0),
        0x1a => (1, 0),
        0x25 | 0x40 | 0xd1 => (1, 1),
        0x26 => (2, 0),
        0x28..=0x35 => (1, 1),
        0x36..=0x3e => (2, 0),
        0x3f | 0x41..=0x44 | 0xd0 | 0xd2 => (0, 1),
        0x45 | 0x50 | 0x67..=0x69 | 0x79..=0x7b | 0x8b..=0x91 | 0x99..=0x9f | 0xa7..=0xc4 => (1, 1),
        0x46..=0xa6 => (2, 1),
        c if (code::MISC..code::SIMD).contains(&c) => match c - code::MISC {
            0..=7 => (1, 1),
            8 | 10 | 11 | 12 | 14 | 17 => (3, 0),
            9 | 13 => (0, 0),
            15 => (2, 1),
            16 => (0, 1),
            18 => (2, 0),
            19 | 20 => (4, 2),
            21 | 22 => (2, 2),
            _ => return None,
        },
        c if (code::SIMD..code::ATOMIC).contains(&c) => simd_arity(c - code::SIMD),
        c if (code::ATOMIC..code::RARE).contains(&c) => match c - code::ATOMIC {
            0 => (2, 1),
            1 | 2 => (3, 1),
            3 => (0, 0),
            0x10..=0x16 => (1, 1),
            0x17..=0x1d => (2, 0),
            0x48..=0x4e => (3, 1),
            _ => (2, 1),
        },
        _ => return None,
    })
}

/// Arity of the 128-bit vector operators, by sub-opcode (WebAssembly core specification 2.0, section 5.4.8).
fn simd_arity(sub: u16) -> (u8, u8) {
    match sub {
        0..=10 | 92 | 93 => (1, 1),
        11 => (2, 0),
        12 => (0, 1),
        13 | 14 => (2, 1),
        15..=20 => (1, 1),
        21 | 22 | 24 | 25 | 27 | 29 | 31 | 33 => (1, 1),
        23 | 26 | 28 | 30 | 32 | 34 => (2, 1),
        77 | 83 => (1, 1),
        82 => (3, 1),
        84..=87 => (2, 1),
        88..=91 => (2, 0),
        94..=100 | 103..=106 | 116 | 117 | 122 | 124..=129 | 131 | 132 | 135..=138 | 148 => (1, 1),
        160 | 161 | 163 | 164 | 167..=170 | 192 | 193 | 195 | 196 | 199..=202 => (1, 1),
        224 | 225 | 227 | 236 | 237 | 239 | 248..=255 | 0x101..=0x104 => (1, 1),
        0x105..=0x10c | 0x113 => (3, 1),
        _ => (2, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_those_of_the_opcode_table() {
        let rows = [
            (0x6a, OpClass::IntAlu),
            (0x6c, OpClass::IntMul),
            (0x7f, OpClass::IntDiv),
            (0xa0, OpClass::FloatAdd),
            (0xa2, OpClass::FloatMul),
            (0xa3, OpClass::FloatDiv),
            (0x9f, OpClass::FloatSqrt),
            (0xb7, OpClass::Convert),
            (0xad, OpClass::IntAlu),
            (0xa7, OpClass::IntAlu),
            (0xc0, OpClass::IntAlu),
            (0x2d, OpClass::Load),
            (0x3a, OpClass::Store),
            (0x10a, OpClass::Bulk),
            (0x200, OpClass::Load),
            (0x2ae, OpClass::Vector),
            (0x41e, OpClass::Atomic),
        ];
        for (code, expected) in rows {
            assert_eq!(class(code), Some(expected), "{code:#x}");
        }
        for code in 0..=code::END_LOOP {
            // `try_table` is decoded as a block.
            assert!(code == 0x1f || counted(code) == class(code).is_some(), "{code:#x}");
        }
        for free in [0x00, 0x01, 0x02, 0x03, 0x05, 0x0b, 0x0f, 0x1a] {
            assert_eq!(class(free), None, "{free:#x}");
        }
    }
}
