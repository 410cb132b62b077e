//! A body told by its length in operators and the proposals they come from, without decoding any: what a plan must know
//! of functions it has no time for. Several times as fast as the decoder, since nothing is kept. Called where a module
//! is read for a first run.

use super::features::Feature;

/// What comes after an opcode.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Immediate {
    None,
    /// So many LEB128 numbers.
    One,
    Two,
    /// A memory argument.
    Memory,
    /// So many bytes.
    Bytes4,
    Bytes8,
    BlockType,
    Table,
    Misc,
    Vector,
    /// Left to the decoder.
    Rare,
}

/// What follows each one-byte opcode (core specification 3.0, section 5.4), as far as operators are common.
const IMMEDIATES: [Immediate; 256] = {
    let mut table = [Immediate::Rare; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = match code {
            0x00 | 0x01 | 0x05 | 0x0b | 0x0f | 0x1a | 0x1b | 0x45..=0xc4 | 0xd1 => Immediate::None,
            0x0c | 0x0d | 0x10 | 0x12 | 0x14 | 0x15 | 0x20..=0x26 | 0x3f..=0x42 | 0xd2 | 0xd5 | 0xd6 => Immediate::One,
            0x11 | 0x13 => Immediate::Two,
            0x28..=0x3e => Immediate::Memory,
            0x43 => Immediate::Bytes4,
            0x44 => Immediate::Bytes8,
            0x02..=0x04 => Immediate::BlockType,
            0x0e => Immediate::Table,
            0xfc => Immediate::Misc,
            0xfd => Immediate::Vector,
            _ => Immediate::Rare,
        };
        code += 1;
    }
    table
};

/// The proposal of each one-byte opcode, as a set of one or none.
const FEATURES: [u32; 256] = {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = match code {
            0x40 => Feature::MemoryGrowth.bit(),
            0x12 | 0x13 => Feature::TailCall.bit(),
            0x15 => Feature::TailCall.bit() | Feature::FunctionReferences.bit(),
            0x14 | 0xd5 | 0xd6 => Feature::FunctionReferences.bit(),
            0xc0..=0xc4 => Feature::SignExtension.bit(),
            _ => 0,
        };
        code += 1;
    }
    table
};

/// What a scan tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Scanned {
    /// Proposals used, as bits.
    pub features: u32,
    /// Operators, structural ones included.
    pub ops: u32,
}

/// Scans a body, its locals included; `None` where it holds something rare or broken, which the decoder then judges.
///
/// That blocks are closed in order is left to whoever compiles the body.
pub(super) fn scan(body: &[u8]) -> Option<Scanned> {
    let mut at = 0;
    for _ in 0..number(body, &mut at)? {
        skip_number(body, &mut at)?;
        if matches!(*body.get(at)?, 0x63 | 0x64) {
            return None;
        }
        at += 1;
    }
    let (mut features, mut ops, mut last) = (0, 0_u32, 0);
    while let Some(&code) = body.get(at) {
        at += 1;
        ops += 1;
        last = code;
        features |= FEATURES[usize::from(code)];
        match IMMEDIATES[usize::from(code)] {
            Immediate::None => {}
            Immediate::One => skip_number(body, &mut at)?,
            Immediate::Two => {
                skip_number(body, &mut at)?;
                skip_number(body, &mut at)?;
            }
            Immediate::Memory => skip_memory(body, &mut at)?,
            Immediate::Bytes4 => at += 4,
            Immediate::Bytes8 => at += 8,
            Immediate::BlockType => {
                if matches!(*body.get(at)?, 0x63 | 0x64) {
                    return None;
                }
                skip_number(body, &mut at)?;
            }
            Immediate::Table => {
                for _ in 0..=number(body, &mut at)? {
                    skip_number(body, &mut at)?;
                }
            }
            Immediate::Misc => features |= misc(body, &mut at)?,
            Immediate::Vector => features |= vector(body, &mut at)?,
            Immediate::Rare => return None,
        }
    }
    (at == body.len() && last == 0x0b).then_some(Scanned { features, ops })
}

#[inline]
fn skip_number(body: &[u8], at: &mut usize) -> Option<()> {
    while *body.get(*at)? >= 0x80 {
        *at += 1;
    }
    *at += 1;
    Some(())
}

fn number(body: &[u8], at: &mut usize) -> Option<u32> {
    let (mut value, mut shift) = (0_u64, 0);
    loop {
        let byte = *body.get(*at)?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte < 0x80 {
            return u32::try_from(value).ok();
        }
        if shift > 28 {
            return None;
        }
    }
}

/// Skips alignment and displacement; a memory other than the first is left to the decoder.
#[inline]
fn skip_memory(body: &[u8], at: &mut usize) -> Option<()> {
    if *body.get(*at)? >= 0x40 {
        return None;
    }
    *at += 1;
    skip_number(body, at)
}

fn misc(body: &[u8], at: &mut usize) -> Option<u32> {
    let (immediates, feature) = match number(body, at)? {
        0..=7 => (0, Feature::SaturatingConversion),
        8 | 10 | 12 | 14 => (2, Feature::BulkMemory),
        9 | 11 | 13 => (1, Feature::BulkMemory),
        15..=17 => (1, Feature::ReferenceTypes),
        _ => return None,
    };
    for _ in 0..immediates {
        skip_number(body, at)?;
    }
    Some(feature.bit())
}

fn vector(body: &[u8], at: &mut usize) -> Option<u32> {
    let code = number(body, at)?;
    match code {
        0..=11 | 92 | 93 => skip_memory(body, at)?,
        84..=91 => {
            skip_memory(body, at)?;
            *at += 1;
        }
        12 | 13 => *at += 16,
        21..=34 => *at += 1,
        14..=0xff => {}
        _ => return None,
    }
    Some(Feature::Simd.bit())
}
