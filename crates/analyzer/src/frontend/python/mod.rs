//! The Python front end: source to syntax tree (by ruff's parser), trees of a program's files to the program
//! representation, imports to what they load in an [`Environment`](crate::Environment).
//!
//! Operators are counted in bytecode operations of CPython 3.11, as near as the tree tells them (`dis` documentation);
//! what imported libraries and built-in functions do inside is not counted.

mod analyze;
mod calls;
mod closure;
mod emit;
mod expressions;
mod facts;
mod files;
mod imports;
mod libraries;
mod memory_flags;
mod nesting;
mod scan;
mod scope;
mod source;
mod statements;
mod trips;

pub use analyze::PythonSource;
pub(crate) use analyze::analyze;
