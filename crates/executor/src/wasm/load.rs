//! Loading compiled artifacts: the only place outside `sandbox` where the engine's API demands `unsafe`.

#![expect(unsafe_code, reason = "the engine cannot check machine code it is given; its loading functions are unsafe")]

use std::fs::File;
use std::os::fd::AsRawFd;

use forewarm_types::CodeKind;
use wasmtime::component::Component;
use wasmtime::{Engine, Module, Precompiled};

use super::Code;

/// Maps the artifact behind a descriptor.
///
/// Callers hold the contract of the engine: the file was written by this engine's `serialize` and not changed since.
/// The cache ([`crate::artifacts`]) holds it by owner, mode, stamp and digest, all checked by this same descriptor; the
/// calibration by having just written the file itself.
pub(super) fn load(engine: &Engine, artifact: &File, kind: CodeKind) -> wasmtime::Result<Code> {
    match kind {
        CodeKind::WasmModule => {
            let file = artifact.try_clone()?;
            // SAFETY: the caller's contract above; the mapping is private, and the file is never written in place, only
            // replaced by renaming.
            unsafe { Module::deserialize_open_file(engine, file) }.map(Code::Module)
        }
        CodeKind::WasmComponent => {
            // SAFETY: as above.
            unsafe { Component::deserialize_file(engine, path_of(artifact)) }.map(Code::Component)
        }
        other => Err(wasmtime::Error::msg(format!("{other} code has no artifact of this engine"))),
    }
}

/// Whether an artifact is of a module or of a component; `None` where it is neither.
pub(crate) fn kind_of(artifact: &File) -> Option<CodeKind> {
    match Engine::detect_precompiled_file(path_of(artifact)).ok()?? {
        Precompiled::Module => Some(CodeKind::WasmModule),
        Precompiled::Component => Some(CodeKind::WasmComponent),
    }
}

/// A path that leads to the very descriptor that was checked, for what the engine opens by path alone.
fn path_of(artifact: &File) -> String {
    format!("/proc/self/fd/{}", artifact.as_raw_fd())
}
