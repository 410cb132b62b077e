//! The WebAssembly engine: compiling, loading, linking and instantiating on a given tier.
//!
//! The lower half, beneath [`crate::lease`], which the emulator also drives for trials and calibration. What an
//! engine is configured to do is in [`configuration`]; what a program may touch in [`host`].

pub(crate) mod calibrate;
pub(crate) mod configuration;
pub(crate) mod entry;
pub(crate) mod host;
pub(crate) mod link;
pub(crate) mod load;
mod outward;
mod patience;
mod trial;
pub mod watched;

use std::sync::Arc;

use forewarm_types::host::Clock;
use forewarm_types::{Bytes, CodeKind, IsaLevel, Step, StepTiming, Tier};
use wasmtime::component::Component;

pub use calibrate::{CallTiming, Calls};
pub use trial::Tried;

use crate::error::WarmError;
use crate::stopwatch::Stopwatch;

/// What an engine is made for; artifacts of different settings do not mix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EngineSettings {
    /// Compiler strategy.
    pub tier: Tier,
    /// Instruction-set level.
    pub isa: IsaLevel,
    /// Count executed operators and stop at a budget (15 % slower, and slower to compile).
    pub metered: bool,
    /// Threads for compiling.
    pub threads: u32,
}

/// An engine with one compiler strategy.
#[derive(Clone)]
pub struct Engine {
    pub(crate) settings: EngineSettings,
    pub(crate) engine: wasmtime::Engine,
    pub(crate) clock: Arc<dyn Clock>,
}

/// Code compiled or mapped for an engine.
#[derive(Clone)]
pub struct Compiled {
    pub(crate) code: Code,
}

#[derive(Clone)]
pub(crate) enum Code {
    Module(wasmtime::Module),
    Component(Component),
}

impl Code {
    fn text_bytes(&self) -> Bytes {
        Bytes(match self {
            Self::Module(module) => module.text().len(),
            Self::Component(component) => component.text().len(),
        } as u64)
    }
}

impl Engine {
    /// An engine of the given settings.
    ///
    /// # Errors
    /// [`WarmError::Allocate`] where this host cannot have it.
    pub fn new(settings: EngineSettings, clock: Arc<dyn Clock>) -> Result<Self, WarmError> {
        let allocate = |error: wasmtime::Error| WarmError::Allocate(format!("{error:#}"));
        let config = configuration::config(settings).map_err(allocate)?;
        let engine = wasmtime::Engine::new(&config).map_err(allocate)?;
        Ok(Self { settings, engine, clock })
    }

    /// Compiles a binary, timed. The timing's `bytes` are those of the code produced.
    ///
    /// # Errors
    /// [`WarmError::Invalid`] or [`WarmError::Unsupported`].
    pub fn compile(&self, wasm: &[u8], kind: CodeKind) -> Result<(Compiled, StepTiming), WarmError> {
        forewarm_sandbox::allocator::expect_bulk();
        let watch = Stopwatch::start(&*self.clock);
        let code = self.in_pool(|| match kind {
            CodeKind::WasmModule => wasmtime::Module::from_binary(&self.engine, wasm).map(Code::Module),
            CodeKind::WasmComponent => Component::from_binary(&self.engine, wasm).map(Code::Component),
            other => Err(wasmtime::Error::msg(format!("this engine does not compile {other} code"))),
        })?;
        let code = code.map_err(|error| self.rejection(wasm, &error))?;
        let timing = watch.stop(Step::Compile, code.text_bytes());
        Ok((Compiled { code }, timing))
    }

    /// Runs a compilation with as many threads as the settings say; with one, in the calling thread.
    fn in_pool<T: Send>(&self, compile: impl FnOnce() -> T + Send) -> Result<T, WarmError> {
        if self.settings.threads <= 1 {
            return Ok(compile());
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(self.settings.threads as usize).build();
        Ok(pool.map_err(|error| WarmError::Allocate(format!("no threads to compile with: {error}")))?.install(compile))
    }

    /// Whether code a tier refused is invalid, or valid and only beyond this tier.
    fn rejection(&self, wasm: &[u8], error: &wasmtime::Error) -> WarmError {
        let cause = format!("{error:#}");
        let fullest = EngineSettings { tier: Tier::Cranelift, threads: 1, ..self.settings };
        let valid = configuration::config(fullest)
            .and_then(|config| wasmtime::Engine::new(&config))
            .and_then(|engine| wasmtime::Module::validate(&engine, wasm));
        match valid {
            Ok(()) => WarmError::Unsupported { tier: self.settings.tier, cause },
            Err(_) => WarmError::Invalid(cause),
        }
    }

    /// Serialises code to the bytes of an artifact.
    ///
    /// # Errors
    /// [`WarmError::Allocate`] where memory lacks.
    pub fn serialize(&self, code: &Compiled) -> Result<Vec<u8>, WarmError> {
        let bytes = match &code.code {
            Code::Module(module) => module.serialize(),
            Code::Component(component) => component.serialize(),
        };
        bytes.map_err(|error| WarmError::Allocate(format!("{error:#}")))
    }

    /// Maps an artifact file this process itself has just written (calibration) or that the cache trusts, timed.
    ///
    /// # Errors
    /// [`WarmError::Read`] where it is not of this engine.
    pub fn map(&self, artifact: &std::fs::File, kind: CodeKind) -> Result<(Compiled, StepTiming), WarmError> {
        let watch = Stopwatch::start(&*self.clock);
        let code = load::load(&self.engine, artifact, kind)
            .map_err(|error| WarmError::Read(std::io::Error::other(format!("{error:#}"))))?;
        let size = artifact.metadata().map_or(0, |metadata| metadata.len());
        Ok((Compiled { code }, watch.stop(Step::Map, Bytes(size))))
    }
}
