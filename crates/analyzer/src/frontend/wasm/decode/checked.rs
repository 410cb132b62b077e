//! Decoding and validating in one pass: wasmparser reads each operator once, checks it, and what it read is noted. Where
//! people ask for a full analysis, it validates what it decodes; a first run leaves that to the engine.
//!
//! What is noted is the caller's: every operator ([`whole`]), or what tells of a function that may never be laid out
//! ([`super::glance`]). The operators that nearly all code is made of are noted from what the validator was handed; any
//! other is read again from its bytes.

use wasmparser::{
    BinaryReader, BinaryReaderError, BlockType, FrameKind, FrameStack, FuncToValidate, FuncValidatorAllocations,
    MemArg, VisitOperator, VisitSimdOperator, WasmModuleResources,
};

use super::{complaint, malformed};
use crate::error::AnalyzeError;
use crate::frontend::wasm::module::Body;

mod whole;

type Checked = Result<(), BinaryReaderError>;

/// What is noted of each operator that was found valid.
pub(super) trait Notes {
    /// Begins an operator that stands at `at` in the body.
    fn begin(&mut self, at: usize);
    /// Ends it: one that is `other` is read from its bytes; `None` where they do not make one.
    fn end(&mut self) -> Option<()>;
    /// It is none of the below.
    fn other(&mut self);
    /// It has no immediates.
    fn plain(&mut self);
    /// It extends a sign, and has no immediates.
    fn extension(&mut self);
    /// It gets a local, or gets or sets a global.
    fn index(&mut self, index: u32);
    /// It sets a local.
    fn set(&mut self, local: u32);
    /// It is a constant.
    fn integer(&mut self, value: i64);
    /// The same of a number with a fraction, as the bits of a double.
    fn float(&mut self, bits: u64);
    /// It loads or stores.
    fn memory(&mut self, place: MemArg);
    /// It calls a function, or one of a type by a table.
    fn call(&mut self, index: u32, table: u32);
    /// It opens a frame.
    fn enter(&mut self, ty: BlockType);
    fn otherwise(&mut self);
    fn leave(&mut self);
    fn branch(&mut self, depth: u32);
    /// Nothing follows it.
    fn stop(&mut self);
}

/// Validates a body whose operators are noted; `notes` is made once its locals were found valid.
///
/// # Errors
/// [`AnalyzeError::Invalid`] where it does not validate, or where the decoder does not know an operator; those of `notes`.
pub(super) fn check<R: WasmModuleResources, N: Notes>(
    body: Body<'_>,
    notes: impl FnOnce() -> Result<N, AnalyzeError>,
    (function, allocations): (FuncToValidate<R>, &mut FuncValidatorAllocations),
) -> Result<(), AnalyzeError> {
    let Body { bytes, offset } = body;
    let mut reader = BinaryReader::new_features(bytes, offset as usize, function.features);
    let mut validator = function.into_validator(std::mem::take(allocations));
    validator.read_locals(&mut reader)?;
    let mut notes = notes()?;
    while !reader.eof() {
        let place = reader.original_position();
        let at = place - offset as usize;
        notes.begin(at);
        reader.visit_operator(&mut Both { validator: validator.visitor(place), notes: &mut notes })??;
        notes.end().ok_or_else(|| malformed(bytes, offset, at, complaint(bytes.get(at))))?;
    }
    reader.finish_expression(&validator.visitor(reader.original_position()))?;
    *allocations = validator.into_allocations();
    Ok(())
}

/// How an operator is noted, by proposal and name; those without a line here are read again from their bytes.
macro_rules! note {
    ($to:ident mvp visit_unreachable) => {
        $to.stop()
    };
    ($to:ident mvp visit_return) => {
        $to.stop()
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
        $to.branch($depth)
    };
    ($to:ident mvp visit_br_if $depth:ident) => {
        $to.branch($depth)
    };
    ($to:ident mvp visit_call $function:ident) => {
        $to.call($function, 0)
    };
    ($to:ident mvp visit_call_indirect $ty:ident $table:ident) => {
        $to.call($ty, $table)
    };
    ($to:ident mvp visit_local_get $local:ident) => {
        $to.index($local)
    };
    ($to:ident mvp visit_local_set $local:ident) => {
        $to.set($local)
    };
    ($to:ident mvp visit_local_tee $local:ident) => {
        $to.set($local)
    };
    ($to:ident mvp visit_global_get $global:ident) => {
        $to.index($global)
    };
    ($to:ident mvp visit_global_set $global:ident) => {
        $to.index($global)
    };
    ($to:ident mvp visit_i32_const $value:ident) => {
        $to.integer(i64::from($value))
    };
    ($to:ident mvp visit_i64_const $value:ident) => {
        $to.integer($value)
    };
    ($to:ident mvp visit_f32_const $value:ident) => {
        $to.float(f64::from(f32::from_bits($value.bits())).to_bits())
    };
    ($to:ident mvp visit_f64_const $value:ident) => {
        $to.float($value.bits())
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
        $to.other()
    };
}

/// A validator, and what it is handed noted beside it.
struct Both<'n, V, N> {
    validator: V,
    notes: &'n mut N,
}

impl<V: FrameStack, N> FrameStack for Both<'_, V, N> {
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

impl<'a, V: VisitOperator<'a, Output = Checked>, N: Notes> VisitOperator<'a> for Both<'_, V, N> {
    type Output = Checked;

    fn simd_visitor(&mut self) -> Option<&mut dyn VisitSimdOperator<'a, Output = Checked>> {
        self.notes.other();
        self.validator.simd_visitor()
    }

    wasmparser::for_each_visit_operator!(both);
}

#[cfg(test)]
mod tests {
    use super::super::{Decoded, Glance, Op};
    use super::*;
    use crate::frontend::wasm::parse::parse;

    /// What decoding leaves behind, to be compared.
    fn told(decoded: &Decoded) -> String {
        let Decoded { ops, tables, loops, assigned, locals, census, calls, too_deep, .. } = decoded;
        format!("{ops:?} {tables:?} {loops:?} {assigned:?} {locals} {census:?} {calls:?} {too_deep}")
    }

    /// Whether a glance tells what decoding tells.
    fn alike(glance: &Glance, decoded: &Decoded, data: &std::ops::Range<i64>) {
        let Decoded { ops, census, calls, .. } = decoded;
        let called: Vec<_> = calls.iter().map(|&at| ops[at as usize]).collect();
        assert_eq!(format!("{:?} {:?}", glance.calls, glance.census), format!("{called:?} {census:?}"));
        assert_eq!(glance.operators as usize, ops.len());
        let names = |op: &&Op| op.names() && data.contains(&op.b);
        assert_eq!(glance.named, ops.iter().filter(names).map(|op| op.b as u32).collect::<Vec<_>>());
    }

    /// Bodies decoded all ways.
    fn all_ways(bytes: &[u8]) -> usize {
        let contents = parse(bytes, true).expect("a module that validates");
        let (mut plain, mut checked, mut glance) = (Decoded::default(), Decoded::default(), Glance::default());
        let data = 4..2000;
        let mut allocations = FuncValidatorAllocations::default();
        let mut met = 0;
        for module in &contents.modules {
            let Some(check) = &module.check else { continue };
            for (function, &body) in (module.imports.len() as u32..).zip(&module.bodies) {
                let (params, mut features) = (module.params(function), (0, 0, 0));
                plain.read(module, body.bytes, body.offset, params, &mut features.0).expect("operators");
                let given = (check.function(module, function), &mut allocations);
                checked.read_checked(module, body, params, &mut features.1, given).expect("valid operators");
                assert_eq!(told(&checked), told(&plain));
                let given = (check.function(module, function), &mut allocations);
                glance.read(module, body, &data, &mut features.2, given).expect("the same");
                alike(&glance, &plain, &data);
                assert_eq!((features.0, features.0), (features.1, features.2));
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
            met += all_ways(&wat::parse_bytes(&text).expect("a module"));
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
        assert_eq!(all_ways(&wat::parse_str(text).expect("a module")), 1);
    }

    #[test]
    fn operators_of_later_proposals_are_noted() {
        let text = r#"(module (memory 1) (memory 1) (table 2 funcref) (table 2 externref) (type $t (func)) (tag $e)
            (type $point (struct (field i32)))
            (func $f (param i32 i64 externref (ref null $t)) (local v128)
                (memory.fill (local.get 0) (i32.const 0) (i32.const 70)) (memory.init $d (i32.const 0) (i32.const 0) (i32.const 9))
                (table.fill 1 (i32.const 0) (local.get 2) (i32.const 1)) (table.set 1 (i32.const 0) (table.get 1 (i32.const 0)))
                (drop (table.grow 0 (ref.null func) (i32.const 1))) (drop (table.size 0)) (drop (ref.is_null (ref.func $f)))
                (drop (i32.trunc_sat_f64_s (f64.const 1))) (drop (memory.size 1))
                (local.set 4 (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 (v128.const i64x2 1 2) (local.get 4)))
                (v128.store8_lane 1 offset=300 3 (i32.const 0) (local.get 4))
                (drop (i32x4.relaxed_trunc_f32x4_s (local.get 4)))
                (drop (i32.atomic.rmw.add offset=400 (i32.const 0) (i32.const 1))) (atomic.fence)
                (drop (i64.mul_wide_u (local.get 1) (i64.const 900))) (drop)
                (drop (select (result i32) (i32.const 1) (i32.const 2) (local.get 0)))
                (drop (struct.new $point (i32.const 100)))
                (block $caught (try_table (catch_all $caught) (throw $e)))
                (block $null (call_ref $t (br_on_null $null (local.get 3))))
                (return_call $f (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
            (elem declare func $f) (data $d "123456789"))"#;
        assert_eq!(all_ways(&wat::parse_str(text).expect("a module")), 1);
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
