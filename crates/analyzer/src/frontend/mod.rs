//! Front ends: from bytes to the program representation. WebAssembly, and native programs in ELF.
//!
//! To add one: read the bytes into a [`Reading`], and name it in `read` of the crate's root. Frequencies, the call
//! summary, host calls, profile and regions then come of the shared analyses.

pub(crate) mod elf;
pub(crate) mod python;
mod reading;
pub(crate) mod wasm;

pub(crate) use reading::{Algorithms, Allocator, Detail, Facts, Reading, Service};
