//! Front ends: from bytes to the program representation. One so far, WebAssembly.

pub(crate) mod wasm;
