//! The WebAssembly front end: sections to [`module::Module`], bodies to operators, and both to the program
//! representation by [`read::read`].

pub(crate) mod classes;
pub(crate) mod decode;
mod detail;
mod facts;
pub(crate) mod features;
pub(crate) mod module;
mod nearest;
mod parse;
mod read;
mod trees;
mod validate;
mod words;

pub(crate) use read::read;
