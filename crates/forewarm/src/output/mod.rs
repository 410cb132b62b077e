//! How results and errors are shown: for people, or as JSON. Commands return data; only this renders it.

pub mod json;
pub mod text;

pub use json::Json;
pub use text::Text;

use crate::document::Document;
use crate::failure::Failure;

/// A way of showing results and errors; each text ends with a line break.
pub trait Output: Sync {
    /// A result, for standard output.
    fn document(&self, document: &Document) -> String;
    /// An error, for standard error.
    fn failure(&self, failure: &Failure) -> String;
}
