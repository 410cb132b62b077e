//! Which WebAssembly proposals a module uses, and which tiers of the engine cannot compile them.
//!
//! The rules are those of wasmtime 48.0.8: `Config::compiler_panicking_wasm_features` in its `config.rs`, and the
//! operators that `winch-codegen`'s `visitor.rs` leaves unimplemented.

use std::collections::BTreeMap;

use forewarm_types::Tier;
use wasmparser::{Operator, ValType, WasmFeatures};

use super::decode::code;

macro_rules! features {
    ($($name:ident = $key:literal,)*) => {
        /// A WebAssembly proposal, in the order of its bit.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Feature { $($name,)* }

        const FEATURES: &[(Feature, &str)] = &[$((Feature::$name, $key),)*];
    };
}

features! {
    SignExtension = "sign-extension",
    SaturatingConversion = "saturating-float-to-int",
    BulkMemory = "bulk-memory",
    ReferenceTypes = "reference-types",
    MultiValue = "multi-value",
    Simd = "simd",
    RelaxedSimd = "relaxed-simd",
    Threads = "threads",
    TailCall = "tail-call",
    FunctionReferences = "function-references",
    Gc = "gc",
    Exceptions = "exceptions",
    StackSwitching = "stack-switching",
    Memory64 = "memory64",
    MultiMemory = "multi-memory",
    WideArithmetic = "wide-arithmetic",
    MemoryControl = "memory-control",
    CustomPageSizes = "custom-page-sizes",
    SharedEverything = "shared-everything-threads",
    CustomDescriptors = "custom-descriptors",
    ForeignTableAccess = "access to tables of other than functions",
    MemoryGrowth = "growth of memory",
}

impl Feature {
    pub(crate) const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// The proposals in a set, by the names the specification repositories have.
///
/// What every engine has had since WebAssembly 2.0 without a cost of its own is left in: it is still required.
pub(crate) fn names(set: u32) -> Vec<String> {
    let no_proposal = [Feature::ForeignTableAccess, Feature::MemoryGrowth];
    let proposals = FEATURES.iter().filter(|(feature, _)| !no_proposal.contains(feature));
    proposals.filter(|(feature, _)| set & feature.bit() != 0).map(|(_, name)| (*name).to_owned()).collect()
}

/// Every proposal wasmtime 48 can run on some tier: what a module is validated with.
pub(crate) fn runnable() -> WasmFeatures {
    WasmFeatures::WASM3
        | WasmFeatures::GC_TYPES
        | WasmFeatures::EXCEPTIONS
        | WasmFeatures::THREADS
        | WasmFeatures::COMPONENT_MODEL
        | WasmFeatures::CM_ASYNC
        | WasmFeatures::CM_ASYNC_STACKFUL
        | WasmFeatures::CM_MORE_ASYNC_BUILTINS
        | WasmFeatures::CM_ERROR_CONTEXT
        | WasmFeatures::CM_FIXED_LENGTH_LISTS
        | WasmFeatures::CM_MAP
        | WasmFeatures::CM_IMPLEMENTS
        | WasmFeatures::CUSTOM_PAGE_SIZES
        | WasmFeatures::STACK_SWITCHING
        | WasmFeatures::WIDE_ARITHMETIC
}

/// What Winch rejects on every host.
const WINCH_REJECTS: [Feature; 10] = [
    Feature::Gc,
    Feature::FunctionReferences,
    Feature::RelaxedSimd,
    Feature::TailCall,
    Feature::Exceptions,
    Feature::StackSwitching,
    Feature::MemoryControl,
    Feature::SharedEverything,
    Feature::CustomDescriptors,
    Feature::ForeignTableAccess,
];

/// What Pulley rejects: shared memory cannot be read soundly by an interpreter written in Rust.
const PULLEY_REJECTS: [Feature; 4] =
    [Feature::Threads, Feature::StackSwitching, Feature::SharedEverything, Feature::CustomDescriptors];

/// What Cranelift rejects on x86-64.
const CRANELIFT_REJECTS: [Feature; 3] = [Feature::MemoryControl, Feature::SharedEverything, Feature::CustomDescriptors];

/// Tiers that cannot compile a module with these features on this host's architecture, each with its first obstacle.
pub(crate) fn unsupported(set: u32) -> BTreeMap<Tier, String> {
    let mut out = BTreeMap::new();
    let tiers: [(Tier, &[Feature]); 3] =
        [(Tier::Winch, &WINCH_REJECTS), (Tier::Pulley, &PULLEY_REJECTS), (Tier::Cranelift, &CRANELIFT_REJECTS)];
    for (tier, rejects) in tiers {
        let obstacle = FEATURES.iter().find(|(feature, _)| set & feature.bit() != 0 && rejects.contains(feature));
        if let Some((_, name)) = obstacle {
            out.insert(tier, (*name).to_owned());
        }
    }
    let threads = set & Feature::Threads.bit() != 0;
    if cfg!(target_arch = "aarch64") && threads {
        out.entry(Tier::Winch).or_insert_with(|| "threads (on aarch64)".to_owned());
    }
    if !cfg!(any(target_arch = "x86_64", target_arch = "aarch64")) {
        out.entry(Tier::Winch).or_insert_with(|| format!("the host architecture {}", std::env::consts::ARCH));
    }
    out
}

/// The proposals that an operator of one byte tells of.
pub(super) fn of_opcode(opcode: u8) -> u32 {
    match opcode {
        0x12 | 0x13 => Feature::TailCall.bit(),
        0x14 | 0xd5 | 0xd6 => Feature::FunctionReferences.bit(),
        0x15 => Feature::TailCall.bit() | Feature::FunctionReferences.bit(),
        0x1f => Feature::Exceptions.bit(),
        0x40 => Feature::MemoryGrowth.bit(),
        0xc0..=0xc4 => Feature::SignExtension.bit(),
        _ => 0,
    }
}

/// Features a type brings with it.
pub(crate) fn of_type(ty: ValType) -> u32 {
    match ty {
        ValType::V128 => Feature::Simd.bit(),
        ValType::Ref(reference) if reference == wasmparser::RefType::FUNCREF => Feature::ReferenceTypes.bit(),
        ValType::Ref(reference) if reference == wasmparser::RefType::EXTERNREF => Feature::ReferenceTypes.bit(),
        ValType::Ref(reference) if reference.is_concrete_type_ref() || reference.is_func_ref() => {
            Feature::FunctionReferences.bit()
        }
        ValType::Ref(_) => Feature::Gc.bit(),
        _ => 0,
    }
}

macro_rules! proposal_of {
    ($( @$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($ann:tt)*) )*) => {
        /// The proposal an operator comes from.
        fn proposal(operator: &Operator<'_>) -> &'static str {
            match operator {
                $( Operator::$op { .. } => stringify!($proposal), )*
                _ => "",
            }
        }
    };
}
wasmparser::for_each_operator!(proposal_of);

/// Notes the proposal of an operator that only wasmparser decodes, and says how to treat it.
///
/// `None` for operators no tier runs and whose block structure is not followed (legacy exceptions).
pub(crate) fn rare(operator: &Operator<'_>, features: &mut u32) -> Option<u16> {
    *features |= match proposal(operator) {
        "gc" => Feature::Gc.bit(),
        "function_references" => Feature::FunctionReferences.bit(),
        "exceptions" => Feature::Exceptions.bit(),
        "stack_switching" => Feature::StackSwitching.bit(),
        "reference_types" => Feature::ReferenceTypes.bit(),
        "shared_everything_threads" => Feature::SharedEverything.bit(),
        "custom_descriptors" => Feature::CustomDescriptors.bit(),
        "memory_control" => Feature::MemoryControl.bit(),
        "legacy_exceptions" => return None,
        _ => 0,
    };
    Some(match operator {
        Operator::Throw { .. } => code::THROW,
        Operator::ThrowRef => code::THROW_REF,
        _ if branch_depth(operator).is_some() => code::BR_ON_NULL,
        _ => code::RARE,
    })
}

/// The depth a casting branch goes to.
pub(crate) fn branch_depth(operator: &Operator<'_>) -> Option<u32> {
    match operator {
        Operator::BrOnCast { relative_depth, .. }
        | Operator::BrOnCastFail { relative_depth, .. }
        | Operator::BrOnCastDescEq { relative_depth, .. }
        | Operator::BrOnCastDescEqFail { relative_depth, .. } => Some(*relative_depth),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiers_are_refused_for_what_they_lack() {
        let refused = |feature: Feature| unsupported(feature.bit()).into_keys().collect::<Vec<_>>();
        assert_eq!(refused(Feature::Simd), []);
        assert_eq!(refused(Feature::TailCall), [Tier::Winch]);
        assert_eq!(refused(Feature::StackSwitching), [Tier::Winch, Tier::Pulley]);
        assert!(refused(Feature::Threads).contains(&Tier::Pulley));
    }
}
