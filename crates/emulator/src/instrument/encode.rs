//! Bytes of WebAssembly written by hand: only the few operators that are added. Called by the other files here.

/// Value types that temporaries have (WebAssembly core specification 5.3.1).
pub(super) const I32: u8 = 0x7f;
pub(super) const I64: u8 = 0x7e;
pub(super) const F32: u8 = 0x7d;
pub(super) const F64: u8 = 0x7c;
pub(super) const V128: u8 = 0x7b;
pub(super) const FUNCREF: u8 = 0x70;

/// The empty block type.
const EMPTY: u8 = 0x40;

/// An unsigned LEB128 number.
pub(super) fn unsigned(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A signed LEB128 number.
pub(super) fn signed(out: &mut Vec<u8>, mut value: i64) {
    loop {
        let low = value as u8 & 0x7f;
        value >>= 7;
        if (value == 0 && low & 0x40 == 0) || (value == -1 && low & 0x40 != 0) {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

/// A number in so many bytes whatever its size, to be filled in by [`fill`].
pub(super) const PADDED: usize = 5;

/// Puts a non-negative number below 2^31 in the place that was left for it.
pub(super) fn fill(out: &mut [u8], at: usize, value: u32) {
    let mut rest = value & 0x7fff_ffff;
    for (index, byte) in out[at..at + PADDED].iter_mut().enumerate() {
        *byte = (rest & 0x7f) as u8 | if index + 1 < PADDED { 0x80 } else { 0 };
        rest >>= 7;
    }
}

/// Operators, appended to a body.
pub(super) trait Emit {
    fn op(&mut self, opcode: u8, index: u32);
    fn plain(&mut self, opcodes: &[u8]);
    fn i32(&mut self, value: i32);
    fn i64(&mut self, value: i64);
    fn begin_if(&mut self);
    fn access(&mut self, opcode: u8, memory: u32, offset: u64);
}

pub(super) const LOCAL_GET: u8 = 0x20;
pub(super) const LOCAL_SET: u8 = 0x21;
pub(super) const LOCAL_TEE: u8 = 0x22;
pub(super) const GLOBAL_GET: u8 = 0x23;
pub(super) const GLOBAL_SET: u8 = 0x24;
pub(super) const CALL: u8 = 0x10;
pub(super) const END: u8 = 0x0b;
pub(super) const I64_LOAD: u8 = 0x29;
pub(super) const I64_STORE: u8 = 0x37;
pub(super) const I32_EQZ: u8 = 0x45;
pub(super) const I32_LT_U: u8 = 0x49;
pub(super) const I32_GE_U: u8 = 0x4f;
pub(super) const I32_ADD: u8 = 0x6a;
pub(super) const I32_SUB: u8 = 0x6b;
pub(super) const I32_AND: u8 = 0x71;
pub(super) const I32_OR: u8 = 0x72;
pub(super) const I64_LT_S: u8 = 0x53;
pub(super) const I64_ADD: u8 = 0x7c;
pub(super) const I64_SUB: u8 = 0x7d;
pub(super) const I64_MUL: u8 = 0x7e;
pub(super) const I64_AND: u8 = 0x83;
pub(super) const I64_SHR_U: u8 = 0x88;
pub(super) const I32_WRAP_I64: u8 = 0xa7;
pub(super) const I64_EXTEND_I32_U: u8 = 0xad;

impl Emit for Vec<u8> {
    fn op(&mut self, opcode: u8, index: u32) {
        self.push(opcode);
        unsigned(self, u64::from(index));
    }

    fn plain(&mut self, opcodes: &[u8]) {
        self.extend_from_slice(opcodes);
    }

    fn i32(&mut self, value: i32) {
        self.push(0x41);
        signed(self, i64::from(value));
    }

    fn i64(&mut self, value: i64) {
        self.push(0x42);
        signed(self, value);
    }

    fn begin_if(&mut self) {
        self.plain(&[0x04, EMPTY]);
    }

    /// A load or store of natural alignment 8 in a memory given by number.
    fn access(&mut self, opcode: u8, memory: u32, offset: u64) {
        // Bit 6 says that a memory index follows (multi-memory proposal).
        self.plain(&[opcode, 3 | 0x40]);
        unsigned(self, u64::from(memory));
        unsigned(self, offset);
    }
}

/// Reads an unsigned LEB128 number and moves on; `None` at the end of the bytes.
pub(super) fn read_unsigned(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(*at)?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_the_specification_has_them() {
        let signed_bytes = |value| {
            let mut out = Vec::new();
            signed(&mut out, value);
            out
        };
        assert_eq!(signed_bytes(0), [0]);
        assert_eq!(signed_bytes(-1), [0x7f]);
        assert_eq!(signed_bytes(64), [0xc0, 0]);
        assert_eq!(signed_bytes(-65), [0xbf, 0x7f]);
        let mut padded = [0; PADDED];
        fill(&mut padded, 0, 300);
        assert_eq!(padded, [0xac, 0x82, 0x80, 0x80, 0]);
        for value in [0, 127, 128, 1 << 32, u64::MAX] {
            let mut out = Vec::new();
            unsigned(&mut out, value);
            let mut at = 0;
            assert_eq!(read_unsigned(&out, &mut at), Some(value));
            assert_eq!(at, out.len());
        }
    }
}
