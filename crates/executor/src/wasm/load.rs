//! Loading compiled artifacts: the only place outside `sandbox` where the engine's API demands `unsafe`.

#![expect(unsafe_code, reason = "the engine cannot check machine code it is given; its loading functions are unsafe")]

use std::fs::File;

use forewarm_types::CodeKind;
use wasmtime::component::Component;
use wasmtime::{Engine, Module};

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
            // The engine opens components by path alone; this one leads to the very descriptor that was checked.
            use std::os::fd::AsRawFd;
            let directory = if cfg!(target_os = "linux") { "/proc/self/fd" } else { "/dev/fd" };
            let path = format!("{directory}/{}", artifact.as_raw_fd());
            // SAFETY: as above.
            unsafe { Component::deserialize_file(engine, path) }.map(Code::Component)
        }
        other => Err(wasmtime::Error::msg(format!("{other} code has no artifact of this engine"))),
    }
}
