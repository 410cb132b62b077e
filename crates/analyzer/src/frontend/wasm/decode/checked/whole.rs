//! Every operator noted as it is validated: the same list that [`Decoded::read`] makes.

use wasmparser::{BlockType, FuncToValidate, FuncValidatorAllocations, MemArg, WasmModuleResources};

use super::{Notes, check};
use crate::error::AnalyzeError;
use crate::frontend::wasm::decode::{Cursor, Decoded, code};
use crate::frontend::wasm::features::Feature;
use crate::frontend::wasm::module::{Body, Module};

impl Decoded {
    /// Decodes a body as [`Decoded::read`] does, and validates it.
    ///
    /// # Errors
    /// [`AnalyzeError::Invalid`] where it does not validate, and those of [`Decoded::read`].
    pub(crate) fn read_checked<R: WasmModuleResources>(
        &mut self,
        module: &Module<'_>,
        body: Body<'_>,
        params: u32,
        features: &mut u32,
        checked: (FuncToValidate<R>, &mut FuncValidatorAllocations),
    ) -> Result<(), AnalyzeError> {
        check(
            body,
            || {
                let cursor = self.begin(module, body.bytes, body.offset, params)?;
                Ok(Whole { to: self, module, features, cursor, offset: body.offset, calls: 0, missed: false })
            },
            checked,
        )
    }
}

/// Where operators are noted.
struct Whole<'n, 'm, 'b> {
    to: &'n mut Decoded,
    module: &'n Module<'m>,
    features: &'n mut u32,
    /// At the operator.
    cursor: Cursor<'b>,
    /// Of the body in the file.
    offset: u64,
    calls: i64,
    /// Whether the operator is to be read from its bytes.
    missed: bool,
}

impl Whole<'_, '_, '_> {
    #[inline]
    fn opcode(&self) -> u16 {
        u16::from(self.cursor.bytes[self.cursor.at])
    }

    #[inline]
    fn push(&mut self, a: u32, b: i64) {
        self.to.push(self.opcode(), a, b);
    }

    #[inline]
    fn push_control(&mut self, a: u32) {
        self.to.push_control(self.opcode(), a, 0);
    }
}

impl Notes for Whole<'_, '_, '_> {
    #[inline]
    fn begin(&mut self, at: usize) {
        self.cursor.at = at;
    }

    #[inline]
    fn end(&mut self) -> Option<()> {
        if !std::mem::take(&mut self.missed) {
            return Some(());
        }
        self.to.operator(self.module, &mut self.cursor, self.offset, &mut self.calls, self.features)
    }

    #[inline]
    fn other(&mut self) {
        self.missed = true;
    }

    #[inline]
    fn plain(&mut self) {
        self.to.census.meet(self.opcode());
        self.push(0, 0);
    }

    fn extension(&mut self) {
        *self.features |= Feature::SignExtension.bit();
        self.push(0, 0);
    }

    #[inline]
    fn index(&mut self, index: u32) {
        self.push(index, 0);
    }

    #[inline]
    fn set(&mut self, local: u32) {
        self.push(local, 0);
        if self.to.open_loops > 0 {
            self.to.sets.push(local);
        }
    }

    #[inline]
    fn integer(&mut self, value: i64) {
        self.push(0, value);
        self.to.census.note(self.opcode(), value);
    }

    fn float(&mut self, bits: u64) {
        self.push(0, bits as i64);
    }

    #[inline]
    fn memory(&mut self, place: MemArg) {
        if place.memory != 0 {
            *self.features |= Feature::MultiMemory.bit();
        }
        self.push(place.memory, place.offset as i64);
        let opcode = self.opcode();
        if opcode <= 0x35 {
            self.to.census.note(opcode, place.offset as i64);
        }
    }

    fn call(&mut self, index: u32, table: u32) {
        self.calls += 1;
        self.to.calls.push(self.to.ops.len() as u32);
        self.push(index, i64::from(table));
    }

    fn enter(&mut self, ty: BlockType) {
        let arity = match ty {
            BlockType::Empty => 0,
            BlockType::Type(_) => 1 << 16,
            BlockType::FuncType(index) => {
                let Some(signature) = self.module.signature(index) else { return self.other() };
                u32::from(signature.params) | u32::from(signature.results) << 16
            }
        };
        match self.opcode() {
            code::LOOP => self.to.enter_loop(self.offset + self.cursor.at as u64, arity),
            opcode => self.to.enter(opcode, arity),
        }
    }

    fn otherwise(&mut self) {
        self.missed = self.to.otherwise().is_none();
    }

    fn leave(&mut self) {
        self.missed = self.to.leave(self.calls).is_none();
    }

    fn branch(&mut self, depth: u32) {
        self.push_control(depth);
    }

    fn stop(&mut self) {
        self.push_control(0);
    }
}
