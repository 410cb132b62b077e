//! The WebAssembly front end: sections to [`module::Module`], bodies to operators.

pub(crate) mod classes;
pub(crate) mod decode;
pub(crate) mod features;
pub(crate) mod module;
pub(crate) mod parse;
pub(crate) mod trees;
pub(crate) mod validate;
