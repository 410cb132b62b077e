//! What tells of a function that may never be laid out: how many operators it has, what it calls, the addresses of data
//! it names, and what its census says. Noted as it is validated; no list of operators is made.

use std::ops::Range;

use wasmparser::{BlockType, FuncToValidate, FuncValidatorAllocations, MemArg, WasmModuleResources};

use super::checked::{Notes, check};
use super::{Census, Cursor, Op, bounded, code, prefixed, rare};
use crate::error::AnalyzeError;
use crate::frontend::wasm::features::{self, Feature};
use crate::frontend::wasm::module::{Body, Module};

/// What was seen of a body; the buffers are reused from function to function.
#[derive(Debug, Default)]
pub(crate) struct Glance {
    pub operators: u32,
    /// Calls, in order, but for tail calls and those by reference.
    pub calls: Vec<Op>,
    /// Addresses among those asked for that are held as constants or stored beside.
    pub named: Vec<u32>,
    pub census: Census,
}

impl Glance {
    /// Looks at a body and validates it; of the addresses of data, those in a range are noted.
    ///
    /// # Errors
    /// [`AnalyzeError::Invalid`] where it does not validate.
    pub(crate) fn read<R: WasmModuleResources>(
        &mut self,
        module: &Module<'_>,
        body: Body<'_>,
        data: &Range<i64>,
        features: &mut u32,
        checked: (FuncToValidate<R>, &mut FuncValidatorAllocations),
    ) -> Result<(), AnalyzeError> {
        self.operators = 0;
        self.calls.clear();
        self.named.clear();
        self.census.begin(module.format_mark);
        bounded(body.bytes, body.offset)?;
        let cursor = Cursor { bytes: body.bytes, at: 0 };
        check(body, || Ok(Looking { to: self, data, features, cursor, missed: false }), checked)
    }
}

/// Where a body is noted that is being looked at.
struct Looking<'n, 'b> {
    to: &'n mut Glance,
    data: &'n Range<i64>,
    features: &'n mut u32,
    /// At the operator.
    cursor: Cursor<'b>,
    /// Whether the operator is to be read from its bytes.
    missed: bool,
}

impl Looking<'_, '_> {
    #[inline]
    fn opcode(&self) -> u8 {
        self.cursor.bytes[self.cursor.at]
    }

    /// An operator that is read from its bytes.
    fn look(&mut self) -> Option<()> {
        let opcode = self.opcode();
        let Self { cursor, features, .. } = self;
        let start = cursor.at;
        cursor.at += 1;
        match opcode {
            // Nothing to tell but the proposal.
            0x0e | 0x12..=0x15 | 0x1f | 0x25 | 0x26 | 0x3f | 0x40 | 0xd1 | 0xd2 | 0xd5 | 0xd6 => {
                **features |= features::of_opcode(opcode);
            }
            prefix @ 0xfc..=0xfe => match prefixed(prefix, cursor, features)? {
                Some(op) => self.to.census.meet(op.code),
                None => drop(rare(cursor, start, features)?),
            },
            _ => drop(rare(cursor, start, features)?),
        }
        Some(())
    }

    #[inline]
    fn name(&mut self, address: i64) {
        if self.data.contains(&address) {
            self.to.named.push(address as u32);
        }
    }
}

impl Notes for Looking<'_, '_> {
    #[inline]
    fn begin(&mut self, at: usize) {
        self.cursor.at = at;
        self.to.operators += 1;
    }

    #[inline]
    fn end(&mut self) -> Option<()> {
        if std::mem::take(&mut self.missed) { self.look() } else { Some(()) }
    }

    #[inline]
    fn other(&mut self) {
        self.missed = true;
    }

    #[inline]
    fn plain(&mut self) {
        self.to.census.meet(u16::from(self.opcode()));
    }

    #[inline]
    fn extension(&mut self) {
        *self.features |= features::of_opcode(self.opcode());
    }

    fn index(&mut self, _index: u32) {}

    fn set(&mut self, _local: u32) {}

    #[inline]
    fn integer(&mut self, value: i64) {
        self.to.census.note(u16::from(self.opcode()), value);
        self.name(value);
    }

    fn float(&mut self, _bits: u64) {}

    #[inline]
    fn memory(&mut self, place: MemArg) {
        if place.memory != 0 {
            *self.features |= Feature::MultiMemory.bit();
        }
        if self.opcode() <= 0x35 {
            self.to.census.note(u16::from(self.opcode()), place.offset as i64);
        } else {
            self.name(place.offset as i64);
        }
    }

    #[inline]
    fn call(&mut self, index: u32, table: u32) {
        self.to.calls.push(Op { code: u16::from(self.opcode()) & code::MASK, a: index, b: i64::from(table) });
    }

    fn enter(&mut self, _ty: BlockType) {}

    fn otherwise(&mut self) {}

    fn leave(&mut self) {}

    fn branch(&mut self, _depth: u32) {}

    fn stop(&mut self) {}
}
