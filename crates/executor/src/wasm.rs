//! The WebAssembly engine: compiling, loading, linking and instantiating on a given tier.
//!
//! The lower half, beneath [`crate::lease`], which the emulator also drives for trials and calibration.

use std::sync::Arc;

use forewarm_types::host::Clock;
use forewarm_types::plan::Trial;
use forewarm_types::{CodeKind, IsaLevel, StepTiming, Tier};

use crate::invocation::Invocation;
use crate::lease::WarmError;

/// What an engine is made for; artifacts of different settings do not mix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EngineSettings {
    /// Compiler strategy.
    pub tier: Tier,
    /// Instruction-set level.
    pub isa: IsaLevel,
    /// Count executed operators and stop at a budget (15 % slower, and slower to compile).
    pub metered: bool,
    /// Stop at a deadline from another thread (10 % slower).
    pub interruptible: bool,
    /// Threads for compiling.
    pub threads: u32,
}

/// An engine with one compiler strategy.
pub struct Engine {}

/// Code compiled or mapped for an engine.
pub struct Compiled {}

/// A call of one export in a fresh instance, timed.
#[derive(Debug, Clone, Copy)]
pub struct CallTiming {
    /// CPU time of the calling thread.
    pub cpu_seconds: f64,
    /// Wall time.
    pub wall_seconds: f64,
}

impl Engine {
    /// An engine of the given settings.
    ///
    /// # Errors
    /// [`WarmError::Allocate`] where this host cannot have it.
    pub fn new(settings: EngineSettings, clock: Arc<dyn Clock>) -> Result<Self, WarmError> {
        let _ = (settings, clock);
        todo!()
    }

    /// Compiles a binary, timed. The timing's `bytes` are those of the code produced.
    ///
    /// # Errors
    /// [`WarmError::Invalid`] or [`WarmError::Unsupported`].
    pub fn compile(&self, wasm: &[u8], kind: CodeKind) -> Result<(Compiled, StepTiming), WarmError> {
        let _ = (wasm, kind);
        todo!()
    }

    /// Serialises code to the bytes of an artifact.
    ///
    /// # Errors
    /// [`WarmError::Allocate`] where memory lacks.
    pub fn serialize(&self, code: &Compiled) -> Result<Vec<u8>, WarmError> {
        let _ = code;
        todo!()
    }

    /// Maps an artifact file this process itself has just written (calibration only), timed.
    ///
    /// # Errors
    /// [`WarmError::Read`] where it is not of this engine.
    pub fn map(&self, artifact: &std::fs::File, kind: CodeKind) -> Result<(Compiled, StepTiming), WarmError> {
        let _ = (artifact, kind);
        todo!()
    }

    /// Links a module without imports and times it.
    ///
    /// # Errors
    /// As [`crate::Lease::warm`].
    pub fn link(&self, code: &Compiled) -> Result<StepTiming, WarmError> {
        let _ = code;
        todo!()
    }

    /// Instantiates a module without imports `repeats` times, each timed; from the pool where `pooled`.
    ///
    /// # Errors
    /// As [`crate::Lease::warm`].
    pub fn instantiate(&self, code: &Compiled, pooled: bool, repeats: u32) -> Result<Vec<StepTiming>, WarmError> {
        let _ = (code, pooled, repeats);
        todo!()
    }

    /// Calls an export `(i32) -> i32` of a module without imports in a fresh instance, `arguments.len()` times in turn.
    ///
    /// # Errors
    /// As [`crate::Lease::warm`].
    pub fn time_calls(&self, code: &Compiled, export: &str, arguments: &[i32]) -> Result<Vec<CallTiming>, WarmError> {
        let _ = (code, export, arguments);
        todo!()
    }

    /// Runs a command in the sandbox: no network, standard input unread, directories read-only, until it ends, has
    /// executed `max_ops` operators, or `max_wall_seconds` have passed. The engine must be metered.
    ///
    /// # Errors
    /// As [`crate::Lease::warm`].
    pub fn trial(
        &self,
        code: &Compiled,
        invocation: &Invocation,
        max_ops: u64,
        max_wall_seconds: f64,
    ) -> Result<Trial, WarmError> {
        let _ = (code, invocation, max_ops, max_wall_seconds);
        todo!()
    }
}
