//! Decoding and validating in one pass: wasmparser reads each operator once, checks it, and what it read is noted. Where
//! people ask for a full analysis, it validates what it decodes; a first run leaves that to the engine.
//!
//! The operators that nearly all code is made of are noted from what the validator was handed; any other is decoded
//! again from its bytes.

use wasmparser::{
    BinaryReader, BinaryReaderError, BlockType, FrameKind, FrameStack, FuncToValidate, FuncValidatorAllocations,
    MemArg, VisitOperator, VisitSimdOperator, WasmModuleResources,
};

use super::{Decoded, code, complaint, malformed};
use crate::error::AnalyzeError;
use crate::frontend::wasm::features::Feature;
use crate::frontend::wasm::module::{Body, Module};

type Checked = Result<(), BinaryReaderError>;

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
        (function, allocations): (FuncToValidate<R>, &mut FuncValidatorAllocations),
    ) -> Result<(), AnalyzeError> {
        let Body { bytes, offset } = body;
        let mut reader = BinaryReader::new_features(bytes, offset as usize, function.features);
        let mut validator = function.into_validator(std::mem::take(allocations));
        validator.read_locals(&mut reader)?;
        let mut cursor = self.begin(module, bytes, offset, params)?;
        let mut calls = 0;
        let mut notes = Notes { to: self, module, features, calls: &mut calls, opcode: 0, place: offset, noted: false };
        while !reader.eof() {
            let place = reader.original_position();
            let at = place - offset as usize;
            let opcode = bytes.get(at).copied().unwrap_or_default();
            (notes.opcode, notes.place, notes.noted) = (u16::from(opcode), place as u64, false);
            reader.visit_operator(&mut Both { validator: validator.visitor(place), notes: &mut notes })??;
            if !notes.noted {
                cursor.at = at;
                let Notes { to, calls, features, .. } = &mut notes;
                to.operator(module, &mut cursor, offset, calls, features)
                    .ok_or_else(|| malformed(bytes, offset, at, complaint(Some(&opcode))))?;
            }
        }
        reader.finish_expression(&validator.visitor(reader.original_position()))?;
        *allocations = validator.into_allocations();
        Ok(())
    }
}

/// Where an operator is noted.
struct Notes<'n, 'm> {
    to: &'n mut Decoded,
    module: &'n Module<'m>,
    features: &'n mut u32,
    calls: &'n mut i64,
    opcode: u16,
    /// Its offset in the file.
    place: u64,
    noted: bool,
}

impl Notes<'_, '_> {
    #[inline]
    fn push(&mut self, a: u32, b: i64) {
        self.to.push(self.opcode, a, b);
        self.noted = true;
    }

    /// An operator without immediates.
    #[inline]
    fn plain(&mut self) {
        self.to.census.meet(self.opcode);
        self.push(0, 0);
    }

    #[inline]
    fn push_control(&mut self, a: u32) {
        self.to.push_control(self.opcode, a, 0);
        self.noted = true;
    }

    #[inline]
    fn set(&mut self, local: u32) {
        self.push(local, 0);
        if self.to.open_loops > 0 {
            self.to.sets.push(local);
        }
    }

    #[inline]
    fn constant(&mut self, value: i64) {
        self.push(0, value);
        self.to.census.note(self.opcode, value);
    }

    #[inline]
    fn memory(&mut self, place: MemArg) {
        if place.memory != 0 {
            *self.features |= Feature::MultiMemory.bit();
        }
        self.push(place.memory, place.offset as i64);
        if self.opcode <= 0x35 {
            self.to.census.note(self.opcode, place.offset as i64);
        }
    }

    fn extension(&mut self) {
        *self.features |= Feature::SignExtension.bit();
        self.push(0, 0);
    }

    fn call(&mut self, index: u32, table: u32) {
        *self.calls += 1;
        self.to.calls.push(self.to.ops.len() as u32);
        self.push(index, i64::from(table));
    }

    fn enter(&mut self, ty: BlockType) {
        let arity = match ty {
            BlockType::Empty => 0,
            BlockType::Type(_) => 1 << 16,
            BlockType::FuncType(index) => {
                let Some(signature) = self.module.signature(index) else { return };
                u32::from(signature.params) | u32::from(signature.results) << 16
            }
        };
        if self.opcode == code::LOOP {
            self.to.enter_loop(self.place, arity);
        } else {
            self.to.enter(self.opcode, arity);
        }
        self.noted = true;
    }

    fn otherwise(&mut self) {
        self.noted = self.to.otherwise().is_some();
    }

    fn leave(&mut self) {
        self.noted = self.to.leave(*self.calls).is_some();
    }
}

/// How an operator is noted, by proposal and name; those without a line here are decoded again.
macro_rules! note {
    ($to:ident mvp visit_unreachable) => {
        $to.push_control(0)
    };
    ($to:ident mvp visit_return) => {
        $to.push_control(0)
    };
    ($to:ident mvp visit_else) => {
        $to.otherwise()
    };
    ($to:ident mvp visit_end) => {
        $to.leave()
    };
    ($to:ident mvp visit_block $ty:ident) => {
        $to.enter($ty)
    };
    ($to:ident mvp visit_loop $ty:ident) => {
        $to.enter($ty)
    };
    ($to:ident mvp visit_if $ty:ident) => {
        $to.enter($ty)
    };
    ($to:ident mvp visit_br $depth:ident) => {
        $to.push_control($depth)
    };
    ($to:ident mvp visit_br_if $depth:ident) => {
        $to.push_control($depth)
    };
    ($to:ident mvp visit_call $function:ident) => {
        $to.call($function, 0)
    };
    ($to:ident mvp visit_call_indirect $ty:ident $table:ident) => {
        $to.call($ty, $table)
    };
    ($to:ident mvp visit_local_get $local:ident) => {
        $to.push($local, 0)
    };
    ($to:ident mvp visit_local_set $local:ident) => {
        $to.set($local)
    };
    ($to:ident mvp visit_local_tee $local:ident) => {
        $to.set($local)
    };
    ($to:ident mvp visit_global_get $global:ident) => {
        $to.push($global, 0)
    };
    ($to:ident mvp visit_global_set $global:ident) => {
        $to.push($global, 0)
    };
    ($to:ident mvp visit_i32_const $value:ident) => {
        $to.constant(i64::from($value))
    };
    ($to:ident mvp visit_i64_const $value:ident) => {
        $to.constant($value)
    };
    // Both as the bits of a double.
    ($to:ident mvp visit_f32_const $value:ident) => {
        $to.push(0, f64::from(f32::from_bits($value.bits())).to_bits() as i64)
    };
    ($to:ident mvp visit_f64_const $value:ident) => {
        $to.push(0, $value.bits() as i64)
    };
    ($to:ident mvp visit_i32_load $m:ident) => {
        $to.memory($m)
    };
    ($to:ident mvp visit_i64_load $m:ident) => {
        $to.memory($m)
    };
    ($to:ident mvp visit_f32_load $m:ident) => {
        $to.memory($m)
    };
    ($to:ident mvp visit_f64_load $m:ident) => {
        $to.memory($m)
    };
    ($to:ident mvp visit_i32_load8_s $m:ident) => {
        $to.memory($m)
    };
    ($to:ident mvp visit_i32_load8_u $m:ident) => {
        $to.memory($m)
    };
    ($to:ident mvp visit_i32_load16_s $m:ident) => {
        $to.memory($m)
    };
    ($to:ident mvp visit_i32_load16_u $m:ident) => {
        $to.memory($m)
    };
    ($to:ident mvp visit_i64_load8_s $m:ident) => {
        $to.memory($m)
    };
    ($to:ident mvp visit_i64_load8_u $m:ident) => {
        $to.memory($m)
    };
    ($to:ident mvp visit_i64_load16_s $m:ident) => {
        $to.memory($m)
    };
    ($to:ident mvp visit_i64_load16_u $m:ident) => {
        $to.memory($m)
    };
    ($to:ident mvp visit_i64_load32_s $m:ident) => {
        $to.memory($m)
    };
    ($to:ident mvp visit_i64_load32_u $m:ident) => {
        $to.memory($m)
    };
    ($to:ident mvp visit_i32_store $m:ident) => {
        $to.memory($m)
    };
    ($to:ident mvp visit_i64_store $m:ident) => {
        $to.memory($m)
    };
    ($to:ident mvp visit_f32_store $m:ident) => {
        $to.memory($m)
    };
    ($to:ident mvp visit_f64_store $m:ident) => {
        $to.memory($m)
    };
    ($to:ident mvp visit_i32_store8 $m:ident) => {
        $to.memory($m)
    };
    ($to:ident mvp visit_i32_store16 $m:ident) => {
        $to.memory($m)
    };
    ($to:ident mvp visit_i64_store8 $m:ident) => {
        $to.memory($m)
    };
    ($to:ident mvp visit_i64_store16 $m:ident) => {
        $to.memory($m)
    };
    ($to:ident mvp visit_i64_store32 $m:ident) => {
        $to.memory($m)
    };
    ($to:ident mvp $name:ident) => {
        $to.plain()
    };
    ($to:ident sign_extension $name:ident) => {
        $to.extension()
    };
    ($to:ident $proposal:ident $name:ident $($argument:ident)*) => {
        let _ = $to;
    };
}

/// A validator, and what it is handed noted beside it.
struct Both<'b, 'n, 'm, V> {
    validator: V,
    notes: &'b mut Notes<'n, 'm>,
}

impl<V: FrameStack> FrameStack for Both<'_, '_, '_, V> {
    fn current_frame(&self) -> Option<FrameKind> {
        self.validator.current_frame()
    }
}

macro_rules! both {
    ($(@$proposal:ident $op:ident $({ $($arg:ident: $ty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
        $(
            #[inline]
            fn $visit(&mut self $(, $($arg: $ty),*)?) -> Checked {
                self.validator.$visit($($($arg.clone()),*)?)?;
                let notes = &mut *self.notes;
                note!(notes $proposal $visit $($($arg)*)?);
                Ok(())
            }
        )*
    };
}

impl<'a, V: VisitOperator<'a, Output = Checked>> VisitOperator<'a> for Both<'_, '_, '_, V> {
    type Output = Checked;

    fn simd_visitor(&mut self) -> Option<&mut dyn VisitSimdOperator<'a, Output = Checked>> {
        self.validator.simd_visitor()
    }

    wasmparser::for_each_visit_operator!(both);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frontend::wasm::parse::parse;

    /// What decoding leaves behind, to be compared.
    fn told(decoded: &Decoded) -> String {
        let Decoded { ops, tables, loops, assigned, locals, census, calls, too_deep, .. } = decoded;
        format!("{ops:?} {tables:?} {loops:?} {assigned:?} {locals} {census:?} {calls:?} {too_deep}")
    }

    /// Bodies decoded both ways.
    fn both_ways(bytes: &[u8]) -> usize {
        let contents = parse(bytes, true).expect("a module that validates");
        let (mut plain, mut checked) = (Decoded::default(), Decoded::default());
        let mut allocations = FuncValidatorAllocations::default();
        let mut met = 0;
        for module in &contents.modules {
            let Some(check) = &module.check else { continue };
            for (function, &body) in (module.imports.len() as u32..).zip(&module.bodies) {
                let (params, mut features) = (module.params(function), (0, 0));
                plain.read(module, body.bytes, body.offset, params, &mut features.0).expect("operators");
                let function = (check.function(module, function), &mut allocations);
                checked.read_checked(module, body, params, &mut features.1, function).expect("valid operators");
                assert_eq!(told(&checked), told(&plain));
                assert_eq!(features.0, features.1);
                met += 1;
            }
        }
        met
    }

    #[test]
    fn validating_changes_nothing_of_what_is_decoded() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
        let mut met = 0;
        for file in std::fs::read_dir(folder).expect("the golden files") {
            let text = std::fs::read(file.expect("a file").path()).expect("a text");
            met += both_ways(&wat::parse_bytes(&text).expect("a module"));
        }
        assert!(met > 20, "{met}");
    }

    #[test]
    fn every_immediate_is_noted() {
        let text = r#"(module (memory 1) (memory 1) (table 2 funcref) (global $g (mut i32) (i32.const 0)) (type $t (func))
            (func $f (param i32 i64) (result i32) (local f32 f64 v128)
                (global.set $g (global.get $g)) (local.set 2 (f32.const -1.5)) (local.set 3 (f64.const 1e300))
                (drop (i64.const -9223372036854775808)) (drop (i32.const 0x428a2f98))
                (drop (i32.load8_u 1 offset=70000 (local.get 0))) (i64.store32 offset=8 (local.get 0) (local.get 1))
                (local.set 4 (v128.load offset=16 (local.get 0)))
                (call_indirect (type $t) (i32.const 1))
                (block $out (loop $again (br_if $again (i32.eqz (local.tee 0 (i32.extend8_s (local.get 0)))))
                    (br_table $out $again $out (local.get 0))))
                (if (result i32) (local.get 0) (then (return (i32.const 1))) (else (memory.grow (i32.const 1))))
               ))"#;
        assert_eq!(both_ways(&wat::parse_str(text).expect("a module")), 1);
    }

    #[test]
    fn the_first_offence_is_told() {
        let module =
            |body: &str| wat::parse_str(format!("(module (func) (func {body}) (func (drop)))")).expect("a module");
        let bytes = module("(drop (i32.add (i32.const 1) (i64.const 2)))");
        let contents = parse(&bytes, true).expect("valid sections");
        let module = &contents.modules[0];
        let errors = (0..3).map(|function| {
            let check = module.check.as_ref().expect("bodies to check").function(module, function);
            let allocations = &mut FuncValidatorAllocations::default();
            let body = module.bodies[function as usize];
            Decoded::default().read_checked(module, body, 0, &mut 0, (check, allocations)).err()
        });
        let found: Vec<bool> = errors.map(|error| matches!(error, Some(AnalyzeError::Invalid { .. }))).collect();
        assert_eq!(found, [false, true, true]);
        let told =
            crate::analyze(&bytes, forewarm_types::Digest([0; 32]), forewarm_types::Bytes(0), crate::Depth::Full);
        let Err(AnalyzeError::Invalid { offset, .. }) = told else { panic!("{told:?}") };
        let second = &module.bodies[1];
        assert!((second.offset..second.offset + second.bytes.len() as u64).contains(&offset), "{offset}");
    }
}
