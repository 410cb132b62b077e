//! What one WebAssembly operator counts as, asked of its encoding: for whoever counts operators as they run in the same
//! classes that the analysis foresees them in. Called by the emulator's instrumentation.

use forewarm_types::OpClass;

use crate::frontend::wasm::classes;
use crate::frontend::wasm::decode::code;

/// What executing an operator once adds to the counts of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effect {
    /// Its class; `None` for the structural ones that wasmtime's fuel counts as free.
    pub class: Option<OpClass>,
    /// Bytes it reads from linear memory.
    pub loaded: u8,
    /// Bytes it writes to linear memory.
    pub stored: u8,
}

/// `try_table` (WebAssembly exception handling), which fuel counts like any operator though it only opens a block.
const TRY_TABLE: u8 = 0x1f;

/// The effect of an operator given by the bytes it is encoded in; [`OpClass::Other`] of what is not known.
///
/// A call of an imported function is a [`OpClass::Call`] here, since the encoding does not tell; bytes that bulk
/// operations move depend on their operands and are left out.
#[must_use]
pub fn effect(encoded: &[u8]) -> Effect {
    let unknown = Effect { class: Some(OpClass::Other), loaded: 0, stored: 0 };
    let page = match encoded.first().copied() {
        None | Some(0xfb | TRY_TABLE) => return unknown,
        Some(0xfc) => code::MISC,
        Some(0xfd) => code::SIMD,
        Some(0xfe) => code::ATOMIC,
        Some(plain) => return counted(u16::from(plain)),
    };
    match sub_opcode(&encoded[1..]) {
        // No page has more than the vectors' 0x1ff.
        Some(sub @ 0..0x200) if page == code::SIMD || sub < 0x100 => counted(page + sub),
        _ => unknown,
    }
}

fn counted(code: u16) -> Effect {
    let (loaded, stored) = classes::traffic(code);
    Effect { class: classes::class(code), loaded, stored }
}

/// A LEB128 number below 2^14, which every sub-opcode is.
fn sub_opcode(bytes: &[u8]) -> Option<u16> {
    let first = u16::from(*bytes.first()?);
    if first < 0x80 {
        return Some(first);
    }
    let second = u16::from(*bytes.get(1)?);
    (second < 0x80).then_some(first & 0x7f | second << 7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_have_the_effects_of_their_operators() {
        let rows: [(&[u8], Option<OpClass>, u8, u8); 10] = [
            (&[0x01], None, 0, 0),
            (&[0x6a], Some(OpClass::IntAlu), 0, 0),
            (&[0x29, 3, 0], Some(OpClass::Load), 8, 0),
            (&[0x3a, 0, 0], Some(OpClass::Store), 0, 1),
            (&[0xfc, 10, 0, 0], Some(OpClass::Bulk), 0, 0),
            (&[0xfd, 0, 4, 0], Some(OpClass::Load), 16, 0),
            (&[0xfd, 0xae, 0x01], Some(OpClass::Vector), 0, 0),
            (&[0xfe, 0x1e, 2, 0], Some(OpClass::Atomic), 4, 4),
            (&[0x1f, 0x40, 0], Some(OpClass::Other), 0, 0),
            (&[], Some(OpClass::Other), 0, 0),
        ];
        for (encoded, class, loaded, stored) in rows {
            assert_eq!(effect(encoded), Effect { class, loaded, stored }, "{encoded:02x?}");
        }
    }
}
